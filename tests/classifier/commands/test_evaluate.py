from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from classifier.__main__ import main
from classifier.training import data_loading
from tests.classifier.conftest import SONGS, STYLES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("quick_training")

FIELDS = ["split", "system", "condition", "right", "of", "accuracy", "standard_error"]


def evaluated(data: Path, split: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["evaluate", "--data", str(data), "--split", split, "--json", "--jobs", "1"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_folds_of_ones_own_collection_give_a_figure_for_every_system(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = evaluated(collection, "folds", capsys)
    assert list(answer) == ["split", "figures"]
    clean = {figure["system"]: figure for figure in answer["figures"] if figure["condition"] == "clean"}
    assert list(clean) == [
        "ensemble",
        "texture",
        "texture_linear",
        "texture40_linear",
        "musicnn_tags",
        "fusion",
        "musicnn_embedding",
        "knn",
        "svm",
        "nn",
        "stack",
    ]
    for figure in answer["figures"]:
        assert list(figure) == FIELDS
        assert figure["split"] == "folds"
        assert figure["of"] == SONGS * len(STYLES)
        assert figure["accuracy"] == pytest.approx(figure["right"] / figure["of"], abs=1e-4)
    # The three styles could hardly be less alike.
    assert clean["ensemble"]["accuracy"] > 0.6


@pytest.mark.parametrize("split", ["fault_filtered", "artist_fold", "rows", "vietnamese", "recordings"])
def test_a_split_that_the_music_does_not_allow_is_wrong_usage(
    collection: Path, split: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = data_loading.load(collection)
    monkeypatch.setattr(data_loading, "load", lambda *_, **__: read)
    assert main(["evaluate", "--data", str(collection), "--split", split]) == 2
    said = capsys.readouterr()
    assert said.err == f"{collection} does not hold what {split} needs.\n"
    assert said.out == ""


def test_a_folder_without_music_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--data", str(tmp_path), "--split", "folds"]) == 2
    assert "should hold at least two folders" in capsys.readouterr().err


def test_a_split_that_there_is_not_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["evaluate", "--data", str(tmp_path), "--split", "lucky"])
    assert end.value.code == 2
    assert "--split" in capsys.readouterr().err


def test_a_missing_release_is_told_before_anything_is_measured(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "--data", str(shared_data), "--split", "all", "--model-dir", str(tmp_path)]
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"There is no model in {tmp_path}: ")
