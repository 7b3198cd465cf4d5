"""From what probability on an answer is told as sure: chosen on songs held out, old and new, and on strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.training.blending import sure_from
from classifier.training.data_loading import GTZAN, TODAY, TRADITIONAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

WANTED: Final[Mapping[str, float]] = {GTZAN: 0.95, TODAY: 0.90}
"""Collection → share of its sure answers that should be right."""
WANTED_ELSEWHERE: Final = 0.85
"""The same for a collection of one's own."""
MOST_STRANGERS: Final = 0.1
"""Largest share of the songs of genres that are not known that may be told as sure."""


def calibrated(
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    collections: Sequence[str] | NDArray[np.str_],
    strangers: NDArray[np.float64],
) -> float:
    """Return the least probability that is enough for every collection, and for songs of genres that are not known.

    Parameters
    ----------
    confidence, right, collections
        Of each song held out, shape (n,): probability of its answer, whether it was right, where it is from. The
        traditional Vietnamese clips do not count: they are many of few recordings.
    strangers
        Probability of the answers about songs of other genres, shape (m,).
    """
    found = [0.0]
    names = np.asarray(collections)
    for collection in np.unique(names):
        if collection == TRADITIONAL:
            continue
        mine = names == collection
        wanted = WANTED.get(str(collection), WANTED_ELSEWHERE)
        found.append(sure_from(confidence[mine], right[mine], wanted=wanted))
    if strangers.size:
        found.append(float(np.nextafter(np.quantile(strangers, 1 - MOST_STRANGERS, method="higher"), 2)))
    return min(1.0, max(found))


def by_song(probabilities: NDArray[np.float64], songs: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Average over the excerpts of a song; return that, shape (songs, genres), and the place of each one's first."""
    _, first, place = np.unique(np.asarray(songs), return_index=True, return_inverse=True)
    sums = np.stack([np.bincount(place, weights=column) for column in probabilities.T], axis=1)
    return sums / np.bincount(place)[:, None], first
