from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from classifier.__main__ import main
from classifier.audio.decoding import decode
from classifier.inference.model import Model, read_manifest
from classifier.training import data_loading, feature_matrix
from tests.classifier.conftest import SONGS, STYLES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("quick_training")


@pytest.fixture(scope="module")
def trained(collection: Path, quick_training: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a release from the collection."""
    out = tmp_path_factory.mktemp("releases") / "new" / "release"
    assert main(["train", "--data", str(collection), "--out", str(out), "--jobs", "1", "--no-evaluate"]) == 0
    return out


class TestTrain:
    def test_a_plain_folder_of_audio_makes_a_whole_release(self, trained: Path) -> None:
        manifest = read_manifest(trained)
        assert manifest["genres"] == sorted(STYLES)
        assert manifest["trained_on"] == dict.fromkeys(sorted(STYLES), SONGS)
        assert [expert["name"] for expert in manifest["experts"]] == [
            "texture",
            "texture_linear",
            "texture40_linear",
            "musicnn_tags",
            "fusion",
            "musicnn_embedding",
        ]
        assert {path.name for path in trained.iterdir()} == {"manifest.json", *manifest["files"]}
        assert (trained / "confusion.png").read_bytes().startswith(b"\x89PNG")
        assert {figure["split"] for figure in json.loads((trained / "evaluation.json").read_text())} == {"sure"}

    def test_it_classifies(self, trained: Path, collection: Path) -> None:
        model = Model.load(trained)
        files = [collection / genre / "album" / "0.ogg" for genre in STYLES]
        reports = [model.classify(decode(file, max_seconds=60)).report for file in files]
        # Songs that it was trained on: whatever does not know these has learnt nothing.
        assert [report.genre for report in reports] == list(STYLES)
        for report in reports:
            assert sum(report.probabilities.values()) == pytest.approx(1)
            assert set(report.segments[0].votes) == set(model.experts)

    def test_its_card_says_what_it_is_and_claims_nothing_of_other_music(self, trained: Path) -> None:
        card = (trained / "MODEL_CARD.md").read_text("utf-8")
        assert card.startswith(f"# Model card: {read_manifest(trained)['name']}\n")
        assert all(f"| {genre} | {SONGS} |" in card for genre in STYLES)
        assert "GTZAN" not in card
        assert "Vietnamese" not in card

    def test_the_old_release_stays_until_the_new_one_is_whole(
        self, trained: Path, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "models"
        shutil.copytree(trained, out)
        before = {path.name: path.read_bytes() for path in out.iterdir()}

        def interrupted(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr(feature_matrix, "build", interrupted)
        with pytest.raises(MemoryError):
            main(["train", "--data", str(collection), "--out", str(out), "--jobs", "1", "--no-evaluate"])
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before


class TestWhatCannotBeTrained:
    def test_a_folder_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["train", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err.endswith(
            "none should hold at least two folders of audio files, each named for its genre.\n"
        )

    def test_a_single_genre(self, collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        shutil.copytree(collection / "blues", tmp_path / "data" / "blues")
        assert main(["train", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert "at least two folders" in said
        assert "blues/cover.jpg: left out. This is not a music file" in said
        assert ".DS_Store" not in said

    def test_a_genre_of_too_few_songs_is_named(
        self, collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = tmp_path / "data"
        shutil.copytree(collection, data)
        for number in (1, 2):
            (data / "disco" / "album" / f"{number}.ogg").unlink()
        assert main(["train", "--data", str(data), "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err.endswith("Every genre needs 3 songs that can be read. Too few: disco.\n")

    def test_a_place_that_cannot_be_written(
        self, collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").touch()
        assert main(["train", "--data", str(collection), "--out", str(tmp_path / "file" / "out")]) == 2
        said = capsys.readouterr().err
        assert said == f"Nothing can be written to {tmp_path / 'file' / 'out'}: Not a directory.\n"

    @pytest.mark.parametrize("content", [b"", b"no pictures", b"PK\x05\x06" + bytes(18)])
    def test_published_sets_that_are_not_whole(
        self, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "gtzan").mkdir()
        (tmp_path / "gtzan" / "mel.npz").write_bytes(content)
        assert main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err.startswith(f"The published sets in {tmp_path} cannot be read: ")

    @pytest.mark.parametrize("jobs", ["0", "-2", "many"])
    def test_no_processes(self, jobs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as end:
            main(["train", "--data", str(tmp_path), "--out", str(tmp_path), "--jobs", jobs])
        assert end.value.code == 2
        assert "--jobs" in capsys.readouterr().err


def test_accents_are_one_letter_however_a_system_writes_them(collection: Path, tmp_path: Path) -> None:
    composed, taken_apart = "chèo", "che\u0300o"
    for name in (taken_apart, "blues"):
        shutil.copytree(collection / "blues" / "album", tmp_path / name)
    assert {track.genre for track in data_loading.load(tmp_path)} == {composed, "blues"}
