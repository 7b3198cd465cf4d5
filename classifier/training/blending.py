"""Fits how the experts' opinions are pooled, on tracks that the experts were not trained on.

The weights are those of a logistic regression over log-probabilities that has one non-negative coefficient per expert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from classifier.inference.ensemble import Branch, Ensemble, Opinion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PENALTY: Final = 1e-2
"""Pulls weights towards an even share; small beside the evidence of some hundred tracks."""
LARGEST_WEIGHT: Final = 5.0


def fit(
    branches: Sequence[Sequence[str]], opinions: Mapping[str, Opinion], genres: Sequence[str] | NDArray[np.str_]
) -> Ensemble:
    """Fit the weights of an ensemble.

    Parameters
    ----------
    branches
        Genres that are told apart by the same experts.
    opinions
        Expert → its opinion of n tracks that it was not trained on. An expert that has no opinion of a track holds
        NaN there; it is weighed only within branches all of whose tracks it has an opinion of.
    genres
        The true genre of each track, n of them.
    """
    truth = np.asarray(genres)
    fitted = []
    for names in branches:
        mine = np.isin(truth, names)
        able = _able(names, opinions, mine)
        weights = _weights(names, able, truth[mine])
        fitted.append(Branch(tuple(names), weights))
    if len(branches) == 1:
        return Ensemble(tuple(fitted), {})
    return _gated(fitted, opinions, truth)


def _able(names: Sequence[str], opinions: Mapping[str, Opinion], mine: NDArray[np.bool_]) -> Mapping[str, Opinion]:
    return {
        expert: Opinion(opinion.genres, opinion.probabilities[mine])
        for expert, opinion in opinions.items()
        if set(names) <= set(opinion.genres) and not np.isnan(opinion.probabilities[mine]).any()
    }


def _weights(names: Sequence[str], opinions: Mapping[str, Opinion], truth: NDArray[np.str_]) -> Mapping[str, float]:
    logs = np.stack([opinion.among(names) for opinion in opinions.values()])
    right = np.array([list(names).index(genre) for genre in truth])
    even = 1 / len(logs)

    def loss(weights: NDArray[np.float64]) -> float:
        scores = log_softmax(np.tensordot(weights, logs, axes=1), axis=1)
        return float(-scores[np.arange(len(right)), right].mean() + PENALTY * np.square(weights - even).sum())

    start = np.full(len(logs), even)
    found = minimize(loss, start, method="L-BFGS-B", bounds=[(0, LARGEST_WEIGHT)] * len(logs)).x
    return {expert: float(weight) for expert, weight in zip(opinions, found, strict=True)}


def _gated(branches: Sequence[Branch], opinions: Mapping[str, Opinion], truth: NDArray[np.str_]) -> Ensemble:
    """Fit which branch it is; a branch counts like the first one, or less where it has fewer tracks.

    So many tracks of one branch do not draw songs of the other over, and a branch that is known from a handful of songs
    does not cost the well-known genres theirs.
    """
    every = [genre for branch in branches for genre in branch.genres]
    able = _able(every, opinions, np.ones(len(truth), dtype=bool))
    right = np.array([next(i for i, branch in enumerate(branches) if genre in branch.genres) for genre in truth])
    mass = np.stack(
        [np.stack([opinion.mass(branch.genres) for branch in branches], axis=1) for opinion in able.values()]
    )
    counts = np.bincount(right, minlength=len(branches))
    masses = np.minimum(counts, counts[0])
    worth = (masses / masses.sum() / counts)[right]
    even = 1 / len(mass)

    def loss(parameters: NDArray[np.float64]) -> float:
        weights, biases = parameters[: len(mass)], np.concatenate([[0], parameters[len(mass) :]])
        scores = log_softmax(np.tensordot(weights, mass, axes=1) + biases, axis=1)
        penalty = PENALTY * (np.square(weights - even).sum() + np.square(biases).sum())
        return float(-(worth * scores[np.arange(len(right)), right]).sum() + penalty)

    start = np.concatenate([np.full(len(mass), even), np.zeros(len(branches) - 1)])
    bounds = [(0, LARGEST_WEIGHT)] * len(mass) + [(None, None)] * (len(branches) - 1)
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    gate = {expert: float(weight) for expert, weight in zip(able, found, strict=False)}
    biases = [0.0, *found[len(mass) :]]
    return Ensemble(
        tuple(
            Branch(branch.genres, branch.weights, float(bias)) for branch, bias in zip(branches, biases, strict=True)
        ),
        gate,
    )


def sure_from(confidence: NDArray[np.float64], right: NDArray[np.bool_], *, wanted: float) -> float:
    """Choose from what confidence on an answer is told as sure.

    Parameters
    ----------
    confidence, right
        Of each held-out track, shape (n,): the answer's probability, and whether it was right.
    wanted
        Share of right answers that sure ones should reach.

    Returns
    -------
    The least confidence such that that share of the answers from it on were right; 1 where there is none.
    """
    order = np.argsort(-confidence)
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Answers of the same confidence are all sure or none.
    last = np.append(np.diff(confidence[order]) != 0, True)
    reached = np.flatnonzero(last & (shares >= wanted))
    return float(confidence[order][reached[-1]]) if reached.size else 1.0
