from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classifier.studies.checkpoints import Steps

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


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    steps = Steps(tmp_path, jobs=1)
    assert steps.all("Squares", squared, [1, 2], [1, 2]) == [1, 4]
    assert steps.all("Squares", squared, [2, 3, 1], [2, 3, 1]) == [4, 9, 1]
    assert done == [1, 2, 3]


def test_equal_keys_are_one_step(tmp_path: Path) -> None:
    assert Steps(tmp_path, jobs=1).all("Squares", squared, [4, 4], ["four", "four"]) == [16, 16]
    assert done == [4]


def test_what_was_done_before_a_failure_is_kept(tmp_path: Path) -> None:
    steps = Steps(tmp_path, jobs=1)
    with pytest.raises(ValueError, match="negative"):
        steps.all("Squares", squared, [1, 2, -1], [1, 2, -1])
    done.clear()
    assert steps.all("Squares", squared, [1, 2], [1, 2]) == [1, 4]
    assert done == []


@pytest.mark.parametrize("damage", [b"", b"\x80\x05", b"no step at all"])
def test_a_damaged_step_is_done_again(tmp_path: Path, damage: bytes) -> None:
    steps = Steps(tmp_path, jobs=1)
    steps.all("Squares", squared, [5], [5])
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert steps.all("Squares", squared, [5], [5]) == [25]
    assert done == [5, 5]
    assert steps.all("Squares", squared, [5], [5]) == [25]
    assert done == [5, 5]
