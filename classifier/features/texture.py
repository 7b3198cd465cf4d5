"""Block-level texture of a segment: how its mel spectrum is filled, moves, repeats and hangs together.

After K. Seyerlehner, G. Widmer and T. Pohle, "Fusing block-level features for music similarity estimation" (DAFx 2010),
with widths and blocks of our own. It is computed from few frames of the mel spectrum in dB below the loudest, so the
recording's level does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.spectrum import DYNAMIC_RANGE_DECIBELS, MEL_BANDS, SAMPLE_RATE
from classifier.features.texture_columns import BANDS, CONTRAST_GROUPS, FLUCTUATION_BINS, WIDE_BANDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifier.features.spectrum import Spectrum

FRAMES_PER_SEGMENT: Final = 387
"""Mel frames that are looked at in 30 s: the time grid of the published GTZAN mel pictures that models learn from."""
SEGMENT_SAMPLES: Final = 30 * SAMPLE_RATE
FULL_RANGE: Final = DYNAMIC_RANGE_DECIBELS
NARROW_RANGE: Final = 40.0
"""The traditional Vietnamese material holds only the loudest 40 dB; what learns from it looks at nothing below."""

BLOCK_FRAMES: Final = 13  # 1 s
BLOCK_HOP: Final = 6
HIGH_QUANTILE: Final = 0.9
FLUCTUATION_FRAMES: Final = 77  # 6 s
FLUCTUATION_HOP: Final = 19
CONTRAST_BANDS: Final = 3  # loudest and quietest bands of a group of 16
_SPAN: Final = 8.0  # the full range in the features' own unit
_QUIET_DEVIATION: Final = 1e-2  # a band that does not move correlates with nothing


def sampled_mel(spectrum: Spectrum) -> NDArray[np.float32]:
    """Take every third frame or so of a segment's mel spectrum.

    Parameters
    ----------
    spectrum
        Of a segment of at most 30 s.

    Returns
    -------
    Level in dB relative to the segment's peak, from -80 to 0, shape (128, n); n is 387 for 30 s and proportionally
    fewer for less.
    """
    decibels = spectrum.mel_decibels
    frames = decibels.shape[1]
    # A segment is taken by its nominal length, so that two samples more or less do not shift the grid.
    wanted = max(1, min(FRAMES_PER_SEGMENT, round(FRAMES_PER_SEGMENT * spectrum.samples.size / SEGMENT_SAMPLES)))
    columns = np.maximum(((np.arange(wanted) + 0.5) * frames / wanted).astype(int) - 1, 0)
    return np.maximum(decibels[:, columns] - decibels.max(), -np.float32(FULL_RANGE))


def texture(decibels: NDArray[np.float32], *, range_decibels: float = FULL_RANGE) -> NDArray[np.float32]:
    """Compute the block-level features of a segment.

    Parameters
    ----------
    decibels
        Mel level relative to the peak, shape (128, n), as ``sampled_mel`` gives it; n >= 13.
    range_decibels
        Whatever lies further below the peak is raised to it.

    Returns
    -------
    Shape (2192,): the six groups of ``GROUP_WIDTHS`` one after another.

    Raises
    ------
    ValueError
        If there are not 128 bands or fewer than 13 frames.
    """
    if decibels.ndim != 2 or decibels.shape[0] != MEL_BANDS or decibels.shape[1] < BLOCK_FRAMES:
        raise ValueError(f"texture needs 128 bands and at least {BLOCK_FRAMES} frames, not {decibels.shape}")
    level = np.maximum(decibels, -np.float32(range_decibels))
    level = (level + np.float32(range_decibels)) * np.float32(_SPAN / range_decibels)
    bands = level.reshape(BANDS, -1, level.shape[1]).mean(axis=1)
    wide = level.reshape(WIDE_BANDS, -1, level.shape[1]).mean(axis=1)
    groups = (
        _pattern(bands),
        _pattern(np.maximum(bands[:, 2:] - bands[:, :-2], 0)),
        _unrest(bands),
        _fluctuation(wide),
        _correlation(wide),
        _contrast(level),
    )
    return np.concatenate(groups).astype(np.float32, copy=False)


def _blocks(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut into overlapping blocks of about a second, shape (bands, blocks, 13)."""
    if bands.shape[1] < BLOCK_FRAMES:
        bands = np.pad(bands, ((0, 0), (0, BLOCK_FRAMES - bands.shape[1])), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(bands, BLOCK_FRAMES, axis=1)[:, ::BLOCK_HOP]


def _high(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the 0.9-quantile along axis 1, as the nearest value that occurs."""
    rank = round(HIGH_QUANTILE * (values.shape[1] - 1))
    return np.take(np.partition(values, rank, axis=1), rank, axis=1)


def _pattern(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sort the levels within a block, so that it tells how a band is filled and not when."""
    return _high(np.sort(_blocks(bands), axis=2)[..., ::3]).ravel()


def _unrest(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure how much a band's level jumps from frame to frame within a block."""
    return _high(np.sqrt(_blocks(np.diff(bands, axis=1)).var(axis=2)))


def _fluctuation(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the modulation spectrum of each band: the tempo and rhythm of its level."""
    frames = min(FLUCTUATION_FRAMES, bands.shape[1])
    windows = np.lib.stride_tricks.sliding_window_view(bands, frames, axis=1)[:, ::FLUCTUATION_HOP]
    windows = (windows - windows.mean(axis=2, keepdims=True)) * np.hanning(frames).astype(np.float32)
    modulation = np.abs(np.fft.rfft(windows, n=FLUCTUATION_FRAMES, axis=2))[..., 1 : FLUCTUATION_BINS + 1]
    return np.log1p(modulation.mean(axis=1)).ravel()


def _correlation(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Correlate every band with every other: which of them an instrument moves together."""
    centred = bands - bands.mean(axis=1, keepdims=True)
    centred /= np.sqrt(np.square(centred).mean(axis=1, keepdims=True)) + np.float32(_QUIET_DEVIATION)
    matrix = centred @ centred.T / centred.shape[1]
    return matrix[np.triu_indices(bands.shape[0], 1)]


def _contrast(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compare the loudest with the quietest bands of each group: tones stand out, noise is even."""
    ordered = np.sort(level.reshape(CONTRAST_GROUPS, -1, level.shape[1]), axis=1)
    valley = ordered[:, :CONTRAST_BANDS].mean(axis=1)
    contrast = ordered[:, -CONTRAST_BANDS:].mean(axis=1) - valley
    return np.concatenate([contrast.mean(axis=1), contrast.std(axis=1), valley.mean(axis=1), valley.std(axis=1)])
