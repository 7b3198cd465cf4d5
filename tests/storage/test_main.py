"""``python -m storage``, as an operator types it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from storage import Storage
from storage.__main__ import main
from storage.store import utc_now
from tests.conftest import REPOSITORY
from tests.storage.making import corrected

if TYPE_CHECKING:
    from pathlib import Path


async def prepare(url: str) -> None:
    async with await Storage.open(url) as storage:
        await storage.people.set_consent("ann", True)
        await corrected(storage, "ann", "blues", "one")
        await corrected(storage, "ann", "cailuong", "two")


@pytest.fixture
def filled(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two corrections into a database and name it in the environment."""
    asyncio.run(prepare(url))
    monkeypatch.setenv("DATABASE_URL", url)


@pytest.mark.usefixtures("filled")
def test_export_writes_a_file_and_says_how_much_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "feedback.csv"
    assert main(["export", "--format", "csv", "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 4 rows of 2 songs.\n"
    assert set(pd.read_csv(path)["label"]) == {"blues", "cailuong"}


@pytest.mark.usefixtures("filled")
def test_export_can_be_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    today = utc_now().date().isoformat()
    narrow = ["--genre", "Cải lương", "--since", today, "--status", "pending", "--family", "texture"]
    assert main(["export", "--format", "jsonl", "--out", str(path), *narrow]) == 0
    table = pd.read_json(path, lines=True)
    assert list(table["label"]) == ["cailuong", "cailuong"]
    assert len(table["texture"][0]) == 8
    assert main(["export", "--format", "jsonl", "--out", str(path), "--until", today]) == 0
    assert path.read_text() == ""


@pytest.mark.usefixtures("filled")
def test_what_cannot_be_exported_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--out", str(tmp_path / "x.csv"), "--genre", "no such genre"]) == 2
    assert main(["export", "--out", str(tmp_path / "no" / "folder" / "x.csv")]) == 2
    assert capsys.readouterr().err.count("storage: ") == 2


@pytest.mark.parametrize(
    "wrong", ["mysql://user:secret@host/name", "postgresql://user:secret@127.0.0.1:1/name", "sqlite:///:memory:"]
)
def test_a_database_that_cannot_be_used_is_said_in_a_sentence(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", wrong)
    assert main(["migrate"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("storage: ")
    assert "secret" not in error


def test_without_a_setting_the_file_under_data_is_made(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["PYTHONPATH"] = str(REPOSITORY)
    command = [sys.executable, "-m", "storage", "migrate"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "sqlite+aiosqlite:///data/songs.db is at revision 0002.\n"
    assert (tmp_path / "data" / "songs.db").is_file()
