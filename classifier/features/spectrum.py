"""One short-time Fourier transform of a segment, shared by every feature family, and what they derive from it alike.

The conventions are librosa's defaults; what a family makes of a spectrum lives in the family's own module.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

SAMPLE_RATE: Final = 22_050
"""Samples per second of every signal that features are computed from."""
FRAME_SAMPLES: Final = 2048
HOP_SAMPLES: Final = 512
BINS: Final = FRAME_SAMPLES // 2 + 1
MEL_BANDS: Final = 128
DYNAMIC_RANGE_DECIBELS: Final = 80.0
_LEAST_POWER: Final = np.float32(1e-10)

# Slaney's Auditory Toolbox (1998): linear below 1 kHz, logarithmic above.
_HERTZ_PER_LINEAR_MEL: Final = 200 / 3
_BREAK_HERTZ: Final = 1000.0
_BREAK_MEL: Final = _BREAK_HERTZ / _HERTZ_PER_LINEAR_MEL
_LOG_STEP: Final = np.log(6.4) / 27


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The spectrum of one segment; each derived array is computed at first use and kept.

    All arrays are indexed (frequency, time), as librosa's are. They are shared between the families: do not write
    into them.

    Parameters
    ----------
    samples
        Mono signal at 22,050 Hz, float32, shape (n,).

    Raises
    ------
    ValueError
        If ``samples`` is not a one-dimensional float32 array with at least one sample.
    """

    samples: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32 or not self.samples.size:
            shape, dtype = self.samples.shape, self.samples.dtype
            raise ValueError(f"a spectrum is made of mono float32 samples, not of {dtype} in shape {shape}")

    @property
    def frames(self) -> int:
        """Number of frames, ``1 + n // 512``: each is centred on a multiple of the hop."""
        return 1 + self.samples.size // HOP_SAMPLES

    @cached_property
    def stft(self) -> NDArray[np.complex64]:
        """Short-time Fourier transform, shape (1025, frames), as ``librosa.stft`` with its defaults."""
        framed = framed_view(self.samples)
        # The transform runs along contiguous frames; the transposed view costs nothing.
        spectrum: NDArray[np.complex64] = fft.rfft(framed * hann_window(), axis=1, overwrite_x=True).T
        return spectrum

    @cached_property
    def power(self) -> NDArray[np.float32]:
        """Squared magnitude, shape (1025, frames)."""
        by_frame = self.stft.T
        power = np.square(by_frame.real)
        power += np.square(by_frame.imag)
        return power.T

    @cached_property
    def magnitude(self) -> NDArray[np.float32]:
        """Magnitude, shape (1025, frames)."""
        return np.sqrt(self.power.T).T

    @cached_property
    def mel_power(self) -> NDArray[np.float32]:
        """Power in 128 Slaney mel bands, shape (128, frames), as ``librosa.feature.melspectrogram`` by default."""
        return np.ascontiguousarray((self.power.T @ mel_filters().T).T)

    @cached_property
    def mel_decibels(self) -> NDArray[np.float32]:
        """Mel power in dB relative to 1, no more than 80 dB below its peak, shape (128, frames).

        As ``librosa.power_to_db`` with its defaults.
        """
        decibels: NDArray[np.float32] = np.log(np.maximum(self.mel_power, _LEAST_POWER))
        decibels *= np.float32(10 / np.log(10))
        np.maximum(decibels, decibels.max() - np.float32(DYNAMIC_RANGE_DECIBELS), out=decibels)
        return decibels


def framed_view(samples: NDArray[np.float32], *, mode: str = "constant") -> NDArray[np.float32]:
    """Cut a signal into overlapping frames, centred on multiples of the hop.

    Parameters
    ----------
    samples
        Shape (n,).
    mode
        What lies beyond either end: ``constant`` (zeros) or ``edge`` (the outermost sample again).

    Returns
    -------
    A read-only view of a padded copy, shape (1 + n // 512, 2048).
    """
    half = FRAME_SAMPLES // 2
    if mode not in {"constant", "edge"}:
        raise ValueError(f"unknown padding: {mode}")
    before, after = (samples[0], samples[-1]) if mode == "edge" else (np.float32(0), np.float32(0))
    padded = np.empty(samples.size + 2 * half, dtype=samples.dtype)
    padded[:half], padded[half:-half], padded[-half:] = before, samples, after
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES]


@lru_cache(maxsize=1)
def hann_window() -> NDArray[np.float32]:
    """Periodic Hann window, shape (2048,)."""
    phase = 2 * np.pi * np.arange(FRAME_SAMPLES, dtype=np.float64) / FRAME_SAMPLES
    return _constant((0.5 - 0.5 * np.cos(phase)).astype(np.float32))


@lru_cache(maxsize=1)
def bin_frequencies() -> NDArray[np.float64]:
    """Centre frequency of every bin in Hz, shape (1025,)."""
    return _constant(np.arange(BINS, dtype=np.float64) * (SAMPLE_RATE / FRAME_SAMPLES))


@lru_cache(maxsize=1)
def mel_filters() -> NDArray[np.float32]:
    """Triangular mel filters of equal area, shape (128, 1025), equal to ``librosa.filters.mel`` with its defaults.

    The mel scale and the area normalisation are those of M. Slaney, Auditory Toolbox (Interval Research, 1998).
    """
    top = float(hertz_to_mel(np.float64(SAMPLE_RATE / 2)))
    corners = mel_to_hertz(np.linspace(0.0, top, MEL_BANDS + 2))
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    hertz = bin_frequencies()[None, :]
    rising = (hertz - left) / (centre - left)
    falling = (right - hertz) / (right - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return _constant((triangles * (2 / (right - left))).astype(np.float32))


def hertz_to_mel(hertz: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Convert Hz to mels on Slaney's scale."""
    linear = hertz / _HERTZ_PER_LINEAR_MEL
    logarithmic = _BREAK_MEL + np.log(np.maximum(hertz, _BREAK_HERTZ) / _BREAK_HERTZ) / _LOG_STEP
    return np.where(hertz < _BREAK_HERTZ, linear, logarithmic)


def mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert mels on Slaney's scale to Hz."""
    linear = mel * _HERTZ_PER_LINEAR_MEL
    logarithmic = _BREAK_HERTZ * np.exp((np.maximum(mel, _BREAK_MEL) - _BREAK_MEL) * _LOG_STEP)
    return np.where(mel < _BREAK_MEL, linear, logarithmic)


def _constant(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Forbid writing into an array that is computed once and handed to everybody."""
    array.flags.writeable = False
    return array
