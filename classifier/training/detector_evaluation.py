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
    """Count right judgements by kind, collection and treatment; synthesised sounds are no evidence."""
    kinds, treatments = sounds.kinds, np.array(sounds.treatments)
    collections = np.array([source.collection for source in sounds.sources])
    labels = np.array([source.label for source in sounds.sources])
    groups = np.array([source.group for source in sounds.sources])
    recorded = is_recorded(sounds)
    is_music, other = judged.is_music, ~judged.is_music
    found: list[Figure] = []

    def count(condition: str, chosen: NDArray[np.bool_], right: NDArray[np.bool_]) -> None:
        if chosen.any():
            found.append(Figure.count(SPLIT, SYSTEM, condition, right[chosen], groups[chosen].tolist()))

    for treatment in dict.fromkeys(sounds.treatments):
        treated = recorded & (treatments == treatment)
        count(f"music kept, {treatment}", treated & (kinds == SoundKind.MUSIC), is_music)
        for kind in (SoundKind.SPEECH, SoundKind.ENVIRONMENT):
            count(f"{kind} caught, {treatment}", treated & (kinds == kind), other)
            count(f"{kind} named so, {treatment}", treated & (kinds == kind), other & (judged.other == kind))
        count(f"borderline kept, {treatment}", treated & (kinds == BORDERLINE), is_music)
    music = recorded & (kinds == SoundKind.MUSIC)
    for collection in dict.fromkeys(collections[music].tolist()):
        count(f"{collection} kept", (collections == collection) & (kinds == SoundKind.MUSIC), is_music)
    mixed = collections == "mixture"
    for label in dict.fromkeys(labels[mixed].tolist()):
        count(f"{label} right", mixed & (labels == label), is_music == (kinds == SoundKind.MUSIC))
    synthesised = collections == "synthesis"
    count("synthesised music kept", synthesised & (kinds == SoundKind.MUSIC), is_music)
    for kind in (SoundKind.TONE, SoundKind.ENVIRONMENT):
        count(f"synthesised {kind} caught", synthesised & (kinds == kind), other)
    count("music without doubt", music, is_music & judged.is_certain)
    return found
