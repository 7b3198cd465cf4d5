"""Which of a person's songs sound most alike, by the features that their answers were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from storage import SegmentVectors

# The first that both songs have counts: the network's view of a song says most, then its timbre.
FAMILIES: Final = ("musicnn_embedding", "texture", "texture40", "gtzan57")
LEAST_LIKENESS: Final = 0.2
"""Cosine of two songs' deviations from the mean song below which they are not called alike."""


def closest(song: str, vectors: Mapping[str, Sequence[SegmentVectors]], count: int = 2) -> list[str]:
    """Return the songs that sound most like one of them, the most alike first; none that is hardly like it.

    Parameters
    ----------
    song
        A key of ``vectors``.
    vectors
        The segments of every song.
    count
        How many songs to return at most.
    """
    for family in FAMILIES:
        means = {key: mean for key, parts in vectors.items() if (mean := _mean(parts, family)) is not None}
        if song in means and len(means) > 2:
            keys = list(means)
            matrix = np.stack([means[key] for key in keys])
            deviations = (matrix - matrix.mean(axis=0)) / (matrix.std(axis=0) + 1e-9)
            deviations /= np.linalg.norm(deviations, axis=1, keepdims=True) + 1e-9
            likeness = deviations @ deviations[keys.index(song)]
            ranked = [keys[place] for place in np.argsort(-likeness) if likeness[place] >= LEAST_LIKENESS]
            return [key for key in ranked if key != song][:count]
    return []


def _mean(parts: Sequence[SegmentVectors], family: str) -> NDArray[np.float64] | None:
    found = [part.families[family] for part in parts if family in part.families]
    return np.mean(found, axis=0, dtype=np.float64) if found else None
