"""A disk that a test can fill and empty: a small file system in memory, or a limit on the size of files."""

from __future__ import annotations

import os
import resource
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISK_BYTES = 8 * 2**20
FILE_BYTES = 4096
FILLER = "filler"


class SmallDisk:
    """A folder whose disk can be full.

    Parameters
    ----------
    folder
        Where it is; on a disk of its own if ``own``. Otherwise this process may write to no file beyond its beginning
        when the disk is "full", which needs no rights.
    """

    def __init__(self, folder: Path, *, own: bool) -> None:
        self.folder = folder
        self._own = own
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """Leave no space."""
        if not self._own:
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, self._limits[1]))
            return
        with suppress(OSError), (self.folder / FILLER).open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def empty(self) -> None:
        """Make space again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        (self.folder / FILLER).unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Make a folder on a small disk; a real one where the tests may mount one."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    own = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    disk = SmallDisk(folder, own=own)
    try:
        yield disk
    finally:
        disk.empty()
        if own:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
