"""Reads and writes a release's artifact: a joblib file, whichever version of the project wrote it.

``classifier.inference.manifest`` checks its bytes against the manifest before they come here.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import Any, Final

import joblib

# A pickle names the modules of its classes. Releases written before the rooms were rearranged name these.
FORMER_MODULES: Final = {
    "classifier.ensemble": "classifier.inference.ensemble",
    "classifier.estimators": "classifier.inference.estimators",
    "classifier.model": "classifier.inference.model",
}


def read_artifact(content: bytes) -> Any:
    """Return the artifact that a release's file holds.

    Parameters
    ----------
    content
        The file's bytes. Unpickling runs code, so they must be the ones that the release's manifest vouches for.
    """
    for former, present in FORMER_MODULES.items():
        sys.modules.setdefault(former, import_module(present))
    return joblib.load(io.BytesIO(content))
