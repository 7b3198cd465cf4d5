"""Pitch classes of a segment: its tuning, and the chromagram that follows from it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.spectrum import BINS, FRAME_SAMPLES, SAMPLE_RATE, bin_frequencies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifier.features.spectrum import Spectrum

PITCH_CLASSES: Final = 12
_CONCERT_A_HERTZ: Final = 440.0
_LOWEST_HERTZ: Final = 150.0
_HIGHEST_HERTZ: Final = 4000.0
_PEAK_THRESHOLD: Final = 0.1
"""A peak counts if it has at least this share of its frame's largest power."""
_TUNING_STEPS: Final = 100
"""Tunings told apart, from -0.5 to 0.5 semitones."""
_CENTRE_OCTAVE: Final = 5.0
_OCTAVE_WIDTH: Final = 2.0
_SEMITONES_FROM_A_TO_C: Final = 3


def chromagram(spectrum: Spectrum) -> NDArray[np.float32]:
    """Return the strength of the 12 pitch classes over time, as ``librosa.feature.chroma_stft`` with its defaults.

    Returns
    -------
    Shape (12, frames), from C; each frame is relative to its strongest class.
    """
    raw = (spectrum.power.T @ chroma_filters(tuning(spectrum)).T).T
    strongest = raw.max(axis=0)
    strongest[strongest < np.finfo(np.float32).tiny] = 1
    relative: NDArray[np.float32] = raw / strongest
    return relative


def tuning(spectrum: Spectrum) -> float:
    """Return how far the segment is tuned from A = 440 Hz, in semitones in [-0.5, 0.5], in steps of a cent.

    As ``librosa.estimate_tuning`` with its defaults on the power spectrum: spectral peaks are refined by a parabola
    through three bins; of the louder half, the most frequent deviation from the tempered scale is the tuning.
    """
    power = spectrum.power.T
    hertz = bin_frequencies()
    first = int(np.searchsorted(hertz, _LOWEST_HERTZ))
    last = int(np.searchsorted(hertz, _HIGHEST_HERTZ))
    here = power[:, first:last]
    threshold = _PEAK_THRESHOLD * power.max(axis=1, keepdims=True)
    frame, peak = np.nonzero(here > threshold)
    peak += first
    centre, below, above = power[frame, peak], power[frame, peak - 1], power[frame, peak + 1]
    local = (centre > below) & (centre >= above)
    if not local.any():
        return 0.0
    peak, centre, below, above = peak[local], centre[local], below[local], above[local]
    shift = _parabola_peak(below.astype(np.float64), centre.astype(np.float64), above.astype(np.float64))
    pitch = (peak + shift) * (SAMPLE_RATE / FRAME_SAMPLES)
    height = centre + 0.25 * (above - below) * shift
    semitones = PITCH_CLASSES * np.log2(pitch[height >= np.median(height)] / (_CONCERT_A_HERTZ / 16))
    deviation = np.mod(semitones, 1.0)
    deviation[deviation >= 0.5] -= 1.0
    counts, edges = np.histogram(deviation, np.linspace(-0.5, 0.5, _TUNING_STEPS + 1))
    return float(edges[np.argmax(counts)])


def _parabola_peak(
    below: NDArray[np.float64], centre: NDArray[np.float64], above: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where between its neighbours the peak of a parabola lies, in bins; 0 where it would lie beyond them."""
    curvature = above + below - 2 * centre
    slope = (above - below) / 2
    within = np.abs(slope) < np.abs(curvature)
    shift = np.zeros_like(slope)
    np.divide(-slope, curvature, out=shift, where=within)
    return shift


@lru_cache(maxsize=_TUNING_STEPS + 1)
def chroma_filters(semitones: float) -> NDArray[np.float32]:
    """Weights from bins to pitch classes, shape (12, 1025), as ``librosa.filters.chroma`` with its defaults.

    Each bin is a Gaussian bump around its own pitch class; bins far from the fifth octave weigh less
    (D. Ellis, Chroma feature analysis and synthesis, 2007).

    Parameters
    ----------
    semitones
        Tuning of the music, from -0.5 to 0.5.
    """
    hertz = np.arange(1, BINS + 1) * (SAMPLE_RATE / FRAME_SAMPLES)
    reference = _CONCERT_A_HERTZ * 2.0 ** (semitones / PITCH_CLASSES) / 16
    pitch = PITCH_CLASSES * np.log2(hertz / reference)
    # Zero has no pitch: it is put one and a half octaves below the first bin, so that its bump is broad.
    pitch = np.concatenate(([pitch[0] - 1.5 * PITCH_CLASSES], pitch))
    width = np.maximum(np.diff(pitch), 1.0)
    pitch = pitch[:-1]
    half = PITCH_CLASSES / 2
    distance = np.mod(pitch[None, :] - np.arange(PITCH_CLASSES)[:, None] + half, PITCH_CLASSES) - half
    bumps = np.exp(-0.5 * (2 * distance / width) ** 2)
    bumps /= np.sqrt(np.square(bumps).sum(axis=0))
    bumps *= np.exp(-0.5 * ((pitch / PITCH_CLASSES - _CENTRE_OCTAVE) / _OCTAVE_WIDTH) ** 2)
    filters: NDArray[np.float32] = np.roll(bumps, -_SEMITONES_FROM_A_TO_C, axis=0).astype(np.float32)
    filters.flags.writeable = False
    return filters
