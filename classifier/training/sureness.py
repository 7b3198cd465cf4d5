"""From what probability on an answer is told as sure: chosen on songs held out, and on songs of genres not known.

A probability says less about a song of today than about one of GTZAN, whose genres the published sets cover far better.
So each answer's chance of being right is calibrated: a logistic regression on the logarithm of the odds, with an offset
for genres that songs of today are in, and one of its own for traditional music. A bound for each genre, fitted to its
own few answers, holds on those and fails on others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from classifier.training.data_loading import GTZAN, TRADITIONAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WANTED: Final = 0.89
"""Chance of being right from which on an answer is told as sure."""
LEAST_ANSWERS: Final = 5
"""Answers of a genre that must have been right before any of that genre is told as sure."""
LEAST_PROBABILITY: Final = 0.5
"""No answer that is less probable than all others together is told as sure."""
NEVER: Final = 2.0
"""The bound of a genre of which no answer is told as sure."""
FOLDS: Final = 10
_LARGEST_PROBABILITY: Final = 1 - 1e-6
_INVERSE_REGULARISATION: Final = 10.0


def least_by_genre(
    genres: Sequence[str],
    probabilities: NDArray[np.float64],
    truth: NDArray[np.str_],
    collections: NDArray[np.str_],
    strangers: NDArray[np.float64],
) -> dict[str, float]:
    """Return for each genre the least probability from which on answers of that genre are right often enough.

    Parameters
    ----------
    genres
        Of the columns of ``probabilities`` and ``strangers``.
    probabilities, truth, collections
        Of each song held out, shape (n, genres), (n,) and (n,): ``collections`` tells which published set it is from.
    strangers
        Probabilities for songs of genres that are not known, shape (m, genres): of them no answer is right.

    Returns
    -------
    Genre → least probability; above 1 where no answer may be told as sure.
    """
    names = np.array(genres)
    answers = np.concatenate([probabilities, strangers])
    told = names[answers.argmax(axis=1)]
    odds = _log_odds(answers.max(axis=1))
    right = told == np.concatenate([truth, np.full(len(strangers), "")])
    traditional, today = _kinds(truth, collections)
    least = dict.fromkeys(genres, NEVER)
    for kind in (traditional, set(genres) - traditional):
        mine = np.isin(told, sorted(kind))
        bounds = _bounds(odds[mine], np.isin(told[mine], sorted(today)), right[mine])
        for genre in kind & set(genres):
            if right[told == genre].sum() >= LEAST_ANSWERS:
                least[genre] = bounds[genre in today]
    return least


def _kinds(truth: NDArray[np.str_], collections: NDArray[np.str_]) -> tuple[set[str], set[str]]:
    """Return the genres that only the traditional set has, and those that songs of today are in."""
    elsewhere = set(truth[collections != TRADITIONAL].tolist())
    today = set(truth[(collections != TRADITIONAL) & (collections != GTZAN)].tolist())
    return set(truth.tolist()) - elsewhere, today


def _bounds(odds: NDArray[np.float64], today: NDArray[np.bool_], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the least probability of other genres and of today's, from answers of both."""
    if right.all() or not right.any():
        bound = LEAST_PROBABILITY if right.size and right.all() else NEVER
        return bound, bound
    fitted = LogisticRegression(C=_INVERSE_REGULARISATION).fit(np.stack([odds, today], axis=1), right)
    slope, offset = fitted.coef_[0]
    if slope <= 0:  # the probability tells nothing
        return NEVER, NEVER
    needed = (np.log(WANTED / (1 - WANTED)) - fitted.intercept_[0] - offset * np.arange(2)) / slope
    other, todays = np.maximum(LEAST_PROBABILITY, 1 / (1 + np.exp(-needed)))
    return float(other), float(todays)


def _log_odds(confidence: NDArray[np.float64]) -> NDArray[np.float64]:
    capped = np.minimum(confidence, _LARGEST_PROBABILITY)
    odds: NDArray[np.float64] = np.log(capped / (1 - capped))
    return odds


def are_sure(genres: Sequence[str], probabilities: NDArray[np.float64], least: dict[str, float]) -> NDArray[np.bool_]:
    """Tell which answers are told as sure; shape (n,)."""
    bounds = np.array([least[genre] for genre in genres])
    sure: NDArray[np.bool_] = probabilities.max(axis=1) >= bounds[probabilities.argmax(axis=1)]
    return sure


def held_out_sure(
    genres: Sequence[str],
    probabilities: NDArray[np.float64],
    truth: NDArray[np.str_],
    collections: NDArray[np.str_],
    groups: NDArray[np.str_],
    strangers: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which answers would be sure by bounds that were chosen without them and without songs of their group.

    Parameters
    ----------
    groups
        Songs of one artist or recording, shape (n,); every stranger is one of its own. The rest as ``least_by_genre``.

    Returns
    -------
    Of the songs, shape (n,), and of the strangers, shape (m,).
    """
    count = len(probabilities)
    answers = np.concatenate([probabilities, strangers])
    apart = np.concatenate([groups, [f"stranger {number}" for number in range(len(strangers))]])
    sure = np.zeros(len(answers), dtype=bool)
    folds = min(FOLDS, len(np.unique(apart)))
    for learnt, held in GroupKFold(folds).split(answers, groups=apart) if folds > 1 else ():
        known, strange = learnt[learnt < count], learnt[learnt >= count]
        least = least_by_genre(genres, probabilities[known], truth[known], collections[known], answers[strange])
        sure[held] = are_sure(genres, answers[held], least)
    return sure[:count], sure[count:]


def by_song(probabilities: NDArray[np.float64], songs: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Average over the excerpts of a song; return that, shape (songs, genres), and the place of each one's first."""
    _, first, place = np.unique(np.asarray(songs), return_index=True, return_inverse=True)
    sums = np.stack([np.bincount(place, weights=column) for column in probabilities.T], axis=1)
    return sums / np.bincount(place)[:, None], first
