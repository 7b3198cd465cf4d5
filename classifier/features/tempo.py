"""The tempo of a segment: how strongly notes begin, and how regularly that repeats."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from classifier.features.spectrum import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifier.features.spectrum import Spectrum

_WINDOW_SECONDS: Final = 8.0
_WINDOW_FRAMES: Final = int(_WINDOW_SECONDS * SAMPLE_RATE) // HOP_SAMPLES
_LIKELY_BPM: Final = 120.0
_SPREAD_OCTAVES: Final = 1.0
_HIGHEST_BPM: Final = 320.0


def onset_strength(spectrum: Spectrum) -> NDArray[np.float32]:
    """Return how much louder each frame is than the one before: the median rise over the mel bands, in dB.

    As ``librosa.onset.onset_strength`` with its defaults and the median, which is what librosa's beat tracker uses.

    Returns
    -------
    Shape (frames,), not negative.
    """
    decibels = spectrum.mel_decibels
    rise = np.sort(np.maximum(0, decibels[:, 1:] - decibels[:, :-1]).T, axis=1)
    middle = rise.shape[1] // 2
    median = (rise[:, middle - 1] + rise[:, middle]) / 2
    # A frame's centre lies half a window after its first sample: onsets come late by that much.
    delay = 1 + FRAME_SAMPLES // (2 * HOP_SAMPLES)
    return np.concatenate((np.zeros(delay, dtype=np.float32), median))[: spectrum.frames]


def tempo(spectrum: Spectrum) -> float:
    """Return the tempo in beats per minute, 0 where nothing begins; as ``librosa.beat.beat_track`` with its defaults.

    The period at which the autocorrelation of the onset strength in windows of 8 seconds, averaged over the segment and
    weighted towards 120 beats per minute, is largest (P. Grosche, M. Müller, F. Kurth, Cyclic tempogram, ICASSP 2010).
    """
    onsets = onset_strength(spectrum)
    if not onsets.any():
        return 0.0
    beats_per_minute, prior = _periods()
    best = int(np.argmax(np.log1p(1e6 * _mean_autocorrelation(onsets)) + prior))
    return float(beats_per_minute[best])


def _mean_autocorrelation(onsets: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the autocorrelation in windows around every frame, each relative to its own energy, averaged; by lag."""
    padded = np.pad(onsets, _WINDOW_FRAMES // 2, mode="linear_ramp", end_values=0)
    phase = 2 * np.pi * np.arange(_WINDOW_FRAMES) / _WINDOW_FRAMES
    window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW_FRAMES)[: onsets.size] * window
    # The largest autocorrelation is that at lag 0, which is the energy.
    energy = np.square(windows).sum(axis=1, keepdims=True)
    energy[energy < np.finfo(np.float32).tiny] = 1
    windows /= np.sqrt(energy)
    length = fft.next_fast_len(2 * _WINDOW_FRAMES - 1, real=True)
    spectra = fft.rfft(windows, length, axis=1)
    # Averaging and the inverse transform are linear: one inverse transform of the mean does for all.
    mean_power = (np.square(spectra.real) + np.square(spectra.imag)).mean(axis=0, dtype=np.float64)
    autocorrelation: NDArray[np.float64] = fft.irfft(mean_power, length)[:_WINDOW_FRAMES]
    return autocorrelation


@lru_cache(maxsize=1)
def _periods() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the beats per minute of every lag and their log prior, shape (344,) each; lag 0 is no tempo."""
    beats_per_minute = np.full(_WINDOW_FRAMES, np.inf)
    beats_per_minute[1:] = 60 * SAMPLE_RATE / (HOP_SAMPLES * np.arange(1, _WINDOW_FRAMES))
    prior = np.full(_WINDOW_FRAMES, -np.inf)
    allowed = beats_per_minute < _HIGHEST_BPM
    octaves = np.log2(beats_per_minute[allowed] / _LIKELY_BPM)
    prior[allowed] = -0.5 * np.square(octaves / _SPREAD_OCTAVES)
    return beats_per_minute, prior
