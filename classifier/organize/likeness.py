"""How alike the songs of a collection are: a map of them, and pairs that are probably one recording.

Both are told from the songs' mean texture (``classifier.features.texture``), as the notebook keeps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.texture import GROUP_WIDTHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from classifier.organize.notebook import Notebook

SAMPLED_SONGS: Final = 2000
"""The axes of the map are found from so many songs at most, spread evenly; then all are placed."""
LEAST_MAPPED: Final = 3
"""Fewer songs just lie beside each other."""
SAME_LENGTH_SECONDS: Final = 2.0
"""Encoders and rippers add or cut less than this."""
FLUCTUATION_LIMIT: Final = 0.2
CORRELATION_LIMIT: Final = 0.07
"""Largest root-mean-square differences of two textures' rhythm and of their band correlation in one recording.

Measured on 40 recordings of GTZAN: the same encoded as mp3 at 64 and opus at 32 kbit/s, or cut by half a second, stays
below 0.18 and 0.06; of the 780 pairs of different ones none comes below 0.24 and 0.09.
"""
_FLUCTUATION, _CORRELATION = 3, 4
_EDGES: Final = (0, *np.cumsum(GROUP_WIDTHS).tolist())
_ROWS_AT_ONCE: Final = 500


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
    """Find pairs of songs that are probably one recording: as long, and alike in rhythm and in the play of their bands.

    Memory grows by 6 kB a song, time with the number of pairs of the same length.

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
    order = np.argsort(durations, kind="stable")
    lengths = np.asarray(durations, dtype=np.float64)[order]
    ordered = [contents[place] for place in order]
    columns = slice(_EDGES[_FLUCTUATION], _EDGES[_CORRELATION + 1])
    textures = np.concatenate([some[:, columns] for some in notebook.textures(ordered)])
    found = []
    for start in range(0, len(ordered), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(ordered))
        for first, second in _alike(textures, lengths, start, stop):
            one, other = sorted((int(order[first]), int(order[second])))
            found.append((one, other))
    return sorted(found)


def _alike(
    textures: NDArray[np.float32], lengths: NDArray[np.float64], start: int, stop: int
) -> Iterator[tuple[int, int]]:
    """Compare some songs, in the order of their lengths, with all after them that are as long."""
    last = int(np.searchsorted(lengths, lengths[stop - 1] + SAME_LENGTH_SECONDS, side="right"))
    rhythm = GROUP_WIDTHS[_FLUCTUATION]
    for begin in range(start, last, _ROWS_AT_ONCE):
        end = min(begin + _ROWS_AT_ONCE, last)
        alike = _close(textures[start:stop, :rhythm], textures[begin:end, :rhythm], FLUCTUATION_LIMIT)
        alike &= _close(textures[start:stop, rhythm:], textures[begin:end, rhythm:], CORRELATION_LIMIT)
        alike &= np.abs(lengths[start:stop, None] - lengths[None, begin:end]) <= SAME_LENGTH_SECONDS
        for row, column in np.argwhere(alike):
            if begin + column > start + row:
                yield start + int(row), begin + int(column)


def _close(ones: NDArray[np.float32], others: NDArray[np.float32], limit: float) -> NDArray[np.bool_]:
    squares = np.square(ones).sum(axis=1)[:, None] + np.square(others).sum(axis=1)[None] - 2 * ones @ others.T
    return np.asarray(squares <= limit**2 * ones.shape[1])


def groups(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Join pairs that share a song, each group and all groups in order."""
    joined: dict[int, set[int]] = {}
    for one, other in pairs:
        together = joined.get(one, {one}) | joined.get(other, {other})
        for place in together:
            joined[place] = together
    unique = {min(group): sorted(group) for group in joined.values()}
    return [unique[first] for first in sorted(unique)]
