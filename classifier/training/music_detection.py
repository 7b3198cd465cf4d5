"""Trains the music detector and measures it by cross-validation in which no artist, speaker or recording is divided.

``detector_sounds`` provides the sounds, ``classifier.inference.music_detector`` serves what is trained here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from joblib import Parallel, delayed
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.inference.estimators import WeightedLDA
from classifier.inference.music_detector import (
    MusicDetector,
    SoundKind,
    kinds_of,
    log_probabilities,
    music_log_odds,
)
from classifier.training.detector_sounds import FOLDS, Source, mixtures, recordings, sounds_of, synthesised
from classifier.training.synthesis import DRUMS, VOICES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    FeatureExtractor = Callable[[NDArray[np.float32]], Mapping[str, NDArray[np.float32]]]

FAMILIES: Final = ("musicnn_tags", "musicnn_embedding")
SHRINKAGE: Final = 0.03
CLASS_WEIGHTS: Final[Mapping[str, float]] = {
    "music": 3,
    "music mixed": 1,
    "music solo": 1,
    "music voice": 1,
    "music drums": 1,
    "speech": 2,
    "environment": 2,
    "tone": 0.7,
}
"""Total weight of the examples of each class; recordings count most, synthesised sounds stand for what is missing."""
MUSIC_LOST: Final = 0.01
"""Share of held-out music below the threshold under which a segment is not music."""
MISTAKEN_FOR_MUSIC: Final = 0.01
"""Share of held-out sounds other than music above the threshold from which a segment is certainly music."""
BORDERLINE: Final = "borderline"


@dataclass(frozen=True, eq=False)
class Examples:
    """Treated sounds and their features.

    Attributes
    ----------
    sources
        Of each of n sounds.
    treatments
        Of each, as in ``detector_sounds.Sound``.
    families
        Feature family → shape (n, width of the family).
    """

    sources: tuple[Source, ...]
    treatments: tuple[str, ...]
    families: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def kinds(self) -> NDArray[np.str_]:
        """Kind of each sound, ``borderline`` for those that are only measured."""
        return np.array([source.kind for source in self.sources])

    @property
    def classes(self) -> NDArray[np.str_]:
        """What the estimator calls each sound: a kind, or one of several sorts of music."""
        return np.array([_class_of(source) for source in self.sources])

    @property
    def features(self) -> NDArray[np.float32]:
        """What the estimator reads, shape (n, columns)."""
        return np.concatenate([self.families[family] for family in FAMILIES], axis=1)


def _class_of(source: Source) -> str:
    if source.kind != SoundKind.MUSIC or source.collection not in {"mixture", "synthesis"}:
        return source.kind
    if source.collection == "mixture":
        return "music mixed"
    return "music voice" if source.name in VOICES else "music drums" if source.name in DRUMS else "music solo"


def examples(directory: Path, extract: FeatureExtractor, *, jobs: int = -1) -> Examples:
    """Read, mix, synthesise and treat all sounds, and compute their features.

    Parameters
    ----------
    directory
        Holds ``notmusic`` and music beside it.
    extract
        Computes the feature families of ``FAMILIES`` from mono samples at 22,050 Hz. It is sent to other processes.
    jobs
        Number of processes, as joblib counts them.

    Raises
    ------
    NoMaterial
        If there is no ``notmusic`` in the directory.
    """
    recorded = recordings(directory)
    sources = [*recorded, *synthesised(), *mixtures(recorded)]
    computed = Parallel(n_jobs=jobs, batch_size=8)(delayed(_features_of)(source, extract) for source in sources)
    return Examples(
        tuple(source for source, part in zip(sources, computed, strict=True) for _ in part),
        tuple(treatment for part in computed for treatment, _ in part),
        {family: np.stack([vectors[family] for part in computed for _, vectors in part]) for family in FAMILIES},
    )


def _features_of(source: Source, extract: FeatureExtractor) -> list[tuple[str, dict[str, NDArray[np.float32]]]]:
    return [
        (sound.treatment, {family: families[family] for family in FAMILIES})
        for sound in sounds_of(source)
        for families in [extract(sound.samples)]
    ]


def fit(sounds: Examples) -> MusicDetector:
    """Train the detector, with thresholds and calibration from cross-validation."""
    odds = music_log_odds(held_out(sounds))
    slope, offset = _calibration(sounds, odds)
    not_music_below, music_from = thresholds(sounds, odds, np.ones(len(sounds), dtype=bool))
    estimator = _fitted(sounds, np.flatnonzero(sounds.kinds != BORDERLINE))
    return MusicDetector(
        families=FAMILIES,
        estimator=estimator,
        kinds=kinds_of(estimator.classes_),
        slope=slope,
        offset=offset,
        not_music_below=float(expit(slope * not_music_below + offset)),
        music_from=float(expit(slope * music_from + offset)),
    )


def is_recorded(sounds: Examples) -> NDArray[np.bool_]:
    """Mark recordings as opposed to mixtures and synthesised sounds: only they count as evidence."""
    return np.array([source.collection not in {"mixture", "synthesis"} for source in sounds.sources])


def thresholds(sounds: Examples, odds: NDArray[np.float64], usable: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the log odds below which a sound is not music, and from which it certainly is.

    Parameters
    ----------
    sounds, odds
        Sounds and their held-out log odds of music.
    usable
        Marks the sounds to look at; of these only recordings count.
    """
    recorded = usable & is_recorded(sounds)
    music = recorded & (sounds.kinds == SoundKind.MUSIC)
    other = recorded & ~music & (sounds.kinds != BORDERLINE)
    not_music_below = float(np.quantile(odds[music], MUSIC_LOST))
    return not_music_below, max(not_music_below, float(np.quantile(odds[other], 1 - MISTAKEN_FOR_MUSIC)))


