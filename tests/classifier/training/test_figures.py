from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.training import model_card
from classifier.training.accuracy import Figure


@given(st.lists(st.booleans(), min_size=1))
def test_a_figure_counts_right_answers(marks: list[bool]) -> None:
    figure = Figure.count("folds", "ensemble", "clean", marks)
    assert (figure.right, figure.of) == (sum(marks), len(marks))
    assert figure.share == pytest.approx(np.mean(marks))
    assert figure.standard_error == pytest.approx(np.std(marks) / np.sqrt(len(marks)))


def test_a_figure_of_nothing_is_no_number_and_still_json() -> None:
    figure = Figure.count("recordings", "release", "clean", [])
    assert math.isnan(figure.share)
    data = json.loads(json.dumps(figure.as_dict(), allow_nan=False))
    assert (data["right"], data["of"], data["accuracy"], data["standard_error"]) == (0, 0, None, None)


def test_probabilities_that_keep_their_word_have_no_calibration_error() -> None:
    confidence = np.repeat([0.75, 0.25], 40)
    right = np.concatenate([np.arange(40) % 4 != 0, np.arange(40) % 4 == 0])
    assert model_card.expected_calibration_error(confidence, right) == pytest.approx(0)
    assert model_card.expected_calibration_error(np.ones(80), right) == pytest.approx(0.5)


def test_the_pictures_are_the_same_for_the_same_answers() -> None:
    genres = ("blues", "jazz", "chèo")
    truth = np.array(genres)[np.arange(30) % 3]
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 30)
    first, again = (model_card.pictures(genres, truth, probabilities) for _ in range(2))
    assert set(first) == {model_card.CONFUSION, model_card.RELIABILITY}
    assert first == again
    assert all(picture.startswith(b"\x89PNG") for picture in first.values())


def test_a_standard_error_by_group_is_larger_where_groups_agree() -> None:
    marks = np.repeat([True, False], 50)
    alone = Figure.count("split", "system", "clean", marks, np.arange(100).astype(str).tolist())
    assert alone.standard_error == pytest.approx(0.05, rel=0.02)
    together = Figure.count("split", "system", "clean", marks, np.repeat(np.arange(10), 10).astype(str).tolist())
    assert together.standard_error > 3 * alone.standard_error
    assert Figure.count("split", "system", "clean", marks).standard_error == pytest.approx(0.05)
