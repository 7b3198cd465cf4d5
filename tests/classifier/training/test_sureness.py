from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.training import sureness

GENRES = ("blues", "jazz")
NONE = np.empty((0, 2))


def answers(*blues: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return probabilities of answers that are all 'blues' where they are above one half."""
    return np.array([[share, 1 - share] for share in blues])


def truths(*right: bool) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.where(right, "blues", "jazz")


def test_answers_from_the_threshold_on_are_right_often_enough() -> None:
    shares = answers(0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.8)
    found = sureness.least_by_genre(GENRES, shares, truths(True, True, True, True, True, False, True), NONE)
    assert found["blues"] == 0.95


def test_all_that_are_more_probable_than_not_are_sure_where_all_are_right() -> None:
    found = sureness.least_by_genre(GENRES, answers(*[0.7, 0.6, 0.55, 0.51, 0.5001]), truths(*[True] * 5), NONE)
    assert found["blues"] == pytest.approx(0.5001)


def test_a_genre_of_which_too_little_was_heard_is_never_sure() -> None:
    found = sureness.least_by_genre(GENRES, answers(0.99, 0.98), truths(True, True), NONE)
    assert found["blues"] > 1
    assert not sureness.are_sure(GENRES, answers(1.0), found).any()


def test_strangers_are_never_right() -> None:
    shares, truth = answers(*[0.99, 0.98, 0.97, 0.96, 0.95, 0.94]), truths(*[True] * 6)
    alone = sureness.least_by_genre(GENRES, shares, truth, NONE)["blues"]
    among = sureness.least_by_genre(GENRES, shares, truth, answers(0.955, 0.956))["blues"]
    assert among > alone


@given(
    st.lists(st.tuples(st.sampled_from([0.55, 0.7, 0.8, 0.9, 0.95]), st.booleans()), min_size=1, max_size=60),
)
def test_sure_answers_hold_what_was_wanted_of_them(marks: list[tuple[float, bool]]) -> None:
    shares, truth = answers(*[mark[0] for mark in marks]), truths(*[mark[1] for mark in marks])
    least = sureness.least_by_genre(GENRES, shares, truth, NONE)
    sure = sureness.are_sure(GENRES, shares, least)
    if sure.any():
        assert (truth[sure] == "blues").mean() >= sureness.WANTED
        assert sure.sum() >= sureness.LEAST_ANSWERS
    else:
        assert least["blues"] > 1


def test_excerpts_of_a_song_are_averaged() -> None:
    means, first = sureness.by_song(answers(0.9, 0.2, 0.7), ["one", "two", "one"])
    assert means[:, 0] == pytest.approx([0.8, 0.2])
    assert first.tolist() == [0, 1]
