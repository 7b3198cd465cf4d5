from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.features.families import GTZAN57
from classifier.features.gtzan57 import COLUMNS
from classifier.inference.estimators import WeightedLDA
from classifier.inference.music_detector import MusicDetector, SegmentSound, SongSound, SoundKind, kinds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

CENTRES = {"music": (0, 0), "music solo": (0, 3), "speech": (6, 0), "environment": (0, -6), "tone": (-6, 0)}
NORMAL_RMS = 0.07


@pytest.fixture(scope="module")
def detector() -> MusicDetector:
    """Learns clouds of points, one around each of ``CENTRES``."""
    draw = np.random.default_rng(0)
    points = np.concatenate([centre + draw.normal(0, 0.8, (50, 2)) for centre in CENTRES.values()]).astype(np.float32)
    estimator = make_pipeline(StandardScaler(), WeightedLDA(shrinkage=0.1)).fit(points, np.repeat(list(CENTRES), 50))
    return MusicDetector(("two numbers",), estimator, kinds_of(estimator.classes_), 0.5, 0.0, 0.2, 0.9)


def families(*points: tuple[float, float], rms: float = NORMAL_RMS) -> dict[str, NDArray[np.float32]]:
    loudness = np.zeros((len(points), len(COLUMNS)), dtype=np.float32)
    loudness[:, COLUMNS.index("rms_mean")] = rms
    return {"two numbers": np.array(points, dtype=np.float32), GTZAN57: loudness}


@pytest.mark.parametrize(("name", "kind"), [(name, name.split()[0]) for name in CENTRES])
def test_every_kind_is_recognised(detector: MusicDetector, name: str, kind: str) -> None:
    (judged,) = detector.judge(families(CENTRES[name]))
    assert judged.kind == kind
    assert (judged.music > 0.9) == (kind == "music")


def test_segments_are_judged_one_by_one(detector: MusicDetector) -> None:
    together = detector.judge(families(CENTRES["speech"], CENTRES["music"], CENTRES["tone"]))
    assert [segment.kind for segment in together] == ["speech", "music", "tone"]


def test_the_probability_falls_on_the_way_from_music_to_speech(detector: MusicDetector) -> None:
    judged = detector.judge(families(*((x, 0.0) for x in np.linspace(0, 6, 13))))
    probabilities = [segment.music for segment in judged]
    assert probabilities == sorted(probabilities, reverse=True)
    assert probabilities[0] > 0.99
    assert probabilities[-1] < 0.01


def test_points_far_away_have_finite_probabilities(detector: MusicDetector) -> None:
    judged = detector.judge(families((1e4, 0), (-1e4, 0), (0, 1e4)))
    assert all(0 <= segment.music <= 1 for segment in judged)
    assert [segment.kind for segment in judged] == ["speech", "tone", "music"]


def test_what_is_hardly_audible_is_silence_whatever_it_resembles(detector: MusicDetector) -> None:
    (judged,) = detector.judge(families(CENTRES["music"], rms=5e-4))
    assert judged == SegmentSound(SoundKind.SILENCE, 0.0)


@pytest.mark.parametrize(("name", "kind"), [("music", "music"), ("environment", "silence")])
def test_soft_music_is_music_and_soft_noise_is_silence(detector: MusicDetector, name: str, kind: str) -> None:
    (judged,) = detector.judge(families(CENTRES[name], rms=3e-3))
    assert judged.kind == kind


def test_a_detector_survives_pickling(detector: MusicDetector) -> None:
    restored: MusicDetector = pickle.loads(pickle.dumps(detector))
    assert restored.judge(families((1, 1))) == detector.judge(families((1, 1)))


MUSIC, DOUBTFUL = SegmentSound(SoundKind.MUSIC, 0.99), SegmentSound(SoundKind.MUSIC, 0.5)
SPEECH, RAIN = SegmentSound(SoundKind.SPEECH, 0.01), SegmentSound(SoundKind.ENVIRONMENT, 0.02)


def judged(detector: MusicDetector, *segments: SegmentSound) -> SongSound:
    return detector.judge_song(segments, [30.0] * len(segments))


def test_a_song_is_answered_by_all_its_segments(detector: MusicDetector) -> None:
    song = judged(detector, MUSIC, MUSIC, MUSIC)
    assert (song.kind, song.doubtful, song.answering) == (SoundKind.MUSIC, False, (True, True, True))
    assert song.music == pytest.approx(0.99)


def test_spoken_words_before_a_song_do_not_count(detector: MusicDetector) -> None:
    song = judged(detector, SPEECH, MUSIC, MUSIC)
    assert song.answering == (False, True, True)
    assert not song.doubtful


def test_a_talk_with_one_song_in_it_is_answered_by_the_song(detector: MusicDetector) -> None:
    song = judged(detector, *[SPEECH] * 20, MUSIC, MUSIC, *[SPEECH] * 20)
    assert song.kind is SoundKind.MUSIC
    assert np.flatnonzero(song.answering).tolist() == [20, 21]


def test_a_jingle_does_not_make_a_talk_music(detector: MusicDetector) -> None:
    song = judged(detector, *[SPEECH] * 5, MUSIC, *[SPEECH] * 5, MUSIC, SPEECH)
    assert song.kind is SoundKind.SPEECH
    assert not any(song.answering)
    assert song.music < 0.2


def test_doubtful_stretches_of_a_talk_are_talk(detector: MusicDetector) -> None:
    assert judged(detector, *[SPEECH] * 5, *[DOUBTFUL] * 3).kind is SoundKind.SPEECH


def test_a_doubtful_recording_may_not_be_music(detector: MusicDetector) -> None:
    song = judged(detector, DOUBTFUL, DOUBTFUL, MUSIC)
    assert song.kind is SoundKind.MUSIC
    assert song.doubtful


def test_a_recording_is_named_for_what_fills_most_of_it(detector: MusicDetector) -> None:
    assert judged(detector, SPEECH, RAIN, RAIN).kind is SoundKind.ENVIRONMENT
    assert detector.judge_song([SPEECH, RAIN], [30.0, 12.0]).kind is SoundKind.SPEECH


def test_a_short_recording_is_judged_by_its_only_segment(detector: MusicDetector) -> None:
    assert detector.judge_song([SPEECH], [3.0]).kind is SoundKind.SPEECH
    assert detector.judge_song([MUSIC], [3.0]).answering == (True,)
