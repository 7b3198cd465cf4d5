"""Running medians of many signals at once, by sorting networks over whole rows.

A comparison is one ``np.minimum`` and one ``np.maximum`` of long rows: no branch, no loop over samples, no compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = NDArray[np.float32]

MEDIAN_WIDTH: Final = 31
"""Samples in the window; the networks below are made for a window of twice a block, less one."""
_BLOCK: Final = (MEDIAN_WIDTH + 1) // 2
_LANES: Final = 192
"""Signals handled together: few enough that a block's rows stay in the processor's cache."""


def running_median(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of 31 neighbours along the first axis; beyond its ends a signal is reflected.

    Equal to ``scipy.ndimage.median_filter`` in its mode ``reflect``. The windows of 16 outputs in a row share 16
    samples. These are sorted once; then the block is halved again and again. Each half shares further samples, but of
    its sorted list only the middle ranks can still become a median, so the lists halve as well: a median costs about
    22 minima and maxima. Sharing sorted cores down a tree is A. Adams's idea (Fast median filters using separable
    sorting networks, ACM Transactions on Graphics 40, 2021), here in one dimension.

    Parameters
    ----------
    signals
        Shape (n, lanes), free of NaN, in either memory order.

    Returns
    -------
    Shape (n, lanes).
    """
    count, lanes = signals.shape
    blocks = -(-count // _BLOCK)
    position = np.arange(-_BLOCK, _BLOCK * (blocks + 1)) % (2 * count)
    reflected = np.where(position < count, position, 2 * count - 1 - position)
    before, after = reflected[:_BLOCK], reflected[_BLOCK + count :]
    medians = np.empty_like(signals)
    for first in range(0, lanes, _LANES):
        some = signals[:, first : first + _LANES]
        padded = np.empty((len(position), some.shape[1]), dtype=np.float32)
        padded[:_BLOCK], padded[_BLOCK:-_BLOCK][:count], padded[_BLOCK + count :] = some[before], some, some[after]
        found = np.empty((blocks, _BLOCK, some.shape[1]), dtype=np.float32)
        for offset, row in enumerate(_block_medians(padded.reshape(blocks + 2, _BLOCK, -1))):
            found[:, offset] = row
        medians[:, first : first + _LANES] = found.reshape(-1, some.shape[1])[:count]
    return medians


def _block_medians(blocks: NDArray[np.float32]) -> list[Row]:
    """Return the medians around each of the 16 samples of every block, without the outermost two blocks.

    Parameters
    ----------
    blocks
        Shape (blocks + 2, 16, lanes).

    Returns
    -------
    16 rows of shape (blocks, lanes).
    """
    # At each size 1, 2, 4, 8, 16: the block's groups of that size, each sorted, one after another.
    groups = {1: [blocks[:, offset] for offset in range(_BLOCK)]}
    size = 1
    while size < _BLOCK:
        smaller = groups[size]
        groups[2 * size] = [
            row
            for start in range(0, _BLOCK, 2 * size)
            for row in _merged(smaller[start : start + size], smaller[start + size : start + 2 * size])
        ]
        size *= 2
    return _narrowed([row[1:-1] for row in groups[_BLOCK]], groups, 0)


def _narrowed(core: list[Row], groups: dict[int, list[Row]], offset: int) -> list[Row]:
    """Return the medians of the ``len(core)`` outputs from ``offset`` on.

    ``core`` is sorted and holds those samples, shared by the windows of all these outputs, that can still be a median.
    The first half of the outputs further shares the group of samples before the core, the second half the one after it.
    """
    if len(core) == 1:
        return core
    half = len(core) // 2
    earlier = [row[:-2] for row in groups[half][offset + half : offset + 2 * half]]
    later = [row[2:] for row in groups[half][offset : offset + half]]
    first = _narrowed(_middle(core, earlier), groups, offset)
    return first + _narrowed(_middle(core, later), groups, offset + half)


def _middle(core: list[Row], group: list[Row]) -> list[Row]:
    """Return the middle third of two sorted lists, sorted, where the first is twice as long as the second.

    Paired in opposite order, the smaller ones of ``core[:half]`` and ``group`` are the lowest third, the larger ones of
    ``group`` and ``core[half:]`` the highest third. What is left is bitonic.
    """
    half = len(group)
    return _bitonic_sorted(
        [np.minimum(np.maximum(core[i], group[half - 1 - i]), core[half + i]) for i in range(half)],
    )


def _bitonic_sorted(rows: list[Row]) -> list[Row]:
    """Sort a bitonic list (K. E. Batcher, Sorting networks and their applications, 1968)."""
    if len(rows) == 1:
        return rows
    pairs = list(zip(rows[: len(rows) // 2], rows[len(rows) // 2 :], strict=True))
    lower = _bitonic_sorted([np.minimum(a, b) for a, b in pairs])
    return lower + _bitonic_sorted([np.maximum(a, b) for a, b in pairs])


def _merged(first: list[Row], second: list[Row]) -> list[Row]:
    """Merge two sorted lists of equal length by Batcher's odd-even network."""
    if len(first) == 1:
        return [np.minimum(first[0], second[0]), np.maximum(first[0], second[0])]
    even = _merged(first[::2], second[::2])
    odd = _merged(first[1::2], second[1::2])
    between = [pick(a, b) for a, b in zip(odd[:-1], even[1:], strict=True) for pick in (np.minimum, np.maximum)]
    return [even[0], *between, odd[-1]]
