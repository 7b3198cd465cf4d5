"""Commands that change releases, on disks and folders that do not take it: a sentence, and nothing changed."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from classifier.__main__ import FAILED, run
from classifier.inference.manifest import PACKAGED_MODELS
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "command", [["promote", "another", "--overrule", "a test"], ["rollback"], ["retrain", "--feedback", "feedback.csv"]]
)
def test_a_models_folder_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    (tmp_path / "models").write_text("no folder")
    (tmp_path / "feedback.csv").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["classifier", *command, "--models", "models"])
    assert run() > 0
    told = capsys.readouterr().err
    assert len(told.strip().splitlines()) == 1, told


def test_a_full_disk_is_told_and_the_serving_release_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(PACKAGED_MODELS / "manifest.json", disk.folder)
        before = (disk.folder / "manifest.json").read_bytes()
        disk.fill()
        monkeypatch.setattr(sys, "argv", ["classifier", "rollback", "--models", str(disk.folder)])
        assert run() == FAILED
        assert (disk.folder / "manifest.json").read_bytes() == before
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
