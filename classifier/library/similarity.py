"""Similarity of the songs of a collection: a two-dimensional map, and pairs that are probably the same recording.

Both use the songs' mean texture features (``classifier.features.texture``) from the state database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.recording_identity import marks, pairs
from classifier.features.texture_columns import GROUP_WIDTHS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classifier.library.state_db import StateDatabase

SAMPLED_SONGS: Final = 2000
"""Maximum number of songs that the axes of the map are computed from, evenly spaced over the collection."""
MIN_MAPPED: Final = 3
"""Fewer songs are placed side by side."""


def positions(contents: Sequence[bytes], state_db: StateDatabase) -> NDArray[np.float64]:
    """Place songs on a map, similar ones near each other, by the first two principal components of their textures.

    Returns
    -------
    Shape (n, 2), each axis from 0 to 1.
    """
    if len(contents) < MIN_MAPPED:
        return np.column_stack([np.linspace(0.25, 0.75, len(contents)), np.full(len(contents), 0.5)])
    chosen = np.unique(np.linspace(0, len(contents) - 1, min(SAMPLED_SONGS, len(contents))).astype(int))
    sample = np.concatenate(list(state_db.textures([contents[index] for index in chosen])))
    mean = sample.mean(axis=0)
    # Every feature group gets the same weight, however many columns it has.
    widths = np.repeat(GROUP_WIDTHS, GROUP_WIDTHS)
    scale = (sample.std(axis=0) + np.float32(1e-3)) * np.sqrt(widths).astype(np.float32)
    axes = _principal_axes((sample - mean) / scale)
    placed = np.concatenate([((some - mean) / scale) @ axes for some in state_db.textures(contents)])
    # Outliers would squeeze all other songs into a small area.
    low, high = np.quantile(placed, [0.01, 0.99], axis=0)
    return np.asarray(np.clip((placed - low) / np.maximum(high - low, 1e-9), -0.1, 1.1) * (1 / 1.2) + 0.1 / 1.2)


def _principal_axes(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the first two principal axes, shape (columns, 2).

    They are computed from the Gram matrix of the songs, which is far smaller than the covariance matrix of the columns
    (Jolliffe, Principal Component Analysis, 2nd ed., section 3.5). scikit-learn is not used because the bot, which
    serves the report page, does without it.
    """
    _, vectors = np.linalg.eigh(centred @ centred.T)
    axes = centred.T @ vectors[:, :-3:-1]
    # The sign of an axis is arbitrary; fixing it makes the map reproducible.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return np.asarray(axes / np.maximum(np.linalg.norm(axes, axis=0), np.float32(1e-9)))


def near_duplicates(
    contents: Sequence[bytes], durations: Sequence[float], state_db: StateDatabase
) -> list[tuple[int, int]]:
    """Find pairs of songs that are probably the same recording (see ``recording_identity``); needs 6 kB per song.

    Parameters
    ----------
    contents
        Content hashes of the songs, all different.
    durations
        Durations of the songs in seconds.

    Returns
    -------
    Pairs of indices into ``contents``, the smaller first.
    """
    if not contents:
        return []
    return pairs(np.concatenate([marks(some) for some in state_db.textures(contents)]), durations)
