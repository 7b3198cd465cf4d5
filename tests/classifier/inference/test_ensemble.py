from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.inference.ensemble import LEAST_PROBABILITY, Branch, Ensemble, Expert, Opinion, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

WEST = ("blues", "jazz", "pop")
EAST = ("cheo", "hatxam")
SEGMENTS = 7


def opinion(genres: tuple[str, ...], seed: int, *, sharpness: float = 1.0) -> Opinion:
    drawn = np.random.default_rng(seed).dirichlet(np.full(len(genres), 1 / sharpness), SEGMENTS)
    return Opinion(genres, drawn)


def opinions() -> Mapping[str, Opinion]:
    return {
        "classic": opinion(WEST, 1),
        "texture": opinion(WEST, 2),
        "texture40": opinion((*WEST, *EAST), 3),
        "linear": opinion((*EAST, *WEST), 4),
    }


def ensemble(**changes: float) -> Ensemble:
    weights = {"texture": 0.8, "texture40": 0.4, **changes}
    return Ensemble(
        (Branch(WEST, weights), Branch(EAST, {"texture40": 1.1, "linear": 0.7}, bias=-0.5)),
        {"texture40": 0.9, "linear": 0.3},
    )


WEIGHTS = st.floats(0, 5)


@given(WEIGHTS, WEIGHTS, WEIGHTS, WEIGHTS, st.floats(-20, 20), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one_whatever_the_weights(
    first: float, second: float, third: float, gate: float, bias: float, seed: int
) -> None:
    pool = Ensemble(
        (Branch(WEST, {"a": first, "b": second}), Branch(EAST, {"b": third}, bias)),
        {"b": gate},
    )
    held = {"a": opinion(WEST, seed, sharpness=50), "b": opinion((*EAST, *WEST), seed + 1, sharpness=50)}
    probabilities = pool.probabilities(held)
    assert probabilities.shape == (SEGMENTS, 5)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_genres_are_the_columns_in_order() -> None:
    assert ensemble().genres == (*WEST, *EAST)


def test_an_expert_without_weight_changes_nothing() -> None:
    without = ensemble().probabilities(opinions())
    np.testing.assert_array_equal(ensemble(classic=0.0).probabilities(opinions()), without)
    assert not np.allclose(ensemble(classic=0.5).probabilities(opinions()), without)


def test_a_genre_that_corrections_taught_is_twice_as_likely_beforehand() -> None:
    before = Ensemble((Branch(WEST, {"only": 1.0}),), {})
    after = Ensemble((Branch(WEST, {"only": 1.0}, taught=WEST[:1]),), {})
    held = {"only": opinion(WEST, 1)}
    first, others = np.split(after.probabilities(held) / before.probabilities(held), [1], axis=1)
    np.testing.assert_allclose(first / others, 2.0)


def test_an_expert_that_is_not_weighed_need_not_be_asked() -> None:
    held = {name: held for name, held in opinions().items() if name != "classic"}
    np.testing.assert_array_equal(ensemble().probabilities(held), ensemble().probabilities(opinions()))


def test_one_expert_of_weight_one_is_simply_believed() -> None:
    held = {"only": opinion(WEST, 5)}
    pooled = Ensemble((Branch(WEST, {"only": 1.0}),), {}).probabilities(held)
    np.testing.assert_allclose(pooled, held["only"].probabilities, atol=2 * LEAST_PROBABILITY)


def test_within_a_branch_genres_share_one_hundred_percent() -> None:
    shares = within(ensemble().branches[1], opinions())
    assert shares.shape == (SEGMENTS, 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_the_gate_decides_between_branches_and_not_within() -> None:
    open_, shut = (
        Ensemble((ensemble().branches[0], Branch(EAST, ensemble().branches[1].weights, bias)), ensemble().gate)
        for bias in (5.0, -5.0)
    )
    before, after = open_.probabilities(opinions()), shut.probabilities(opinions())
    east = slice(len(WEST), None)
    assert (before[:, east].sum(axis=1) > after[:, east].sum(axis=1)).all()
    np.testing.assert_allclose(
        before[:, east] / before[:, east].sum(axis=1, keepdims=True),
        after[:, east] / after[:, east].sum(axis=1, keepdims=True),
    )


def test_the_gate_follows_the_expert_that_knows_every_genre() -> None:
    clear = np.array([[0.32, 0.32, 0.32, 0.02, 0.02], [0.02, 0.02, 0.02, 0.47, 0.47]])
    held = {"texture": Opinion(WEST, np.full((2, 3), 1 / 3)), "all": Opinion((*WEST, *EAST), clear)}
    pool = Ensemble((Branch(WEST, {"texture": 1.0}), Branch(EAST, {"all": 1.0})), {"all": 1.0})
    np.testing.assert_allclose(pool.probabilities(held)[:, :3].sum(axis=1), [0.96, 0.06], atol=0.01)


def test_columns_go_by_name_and_not_by_place() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1]])
    turned = Opinion(WEST[::-1], probabilities[:, ::-1])
    pool = Ensemble((Branch(WEST, {"a": 1.0}),), {})
    np.testing.assert_allclose(
        pool.probabilities({"a": turned}), pool.probabilities({"a": Opinion(WEST, probabilities)})
    )


def test_no_single_voice_is_a_veto() -> None:
    never = Opinion(WEST, np.array([[0.0, 0.0, 1.0]]))
    others = Opinion(WEST, np.array([[0.98, 0.01, 0.01]]))
    pool = Ensemble((Branch(WEST, {"never": 1.0, "a": 1.0, "b": 1.0}),), {})
    assert pool.probabilities({"never": never, "a": others, "b": others}).argmax() == 0


def test_votes_are_the_most_probable_genres() -> None:
    assert Opinion(WEST, np.array([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])).votes() == ["jazz", "pop"]


def test_an_expert_judges_by_its_estimator() -> None:
    class Fixed:
        classes_ = np.array(WEST)

        def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.tile(np.array([0.25, 0.25, 0.5], dtype=np.float32), (len(features), 1))

    expert = Expert("fixed", "gtzan57", Fixed())
    held = expert.opinion(np.zeros((4, 57), dtype=np.float32))
    assert expert.genres == held.genres == WEST
    assert all(type(genre) is str for genre in expert.genres)
    assert held.votes() == ["pop"] * 4
    assert held.probabilities.dtype == np.float64


def test_what_an_expert_holds_of_a_branch_is_given_that_branch() -> None:
    held = Opinion((*WEST, *EAST), np.array([[0.2, 0.1, 0.1, 0.3, 0.3]]))
    np.testing.assert_allclose(np.exp(held.among(WEST)), [[0.5, 0.25, 0.25]], atol=0.01)
    np.testing.assert_allclose(np.exp(held.mass(EAST)), [0.6], atol=0.01)


def test_a_genre_that_an_expert_does_not_know_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        opinions()["texture"].among(EAST)
