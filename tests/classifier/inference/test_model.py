from __future__ import annotations

import hashlib
import io
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.errors import TooShort
from classifier.features.families import GTZAN57, TEXTURE
from classifier.inference import model as model_module
from classifier.inference.ensemble import Branch, Ensemble, Expert
from classifier.inference.model import Artifact, BadRelease, Model, read_manifest
from classifier.song_report import Progress, SegmentFeatures, SongReport
from classifier.training import release_writer
from tests.classifier.synthesis import song
from tests.conftest import REPOSITORY
from tests.synthesis import STYLES, write
from tests.synthesis import song as played

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

GENRES = ("blues", "jazz", "pop")
TRADITIONAL = {"cailuong", "catru", "chauvan", "cheo", "hatxam"}
RELEASE = REPOSITORY / "models"
FORTY_MEGABYTES = 40_000_000


class Loudness:
    """Calls a segment by one number: its first feature is the probability of jazz."""

    classes_ = np.array(GENRES)

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        jazz = features[:, self.column].astype(np.float64)
        return np.stack([0.75 * (1 - jazz), jazz, 0.25 * (1 - jazz)], axis=1)


def artifact(sure_from: float = 0.7) -> Artifact:
    experts = (Expert("classic", GTZAN57, Loudness(1)), Expert("texture", TEXTURE, Loudness()))
    return Artifact(experts, Ensemble((Branch(GENRES, {"texture": 1.0}),), {}), sure_from)


def heard(*jazz: float, seconds: float = 30.0) -> list[SegmentFeatures]:
    """Return segments that the pool's expert calls jazz with these probabilities, and the other one never."""
    return [
        SegmentFeatures(
            place * seconds,
            (place + 1) * seconds,
            {GTZAN57: np.zeros(57, dtype=np.float32), TEXTURE: np.full(4, p, dtype=np.float32)},
        )
        for place, p in enumerate(jazz)
    ]


def put(directory: Path, made: Artifact | None = None, others: Mapping[str, bytes] = MappingProxyType({})) -> str:
    """Write a release into a folder and return its name."""
    made = artifact() if made is None else made
    packed = release_writer.content(made)
    name = release_writer.name_of(made, packed)
    release_writer.write(
        directory, name, made, {release_writer.file_of(name): packed, **others}, {"trained_on": {"blues": 1}}
    )
    return name


def change_manifest(directory: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    change(manifest)
    (directory / "manifest.json").write_text(json.dumps(manifest), "utf-8")


class LightsOut(BaseException):
    """Ends a program in the middle of its work."""


class Canary:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


class TestRelease:
    def test_what_was_written_is_what_is_loaded(self, tmp_path: Path) -> None:
        name = put(tmp_path)
        model = Model.load(tmp_path)
        assert (model.name, model.genres, model.experts) == (name, GENRES, ("classic", "texture"))

    def test_a_manifest_tells_what_is_in_a_release(self, tmp_path: Path) -> None:
        name = put(tmp_path, others={"MODEL_CARD.md": b"# Card"})
        manifest = read_manifest(tmp_path)
        assert manifest["genres"] == list(GENRES)
        assert manifest["sure_from"] == 0.7
        assert manifest["trained_on"] == {"blues": 1}
        assert {"python", "numpy", "scikit-learn"} <= set(manifest["versions"])
        assert set(manifest["files"]) == {f"{name}.joblib", "MODEL_CARD.md"}
        for file, entry in manifest["files"].items():
            content = (tmp_path / file).read_bytes()
            assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def test_a_new_release_leaves_nothing_of_the_old_and_all_that_is_not_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        old = put(tmp_path, others={"confusion.png": b"picture", "MODEL_CARD.md": b"old"})
        new = put(tmp_path, artifact(0.9), others={"MODEL_CARD.md": b"new"})
        assert old != new
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {"manifest.json", f"{new}.joblib", "MODEL_CARD.md", "notes.txt"}
        assert Model.load(tmp_path).name == new

    @pytest.mark.parametrize("steps", range(4))
    def test_writing_that_is_interrupted_leaves_a_whole_release(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
    ) -> None:
        old = put(tmp_path, others={"MODEL_CARD.md": b"old"})
        exchange = Path.replace
        done = 0

        def until_the_lights_go_out(self: Path, target: Path) -> Path:
            nonlocal done
            if done == steps:
                raise LightsOut
            done += 1
            return exchange(self, target)

        monkeypatch.setattr(Path, "replace", until_the_lights_go_out)
        finished = steps == 3
        if finished:
            new = put(tmp_path, artifact(0.9), others={"MODEL_CARD.md": b"new"})
        else:
            with pytest.raises(LightsOut):
                put(tmp_path, artifact(0.9), others={"MODEL_CARD.md": b"new"})
            new = release_writer.name_of(artifact(0.9), release_writer.content(artifact(0.9)))
        assert Model.load(tmp_path).name == (old if steps < 2 else new)
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

    def test_whoever_reads_while_it_is_exchanged_finds_a_whole_one(self, tmp_path: Path) -> None:
        names = {put(tmp_path)}
        ended = threading.Event()

        def read() -> set[str]:
            found = {Model.load(tmp_path).name}
            while not ended.is_set():
                found.add(Model.load(tmp_path).name)
            return found

        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read)
            for number in range(40):
                names.add(put(tmp_path, artifact(number / 100)))
            ended.set()
            assert reading.result() <= names


