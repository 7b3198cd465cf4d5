from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from classifier.__main__ import main
from classifier.features.families import TEXTURE, TEXTURE40
from classifier.inference.artifact_file import read_artifact
from classifier.inference.manifest import BadRelease, read_manifest, read_release
from classifier.inference.model import Model
from classifier.inference.releases import ReleaseEvent, ReleaseStore
from classifier.song_report import SegmentFeatures
from classifier.training import base_dataset, experts, retraining, training_set
from classifier.training.feedback_reader import Song, read
from classifier.training.training_set import Criteria
from tests.classifier.test_walls import fresh_process
from tests.classifier.training.small import (
    FAILED,
    GENRES,
    NEW,
    NOT_ENOUGH,
    PROMOTED,
    REFUSED,
    TRACKS,
    WIDTH,
    corrections,
    features,
    line,
    put_release,
    retrain,
    write_csv,
    write_json_lines,
)

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.training.base_dataset import Base
    from classifier.training.experts import FeatureSpace


@pytest.fixture(scope="module")
def of_base(trained: Path) -> tuple[Base, dict[str, FeatureSpace]]:
    _, content = read_release(trained)
    return base_dataset.unpack(base_dataset.find(trained)[1]), dict(experts.spaces_of(read_artifact(content).experts))


def songs(tmp_path: Path, *lines: dict[str, Any]) -> list[Song]:
    return read(write_json_lines(tmp_path / "songs.jsonl", lines))


def called(models: Path, genre: str) -> float:
    """Return how many of new songs that sound like a genre are called so."""
    model = Model.load(models)
    told = []
    for number in range(40):
        vector = features(genre, 5000 + number)[0]
        heard = SegmentFeatures(0, 30, {TEXTURE: vector, TEXTURE40: vector})
        told.append(model.report([heard], 30).genre == genre)
    return float(np.mean(told))


class TestBase:
    def test_what_is_packed_comes_back_but_for_rounding(self, of_base: tuple[Base, dict[str, FeatureSpace]]) -> None:
        first, _ = of_base
        second = base_dataset.unpack(base_dataset.pack(first))
        for name in ("genres", "groups", "answers"):
            assert (getattr(first, name) == getattr(second, name)).all()
        for family, matrix in first.families.items():
            assert np.abs(second.families[family] - matrix).max() < 1e-2 * np.ptp(matrix, axis=0).max()
            assert (first.starts[family] == second.starts[family]).all()
        for one, other in zip(first.trials, second.trials, strict=True):
            assert (one.train == other.train).all()
            assert (one.test == other.test).all()

    def test_it_is_the_same_file_for_the_same_content(self, trained: Path, tmp_path: Path) -> None:
        put_release(tmp_path)
        assert read_manifest(tmp_path)["files"] == read_manifest(trained)["files"]

    def test_machines_without_feedback_were_asked_about_every_track(self, of_base: tuple[Base, Any]) -> None:
        first, _ = of_base
        assert (first.answers != "").all()
        assert first.accuracy > 0.8

    @pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x05\x06" + bytes(18)])
    def test_what_is_no_base_is_refused(self, content: bytes) -> None:
        with pytest.raises(BadRelease):
            base_dataset.unpack(content)

    def test_the_shipped_release_carries_one(self) -> None:
        from tests.conftest import REPOSITORY

        name, content = base_dataset.find(REPOSITORY / "models")
        shipped = base_dataset.unpack(content)
        assert len(content) < 20_000_000
        assert name == base_dataset.file_of(content)
        counts = {
            str(genre): int(count) for genre, count in zip(*np.unique(shipped.genres, return_counts=True), strict=True)
        }
        manifest = read_manifest(REPOSITORY / "models")
        told = [style for styles in manifest["styles"].values() for style in styles]
        counts |= {style: int((shipped.labels == style).sum()) for style in told}
        assert counts == manifest["trained_on"]
        assert read_manifest(REPOSITORY / "models")["figures"]["base"] == shipped.accuracy


