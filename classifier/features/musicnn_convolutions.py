"""The convolutions of MusiCNN as matrix products, with few calls and little copying.

The network that they belong to is in ``musicnn.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

TIMBRAL_FRAMES: Final = 7
MIDDLE_FRAMES: Final = 7
_PLACES: Final = 6
"""Neighbouring places on the frequency axis where tall filters are applied in one product."""
_PHASES: Final = 11
"""Neighbouring times at which long filters are applied in one product; 187 frames are 17 times as many."""


@dataclass(frozen=True, slots=True, eq=False)
class Toeplitz:
    """Filters at several neighbouring places as one matrix, so that a product is worth its call.

    Attributes
    ----------
    filters
        Number of filters.
    taps
        Length of a filter.
    matrix
        Of tall filters shape (places · filters, (taps + places - 1) · 7), of long ones (taps + 10, 11 · filters).
    """

    filters: int
    taps: int
    matrix: Floats


def tall_filters(kernel: Floats) -> Toeplitz:
    """Prepare filters by (filter, band, frame) for ``timbres``."""
    filters, bands, frames = kernel.shape
    matrix = np.zeros((_PLACES, filters, bands + _PLACES - 1, frames), dtype=np.float32)
    for place in range(_PLACES):
        matrix[place, :, place : place + bands] = kernel
    return Toeplitz(filters, bands, matrix.reshape(_PLACES * filters, -1))


def timbres(kernels: Sequence[Toeplitz], level: Floats) -> Iterator[Floats]:
    """Yield the largest output over frequency of tall filters, zeros lying before and after the patch.

    Parameters
    ----------
    kernels
        From ``tall_filters``.
    level
        Shape (n, 187, 96).

    Yields
    ------
    Shape (filters, n, 187).
    """
    count, frames, bands = level.shape
    margin = TIMBRAL_FRAMES // 2
    padded = np.zeros((bands, count, frames + 2 * margin), dtype=np.float32)
    padded[:, :, margin:-margin] = level.transpose(2, 0, 1)
    # Every band seven times, shifted: whatever bands a filter covers, their rows lie together.
    shifted = np.stack([padded[:, :, delay : delay + frames] for delay in range(TIMBRAL_FRAMES)], axis=1)
    rows = shifted.reshape(bands * TIMBRAL_FRAMES, -1)
    for kernel in kernels:
        products = np.empty((len(kernel.matrix), rows.shape[1]), dtype=np.float32)
        places = products.reshape(_PLACES, kernel.filters, -1)
        largest = np.full_like(places[0], -np.inf)
        last = bands - kernel.taps + 1 - _PLACES
        for first in (*range(0, last, _PLACES), last):
            covered = rows[first * TIMBRAL_FRAMES : (first + kernel.taps + _PLACES - 1) * TIMBRAL_FRAMES]
            np.matmul(kernel.matrix, covered, out=products)
            for place in places:
                np.maximum(largest, place, out=largest)
        yield largest.reshape(-1, count, frames)


def long_filters(kernel: Floats) -> Toeplitz:
    """Prepare filters by (filter, frame) for ``rhythms``."""
    filters, taps = kernel.shape
    matrix = np.zeros((taps + _PHASES - 1, _PHASES, filters), dtype=np.float32)
    for phase in range(_PHASES):
        matrix[phase : phase + taps, phase] = kernel.T
    return Toeplitz(filters, taps, matrix.reshape(taps + _PHASES - 1, -1))


def rhythms(kernels: Sequence[Toeplitz], level: Floats) -> Iterator[Floats]:
    """Yield the largest output over frequency of long filters, zeros lying before and after the patch.

    Parameters
    ----------
    kernels
        From ``long_filters``, the longest first.
    level
        Shape (n, 187, 96).

    Yields
    ------
    Shape (filters, n, 187).
    """
    count, frames, bands = level.shape
    longest = kernels[0].taps
    before = (longest - 1) // 2
    padded = np.zeros((count, bands, frames + longest - 1), dtype=np.float32)
    padded[:, :, before : before + frames] = level.transpose(0, 2, 1)
    largest = [np.empty((count, frames, kernel.filters), dtype=np.float32) for kernel in kernels]
    for number, patch in enumerate(padded):
        windows = np.lib.stride_tricks.sliding_window_view(patch, longest + _PHASES - 1, axis=1)[:, ::_PHASES]
        rows = windows.reshape(-1, windows.shape[-1])
        for kernel, outputs in zip(kernels, largest, strict=True):
            start = before - (kernel.taps - 1) // 2
            products = rows[:, start : start + len(kernel.matrix)] @ kernel.matrix
            products.reshape(bands, -1).max(axis=0, out=outputs[number].reshape(-1))
    for outputs in largest:
        yield outputs.transpose(2, 0, 1)


def middle_filters(kernel: Floats) -> Floats:
    """Order a kernel by (filter, channel, frame) for ``over_time``: shape (7 · filters, channels)."""
    return np.ascontiguousarray(kernel.transpose(2, 0, 1)).reshape(-1, kernel.shape[1])


def over_time(kernel: Floats, channels: Floats) -> Floats:
    """Filter over time, zeros lying before and after the patch.

    Parameters
    ----------
    kernel
        From ``middle_filters``.
    channels
        Shape (channels, n, 187).

    Returns
    -------
    Shape (filters, n, 187).
    """
    # One product for all delays; what each gives is then shifted, which is less to move than the channels are.
    products = (kernel @ channels.reshape(len(channels), -1)).reshape(MIDDLE_FRAMES, -1, *channels.shape[1:])
    margin = MIDDLE_FRAMES // 2
    total: Floats = products[margin]
    for delay in range(1, margin + 1):
        total[:, :, delay:] += products[margin - delay][:, :, :-delay]
        total[:, :, :-delay] += products[margin + delay][:, :, delay:]
    return total
