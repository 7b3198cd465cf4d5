"""Reading tags of files from strangers: in a confined process, for ``classifier.inference.worker_pool`` to run.

A tag may be made so as to fill the memory of whoever reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from classifier.inference.worker_process import Limits
from classifier.library import tags
from common.units import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classifier.library.tags import Tags
    from classifier.song_report import Progress

LIMITS: Final = Limits(seconds=20, memory_bytes=128 * MEBIBYTE)


class TagReader:
    """A worker's work: what a file says of itself."""

    about = "tags"

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Tags:  # noqa: ARG002 - there is nothing to tell
        return tags.read(path)
