"""The popular recipe as its tutorials write it: the baseline of every timing here.

A file is loaded by librosa, cut into 30-second segments, described by 57 features of which each librosa call is made
once for the mean and once for the variance, and classified by KNN, SVM, a Keras network of 5 × 300 units and a
stacking with logistic regression; the segments' majority is the answer. Training data does not affect the timings, so
``prepare`` trains on random numbers, as many rows as the public table of 10-second pieces has.

``python benchmarks/popular_recipe.py MODELS FILE`` answers for a file in a process of its own (the cold timing).
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import joblib
import librosa
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

GENRES: Final = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
ROWS: Final = 2991
COLUMNS: Final = 57
SAMPLE_RATE: Final = 22_050
SEGMENT_SECONDS: Final = 30
LEAST_SECONDS: Final = 3
MFCCS: Final = 20
LAYERS, UNITS = 5, 300
SKLEARN_FILE, KERAS_FILE = "machines.joblib", "network.keras"


@dataclass(frozen=True)
class Machines:
    """The recipe's trained models."""

    scaler: Any
    knn: Any
    svm: Any
    stacking: Any
    network: Any

    def answer(self, rows: NDArray[np.float64]) -> str:
        """Return the majority vote over segments of features, shape (n, 57)."""
        scaled = self.scaler.transform(rows)
        votes = [
            *self.knn.predict(scaled),
            *self.svm.predict(scaled),
            *(GENRES[place] for place in self.network.predict(scaled, verbose=0).argmax(axis=1)),
            *self.stacking.predict(scaled),
        ]
        return str(Counter(votes).most_common(1)[0][0])


def prepare(folder: Path) -> None:
    """Train the recipe's models and save them."""
    import keras
    from sklearn.ensemble import StackingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.svm import SVC

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(ROWS, COLUMNS)), rng.choice(GENRES, ROWS)
    scaler = MinMaxScaler().fit(X)
    X = scaler.transform(X)
    knn, svm = KNeighborsClassifier(n_neighbors=1).fit(X, y), SVC(C=100).fit(X, y)
    stacking = StackingClassifier(
        [("knn", KNeighborsClassifier(n_neighbors=1)), ("svm", SVC(C=100))],
        LogisticRegression(max_iter=1000),
        passthrough=True,
    ).fit(X, y)
    hidden = [keras.layers.Dense(UNITS, activation="relu") for _ in range(LAYERS)]
    network = keras.Sequential(
        [keras.Input((COLUMNS,)), *hidden, keras.layers.Dense(len(GENRES), activation="softmax")]
    )
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    network.fit(X, np.searchsorted(GENRES, y), epochs=1, verbose=0)
    joblib.dump((scaler, knn, svm, stacking), folder / SKLEARN_FILE)
    network.save(folder / KERAS_FILE)


def load(folder: Path) -> Machines:
    """Load what ``prepare`` saved."""
    import keras

    scaler, knn, svm, stacking = joblib.load(folder / SKLEARN_FILE)
    return Machines(scaler, knn, svm, stacking, keras.saving.load_model(folder / KERAS_FILE))


def features(y: NDArray[np.float32]) -> list[float]:
    """Return the 57 features of a segment at 22,050 Hz, every call made twice."""
    row: list[float] = []
    measures: tuple[Callable[[], Any], ...] = (
        lambda: librosa.feature.chroma_stft(y=y, sr=SAMPLE_RATE),
        lambda: librosa.feature.rms(y=y),
        lambda: librosa.feature.spectral_centroid(y=y, sr=SAMPLE_RATE),
        lambda: librosa.feature.spectral_bandwidth(y=y, sr=SAMPLE_RATE),
        lambda: librosa.feature.spectral_rolloff(y=y, sr=SAMPLE_RATE),
        lambda: librosa.feature.zero_crossing_rate(y),
    )
    for measure in measures:
        row += [float(np.mean(measure())), float(np.var(measure()))]
    means = [float(part.mean()) for part in librosa.effects.hpss(y)]
    variances = [float(part.var()) for part in librosa.effects.hpss(y)]
    row += [means[0], variances[0], means[1], variances[1]]
    row.append(float(librosa.feature.tempo(y=y, sr=SAMPLE_RATE)[0]))
    mfcc_means = librosa.feature.mfcc(y=y, sr=SAMPLE_RATE, n_mfcc=MFCCS).mean(axis=1)
    mfcc_variances = librosa.feature.mfcc(y=y, sr=SAMPLE_RATE, n_mfcc=MFCCS).var(axis=1)
    row += [float(value) for pair in zip(mfcc_means, mfcc_variances, strict=True) for value in pair]
    return row


def decode(path: Path) -> NDArray[np.float32]:
    """Return a file's mono signal at 22,050 Hz."""
    samples: NDArray[np.float32] = librosa.load(path, sr=SAMPLE_RATE)[0]
    return samples


def segments(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Cut a signal into 30-second segments; a remainder under three seconds is dropped."""
    step = SEGMENT_SECONDS * SAMPLE_RATE
    parts = [samples[start : start + step] for start in range(0, samples.size, step)]
    return [part for part in parts if part.size >= LEAST_SECONDS * SAMPLE_RATE]


def classify(machines: Machines, path: Path) -> str:
    """Return the genre of a file."""
    return machines.answer(np.array([features(part) for part in segments(decode(path))]))


if __name__ == "__main__":
    print(classify(load(Path(sys.argv[1])), Path(sys.argv[2])))
