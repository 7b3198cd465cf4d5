from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.training import sureness
from classifier.training.data_loading import GTZAN, TODAY, TRADITIONAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

GENRES = ("blues", "jazz", "pop")
NONE = np.empty((0, len(GENRES)))


def answers(*blues: float, genre: str = "blues") -> NDArray[np.float64]:
    """Return probabilities of answers that are all ``genre`` where they are above one half."""
    found = np.zeros((len(blues), len(GENRES)))
    found[:, GENRES.index(genre)] = blues
    found[:, GENRES.index("jazz")] += 1 - np.array(blues)
    return found


def truths(*right: bool, genre: str = "blues") -> NDArray[np.str_]:
    return np.where(right, genre, "jazz")


def of(collection: str, count: int) -> NDArray[np.str_]:
    return np.full(count, collection)


def drawn(
    count: int, *, offset: float = 0.0, genre: str = "blues", seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return answers that are right as often as their log odds, moved by ``offset``, say."""
    draw = np.random.default_rng(seed)
    shares = draw.uniform(0.5, 1, count)
    odds = np.log(shares / (1 - shares)) + offset
    return answers(*shares, genre=genre), truths(*(draw.random(count) < 1 / (1 + np.exp(-odds))), genre=genre)


def test_the_threshold_is_where_the_chance_of_being_right_reaches_what_is_wanted() -> None:
    shares, truth = drawn(4000)
    found = sureness.least_by_genre(GENRES, shares, truth, of(GTZAN, 4000), NONE)
    assert found["blues"] == pytest.approx(sureness.WANTED, abs=0.03)


def test_all_that_are_more_probable_than_not_are_sure_where_all_are_right() -> None:
    found = sureness.least_by_genre(
        GENRES, answers(*[0.7, 0.6, 0.55, 0.51, 0.5001]), truths(*[True] * 5), of("", 5), NONE
    )
    assert found["blues"] == sureness.LEAST_PROBABILITY


def test_a_genre_of_which_too_little_was_heard_is_never_sure() -> None:
    found = sureness.least_by_genre(GENRES, answers(0.99, 0.98), truths(True, True), of("", 2), NONE)
    assert found["blues"] > 1
    assert not sureness.are_sure(GENRES, answers(1.0), found).any()


def test_strangers_are_never_right() -> None:
    shares, truth = drawn(500)
    alone = sureness.least_by_genre(GENRES, shares, truth, of(GTZAN, 500), NONE)["blues"]
    among = sureness.least_by_genre(GENRES, shares, truth, of(GTZAN, 500), drawn(200, seed=1)[0])["blues"]
    assert among > alone


def test_genres_of_songs_of_today_need_more_where_their_answers_are_right_less_often() -> None:
    old, old_truth = drawn(1000)
    new, new_truth = drawn(1000, offset=-1, genre="pop")
    found = sureness.least_by_genre(
        GENRES,
        np.concatenate([old, new]),
        np.concatenate([old_truth, new_truth]),
        np.concatenate([of(GTZAN, 1000), np.where(new_truth == "pop", TODAY, GTZAN)]),
        NONE,
    )
    assert found["blues"] < found["pop"] < 1


def test_traditional_music_is_judged_by_itself() -> None:
    shares, truth = drawn(1000, offset=2)
    wrong, wrong_truth = drawn(1000, offset=-1, genre="pop")
    found = sureness.least_by_genre(
        GENRES,
        np.concatenate([shares, wrong]),
        np.concatenate([np.where(truth == "blues", truth, "pop"), wrong_truth]),
        np.concatenate([np.where(truth == "blues", TRADITIONAL, GTZAN), of(GTZAN, 1000)]),
        NONE,
    )
    alone = sureness.least_by_genre(GENRES, shares, truth, of(GTZAN, 1000), NONE)
    assert found["blues"] == pytest.approx(alone["blues"])


@given(
    st.lists(st.tuples(st.sampled_from([0.55, 0.7, 0.8, 0.9, 0.95]), st.booleans()), min_size=1, max_size=60),
)
def test_a_bound_is_a_probability_above_one_half_or_out_of_reach(marks: list[tuple[float, bool]]) -> None:
    shares, truth = answers(*[mark[0] for mark in marks]), truths(*[mark[1] for mark in marks])
    least = sureness.least_by_genre(GENRES, shares, truth, of(GTZAN, len(marks)), NONE)
    assert all(sureness.LEAST_PROBABILITY <= bound <= 1 or bound == sureness.NEVER for bound in least.values())


def test_held_out_answers_are_measured_by_bounds_of_other_groups() -> None:
    """Answers of one artist that are always wrong, and surest, must not move the bound that they are measured by."""
    good, truth = answers(*[0.9] * 50), truths(*[True] * 50)
    bad = answers(*[0.99] * 20)
    groups = np.array([*(f"artist {number}" for number in range(50)), *["bad"] * 20])
    sure, strange = sureness.held_out_sure(
        GENRES,
        np.concatenate([good, bad]),
        np.concatenate([truth, truths(*[False] * 20)]),
        of(GTZAN, 70),
        groups,
        answers(0.6),
    )
    assert sure[groups == "bad"].all()
    assert strange.shape == (1,)


def test_nothing_held_out_is_nothing_sure() -> None:
    none = np.empty(0, dtype=str)
    sure, strange = sureness.held_out_sure(GENRES, NONE, none, none, none, answers(0.99))
    assert not sure.size
    assert not strange.any()


def test_excerpts_of_a_song_are_averaged() -> None:
    means, first = sureness.by_song(answers(0.9, 0.2, 0.7), ["one", "two", "one"])
    assert means[:, 0] == pytest.approx([0.8, 0.2])
    assert first.tolist() == [0, 1]
