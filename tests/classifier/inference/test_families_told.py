"""What a release tells of families, styles, sounds that are not music, and tags; with experts that are made up."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from classifier.features.families import EMBEDDING, GTZAN57, TAGS, TEXTURE
from classifier.features.musicnn import TAGS as TAG_NAMES
from classifier.inference.artifact_file import FORMER_MODULES, read_artifact
from classifier.inference.ensemble import Branch, Ensemble, Expert, StyleGroup
from classifier.inference.model import Artifact, Model
from classifier.inference.music_detector import MusicDetector, SoundKind
from classifier.song_report import SegmentFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDE = ("pop", "rock")
TRADITIONAL = ("cheo", "hatxam")


class Columns:
    """Takes its probabilities straight from the features."""

    def __init__(self, *classes: str) -> None:
        self.classes_ = np.array(classes)

    def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        return features[:, : len(self.classes_)].astype(np.float64)


def artifact(**more: Any) -> Artifact:
    every = (*WIDE, *TRADITIONAL)
    made = Artifact(
        (Expert("texture", TEXTURE, Columns(*every)),),
        Ensemble((Branch(WIDE, {"texture": 1.0}), Branch(TRADITIONAL, {"texture": 1.0})), {"texture": 1.0}),
        0.6,
        styles=(StyleGroup("pop", Expert("styles", EMBEDDING, Columns("pop", "vpop")), 0.8),),
        family_of={"vpop": "pop", "cheo": "vietnamese_traditional", "hatxam": "vietnamese_traditional"},
    )
    return replace(made, **more)


def part(
    *classes: float, vpop: float = 0.0, music: float = 1.0, tags: dict[str, float] | None = None, place: int = 0
) -> SegmentFeatures:
    """Return a segment that the experts judge so."""
    means = np.array([(tags or {}).get(tag, 0.0) for tag in TAG_NAMES], dtype=np.float32)
    table = np.full(57, 0.1, dtype=np.float32)
    return SegmentFeatures(
        30.0 * place,
        30.0 * place + 30,
        {
            TEXTURE: np.array(classes, dtype=np.float32),
            EMBEDDING: np.array([1 - vpop, vpop], dtype=np.float32),
            TAGS: np.concatenate([means, np.full(100, music, dtype=np.float32)]),
            GTZAN57: table,
        },
    )


class Detector(Columns):
    """Believes the number behind the tags."""

    def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        music = np.clip(features[:, -1].astype(np.float64), 1e-6, 1 - 1e-6)
        return np.stack([music, 1 - music], axis=1)


DETECTOR = MusicDetector((TAGS,), Detector("music", "speech"), (SoundKind.MUSIC, SoundKind.SPEECH), 1.0, 0.0, 0.3, 0.7)


class TestStyles:
    def test_a_style_is_told_where_the_evidence_carries_it(self) -> None:
        report = Model("r", artifact()).report([part(0.9, 0.1, 0, 0, vpop=0.9)], 30)
        assert (report.genre, report.family) == ("vpop", "pop")
        assert report.probabilities["vpop"] == pytest.approx(9 * report.probabilities["pop"])
        assert sum(report.probabilities.values()) == pytest.approx(1)

    def test_otherwise_the_family_is_told_and_the_style_counts_for_it(self) -> None:
        report = Model("r", artifact()).report([part(0.9, 0.1, 0, 0, vpop=0.7)], 30)
        assert (report.genre, report.family) == ("pop", "pop")
        assert "vpop" not in report.probabilities
        assert sum(report.probabilities.values()) == pytest.approx(1)

    def test_a_style_of_another_family_is_not_told(self) -> None:
        report = Model("r", artifact()).report([part(0.1, 0.9, 0, 0, vpop=1.0)], 30)
        assert (report.genre, report.family) == ("rock", "rock")

    def test_styles_that_stand_for_one_family_are_strong_together(self) -> None:
        report = Model("r", artifact()).report([part(0.34, 0.06, 0.32, 0.28)], 30)
        assert (report.genre, report.family) == ("cheo", "vietnamese_traditional")

    def test_every_genre_that_can_be_answered_is_listed(self) -> None:
        assert Model("r", artifact()).genres == (*WIDE, *TRADITIONAL, "vpop")


class TestNotMusic:
    def test_speech_has_no_genre_and_is_never_sure(self) -> None:
        report = Model("r", artifact(detector=DETECTOR)).report([part(1, 0, 0, 0, music=0.01)], 30)
        assert (report.genre, report.family, report.sure, report.kind) == (None, None, False, "speech")
        assert (report.confidence, dict(report.probabilities)) == (0.0, {})
        assert report.segments[0].genre is None

    def test_only_music_answers_for_a_song(self) -> None:
        parts = [
            part(0, 1, 0, 0, music=0.01, place=0),
            part(1, 0, 0, 0, music=0.99, place=1),
            part(1, 0, 0, 0, music=0.99, place=2),
        ]
        report = Model("r", artifact(detector=DETECTOR)).report(parts, 90)
        assert (report.genre, report.kind) == ("pop", "music")
        assert [segment.genre for segment in report.segments] == [None, "pop", "pop"]
        assert [segment.kind for segment in report.segments] == ["speech", "music", "music"]

    def test_what_may_not_be_music_is_not_sure(self) -> None:
        model = Model("r", artifact(detector=DETECTOR))
        assert model.report([part(1, 0, 0, 0, music=0.99)], 30).sure
        doubtful = model.report([part(1, 0, 0, 0, music=0.5)], 30)
        assert (doubtful.genre, doubtful.kind, doubtful.sure) == ("pop", "music", False)

    def test_a_release_without_a_detector_takes_everything_for_music(self) -> None:
        report = Model("r", artifact()).report([part(1, 0, 0, 0, music=0.0)], 30)
        assert (report.genre, report.kind, report.music) == ("pop", "music", 1.0)


class TestSure:
    def test_every_class_has_a_bound_of_its_own(self) -> None:
        model = Model("r", artifact(sure_by_genre={"pop": 0.95, "rock": 0.5}))
        assert not model.report([part(0.9, 0.1, 0, 0)], 30).sure
        assert model.report([part(0.2, 0.8, 0, 0)], 30).sure
        assert Model("r", artifact()).report([part(0.9, 0.1, 0, 0)], 30).sure

    def test_a_tag_that_names_another_genre_makes_an_answer_a_guess(self) -> None:
        model = Model("r", artifact(network={}))
        assert model.report([part(1, 0, 0, 0, tags={"pop": 0.9})], 30).sure
        assert not model.report([part(1, 0, 0, 0, tags={"metal": 0.6})], 30).sure
        assert model.report([part(0, 1, 0, 0, tags={"metal": 0.6})], 30).sure, "rock may be called metal"


class TestTags:
    def test_the_four_most_probable_are_told_if_they_are_probable_enough(self) -> None:
        tags = {"dance": 0.9, "electronic": 0.8, "House": 0.7, "female vocalists": 0.6, "catchy": 0.5, "sad": 0.1}
        report = Model("r", artifact(network={})).report([part(1, 0, 0, 0, tags=tags)], 30)
        assert [tag.tag for tag in report.tags] == ["dance", "electronic", "House", "female vocalists"]
        few = Model("r", artifact(network={})).report([part(1, 0, 0, 0, tags={"sad": 0.4, "dance": 0.29})], 30)
        assert [tag.tag for tag in few.tags] == ["sad"]

    def test_what_is_not_music_has_none(self) -> None:
        model = Model("r", artifact(network={}, detector=DETECTOR))
        assert model.report([part(1, 0, 0, 0, music=0.0, tags={"dance": 0.9})], 30).tags == ()


def test_features_that_were_stored_before_there_was_a_network_are_judged_by_what_there_is() -> None:
    made = artifact(detector=DETECTOR)
    old = SegmentFeatures(0, 30, {TEXTURE: np.array([0.9, 0.1, 0, 0], dtype=np.float32)})
    report = Model("r", made).report([old], 30)
    assert (report.genre, report.kind) == ("pop", "music")


def test_a_release_of_the_former_layout_and_without_families_serves_on() -> None:
    """Releases of version 0.1 name other modules in their pickles and hold three things only."""
    former = Artifact.__new__(Artifact)
    kept = artifact()
    former.__dict__.update(experts=kept.experts, ensemble=kept.ensemble, sure_from=kept.sure_from)
    content = pickle.dumps(former, protocol=2)  # its names of modules are lines of their own
    for old, new in FORMER_MODULES.items():
        content = content.replace(f"c{new}\n".encode(), f"c{old}\n".encode())
    assert b"classifier.inference.model" not in content
    model = Model("15-genres", read_artifact(content))
    report = model.report([part(0.9, 0.1, 0, 0, vpop=0.9)], 30)
    assert (report.genre, report.family, report.sure, report.kind, report.tags) == ("pop", "pop", True, "music", ())
    assert model.genres == (*WIDE, *TRADITIONAL)
