from __future__ import annotations

import numpy as np

from bot.core.similar_songs import closest
from storage import SegmentVectors


def _song(*values: float, family: str = "texture") -> list[SegmentVectors]:
    return [SegmentVectors(0.0, 30.0, {family: np.array(values, np.float32)})]


def test_the_most_alike_come_first_and_the_unlike_not_at_all() -> None:
    songs = {"one": _song(1, 0, 0), "like": _song(1, 0.2, 0), "near": _song(0.8, 0.5, 0), "far": _song(0, 1, 1)}
    assert closest("one", songs) == ["like", "near"]
    assert "one" not in closest("far", songs)


def test_songs_without_features_of_the_same_kind_are_not_compared() -> None:
    songs = {"one": _song(1, 0), "other": _song(1, 0, family="gtzan57"), "none": []}
    assert closest("one", songs) == []
