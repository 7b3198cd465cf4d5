"""The 57 features of the public GTZAN table, from one shared spectrum.

The recipe is the table's, the definitions are librosa's; the tests hold both. Pitch, tempo and the harmonic split have
modules of their own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.harmonic import harmonic_and_percussive
from classifier.features.pitch import chromagram
from classifier.features.spectrum import BINS, FRAME_SAMPLES, HOP_SAMPLES, MEL_BANDS, bin_frequencies
from classifier.features.tempo import tempo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifier.features.spectrum import Spectrum

    Floats = NDArray[np.float32] | NDArray[np.float64]

MFCCS: Final = 20
_DESCRIBED: Final = (
    "chroma_stft",
    "rms",
    "spectral_centroid",
    "spectral_bandwidth",
    "rolloff",
    "zero_crossing_rate",
    "harmony",
    "perceptr",
)
COLUMNS: Final[tuple[str, ...]] = (
    *(f"{name}_{moment}" for name in _DESCRIBED for moment in ("mean", "var")),
    "tempo",
    *(f"mfcc{number}_{moment}" for number in range(1, MFCCS + 1) for moment in ("mean", "var")),
)
"""Names of the features, in the order of the public ``features_30_sec.csv``."""

_ROLLOFF_SHARE: Final = 0.85
_ROLLOFF_GROUP_BINS: Final = 32
_SILENT_AMPLITUDE: Final = 1e-10
"""Samples as near to zero as this have no sign of their own when zero crossings are counted."""


def gtzan57(spectrum: Spectrum) -> NDArray[np.float64]:
    """Compute the 57 features of a segment.

    Parameters
    ----------
    spectrum
        Of the segment, of any length; the public table holds segments of 30 s.

    Returns
    -------
    Shape (57,), in the order of ``COLUMNS``: mean and population variance over time of chroma, root mean square,
    centroid, bandwidth and 85 % roll-off of the spectrum in Hz, zero-crossing rate, harmonic and percussive waveform;
    the tempo in beats per minute; mean and variance of 20 mel-frequency cepstral coefficients of the mel power in dB.
    """
    centroid, bandwidth = centroid_and_bandwidth(spectrum)
    described = (
        chromagram(spectrum),
        root_mean_square(spectrum.samples),
        centroid,
        bandwidth,
        rolloff(spectrum),
        zero_crossing_rate(spectrum.samples),
        *harmonic_and_percussive(spectrum),
    )
    features = [moment for values in described for moment in _mean_and_variance(values)]
    features.append(tempo(spectrum))
    for coefficient in mfcc(spectrum):
        features.extend(_mean_and_variance(coefficient))
    return np.array(features)


def _mean_and_variance(values: Floats) -> tuple[float, float]:
    """Return the moments of all values; the sums are long, so the variance is taken about the mean."""
    mean = values.mean(dtype=np.float64)
    deviation = (values - mean.astype(values.dtype)).ravel()
    return float(mean), float(deviation @ deviation / deviation.size)


def root_mean_square(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the root mean square amplitude of every frame, shape (frames,), as ``librosa.feature.rms``."""
    return np.sqrt(_frame_sums(np.square(samples, dtype=np.float64), FRAME_SAMPLES // 2) / FRAME_SAMPLES)


def zero_crossing_rate(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of a frame's samples whose sign differs from the one before, shape (frames,), as librosa's.

    A frame's first sample is compared with none, as in ``librosa.feature.zero_crossing_rate``.
    """
    negative = samples < -_SILENT_AMPLITUDE
    crossings = np.zeros(samples.size)
    crossings[1:] = negative[1:] != negative[:-1]
    count = _frame_sums(crossings, FRAME_SAMPLES // 2)
    first = np.arange(count.size) * HOP_SAMPLES - FRAME_SAMPLES // 2
    inside = first >= 0
    count[inside] -= crossings[first[inside]]
    return count / FRAME_SAMPLES


def _frame_sums(values: NDArray[np.float64], padding: int) -> NDArray[np.float64]:
    """Sum over frames of 2048 at every 512th value, after ``padding`` zeros at either end."""
    frames = 1 + (values.size + 2 * padding - FRAME_SAMPLES) // HOP_SAMPLES
    overlap = FRAME_SAMPLES // HOP_SAMPLES
    padded = np.zeros((frames + overlap - 1) * HOP_SAMPLES)
    kept = min(values.size, padded.size - padding)
    padded[padding : padding + kept] = values[:kept]
    hops = padded.reshape(-1, HOP_SAMPLES).sum(axis=1)
    sums: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(hops, overlap).sum(axis=1)
    return sums


def centroid_and_bandwidth(spectrum: Spectrum) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean frequency of the magnitude and the standard deviation about it, in Hz, shape (frames,) each.

    As ``librosa.feature.spectral_centroid`` and ``spectral_bandwidth``; 0 where there is no magnitude.
    """
    # About a pure tone the second moment cancels to nothing, so the sums need double precision.
    hertz = bin_frequencies()
    powers = np.stack((np.ones(BINS), hertz, np.square(hertz)), axis=1)
    total, first, second = (spectrum.magnitude.T.astype(np.float64) @ powers).T
    total[total < np.finfo(np.float32).tiny] = 1
    centroid = first / total
    return centroid, np.sqrt(np.maximum(0, second / total - np.square(centroid)))


def rolloff(spectrum: Spectrum) -> NDArray[np.float64]:
    """Return the frequency below which 85 % of the magnitude lies, in Hz, shape (frames,)."""
    magnitude = spectrum.magnitude.T
    # Running sums of groups of bins first, then of the bins of the one group that matters.
    groups = magnitude[:, :-1].reshape(len(magnitude), -1, _ROLLOFF_GROUP_BINS)
    up_to_group = groups.sum(axis=2).cumsum(axis=1)
    wanted = np.float32(_ROLLOFF_SHARE) * (up_to_group[:, -1:] + magnitude[:, -1:])
    group = np.minimum((up_to_group < wanted).sum(axis=1), groups.shape[1] - 1)
    every = np.arange(len(magnitude))
    within = groups[every, group].cumsum(axis=1)
    missing = wanted[:, 0] - np.where(group > 0, up_to_group[every, group - 1], 0)
    bins = group * _ROLLOFF_GROUP_BINS + (within < missing[:, None]).sum(axis=1)
    hertz: NDArray[np.float64] = bin_frequencies()[bins]
    return hertz


def mfcc(spectrum: Spectrum) -> NDArray[np.float32]:
    """Return the first 20 mel-frequency cepstral coefficients, shape (20, frames), as ``librosa.feature.mfcc``."""
    coefficients: NDArray[np.float32] = _cosines() @ spectrum.mel_decibels
    return coefficients


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float32]:
    """Return the first rows of the orthonormal type-2 cosine transform of the mel bands, shape (20, 128)."""
    angles = np.pi / MEL_BANDS * np.outer(np.arange(MFCCS), np.arange(MEL_BANDS) + 0.5)
    basis = np.cos(angles) * np.sqrt(2 / MEL_BANDS)
    basis[0] /= np.sqrt(2)
    cosines: NDArray[np.float32] = basis.astype(np.float32)
    return cosines
