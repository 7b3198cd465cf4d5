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
LEAST_ASKED: Final = 0.2
"""Share of a genre's tracks that an expert must have an opinion of to be weighed."""


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
        NaN there; one that was asked about too few tracks of some genre of a branch has no weight in it.
    genres
        The true genre of each track, n of them.
    """
    truth = np.asarray(genres)
    fitted = [Branch(tuple(names), _weights(names, opinions, truth)) for names in branches]
    if len(branches) == 1:
        return Ensemble(tuple(fitted), {})
    return _gated(fitted, opinions, truth)


def _able(names: Sequence[str], opinions: Mapping[str, Opinion], truth: NDArray[np.str_]) -> list[str]:
    """Return the experts that know all the genres and were asked about enough tracks of each."""
    asked = {name: np.isin(truth, name) for name in names}
    able = []
    for expert, opinion in opinions.items():
        there = opinion.given
        if set(names) <= set(opinion.genres) and all(
            there[mine].mean() >= LEAST_ASKED for mine in asked.values() if mine.any()
        ):
            able.append(expert)
    return able


def _complete(experts: Sequence[str], opinions: Mapping[str, Opinion]) -> NDArray[np.bool_]:
    """Tell of which tracks all the experts have an opinion: weights are fitted where all are there."""
    there: NDArray[np.bool_] = np.all([opinions[name].given for name in experts], axis=0)
    return there


def _weights(names: Sequence[str], opinions: Mapping[str, Opinion], truth: NDArray[np.str_]) -> Mapping[str, float]:
    """Fit a branch's weights; genres count the same, however many tracks they have."""
    able = _able(names, opinions, truth)
    chosen = _complete(able, opinions) & np.isin(truth, names)
    logs = np.stack(
        [Opinion(opinions[name].genres, opinions[name].probabilities[chosen]).among(names) for name in able]
    )
    right = np.array([list(names).index(genre) for genre in truth[chosen]])
    counts = np.bincount(right, minlength=len(names))
    worth = (1 / np.maximum(counts, 1))[right]
    worth /= worth.sum()
    even = 1 / len(logs)

    def loss(weights: NDArray[np.float64]) -> float:
        scores = log_softmax(np.tensordot(weights, logs, axes=1), axis=1)
        hits = (worth * scores[np.arange(len(right)), right]).sum()
        return float(-hits + PENALTY * np.square(weights - even).sum())

    start = np.full(len(logs), even)
    found = minimize(loss, start, method="L-BFGS-B", bounds=[(0, LARGEST_WEIGHT)] * len(logs)).x
    return {expert: float(weight) for expert, weight in zip(able, found, strict=True)}


def _gated(branches: Sequence[Branch], opinions: Mapping[str, Opinion], truth: NDArray[np.str_]) -> Ensemble:
    """Fit which branch it is; a branch counts like the first one, or less where it has fewer tracks.

    So many tracks of one branch do not draw songs of the other over, and a branch that is known from a handful of songs
    does not cost the well-known genres theirs.
    """
    every = [genre for branch in branches for genre in branch.genres]
    able = _able(every, opinions, truth)
    chosen = _complete(able, opinions)
    right = np.array(
        [next(i for i, branch in enumerate(branches) if genre in branch.genres) for genre in truth[chosen]]
    )
    asked = [Opinion(opinions[name].genres, opinions[name].probabilities[chosen]) for name in able]
    mass = np.stack([np.stack([opinion.mass(branch.genres) for branch in branches], axis=1) for opinion in asked])
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
