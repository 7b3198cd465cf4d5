"""Which songs are probably one recording, in whatever encoding: told from their mean texture and their length.

Whose songs they are, and what follows from it, is the caller's: a collection's report names them, and retraining does
not measure by a song whose other encoding it learns from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.texture_columns import GROUP_WIDTHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

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


def marks(textures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what tells recordings apart: the rhythm and the band correlation of textures, shape (n, columns)."""
    return textures[:, _EDGES[_FLUCTUATION] : _EDGES[_CORRELATION + 1]]


def pairs(marked: NDArray[np.float32], durations: Sequence[float]) -> list[tuple[int, int]]:
    """Find pairs of songs that are probably one recording: as long, and alike in rhythm and in the play of their bands.

    Time grows with the number of pairs of the same length.

    Parameters
    ----------
    marked
        What ``marks`` returned of n songs.
    durations
        Of the songs, seconds.

    Returns
    -------
    Places of the two songs, the first smaller.
    """
    order = np.argsort(durations, kind="stable")
    lengths, ordered = np.asarray(durations, dtype=np.float64)[order], marked[order]
    found = []
    for start in range(0, len(ordered), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(ordered))
        for first, second in _alike(ordered, lengths, start, stop):
            one, other = sorted((int(order[first]), int(order[second])))
            found.append((one, other))
    return sorted(found)


def _alike(
    marked: NDArray[np.float32], lengths: NDArray[np.float64], start: int, stop: int
) -> Iterator[tuple[int, int]]:
    """Compare some songs, in the order of their lengths, with all after them that are as long."""
    last = int(np.searchsorted(lengths, lengths[stop - 1] + SAME_LENGTH_SECONDS, side="right"))
    rhythm = GROUP_WIDTHS[_FLUCTUATION]
    for begin in range(start, last, _ROWS_AT_ONCE):
        end = min(begin + _ROWS_AT_ONCE, last)
        alike = _close(marked[start:stop, :rhythm], marked[begin:end, :rhythm], FLUCTUATION_LIMIT)
        alike &= _close(marked[start:stop, rhythm:], marked[begin:end, rhythm:], CORRELATION_LIMIT)
        alike &= np.abs(lengths[start:stop, None] - lengths[None, begin:end]) <= SAME_LENGTH_SECONDS
        for row, column in np.argwhere(alike):
            if begin + column > start + row:
                yield start + int(row), begin + int(column)


def _close(ones: NDArray[np.float32], others: NDArray[np.float32], limit: float) -> NDArray[np.bool_]:
    squares = np.square(ones).sum(axis=1)[:, None] + np.square(others).sum(axis=1)[None] - 2 * ones @ others.T
    return np.asarray(squares <= limit**2 * ones.shape[1])


def groups(found: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Join pairs that share a song, each group and all groups in order."""
    joined: dict[int, set[int]] = {}
    for one, other in found:
        together = joined.get(one, {one}) | joined.get(other, {other})
        for place in together:
            joined[place] = together
    unique = {min(group): sorted(group) for group in joined.values()}
    return [unique[first] for first in sorted(unique)]
