"""How alike the songs of a collection are: a map of them, and pairs that are probably one recording.

Both are told from the songs' mean texture (``classifier.features.texture``), as the notebook keeps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.recording_identity import marks, pairs
from classifier.features.texture import GROUP_WIDTHS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classifier.library.state_db import Notebook

SAMPLED_SONGS: Final = 2000
"""The axes of the map are found from so many songs at most, spread evenly; then all are placed."""
LEAST_MAPPED: Final = 3
"""Fewer songs just lie beside each other."""


def positions(contents: Sequence[bytes], notebook: Notebook) -> NDArray[np.float64]:
    """Place songs on a map, similar ones near each other: the first two principal components of their textures.

    Returns
    -------
    Shape (n, 2), each axis from 0 to 1.
    """
    if len(contents) < LEAST_MAPPED:
        return np.column_stack([np.linspace(0.25, 0.75, len(contents)), np.full(len(contents), 0.5)])
    chosen = np.unique(np.linspace(0, len(contents) - 1, min(SAMPLED_SONGS, len(contents))).astype(int))
    sample = np.concatenate(list(notebook.textures([contents[place] for place in chosen])))
    mean = sample.mean(axis=0)
    # Each group of features counts alike, however many columns it has.
    widths = np.repeat(GROUP_WIDTHS, GROUP_WIDTHS)
    scale = (sample.std(axis=0) + np.float32(1e-3)) * np.sqrt(widths).astype(np.float32)
    axes = _principal_axes((sample - mean) / scale)
    placed = np.concatenate([((some - mean) / scale) @ axes for some in notebook.textures(contents)])
    # A few odd songs would press all others together.
    low, high = np.quantile(placed, [0.01, 0.99], axis=0)
    return np.asarray(np.clip((placed - low) / np.maximum(high - low, 1e-9), -0.1, 1.1) * (1 / 1.2) + 0.1 / 1.2)


def _principal_axes(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the two directions in which songs differ most, shape (columns, 2).

    From the songs' products with each other, which are far fewer than the columns' (Jolliffe, Principal Component
    Analysis, 2nd ed., section 3.5): no other package is needed, and a bot that serves a page stays small.
    """
    _, vectors = np.linalg.eigh(centred @ centred.T)
    axes = centred.T @ vectors[:, :-3:-1]
    # The sign of an axis is anybody's choice; the same collection is to give the same map.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return np.asarray(axes / np.maximum(np.linalg.norm(axes, axis=0), np.float32(1e-9)))


def near_duplicates(contents: Sequence[bytes], durations: Sequence[float], notebook: Notebook) -> list[tuple[int, int]]:
    """Find pairs of songs that are probably one recording (see ``recording_identity``); memory: 6 kB a song.

    Parameters
    ----------
    contents
        Of n songs, all different.
    durations
        Of the songs, seconds.

    Returns
    -------
    Places of the two songs, the first smaller.
    """
    if not contents:
        return []
    return pairs(np.concatenate([marks(some) for some in notebook.textures(contents)]), durations)
