"""The command line ``python -m storage``."""

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
from storage.migrate import REVISION
from storage.store import utc_now
from tests.conftest import REPOSITORY
from tests.storage.factories import corrected

if TYPE_CHECKING:
    from pathlib import Path


async def prepare(url: str) -> None:
    async with await Storage.open(url) as storage:
        await storage.people.set_consent("ann", True)
        await corrected(storage, "ann", "blues", "one")
        await corrected(storage, "ann", "cailuong", "two")


@pytest.fixture
def filled(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two corrections into a database and set its URL in the environment."""
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
    assert done.stdout == f"sqlite+aiosqlite:///data/songs.db is at revision {REVISION}.\n"
    assert (tmp_path / "data" / "songs.db").is_file()


def agreed_by_two(url: str) -> None:
    async def prepare_two() -> None:
        async with await Storage.open(url) as storage:
            for person in ("ann", "bob"):
                await storage.people.set_consent(person, True)
                await corrected(storage, person, "blues", "one")

    asyncio.run(prepare_two())


@pytest.mark.usefixtures("filled")
def test_lessons_can_be_piped_and_taken_in(
    url: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed_by_two(url)
    monkeypatch.setenv("COMMUNITY", "group")
    assert main(["export", "--for-training", "--format", "jsonl", "--out", "-"]) == 0
    piped, told = capfdbinary.readouterr()
    assert told == b"-: 2 rows of 1 songs; 1 songs wait for more people.\n"
    path = tmp_path / "lessons.jsonl"
    path.write_bytes(piped)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/other.sqlite3")
    for expected in (b": 1 songs imported.\n", b": 0 songs imported; 1 left out, as nothing in them is new here.\n"):
        assert main(["import", str(path)]) == 0
        assert capfdbinary.readouterr().out.endswith(expected)
    path.write_bytes(piped[:-9])
    assert main(["import", str(path)]) == 2
    assert capfdbinary.readouterr().err.count(b"\n") == 1


@pytest.mark.usefixtures("filled")
def test_how_many_must_agree_and_which_chats_may_train_are_settings(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed_by_two(url)
    command = ["export", "--for-training", "--out", str(tmp_path / "lessons.csv")]
    for agreement, sources, told in (
        ("1", "local", "4 rows of 2 songs."),
        ("2", "telegram", "2 rows of 1 songs; 1 of them only to measure; 1 songs wait for more people."),
        ("3", "local", "0 rows of 0 songs; 2 songs wait for more people."),
    ):
        monkeypatch.setenv("FEEDBACK_AGREEMENT", agreement)
        monkeypatch.setenv("TRAINING_SOURCES", sources)
        assert main(command) == 0
        assert capsys.readouterr().out.endswith(f": {told}\n")
    monkeypatch.setenv("FEEDBACK_AGREEMENT", "nobody")
    assert main(command) == 2
    assert main([*command, "--genre", "blues"]) == 2
    assert "FEEDBACK_AGREEMENT" in capsys.readouterr().err


@pytest.mark.usefixtures("filled")
def test_known_songs_are_named_by_file_or_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "certain.ogg"
    path.write_bytes(b"the bytes of a song")
    assert main(["known", "add", str(path), "Cải lương"]) == 0
    assert main(["known", "list"]) == 0
    said = capsys.readouterr().out.splitlines()
    song, label = said[-1].split()
    assert label == "cailuong"
    assert main(["known", "remove", song]) == 0
    assert main(["known", "remove", song]) == 2
    assert main(["known", "add", str(tmp_path / "missing.ogg"), "jazz"]) == 2
    assert main(["known", "add", str(path), "no such genre"]) == 2
    assert capsys.readouterr().err.count("storage: ") == 3