class TestWhatIsNotLoaded:
    def test_an_artifact_that_was_tampered_with_is_never_unpickled(self, tmp_path: Path) -> None:
        name = put(tmp_path)
        canary = tmp_path / "canary"
        buffer = io.BytesIO()
        joblib.dump(Canary(canary), buffer)
        (tmp_path / f"{name}.joblib").write_bytes(buffer.getvalue())
        with pytest.raises(BadRelease, match=r"is not the file that was released"):
            Model.load(tmp_path)
        assert not canary.exists()
        joblib.load(io.BytesIO(buffer.getvalue()))
        assert canary.exists(), "this artifact would have run code"

    @pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"", lambda content: content * 2])
    def test_a_damaged_artifact_is_refused(self, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
        file = tmp_path / f"{put(tmp_path)}.joblib"
        file.write_bytes(damage(file.read_bytes()))
        with pytest.raises(BadRelease, match="is not the file that was released"):
            Model.load(tmp_path)

    def test_a_missing_artifact_is_named(self, tmp_path: Path) -> None:
        name = put(tmp_path)
        (tmp_path / f"{name}.joblib").unlink()
        with pytest.raises(BadRelease, match=rf"lacks {name}\.joblib"):
            Model.load(tmp_path)

    def test_an_artifact_that_the_manifest_does_not_list_is_not_looked_at(self, tmp_path: Path) -> None:
        put(tmp_path)
        change_manifest(tmp_path, lambda manifest: manifest.update(files={}))
        with pytest.raises(BadRelease, match="lists no model"):
            Model.load(tmp_path)

    def test_nothing_outside_the_folder_is_read(self, tmp_path: Path) -> None:
        name = put(tmp_path / "inside")
        shutil.copy(tmp_path / "inside" / f"{name}.joblib", tmp_path)

        def point_outside(manifest: dict[str, Any]) -> None:
            manifest["files"] = {f"../{file}": entry for file, entry in manifest["files"].items()}

        change_manifest(tmp_path / "inside", point_outside)
        with pytest.raises(BadRelease, match="lists no model"):
            Model.load(tmp_path / "inside")

    def test_a_folder_without_a_release_says_what_to_do(self, tmp_path: Path) -> None:
        for folder in (tmp_path, tmp_path / "missing"):
            with pytest.raises(BadRelease, match=r"There is no model in .* train one with"):
                Model.load(folder)

    @pytest.mark.parametrize("changed", [{"format": 0}, {"format": 2}, {"format": None}])
    def test_a_release_of_another_format_is_refused(self, tmp_path: Path, changed: dict[str, Any]) -> None:
        put(tmp_path)
        change_manifest(tmp_path, lambda manifest: manifest.update(changed))
        with pytest.raises(BadRelease, match="of another version"):
            Model.load(tmp_path)

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 1}', b'{"format": 1, "name": "x", "files": {"x.joblib": 3}}'],
    )
    def test_a_manifest_that_makes_no_sense_is_refused(self, tmp_path: Path, content: bytes) -> None:
        put(tmp_path)
        (tmp_path / "manifest.json").write_bytes(content)
        with pytest.raises(BadRelease):
            Model.load(tmp_path)

    def test_the_checksum_is_of_the_bytes_that_are_unpickled(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = put(tmp_path)
        read = model_module.read_verified_file

        def verified_then_exchanged(directory: Path, file: str, manifest: Any) -> bytes:
            content = read(directory, file, manifest)
            (directory / file).write_bytes(b"exchanged behind the back")
            return content

        monkeypatch.setattr(model_module, "read_verified_file", verified_then_exchanged)
        assert Model.load(tmp_path).name == name


class TestReport:
    def test_its_json_has_exactly_the_fields_that_programs_rely_on(self) -> None:
        report = Model("test", artifact()).report(heard(0.9, 0.6), 60).as_dict()
        assert set(report) - {"probabilities", "family", "music", "kind", "tags"} == {
            "genre",
            "confidence",
            "sure",
            "model",
            "duration",
            "segments",
        }
        for segment in report["segments"]:
            assert list(segment)[:6] == ["start", "end", "genre", "confidence", "probabilities", "votes"]
            assert list(segment)[6:] == ["family", "music", "kind"]
            assert set(segment["probabilities"]) == set(GENRES)
            assert set(segment["votes"]) == {"classic", "texture"}
        again = json.loads(json.dumps(report))
        assert again == report
        assert SongReport.from_dict(again).as_dict() == report

    def test_a_songs_probabilities_are_the_mean_over_its_segments(self) -> None:
        model = Model("test", artifact())
        report = model.report(heard(0.9, 0.6, 0.3), 90)
        of_segments = [segment.probabilities["jazz"] for segment in report.segments]
        assert report.genre == "jazz"
        assert report.confidence == report.probabilities["jazz"] == pytest.approx(np.mean(of_segments))
        assert sum(report.probabilities.values()) == pytest.approx(1)

    def test_a_short_remainder_counts_by_its_length(self) -> None:
        model = Model("test", artifact())
        long, short = heard(1.0, 0.0)
        report = model.report([long, SegmentFeatures(30, 40, short.families)], 40)
        whole, part = (segment.probabilities["jazz"] for segment in report.segments)
        assert report.probabilities["jazz"] == pytest.approx((30 * whole + 10 * part) / 40)

    def test_probabilities_come_most_probable_first(self) -> None:
        report = Model("test", artifact()).report(heard(0.1), 30)
        assert list(report.probabilities) == ["blues", "pop", "jazz"]
        assert list(report.segments[0].probabilities) == ["blues", "pop", "jazz"]
        assert [genre for genre, _ in report.runners_up()] == ["pop", "jazz"]

    def test_every_expert_votes_those_without_weight_too(self) -> None:
        [segment] = Model("test", artifact()).report(heard(0.9), 30).segments
        assert segment.votes == {"classic": "blues", "texture": "jazz"}
        assert segment.genre == "jazz"

    @pytest.mark.parametrize(("threshold", "sure"), [(0.5, True), (0.999, False)])
    def test_thin_evidence_is_told_as_unsure(self, threshold: float, sure: bool) -> None:
        assert Model("test", artifact(threshold)).report(heard(0.8), 30).sure is sure

    def test_an_answer_right_at_the_threshold_is_sure(self) -> None:
        confidence = Model("test", artifact()).report(heard(0.8), 30).confidence
        assert Model("test", artifact(confidence)).report(heard(0.8), 30).sure


@pytest.fixture(scope="module")
def released() -> Model:
    """Load the release that comes with the project."""
    return Model.load(RELEASE)


class TestReleased:
    def test_every_file_is_what_its_manifest_says(self) -> None:
        manifest = read_manifest(RELEASE)
        assert {"MODEL_CARD.md", "evaluation.json", "confusion.png", "reliability.png"} < set(manifest["files"])
        for file in manifest["files"]:
            model_module.read_verified_file(RELEASE, file, manifest)
        tracked = {path.name for path in RELEASE.iterdir()} - {"manifest.json"}
        assert tracked == set(manifest["files"])
        assert sum(path.stat().st_size for path in RELEASE.iterdir()) < FORTY_MEGABYTES

    def test_it_knows_the_families_the_traditional_styles_and_v_pop(self, released: Model) -> None:
        assert len(released.genres) == 18
        assert set(released.genres) > {*TRADITIONAL, "electronic", "zouk", "vpop"}
        assert {"texture", "musicnn_tags", "fusion"} <= set(released.experts)
        assert read_manifest(RELEASE)["genres"] == list(released.genres)

    def test_a_song_is_heard_segment_by_segment(self, released: Model) -> None:
        steps: list[Progress] = []
        samples = song(0, seconds=42)
        result = released.classify(samples, steps.append)
        assert steps == [Progress("listening", 1, 2), Progress("listening", 2, 2)]
        report = result.report
        assert [(segment.start, segment.end) for segment in report.segments] == [(0, 30), (30, 42)]
        assert report.duration == 42
        assert report.model == released.name
        for segment, features in zip(report.segments, result.features, strict=True):
            assert (segment.start, segment.end) == (features.start, features.end)
            assert sum(segment.probabilities.values()) == pytest.approx(1)
            assert segment.confidence == max(segment.probabilities.values())
            assert set(segment.votes) == set(released.experts)
            assert set(segment.votes.values()) <= set(released.genres)
        assert released.report(result.features, report.duration) == report

    def test_the_same_song_gets_the_same_answer(self, released: Model, tmp_path: Path) -> None:
        file = write(played("blues", 12, 1), tmp_path / "song.ogg")
        first, second = (
            model.classify(decode(file, max_seconds=60)).report for model in (released, Model.load(RELEASE))
        )
        assert first == second

    @pytest.mark.parametrize("style", sorted(STYLES))
    def test_synthesised_songs_get_an_answer(self, released: Model, style: str, tmp_path: Path) -> None:
        file = write(played(style, 10, 3), tmp_path / "song.wav")
        report = released.classify(decode(file, max_seconds=60)).report
        assert report.genre in released.genres
        assert all(np.isfinite(p) and 0 <= p <= 1 for p in report.probabilities.values())

    def test_the_level_of_a_song_changes_nothing(self, released: Model) -> None:
        samples = song(3)
        loud, quiet = (released.classify(samples * np.float32(gain)).report for gain in (1, 0.05))
        assert quiet.genre == loud.genre
        assert quiet.confidence == pytest.approx(loud.confidence, abs=0.02)

    def test_three_seconds_are_enough_and_less_is_not(self, released: Model) -> None:
        assert len(released.classify(song(1, seconds=3)).report.segments) == 1
        with pytest.raises(TooShort):
            released.classify(song(1, seconds=2.9))

    def test_silence_within_a_song_does_no_harm(self, released: Model) -> None:
        samples = np.concatenate([song(2, seconds=30), np.zeros(30 * SAMPLE_RATE, dtype=np.float32)])
        report = released.classify(samples).report
        assert len(report.segments) == 2
        assert all(np.isfinite(p) for p in report.probabilities.values())

    def test_traditional_vietnamese_songs_are_called_so(self, released: Model, shared_data: Path) -> None:
        files = [
            path for path in sorted((shared_data / "vietnamese" / "audio").iterdir()) if named(path) in TRADITIONAL
        ]
        assert len(files) == 4
        assert {path.name for path in files if answer(released, path) not in TRADITIONAL} == set()

    def test_at_most_one_other_song_is_called_traditional_vietnamese(self, released: Model, shared_data: Path) -> None:
        files = sorted((shared_data / "other" / "audio").iterdir())
        assert len(files) == 7
        assert len([path.name for path in files if answer(released, path) in TRADITIONAL]) <= 1


def named(path: Path) -> str:
    """Return the genre in which a file's name ends."""
    return path.stem.casefold().replace("_", "-").rpartition("-")[2]


def answer(model: Model, path: Path) -> str | None:
    return model.classify(decode(path, max_seconds=600)).report.genre