def _calibration(sounds: Examples, odds: NDArray[np.float64]) -> tuple[float, float]:
    """Fit slope and offset of the log odds, music and the rest being equally likely beforehand."""
    chosen = is_recorded(sounds) & (sounds.kinds != BORDERLINE)
    model = LogisticRegression(class_weight="balanced").fit(odds[chosen, None], sounds.kinds[chosen] == SoundKind.MUSIC)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def held_out(sounds: Examples) -> dict[SoundKind, NDArray[np.float64]]:
    """Return the log-probability of every kind for every sound, by estimators that knew nothing of its group.

    Borderline clips are in no training part. Every training part holds synthesised sounds like those that are held out,
    so that what is said of these flatters.
    """
    folds = np.array([source.fold for source in sounds.sources])
    usable = sounds.kinds != BORDERLINE
    logarithms: dict[SoundKind, NDArray[np.float64]] = {}
    for fold in range(FOLDS):
        estimator = _fitted(sounds, np.flatnonzero(usable & (folds != fold)))
        asked = np.flatnonzero(folds == fold)
        for kind, values in log_probabilities(estimator, kinds_of(estimator.classes_), sounds.features[asked]).items():
            logarithms.setdefault(kind, np.zeros(len(sounds)))[asked] = values
    return logarithms


def _fitted(sounds: Examples, rows: NDArray[np.intp]) -> Pipeline:
    """Fit the estimator; a group of n sounds counts as much as the square root of n groups of one."""
    classes = sounds.classes[rows]
    groups = [sounds.sources[row].group for row in rows]
    sizes = Counter(groups)
    weights = np.array([sizes[group] ** -0.5 for group in groups])
    for name, total in CLASS_WEIGHTS.items():
        weights[classes == name] *= total / max(weights[classes == name].sum(), np.finfo(np.float64).tiny)
    model = make_pipeline(StandardScaler(), WeightedLDA(shrinkage=SHRINKAGE))
    return model.fit(sounds.features[rows], classes, weightedlda__sample_weight=weights)
