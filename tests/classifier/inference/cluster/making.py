"""Releases that nothing can be heard with, but that are whole: their checksums are right."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from classifier.inference.manifest import FORMAT, MANIFEST

if TYPE_CHECKING:
    from pathlib import Path


def write_release(folder: Path, name: str, content: bytes = b"weights") -> Path:
    """Let a folder hold a release of this name, in the place of any other."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.joblib").write_bytes(content)
    listed = {f"{name}.joblib": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}}
    manifest = {"format": FORMAT, "name": name, "genres": ["blues", "jazz"], "files": listed}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder
