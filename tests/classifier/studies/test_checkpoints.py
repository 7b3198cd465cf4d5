from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classifier.studies.checkpoints import Checkpoints

if TYPE_CHECKING:
    from pathlib import Path

done: list[int] = []


def squared(number: int) -> int:
    done.append(number)
    if number < 0:
        raise ValueError("negative")
    return number**2


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    done.clear()


def test_saved_results_are_not_computed_again(tmp_path: Path) -> None:
    steps = Checkpoints(tmp_path, jobs=1)
    assert steps.all("Squares", squared, [1, 2], [1, 2]) == [1, 4]
    assert steps.all("Squares", squared, [2, 3, 1], [2, 3, 1]) == [4, 9, 1]
    assert done == [1, 2, 3]


def test_tasks_with_equal_keys_run_once(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, jobs=1).all("Squares", squared, [4, 4], ["four", "four"]) == [16, 16]
    assert done == [4]


def test_results_before_a_failure_are_saved(tmp_path: Path) -> None:
    steps = Checkpoints(tmp_path, jobs=1)
    with pytest.raises(ValueError, match="negative"):
        steps.all("Squares", squared, [1, 2, -1], [1, 2, -1])
    done.clear()
    assert steps.all("Squares", squared, [1, 2], [1, 2]) == [1, 4]
    assert done == []


@pytest.mark.parametrize("damage", [b"", b"\x80\x05", b"no step at all"])
def test_a_damaged_result_is_computed_again(tmp_path: Path, damage: bytes) -> None:
    steps = Checkpoints(tmp_path, jobs=1)
    steps.all("Squares", squared, [5], [5])
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert steps.all("Squares", squared, [5], [5]) == [25]
    assert done == [5, 5]
    assert steps.all("Squares", squared, [5], [5]) == [25]
    assert done == [5, 5]
