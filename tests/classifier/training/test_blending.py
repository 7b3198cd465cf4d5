from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.inference.ensemble import Opinion
from classifier.training import blending

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEST = ["blues", "jazz", "pop"]
EAST = ["cheo", "hatxam"]
TRACKS = 300


def judged(genres: list[str], truth: NDArray[np.str_], *, skill: float, seed: int) -> Opinion:
    """Make up an expert that gives the true genre more than the others, the more skilled the more, with luck."""
    logits = np.random.default_rng(seed).normal(0, 1, (len(truth), len(genres)))
    for column, genre in enumerate(genres):
        logits[truth == genre, column] += skill
    shares = np.exp(logits)
    return Opinion(tuple(genres), shares / shares.sum(axis=1, keepdims=True))


def truth_of(genres: list[str], count: int = TRACKS) -> NDArray[np.str_]:
    return np.array(genres)[np.arange(count) % len(genres)]


def test_a_good_expert_is_believed_over_a_bad_one() -> None:
    truth = truth_of(WEST)
    held = {
        "bad": judged(WEST, truth, skill=0.0, seed=1),
        "good": judged(WEST, truth, skill=3.0, seed=2),
    }
    pool = blending.fit([WEST], held, truth)
    [branch] = pool.branches
    assert branch.weights["good"] > 5 * branch.weights["bad"]
    right = np.array(pool.genres)[pool.probabilities(held).argmax(axis=1)] == truth
    assert right.mean() >= np.mean(np.array(held["good"].votes()) == truth) - 0.02


def test_two_good_experts_together_beat_either() -> None:
    truth = truth_of(WEST)
    held = {name: judged(WEST, truth, skill=1.5, seed=seed) for name, seed in (("first", 3), ("second", 4))}
    pool = blending.fit([WEST], held, truth)
    right = np.array(pool.genres)[pool.probabilities(held).argmax(axis=1)] == truth
    assert right.mean() > max(np.mean(np.array(opinion.votes()) == truth) for opinion in held.values())


def test_an_overconfident_expert_is_calmed_down() -> None:
    truth = truth_of(WEST)
    honest = judged(WEST, truth, skill=1.0, seed=5)
    shouted = honest.probabilities**4
    loud = Opinion(honest.genres, shouted / shouted.sum(axis=1, keepdims=True))
    pool = blending.fit([WEST], {"loud": loud}, truth)
    confidence = pool.probabilities({"loud": loud}).max(axis=1).mean()
    right = np.mean(np.array(loud.votes()) == truth)
    assert pool.branches[0].weights["loud"] < 0.6
    assert abs(confidence - right) < abs(loud.probabilities.max(axis=1).mean() - right)


def test_weights_are_never_negative() -> None:
    truth = truth_of(WEST)
    held = {
        "contrary": judged(WEST, truth, skill=-3.0, seed=6),
        "good": judged(WEST, truth, skill=2.0, seed=7),
    }
    weights = blending.fit([WEST], held, truth).branches[0].weights
    assert weights["contrary"] == 0
    assert weights["good"] > 0


def test_one_branch_needs_no_gate() -> None:
    truth = truth_of(WEST)
    assert blending.fit([WEST], {"only": judged(WEST, truth, skill=1, seed=8)}, truth).gate == {}


def test_an_expert_is_weighed_where_it_has_an_opinion_of_every_track() -> None:
    truth = np.concatenate([truth_of(WEST), truth_of(EAST, 120)])
    everything = judged([*WEST, *EAST], truth, skill=2.0, seed=9)
    west_only = judged(WEST, truth, skill=2.0, seed=10)
    west_only.probabilities[TRACKS:] = np.nan
    pool = blending.fit([WEST, EAST], {"wide": west_only, "all": everything}, truth)
    west, east = pool.branches
    assert set(west.weights) == {"wide", "all"}
    assert set(east.weights) == {"all"}
    assert set(pool.gate) == {"all"}
    held = {"all": everything, "wide": Opinion(west_only.genres, np.nan_to_num(west_only.probabilities, nan=1 / 3))}
    is_east = np.isin(np.array(pool.genres)[pool.probabilities(held).argmax(axis=1)], EAST)
    assert (is_east == np.isin(truth, EAST)).mean() > 0.85


@pytest.mark.parametrize(("count", "share"), [(20, 0.0625), (TRACKS, 0.5), (10 * TRACKS, 0.5)])
def test_a_branch_counts_by_its_tracks_but_no_more_than_the_first(count: int, share: float) -> None:
    truth = np.concatenate([truth_of(WEST), truth_of(EAST, count)])
    know_nothing = Opinion((*WEST, *EAST), np.full((len(truth), 5), 0.2))
    pool = blending.fit([WEST, EAST], {"all": know_nothing}, truth)
    shares = pool.probabilities({"all": know_nothing})[0]
    assert shares[3:].sum() == pytest.approx(share, abs=0.04)
