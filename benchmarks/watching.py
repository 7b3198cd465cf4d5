"""Measures the memory, descriptors and files of a process and its children, and limits their memory. Linux only.

Memory is the sum of proportional set sizes (PSS), so shared memory is counted once.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.units import KIBIBYTE, MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Look:
    """A sample of a program: memory in MiB of all its processes and of the first one, and counts."""

    memory: float
    first_process: float
    processes: int
    threads: int
    descriptors: int
    temporary_files: int
    database: float

    def as_dict(self) -> dict[str, float]:
        """Return it as plain data."""
        return asdict(self)


def look(pid: int, temporary: tuple[Path, ...], databases: tuple[Path, ...]) -> Look:
    """Sample a process, its descendants, and their files."""
    own = [pid, *descendants(pid)]
    first = mebibytes(pid)
    return Look(
        memory=round(first + sum(mebibytes(each) for each in own[1:]), 1),
        first_process=round(first, 1),
        processes=len(own),
        threads=sum(_count(Path(f"/proc/{each}/task")) for each in own),
        descriptors=sum(_count(Path(f"/proc/{each}/fd")) for each in own),
        temporary_files=sum(1 for folder in temporary for path in folder.rglob("*") if path.is_file()),
        database=round(sum(_size(path) for path in databases) / MEBIBYTE, 2),
    )


def mebibytes(pid: int) -> float:
    """Return a process's proportional memory, MiB; 0 if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / KIBIBYTE for line in lines if line.startswith("Pss:")), 0)


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below a process."""
    found = []
    for child in _children(pid):
        found += [child, *descendants(child)]
    return found


def _children(pid: int) -> Iterator[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return
    for thread in threads:
        with suppress(OSError):
            yield from map(int, (thread / "children").read_text(encoding="ascii").split())


def _count(folder: Path) -> int:
    try:
        return len(os.listdir(folder))  # noqa: PTH208 - only counted
    except OSError:
        return 0


def _size(path: Path) -> int:
    """Return the size of a SQLite database with its log."""
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*") if file.exists())


class MemoryLimit:
    """A control group (version 1 or 2) that holds a program's memory below a limit; only root can make one.

    Parameters
    ----------
    megabytes
        The limit, MiB, without swap.
    """

    def __init__(self, megabytes: int) -> None:
        root = Path("/sys/fs/cgroup")
        self._v2 = "memory" in _words(root / "cgroup.controllers")
        self.folder = (root if self._v2 else root / "memory") / f"genre-bot-{os.getpid()}"
        self.folder.mkdir()
        if self._v2:
            (self.folder / "memory.max").write_text(str(megabytes * MEBIBYTE))
            with suppress(OSError):
                (self.folder / "memory.swap.max").write_text("0")
        else:
            (self.folder / "memory.limit_in_bytes").write_text(str(megabytes * MEBIBYTE))

    def enter(self) -> None:
        """Put the calling process and its future children under the limit."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def used(self) -> float:
        """Return the memory in use in MiB, without page cache."""
        wanted = {"anon", "shmem"} if self._v2 else {"total_rss", "total_shmem"}
        pairs = (line.split() for line in (self.folder / "memory.stat").read_text(encoding="ascii").splitlines())
        return sum(int(value) for name, value in pairs if name in wanted) / MEBIBYTE

    def peak(self) -> float:
        """Return the peak memory in MiB, including page cache."""
        name = "memory.peak" if self._v2 else "memory.max_usage_in_bytes"
        return int((self.folder / name).read_text(encoding="ascii")) / MEBIBYTE

    def killed(self) -> int:
        """Return how many processes were killed for lack of memory."""
        name = "memory.events" if self._v2 else "memory.oom_control"
        pairs = (line.split() for line in (self.folder / name).read_text(encoding="ascii").splitlines())
        return next((int(value) for word, value in pairs if word == "oom_kill"), 0)

    async def emptied(self) -> None:
        """Wait until all its processes have ended."""
        while (self.folder / "cgroup.procs").read_text(encoding="ascii"):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)

    def close(self) -> None:
        """Delete the group; all its processes must have ended."""
        with suppress(OSError):
            self.folder.rmdir()


def _words(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").split() if path.exists() else []
