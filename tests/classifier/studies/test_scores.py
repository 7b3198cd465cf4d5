from __future__ import annotations

import math

import numpy as np
import pytest

from classifier.studies.scores import clustered_error, order_kept, votes


def test_the_rows_of_a_song_vote_for_its_genre() -> None:
    songs = np.array(["a", "a", "a", "b", "b"])
    answers = np.array(["pop", "pop", "rock", "rock", "rock"])
    truth = np.array(["pop", "pop", "pop", "pop", "pop"])
    count, share, _ = votes(songs, answers, truth)
    assert (count, share) == (2, 0.5)


def test_a_tied_vote_counts_as_a_fraction() -> None:
    songs = np.array(["a", "a", "b", "b"])
    answers = np.array(["pop", "rock", "rock", "jazz"])
    truth = np.array(["pop", "pop", "pop", "pop"])
    assert votes(songs, answers, truth)[1] == 0.25


def test_independent_rows_have_the_binomial_error() -> None:
    right = np.array([True] * 30 + [False] * 10)
    assert clustered_error(right, None) == pytest.approx(math.sqrt(0.75 * 0.25 / 40))


def test_three_identical_excerpts_count_as_one() -> None:
    songs = np.repeat(np.arange(40).astype(str), 3)
    right = np.repeat([True] * 30 + [False] * 10, 3)
    assert clustered_error(right, songs) == pytest.approx(math.sqrt(0.75 * 0.25 / 40))


def test_the_published_order_is_compared_pair_by_pair() -> None:
    assert order_kept([0.7, 0.8, 0.9], [0.6, 0.5, 0.9]) == (2, 3)
    assert order_kept([0.8, 0.8, 0.9], [0.6, 0.5, 0.9]) == (2, 2)
