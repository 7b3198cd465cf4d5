"""What was withdrawn or rolled back does not come back by itself."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from classifier.__main__ import main
from classifier.inference.manifest import read_manifest
from classifier.inference.model import Model
from classifier.inference.releases import ReleaseStore
from classifier.training.need import AGAIN_AFTER
from tests.classifier.training.small import NEW, NOT_ENOUGH, PROMOTED, REFUSED, corrections, line, retrain

if TYPE_CHECKING:
    from pathlib import Path


def test_withdrawn_songs_are_forgotten_though_nothing_gets_better(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = shutil.copytree(models, tmp_path / "again")
    theirs = corrections(NEW, 24)
    mine = [line(f"mine {number}", NEW) for number in range(5)]
    assert retrain(models, [*theirs, *mine]) == PROMOTED
    assert retrain(models, theirs, "--if-enough") == PROMOTED
    assert "corrections were withdrawn: 5." in capsys.readouterr().out
    assert retrain(again, theirs) == PROMOTED
    # The same bytes come of the same feedback, whatever was once learnt.
    assert read_manifest(again)["name"] == read_manifest(models)["name"]
    assert len(read_manifest(models)["songs"][NEW]) == 24


def test_withdrawn_songs_are_forgotten_though_the_release_without_them_was_rolled_back(models: Path) -> None:
    kept = corrections(NEW, 24)
    assert retrain(models, [*kept, line("mine", NEW)]) == PROMOTED
    assert retrain(models, kept, "--if-enough") == PROMOTED
    without = read_manifest(models)["name"]
    assert main(["rollback", "--models", str(models)]) == 0
    assert retrain(models, kept, "--if-enough") == PROMOTED
    assert read_manifest(models)["name"] == without


def test_a_withdrawn_song_that_made_no_difference_is_trained_without_once(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrain(models, [*corrections(NEW, 24), line("mine", "rock", weight=0)]) == PROMOTED
    for said in ("serves already: nothing was changed", "Not enough new feedback"):
        assert retrain(models, corrections(NEW, 24), "--if-enough") == NOT_ENOUGH
        assert said in capsys.readouterr().out
    assert set(read_manifest(models)["songs"]) == {NEW}
    assert Model.load(models).name == read_manifest(models)["name"]


def test_it_is_told_how_many_withdrawn_songs_serve_on_where_the_gate_refuses(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrain(models, corrections(NEW, 24)) == PROMOTED
    assert retrain(models, corrections("rock", 60, "jazz"), "--if-enough") == REFUSED
    assert f"{read_manifest(models)['name']} still learnt from: 24." in capsys.readouterr().out


def test_songs_that_were_rolled_back_are_not_promoted_again_by_themselves(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retrain(models, corrections(NEW, 24)) == PROMOTED
    first = read_manifest(models)["name"]
    assert main(["rollback", "--models", str(models)]) == 0
    assert retrain(models, corrections(NEW, 24), "--if-enough") == NOT_ENOUGH
    assert "was rolled back" in capsys.readouterr().out
    assert retrain(models, corrections(NEW, 24)) == REFUSED
    assert main(["promote", first, "--models", str(models)]) == 0
    assert not ReleaseStore(models).rolled_back()


def test_a_withdrawal_brings_nothing_back_that_was_rolled_back(models: Path) -> None:
    theirs, others = corrections(NEW, 24), corrections("tuong", 24)
    assert retrain(models, [*theirs, line("mine", NEW)]) == PROMOTED
    assert retrain(models, [*theirs, line("mine", NEW), *others], "--if-enough") == PROMOTED
    assert main(["rollback", "--models", str(models)]) == 0
    assert retrain(models, [*theirs, *others], "--if-enough") == PROMOTED
    assert {label: len(keys) for label, keys in read_manifest(models)["songs"].items()} == {NEW: 24}
    assert retrain(models, [*theirs, *others], "--if-enough") == NOT_ENOUGH


@pytest.mark.parametrize("back", [["rollback"], ["promote"], ["promote", "--overrule", "It was better."]])
def test_a_rollback_is_not_undone_until_enough_new_songs_came(
    models: Path, back: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    first = read_manifest(models)["name"]
    assert retrain(models, corrections(NEW, 24)) == PROMOTED
    named = [first] if back[0] == "promote" else []
    assert main([back[0], *named, *back[1:], "--models", str(models)]) == 0
    assert read_manifest(models)["name"] == first
    assert retrain(models, [*corrections(NEW, 24), line("more", "rock")], "--if-enough") == NOT_ENOUGH
    assert "Not enough new feedback: 1 songs" in capsys.readouterr().out
    assert retrain(models, corrections(NEW, 24 + AGAIN_AFTER), "--if-enough") == PROMOTED