class TestLessons:
    def test_a_new_genre_needs_songs_and_people(self, of_base: tuple[Base, Any], tmp_path: Path) -> None:
        settings = Criteria(least_songs=5, least_people=2)
        for lines, enough in (
            (corrections(NEW, 5), True),
            (corrections(NEW, 4), False),
            (corrections(NEW, 5, people=1), False),
            (corrections(NEW, 5, people=1, reviewed="true"), True),
            (corrections(NEW, 5, people=1, label_people=3), True),
            (corrections(NEW, 5, people=3, label_people=1), False),
        ):
            known = training_set.classes(of_base[0], songs(tmp_path, *lines), settings)
            assert (NEW in known) is enough

    def test_songs_are_kept_whole_in_every_trial(self, of_base: tuple[Base, Any], tmp_path: Path) -> None:
        lines = [line(f"song {number}", NEW, segment=part) for number in range(9) for part in range(3)]
        material = training_set.assemble(of_base[0], songs(tmp_path, *lines), of_base[1], Criteria(least_songs=5))
        tested = []
        for trial in material.trials:
            train, test = (set(material.rows.groups[items].tolist()) for items in (trial.train, trial.test))
            assert not train & test
            tested += [group for group in test if group.startswith("song")]
        assert sorted(tested) == sorted(f"song song {number}" for number in range(9))

    def test_a_persons_songs_are_held_out_together_unless_most_are_theirs(
        self, of_base: tuple[Base, Any], tmp_path: Path
    ) -> None:
        for sizes, apart in (((3, 3, 3), True), ((7, 1, 1), False)):
            givers = [giver for giver, size in enumerate(sizes, start=1) for _ in range(size)]
            lines = [line(f"song {number}", NEW, giver=giver) for number, giver in enumerate(givers)]
            material = training_set.assemble(of_base[0], songs(tmp_path, *lines), of_base[1], Criteria(least_songs=5))
            by_song = {f"song song {number}": giver for number, giver in enumerate(givers)}
            held = [
                {by_song[group] for group in material.rows.groups[trial.test].tolist() if group in by_song}
                for trial in material.trials
            ]
            assert (sum(map(len, held)) == len(set(givers))) is apart

    def test_feedback_counts_at_most_its_share_of_a_genre(self, of_base: tuple[Base, Any], tmp_path: Path) -> None:
        flood = songs(tmp_path, *corrections("rock", 400))
        material = training_set.assemble(of_base[0], flood, of_base[1], Criteria(most_share=0.25))
        counts = np.diff(material.rows.starts[TEXTURE])
        mine = material.rows.genres == "rock"
        fed = np.arange(len(mine)) >= material.size
        of_feedback = (material.weights * counts)[mine & fed].sum()
        assert of_feedback / (of_feedback + counts[mine & ~fed].sum()) == pytest.approx(0.25)

    def test_a_song_counts_by_its_weight_and_without_any_not_at_all(
        self, of_base: tuple[Base, Any], tmp_path: Path
    ) -> None:
        lines = [line("half", "rock", weight=0.5), line("whole", "rock"), line("none", "rock", weight=0)]
        material = training_set.assemble(of_base[0], songs(tmp_path, *lines), of_base[1], Criteria())
        weights = dict(zip(material.rows.groups[material.size :], material.weights[material.size :], strict=True))
        assert weights == {"song half": 0.5, "song whole": 1.0}

    def test_rows_of_feedback_borrow_changes_and_keep_themselves(
        self, of_base: tuple[Base, Any], tmp_path: Path
    ) -> None:
        [song] = songs(tmp_path, line("one", "rock"))
        material = training_set.assemble(of_base[0], [song], of_base[1], Criteria())
        rows = material.rows.families[TEXTURE][material.rows.starts[TEXTURE][material.size] :]
        assert len(rows) == 1 + training_set.MOST_COPIES
        assert rows[0] == pytest.approx(of_base[1][TEXTURE](song.families[TEXTURE])[0], abs=1e-4)
        assert (np.abs(rows[1:] - rows[0]).max(axis=1) > 0).all()

    def test_a_genre_without_wide_texture_has_a_branch_of_its_own(
        self, of_base: tuple[Base, Any], tmp_path: Path
    ) -> None:
        narrow = [
            {name: value for name, value in values.items() if not name.startswith("texture_")}
            for values in corrections(NEW, 6)
        ]
        material = training_set.assemble(of_base[0], songs(tmp_path, *narrow), of_base[1], Criteria(least_songs=5))
        assert material.branches == (GENRES, (NEW,))
        assert not material.rows.having(TEXTURE)[material.size :].any()
        assert material.judged.all()


