"""Whether one more process fits, by what the machine and the limits above a process say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from classifier.commands.retrain import lack_of_memory
from classifier.inference.memory_check import SPARE_BYTES, has_memory_for_another
from common.units import MEBIBYTE

if TYPE_CHECKING:
    from pathlib import Path

WORKER = 150


def machine(root: Path, *, available: int, limit: int | None = None, used: int = 0, files: int = 0) -> Path:
    """Write what a machine with a worker of 150 MiB says of itself, in MiB."""
    (root / "proc" / "7").mkdir(parents=True)
    (root / "proc" / "self").mkdir()
    (root / "proc" / "meminfo").write_text(f"MemFree: 1 kB\nMemAvailable:   {available * 1024} kB\n")
    (root / "proc" / "7" / "smaps_rollup").write_text(
        f"Rss: 1 kB\nPrivate_Clean:  0 kB\nPrivate_Dirty:   {WORKER * 1024} kB\nSwap: 0 kB\n"
    )
    (root / "proc" / "self" / "cgroup").write_text("0::/bots/one\n")
    group = root / "sys" / "fs" / "cgroup" / "bots"
    (group / "one").mkdir(parents=True)
    if limit is not None:
        # The limit stands above the group that the process is in.
        (group / "memory.max").write_text(f"{limit * MEBIBYTE}\n")
        (group / "memory.current").write_text(f"{used * MEBIBYTE}\n")
        (group / "memory.stat").write_text(f"anon 5\ninactive_file {files * MEBIBYTE}\n")
        (group / "one" / "memory.max").write_text("max\n")
        (group / "one" / "memory.current").write_text("5\n")
    return root


NEEDED = WORKER + SPARE_BYTES // MEBIBYTE


@pytest.mark.parametrize(
    ("says", "room"),
    [
        ({"available": NEEDED}, True),
        ({"available": NEEDED - 1}, False),
        ({"available": 9000, "limit": 512, "used": 512 - NEEDED}, True),
        ({"available": 9000, "limit": 512, "used": 513 - NEEDED}, False),
        ({"available": 9000, "limit": 512, "used": 500, "files": NEEDED}, True),
        ({"available": 10, "limit": 512, "used": 0}, False),
    ],
)
def test_machine_and_cgroup_limits_are_considered(tmp_path: Path, says: dict[str, int], room: bool) -> None:
    assert has_memory_for_another([7], root=machine(tmp_path, **says)) is room


@pytest.mark.parametrize(
    ("total", "limit", "version", "lacks"),
    [(4000, None, 2, False), (900, None, 2, True), (4000, 512, 2, True), (4000, 512, 1, True), (4000, 2000, 1, False)],
)
def test_a_retraining_that_cannot_fit_ends_with_what_to_do(
    tmp_path: Path, total: int, limit: int | None, version: int, lacks: bool
) -> None:
    machine(tmp_path, available=4000, limit=limit if version == 2 else None)
    (tmp_path / "proc" / "meminfo").write_text(f"MemTotal: {total * 1024} kB\nSwapTotal: 0 kB\n")
    if version == 1 and limit is not None:
        # In a container the group's own path is not there, and its limit is at the top.
        (tmp_path / "proc" / "self" / "cgroup").write_text("9:memory:/docker/abc\n0::/docker/abc\n")
        top = tmp_path / "sys" / "fs" / "cgroup" / "memory"
        top.mkdir()
        (top / "memory.limit_in_bytes").write_text(f"{limit * MEBIBYTE}\n")
    said = lack_of_memory(tmp_path)
    assert bool(said) is lacks
    if lacks:
        assert f"has {min(total, limit or total) * MEBIBYTE / 1e6:.0f} MB" in said
        assert "RETRAIN=off" in said


def test_without_information_there_is_enough_memory(tmp_path: Path) -> None:
    assert has_memory_for_another([7], root=tmp_path)


def test_this_machine_provides_the_information() -> None:
    assert isinstance(has_memory_for_another([os.getpid()]), bool)
