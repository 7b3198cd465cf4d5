"""Measures the music detector on sounds of artists, speakers and recordings that it did not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from classifier.inference.music_detector import SoundKind, music_log_odds
from classifier.training.accuracy import Figure
from classifier.training.detector_sounds import FOLDS
from classifier.training.music_detection import BORDERLINE, examples, held_out, is_recorded, thresholds

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.training.music_detection import Examples, FeatureExtractor

SPLIT: Final = "notmusic"
SYSTEM: Final = "detector"


class HeldOutJudgements(NamedTuple):
    """What held-out estimators say of every sound.

    Attributes
    ----------
    is_music
        Whether it is music, in cases of doubt too, shape (n,).
    is_certain
        Whether it lies outside the band of doubt, shape (n,).
    other
        Most probable kind other than music, shape (n,).
    """

    is_music: NDArray[np.bool_]
    is_certain: NDArray[np.bool_]
    other: NDArray[np.str_]


def judgements(sounds: Examples) -> HeldOutJudgements:
    """Judge every sound by an estimator and by thresholds that come from the other folds."""
    logarithms = held_out(sounds)
    odds = music_log_odds(logarithms)
    folds = np.array([source.fold for source in sounds.sources])
    bounds = np.array([thresholds(sounds, odds, folds != fold) for fold in range(FOLDS)])[folds]
    others = [kind for kind in logarithms if kind is not SoundKind.MUSIC]
    other = np.array(others)[np.stack([logarithms[kind] for kind in others]).argmax(axis=0)]
    is_music = odds >= bounds[:, 0]
    return HeldOutJudgements(is_music, ~is_music | (odds >= bounds[:, 1]), other)


def figures(directory: Path, extract: FeatureExtractor, *, jobs: int = -1) -> list[Figure]:
    """Measure the detector on a data directory, as ``music_detection.examples`` reads it.

    Raises
    ------
    NoMaterial
        If there is no ``notmusic`` in the directory.
    """
    return counted(sounds := examples(directory, extract, jobs=jobs), judgements(sounds))


def counted(sounds: Examples, judged: HeldOutJudgements) -> list[Figure]:
    """Count right judgements by kind, collection and treatment; synthesised sounds by themselves, for they flatter."""
    kinds, treatments = sounds.kinds, np.array(sounds.treatments)
    collections = np.array([source.collection for source in sounds.sources])
    labels = np.array([source.label for source in sounds.sources])
    recorded = is_recorded(sounds)
    marks: dict[str, NDArray[np.bool_]] = {}
    for treatment in dict.fromkeys(sounds.treatments):
        treated = recorded & (treatments == treatment)
        marks[f"music kept, {treatment}"] = judged.is_music[treated & (kinds == SoundKind.MUSIC)]
        for kind in (SoundKind.SPEECH, SoundKind.ENVIRONMENT):
            right = ~judged.is_music[chosen := treated & (kinds == kind)]
            marks[f"{kind} caught, {treatment}"] = right
            marks[f"{kind} named so, {treatment}"] = right & (judged.other[chosen] == kind)
        marks[f"borderline kept, {treatment}"] = judged.is_music[treated & (kinds == BORDERLINE)]
    for collection in dict.fromkeys(collections[recorded & (kinds == SoundKind.MUSIC)].tolist()):
        marks[f"{collection} kept"] = judged.is_music[(collections == collection) & (kinds == SoundKind.MUSIC)]
    mixed = collections == "mixture"
    for label in dict.fromkeys(labels[mixed].tolist()):
        chosen = mixed & (labels == label)
        marks[f"{label} right"] = judged.is_music[chosen] == (kinds[chosen] == SoundKind.MUSIC)
    made = collections == "synthesis"
    marks["synthesised music kept"] = judged.is_music[made & (kinds == SoundKind.MUSIC)]
    for kind in (SoundKind.TONE, SoundKind.ENVIRONMENT):
        marks[f"synthesised {kind} caught"] = ~judged.is_music[made & (kinds == kind)]
    music = recorded & (kinds == SoundKind.MUSIC)
    marks["music without doubt"] = judged.is_music[music] & judged.is_certain[music]
    return [Figure.count(SPLIT, SYSTEM, condition, right) for condition, right in marks.items() if right.size]


def grouped_standard_error(marks: NDArray[np.bool_], groups: NDArray[np.str_]) -> float:
    """Return the standard error of a share when the members of a group are not independent.

    The linearised variance of a ratio over groups: W. G. Cochran, Sampling Techniques (1977), chapter 6.
    """
    _, group = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group)
    residuals = np.bincount(group, weights=marks) - sizes * marks.mean()
    count = sizes.size
    return float(np.sqrt(count / max(count - 1, 1) * np.square(residuals).sum()) / sizes.sum())
