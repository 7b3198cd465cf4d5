"""From what probability on an answer is told as sure: chosen for each genre on songs held out, and on strangers.

One value for all genres would not do: the songs of today are of five families, and far harder than those of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WANTED: Final = 0.92
"""Share of the sure answers that should be right, for every genre."""
LEAST_ANSWERS: Final = 5
"""Sure answers of a genre that must have been seen before any of that genre is told as sure."""
LEAST_PROBABILITY: Final = 0.5
"""No answer that is less probable than all others together is told as sure."""


def least_by_genre(
    genres: Sequence[str], probabilities: NDArray[np.float64], truth: NDArray[np.str_], strangers: NDArray[np.float64]
) -> dict[str, float]:
    """Return for each genre the least probability from which on answers of that genre are right often enough.

    Parameters
    ----------
    genres
        Of the columns of ``probabilities`` and ``strangers``.
    probabilities, truth
        Of each song held out, shape (n, genres) and (n,).
    strangers
        Probabilities for songs of genres that are not known, shape (m, genres): of them no answer is right.

    Returns
    -------
    Genre → least probability; above 1 where no answer may be told as sure.
    """
    names = np.array(genres)
    answers = np.concatenate([probabilities, strangers])
    told = names[answers.argmax(axis=1)]
    confidence = answers.max(axis=1)
    right = told == np.concatenate([truth, np.full(len(strangers), "")])
    return {str(name): _least(confidence[told == name], right[told == name]) for name in names}


def _least(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    order = np.argsort(-confidence, kind="stable")
    counts = np.arange(1, len(order) + 1)
    # Answers of the same confidence are all sure or none.
    last = np.append(np.diff(confidence[order]) != 0, True)[: len(order)]
    enough = last & (counts >= LEAST_ANSWERS) & (np.cumsum(right[order]) >= WANTED * counts)
    reached = np.flatnonzero(enough)
    return max(LEAST_PROBABILITY, float(confidence[order][reached[-1]])) if reached.size else 2.0


def are_sure(genres: Sequence[str], probabilities: NDArray[np.float64], least: dict[str, float]) -> NDArray[np.bool_]:
    """Tell which answers are told as sure; shape (n,)."""
    bounds = np.array([least[genre] for genre in genres])
    sure: NDArray[np.bool_] = probabilities.max(axis=1) >= bounds[probabilities.argmax(axis=1)]
    return sure


def by_song(probabilities: NDArray[np.float64], songs: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Average over the excerpts of a song; return that, shape (songs, genres), and the place of each one's first."""
    _, first, place = np.unique(np.asarray(songs), return_index=True, return_inverse=True)
    sums = np.stack([np.bincount(place, weights=column) for column in probabilities.T], axis=1)
    return sums / np.bincount(place)[:, None], first
