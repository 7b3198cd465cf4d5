"""A segment's harmonic and percussive waveforms: median filtering of the spectrum along time and along frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from classifier.features.medians import running_median
from classifier.features.spectrum import FRAME_SAMPLES, HOP_SAMPLES, hann_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifier.features.spectrum import Spectrum

_OVERLAP: Final = FRAME_SAMPLES // HOP_SAMPLES
_FRAMES_AT_ONCE: Final = 64
"""Frames masked and inverted together: their bins stay in the processor's cache."""
_TINY: Final = np.finfo(np.float32).tiny


def harmonic_and_percussive(spectrum: Spectrum) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Split a segment into its harmonic and its percussive waveform, as ``librosa.effects.hpss`` with its defaults.

    D. FitzGerald, Harmonic/percussive separation using median filtering (DAFx 2010): what is steady over time is
    harmonic, what is spread over frequency is percussive; the two soft masks are Wiener filters of power 2.

    Returns
    -------
    Two signals of the segment's length, which sum to it: shape (n,), float32, the amplitude of the samples.
    """
    magnitude = spectrum.magnitude.T  # (frames, bins), contiguous
    steady = running_median(magnitude)
    spread = running_median(magnitude.T).T
    harmonic = _inverse_of_masked(spectrum, steady, spread)
    # The masks sum to one and the transform is linear: a second inverse transform would say the same.
    return harmonic, spectrum.samples - harmonic


def _inverse_of_masked(
    spectrum: Spectrum, steady: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the waveform of the spectrum under the mask ``steady² / (steady² + spread²)``."""
    stft = spectrum.stft.T
    frames = len(stft)
    blocks = np.zeros((frames + _OVERLAP - 1, HOP_SAMPLES), dtype=np.float32)
    window, edge_gains = _synthesis(frames)
    for first in range(0, frames, _FRAMES_AT_ONCE):
        some = slice(first, first + _FRAMES_AT_ONCE)
        # Where both medians are nothing the mask is one half, as librosa's.
        mask = np.square(steady[some]) + _TINY
        mask /= mask + np.square(spread[some]) + _TINY
        masked = np.empty_like(stft[some])
        np.multiply(stft[some].real, mask, out=masked.real)
        np.multiply(stft[some].imag, mask, out=masked.imag)
        signal = fft.irfft(masked, FRAME_SAMPLES, axis=1, overwrite_x=True) * window
        for part in range(_OVERLAP):
            hops = signal[:, part * HOP_SAMPLES : (part + 1) * HOP_SAMPLES]
            blocks[first + part : first + part + len(hops)] += hops
    for row, gain in edge_gains.items():
        blocks[row] *= gain
    half = FRAME_SAMPLES // 2
    return blocks.ravel()[half : half + spectrum.samples.size]


def _synthesis(frames: int) -> tuple[NDArray[np.float32], dict[int, NDArray[np.float32]]]:
    """Return the window of overlap-add, normalised for the interior, and the gains of the outermost blocks.

    At either end fewer than four frames overlap. A block of 512 samples that all four parts of a window cover is
    interior; of any other, here is by how much it must be raised, unless no frame reaches it.
    """
    squares = np.square(hann_window().reshape(_OVERLAP, HOP_SAMPLES), dtype=np.float64)
    whole = squares.sum(axis=0)
    gains = {}
    for row in {*range(_OVERLAP - 1), *range(frames, frames + _OVERLAP - 1)}:
        covered = squares[max(0, row - frames + 1) : row + 1].sum(axis=0)
        gains[row] = np.divide(whole, covered, out=np.zeros(HOP_SAMPLES), where=covered > _TINY).astype(np.float32)
    window = (hann_window().reshape(_OVERLAP, HOP_SAMPLES) / whole).astype(np.float32)
    return window.ravel(), gains