class TestAsking:
    def test_a_song_is_answered_as_people_would_be(self, trained: Path, tmp_path: Path) -> None:
        model = Model.load(trained)
        _, content = read_release(trained)
        lines = [line("one", "jazz", segment=part) for part in range(2)]
        [song] = songs(tmp_path, *lines)
        [asked] = retraining.ask(read_artifact(content), [song])
        heard = [
            SegmentFeatures(
                30 * part, 30 * part + 30, {name: rows[part].astype(np.float32) for name, rows in song.families.items()}
            )
            for part in range(2)
        ]
        report = model.report(heard, 60)
        assert dict(zip(model.genres, asked, strict=True)) == pytest.approx(dict(report.probabilities), abs=1e-6)

    def test_what_a_song_lacks_has_no_say(self, trained: Path) -> None:
        _, content = read_release(trained)
        song = Song(
            "a", "jazz", 1, True, 2, False, 0, np.array([30.0]), {TEXTURE40: features("jazz", 1).astype(np.float16)}
        )
        [asked] = retraining.ask(read_artifact(content), [song])
        assert asked.argmax() == GENRES.index("jazz")


class TestCommand:
    def test_a_neglected_genre_is_learnt_and_serves(self, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = read_manifest(models)
        assert called(models, NEW) == 0
        assert retrain(models, corrections(NEW, 24), "--if-enough") == PROMOTED
        said = capsys.readouterr()
        after = read_manifest(models)
        assert f"{after['name']} serves now." in said.out
        assert f"Newly able: {NEW}" in said.out
        assert "peak memory" in said.err
        assert called(models, NEW) > 0.8
        assert min(called(models, genre) for genre in GENRES) > 0.7
        assert after["gate"]["passed"]
        assert after["gate"]["against"] == before["name"]
        assert after["genres"] == sorted([*GENRES, NEW])
        assert Model.load(models).experts == ("texture", "texture_linear", "texture40_linear")
        card = (models / f"{after['name']}.md").read_text("utf-8")
        assert f"| {NEW} | 0 | 24 |" in card
        assert f"| {NEW}, feedback |" in card
        assert base_dataset.find(models) == base_dataset.find(models / "releases" / before["name"])

    def test_the_same_once_more_changes_nothing_in_the_records_of_what_serves(
        self, models: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert retrain(models, corrections(NEW, 24)) == PROMOTED
        first = read_manifest(models)["name"]
        before = (models / "manifest.json").read_bytes()
        stored, journal = set((models / "releases").iterdir()), ReleaseStore(models).journal()
        assert retrain(models, corrections(NEW, 24)) == NOT_ENOUGH
        assert f"The candidate is {first}, which serves already" in capsys.readouterr().out
        assert (models / "manifest.json").read_bytes() == before
        assert (set((models / "releases").iterdir()), ReleaseStore(models).journal()) == (stored, journal)
        assert main(["rollback", "--models", str(models)]) == 0
        assert called(models, NEW) == 0

    def test_enough_is_counted_from_what_was_seen(self, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert retrain(models, corrections(NEW, 12), "--if-enough") == NOT_ENOUGH
        said = capsys.readouterr().out
        assert f"Not yet a genre: {NEW}: 12 of 20 recordings." in said
        assert "Not enough new feedback: 12 songs" in said
        assert not [path for path in (models / "releases").iterdir() if path.is_dir()]
        assert retrain(models, corrections("rock", 60, "jazz"), "--if-enough") == REFUSED
        assert retrain(models, corrections("rock", 60, "jazz"), "--if-enough") == NOT_ENOUGH
        assert retrain(models, corrections("rock", 60, "jazz")) == REFUSED

    def test_what_the_gate_refused_is_kept_and_can_be_overruled(
        self, models: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = (models / "manifest.json").read_bytes()
        assert retrain(models, corrections("rock", 60, "jazz")) == REFUSED
        assert (models / "manifest.json").read_bytes() == before
        assert "The gate refused" in capsys.readouterr().out
        entry = ReleaseStore(models).journal()[-1]
        assert entry.event is ReleaseEvent.REFUSED
        assert main(["promote", entry.name, "--models", str(models)]) == 2
        assert main(["promote", entry.name, "--overrule", "a test", "--models", str(models)]) == 0
        assert Model.load(models).name == entry.name

    def test_what_only_measures_teaches_nothing(self, models: Path) -> None:
        assert retrain(models, corrections(NEW, 30, use="evaluate")) == NOT_ENOUGH
        lines = [*corrections(NEW, 24), *corrections("rock", 8, use="evaluate")]
        assert retrain(models, lines) == PROMOTED
        manifest = read_manifest(models)
        assert set(manifest["feedback"]) == {NEW}
        figures = json.loads((models / manifest["evaluation"]).read_text("utf-8"))["differences"]
        assert {figure["what"]: figure["songs"] for figure in figures}["rock, feedback"] == 8

    def test_as_many_people_must_agree_as_the_setting_says(
        self, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COMMUNITY", "public")
        monkeypatch.setenv("FEEDBACK_AGREEMENT", "1")
        assert retrain(models, corrections(NEW, 24, people=1)) == PROMOTED
        assert "people" not in capsys.readouterr().out

    def test_songs_of_labels_that_are_no_class_sharpen_not_sure(self, models: Path) -> None:
        strange = [line(f"zouk {number}", "zouk", GENRES[number % 3], people=1) for number in range(60)]
        plain = shutil.copytree(models, models.parent / "plain")
        assert retrain(plain, corrections(NEW, 24)) == PROMOTED
        assert retrain(models, [*corrections(NEW, 24), *strange], "--people", "2") == PROMOTED
        assert read_manifest(models)["sure_from"] > read_manifest(plain)["sure_from"]
        assert "zouk" not in read_manifest(models)["genres"]

    def test_a_candidate_may_live_in_a_folder_of_its_own(self, models: Path, tmp_path: Path) -> None:
        before = read_manifest(models)
        out = tmp_path / "volume" / "models"
        assert retrain(models, corrections(NEW, 24), "--out", str(out)) == PROMOTED
        assert read_manifest(models) == before
        assert not (models / "releases").exists()
        assert NEW in Model.load(out).genres
        assert {kept.name for kept in ReleaseStore(out).all()} == {before["name"], read_manifest(out)["name"]}

    @pytest.mark.parametrize(
        ("damage", "said"),
        [
            (lambda models: next(models.glob("base-*")).unlink(), "lacks base-"),
            (lambda models: next(models.glob("*.joblib")).write_bytes(b""), "is not the file that was released"),
            (lambda models: (models / "manifest.json").unlink(), "There is no model"),
            (lambda models: (models.parent / "feedback.csv").write_text("nothing\n"), "lacks the columns"),
            (lambda models: (models.parent / "feedback.csv").unlink(), "cannot be read"),
        ],
    )
    def test_what_cannot_be_retrained_is_told_in_a_sentence(
        self, damage: Any, said: str, models: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = write_csv(models.parent / "feedback.csv", corrections(NEW, 24))
        damage(models)
        assert main(["retrain", "--feedback", str(file), "--models", str(models)]) == FAILED
        assert said in capsys.readouterr().err

    def test_it_ends_before_it_begins_where_memory_cannot_suffice(
        self, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("classifier.commands.retrain.NEEDED_BYTES", 10**18)
        assert retrain(models, corrections(NEW, 24)) == FAILED
        [said] = capsys.readouterr().err.splitlines()
        assert said.startswith("Retraining needs about")
        assert not (models / "releases").exists()

    @pytest.mark.parametrize("words", [["--held-out", "1"], ["--songs", "0"], ["--most-share", "-1"], []])
    def test_wrong_words_are_told(self, words: list[str], models: Path) -> None:
        with pytest.raises(SystemExit) as end:
            main(["retrain", "--models", str(models), *(["--feedback", "x"] if words else []), *words])
        assert end.value.code == 2


def test_the_small_release_is_small() -> None:
    assert TRACKS * len(GENRES) * WIDTH < 10_000


def test_it_runs_where_songs_are_only_served(models: Path) -> None:
    file = write_csv(models.parent / "feedback.csv", corrections(NEW, 24))
    words = ["retrain", "--feedback", str(file), "--models", str(models), "--jobs", "1"]
    fresh_process(f"from classifier.__main__ import main\nassert main({words!r}) == {PROMOTED}")
