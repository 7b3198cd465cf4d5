"""Checks whether there is enough memory for another process, considering the machine and cgroup limits.

The information comes from Linux's ``/proc`` and ``/sys``; where it is not available, the answer is yes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KIBIBYTE: Final = 1024
SPARE_BYTES: Final = 64 * 1024 * KIBIBYTE
"""Memory that must remain free besides the new process."""
_PRIVATE: Final = re.compile(r"^Private_(?:Clean|Dirty):\s+(\d+) kB$", re.MULTILINE)
_AVAILABLE: Final = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)
_RECLAIMABLE: Final = re.compile(r"^inactive_file (\d+)$", re.MULTILINE)
_TOTAL: Final = re.compile(r"^(?:MemTotal|SwapTotal):\s+(\d+) kB$", re.MULTILINE)
_HIERARCHIES: Final = (
    (re.compile(r"^0::/?(.*)$", re.MULTILINE), "", "memory.max", "memory.current"),
    (re.compile(r"^\d+:memory:/?(.*)$", re.MULTILINE), "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
"""Versions 2 and 1 of cgroups: a process's group, the folder of all groups, and the files with limit and usage."""


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


def allowed_bytes(*, root: Path = Path("/")) -> int | None:
    """Return how much memory there could ever be here: that of the machine, or less by a limit; None if unknown."""
    machine = sum(int(number) for number in _TOTAL.findall(_text(root / "proc" / "meminfo"))) * KIBIBYTE
    return min([machine] * bool(machine) + [limit for _, limit, _ in _limits(root)], default=None)


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
    free = []
    for folder, most, used in _limits(root):
        if used.isdigit():
            reclaimable = _RECLAIMABLE.search(_text(folder / "memory.stat"))
            free.append(most - int(used) + (0 if reclaimable is None else int(reclaimable[1])))
    return free


def _limits(root: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield the folder, the limit in bytes and the usage of this process's cgroup and its parents, where limited."""
    for pattern, name, limit, usage in _HIERARCHIES:
        match = pattern.search(_text(root / "proc" / "self" / "cgroup"))
        top = root / "sys" / "fs" / "cgroup" / name
        group = top if match is None else top / match[1]
        for folder in (group, *group.parents):
            most = _text(folder / limit).strip()
            if most.isdigit():
                yield folder, int(most), _text(folder / usage).strip()
            if folder == top:
                break


def _private_bytes(process: Path) -> int:
    return sum(int(number) for number in _PRIVATE.findall(_text(process / "smaps_rollup"))) * KIBIBYTE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
