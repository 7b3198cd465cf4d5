"""Whether there is memory for one more process like another: what the machine has left, or what its limit leaves.

Linux tells; where nothing can be read there is room.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

KIBIBYTE: Final = 1024
SPARE_BYTES: Final = 64 * 1024 * KIBIBYTE
"""What is to be left when the new process is there."""
_PRIVATE: Final = re.compile(r"^Private_(?:Clean|Dirty):\s+(\d+) kB$", re.MULTILINE)
_AVAILABLE: Final = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)
_RECLAIMABLE: Final = re.compile(r"^inactive_file (\d+)$", re.MULTILINE)
_GROUP: Final = re.compile(r"^0::/?(.*)$", re.MULTILINE)


def has_room(pids: Iterable[int], *, root: Path = Path("/")) -> bool:
    """Tell whether a process as large as the largest of some others fits beside them.

    Parameters
    ----------
    pids
        Of processes that have loaded what the new one would.
    root
        Where ``proc`` and ``sys`` are found.
    """
    spare = _spare_bytes(root)
    largest = max((_private_bytes(root / "proc" / str(pid)) for pid in pids), default=0)
    return spare is None or spare >= largest + SPARE_BYTES


def _spare_bytes(root: Path) -> int | None:
    """Return how much memory is left, by the machine and by the limit of this process's group; None if untold."""
    found = [_available_bytes(root), *_limits(root)]
    known = [each for each in found if each is not None]
    return min(known, default=None)


def _available_bytes(root: Path) -> int | None:
    match = _AVAILABLE.search(_text(root / "proc" / "meminfo"))
    return None if match is None else int(match[1]) * KIBIBYTE


def _limits(root: Path) -> list[int]:
    """Return what each limit above this process leaves; a file that can be dropped from memory does not count."""
    match = _GROUP.search(_text(root / "proc" / "self" / "cgroup"))
    top = root / "sys" / "fs" / "cgroup"
    group = top if match is None else top / match[1]
    left = []
    for folder in (group, *group.parents):
        most, used = _text(folder / "memory.max").strip(), _text(folder / "memory.current").strip()
        if most.isdigit() and used.isdigit():
            reclaimable = _RECLAIMABLE.search(_text(folder / "memory.stat"))
            left.append(int(most) - int(used) + (0 if reclaimable is None else int(reclaimable[1])))
        if folder == top:
            break
    return left


def _private_bytes(process: Path) -> int:
    return sum(int(number) for number in _PRIVATE.findall(_text(process / "smaps_rollup"))) * KIBIBYTE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
