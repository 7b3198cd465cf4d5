"""The 57 features as the public table was made: librosa's own functions, one call each. For tests and benchmarks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import librosa
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SAMPLE_RATE = 22_050


def load(path: Path) -> NDArray[np.float32]:
    """Return a file as ``librosa.load`` reads it: mono, 22,050 Hz, shape (n,)."""
    with warnings.catch_warnings():
        # Its fallback for compressed files is deprecated, and imports modules that are.
        warnings.simplefilter("ignore")
        samples, _ = librosa.load(path, sr=SAMPLE_RATE)
    return np.asarray(samples, dtype=np.float32)


def reference57(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the 57 features of a segment in the order of the public table, shape (57,)."""
    harmonic, percussive = librosa.effects.hpss(samples)
    tempo, _ = librosa.beat.beat_track(y=samples, sr=SAMPLE_RATE)
    described = [
        _chroma(samples),
        librosa.feature.rms(y=samples),
        librosa.feature.spectral_centroid(y=samples, sr=SAMPLE_RATE),
        librosa.feature.spectral_bandwidth(y=samples, sr=SAMPLE_RATE),
        librosa.feature.spectral_rolloff(y=samples, sr=SAMPLE_RATE),
        librosa.feature.zero_crossing_rate(samples),
        harmonic,
        percussive,
    ]
    features = [moment for values in described for moment in (np.mean(values), np.var(values))]
    features.append(np.atleast_1d(tempo)[0])
    for coefficient in librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE):
        features += [np.mean(coefficient), np.var(coefficient)]
    return np.array(features, dtype=np.float64)


def _chroma(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        # Of music without any pitch it says that it assumes the standard one.
        warnings.filterwarnings("ignore", message="Trying to estimate tuning")
        return np.asarray(librosa.feature.chroma_stft(y=samples, sr=SAMPLE_RATE))
