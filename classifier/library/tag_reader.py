"""Reads the tags of files from strangers, in a confined worker process (``classifier.inference.worker_pool``).

A malicious tag can exhaust the memory of the process that reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from classifier.inference.worker_process import WorkerLimits
from classifier.library import tags
from common.units import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classifier.library.tags import FileTags
    from classifier.song_report import Progress

LIMITS: Final = WorkerLimits(seconds=20, memory_bytes=128 * MEBIBYTE)


class TagReader:
    """A file processor that returns a file's tags."""

    info = "tags"

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> FileTags:  # noqa: ARG002 - no progress
        return tags.read(path)
