from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import SAMPLE_RATE
from classifier.features.families import GTZAN57
from classifier.features.gtzan57 import gtzan57
from classifier.features.spectrum import Spectrum
from classifier.inference.music_detector import SoundKind
from classifier.training import detector_sounds, music_detection
from classifier.training.detector_evaluation import counted, judgements
from classifier.training.detector_sounds import Source
from classifier.training.music_detection import Examples, examples, fit, held_out
from classifier.training.synthesis import MUSIC, SIGNALS
from tests.classifier.training import detector_directory
from tests.classifier.training.detector_directory import babble, extract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


pytestmark = pytest.mark.timeout(300)  # the first test waits for some 180 sounds to be encoded


@pytest.fixture(scope="module")
def few_sounds() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, count in (("MUSIC_EXAMPLES", 1), ("RARE_MUSIC_EXAMPLES", 1), ("SIGNAL_EXAMPLES", 2)):
            patch.setattr(detector_sounds, name, count)
        quick = ("guitar", "bamboo flute", "drum kit", "whistling", "bells")
        patch.setattr(detector_sounds, "MUSIC", {name: MUSIC[name] for name in quick})
        for name in ("SPEECH_OVER_MUSIC", "SPEECH_OVER_DRUMS", "SPEECH_OVER_ENVIRONMENT", "MUSIC_OVER_ENVIRONMENT"):
            patch.setattr(detector_sounds, name, 4)
        yield


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory, few_sounds: None) -> Examples:
    return examples(detector_directory.make(tmp_path_factory.mktemp("data")), extract, jobs=1)


def features(samples: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    vectors = {**extract(samples), GTZAN57: gtzan57(Spectrum(samples)).astype(np.float32)}
    return {family: vector[None] for family, vector in vectors.items()}


def test_a_trained_detector_tells_music_speech_and_noise(sounds: Examples) -> None:
    from classifier.training.synthesis.instruments import SAMPLE_RATE as RATE
    from tests.synthesis import song

    detector = fit(sounds)
    assert 0 < detector.not_music_below <= detector.music_from <= 1
    heard = {
        "music": song("disco", 6, seed=77),
        "speech": babble(1234),
        "environment": SIGNALS["noise"][1](np.random.default_rng(5), 6.0),
    }
    for kind, samples in heard.items():
        (judged,) = detector.judge(features(samples[:: RATE // SAMPLE_RATE].copy()))
        assert judged.kind == kind


def test_figures_count_what_was_held_out(sounds: Examples) -> None:
    figures = {figure.condition: figure for figure in counted(sounds, judgements(sounds))}
    assert {figure.split for figure in figures.values()} == {"notmusic"}
    assert figures["music kept, original"].of == detector_directory.ARTISTS
    assert figures["speech caught, original"].of == detector_directory.SPEAKERS + 1
    assert figures["borderline kept, original"].of == 1
    assert figures["music kept, original"].share > 0.8
    # Eleven made-up voices, judged by thresholds of the other folds: more than chance, no more.
    assert figures["speech caught, original"].share > 0.5


def moved(sounds: Examples, group: str, by: float) -> Examples:
    """Return the same examples, those of one group far away from where they were."""
    here = np.array([source.group == group for source in sounds.sources])
    vectors = {family: vector.copy() for family, vector in sounds.families.items()}
    vectors["musicnn_embedding"][here] += np.float32(by)
    return replace(sounds, families=vectors)


def test_a_group_does_not_learn_from_itself(sounds: Examples) -> None:
    source = next(source for source in sounds.sources if source.kind == "speech")
    same_fold = np.array([other.fold == source.fold and other.group != source.group for other in sounds.sources])
    assert same_fold.any()
    before, after = held_out(sounds), held_out(moved(sounds, source.group, 5.0))
    assert np.allclose(before[SoundKind.MUSIC][same_fold], after[SoundKind.MUSIC][same_fold])
    others = np.array([other.fold != source.fold for other in sounds.sources])
    assert not np.allclose(before[SoundKind.MUSIC][others], after[SoundKind.MUSIC][others])


def test_borderline_clips_teach_nothing(sounds: Examples) -> None:
    (group,) = {source.group for source in sounds.sources if source.kind == music_detection.BORDERLINE}
    others = np.array([source.group != group for source in sounds.sources])
    before, after = held_out(sounds), held_out(moved(sounds, group, 5.0))
    assert np.allclose(before[SoundKind.MUSIC][others], after[SoundKind.MUSIC][others])


def test_the_same_sounds_give_the_same_detector(sounds: Examples) -> None:
    first, second = fit(sounds), fit(sounds)
    assert (first.not_music_below, first.music_from, first.slope) == (
        second.not_music_below,
        second.music_from,
        second.slope,
    )


def test_thresholds_lose_as_much_music_as_is_allowed() -> None:
    music = [Source("modern", str(n), "music", "pop", str(n)) for n in range(400)]
    speech = [Source("notmusic", str(n), "speech", "read", f"s{n}") for n in range(400)]
    odds = np.concatenate((np.arange(400.0), np.arange(-399.0, 1.0)))
    made = Examples((*music, *speech), ("original",) * 800, {})
    below, certain = music_detection.thresholds(made, odds, np.ones(800, dtype=bool))
    assert np.mean(odds[:400] < below) == pytest.approx(music_detection.MUSIC_LOST, abs=0.003)
    assert np.mean(odds[400:] >= certain) <= music_detection.MISTAKEN_FOR_MUSIC + 0.003
    assert certain >= below
