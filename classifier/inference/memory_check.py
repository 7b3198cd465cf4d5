"""Checks whether there is enough memory for another worker process, considering the machine and cgroup limits.

The information comes from Linux's ``/proc`` and ``/sys``; where it is not available, the answer is yes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

KIBIBYTE: Final = 1024
SPARE_BYTES: Final = 64 * 1024 * KIBIBYTE
"""Memory that must remain free besides the new process."""
_PRIVATE: Final = re.compile(r"^Private_(?:Clean|Dirty):\s+(\d+) kB$", re.MULTILINE)
_AVAILABLE: Final = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)
_RECLAIMABLE: Final = re.compile(r"^inactive_file (\d+)$", re.MULTILINE)
_GROUP: Final = re.compile(r"^0::/?(.*)$", re.MULTILINE)


def has_memory_for_another(pids: Iterable[int], *, root: Path = Path("/")) -> bool:
    """Return whether there is memory for another process as large as the largest of the given ones.

    Parameters
    ----------
    pids
        Processes that have loaded what the new one will load.
    root
        The folder that contains ``proc`` and ``sys``.
    """
    free = _free_bytes(root)
    largest = max((_private_bytes(root / "proc" / str(pid)) for pid in pids), default=0)
    return free is None or free >= largest + SPARE_BYTES


def _free_bytes(root: Path) -> int | None:
    """Return the free memory of the machine or of this process's cgroup, whichever is less; None if unknown."""
    found = [_available_bytes(root), *_free_in_cgroups(root)]
    known = [each for each in found if each is not None]
    return min(known, default=None)


def _available_bytes(root: Path) -> int | None:
    match = _AVAILABLE.search(_text(root / "proc" / "meminfo"))
    return None if match is None else int(match[1]) * KIBIBYTE


def _free_in_cgroups(root: Path) -> list[int]:
    """Return the free memory of this process's cgroup and its parents; reclaimable file cache counts as free."""
    match = _GROUP.search(_text(root / "proc" / "self" / "cgroup"))
    top = root / "sys" / "fs" / "cgroup"
    group = top if match is None else top / match[1]
    free = []
    for folder in (group, *group.parents):
        most, used = _text(folder / "memory.max").strip(), _text(folder / "memory.current").strip()
        if most.isdigit() and used.isdigit():
            reclaimable = _RECLAIMABLE.search(_text(folder / "memory.stat"))
            free.append(int(most) - int(used) + (0 if reclaimable is None else int(reclaimable[1])))
        if folder == top:
            break
    return free


def _private_bytes(process: Path) -> int:
    return sum(int(number) for number in _PRIVATE.findall(_text(process / "smaps_rollup"))) * KIBIBYTE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
