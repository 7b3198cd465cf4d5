"""A backup made while the bot writes, and its restore."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from deploy.backup import DATABASES, CannotDo, main, restore, save
from storage import NewJob, Storage
from tests.bot.process import BotProcess

if TYPE_CHECKING:
    from pathlib import Path


def _job(number: int) -> NewJob:
    return NewJob("local", "chat", "somebody", {}, {"file": f"{number}"}, "upload")


async def test_what_is_saved_while_songs_come_in_is_one_moments_state(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with await Storage.open(f"sqlite:///{data / 'songs.db'}") as storage:

        async def sending() -> None:
            number = 0
            while True:
                await storage.jobs.add(_job(number))
                number += 1

        writing = asyncio.create_task(sending())
        while (await storage.jobs.load()).queued < 5:  # noqa: ASYNC110 - until there is something to save
            await asyncio.sleep(0)
        await asyncio.to_thread(save, data, tmp_path / "backup")
        sent_before = (await storage.jobs.load()).queued
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
    # The machine is lost; another one starts from the copy.
    assert restore(tmp_path / "backup", tmp_path / "new") == [tmp_path / "new" / "songs.db"]
    async with await Storage.open(f"sqlite:///{tmp_path / 'new' / 'songs.db'}") as storage:
        jobs = await storage.jobs.of_person("somebody")
        assert 5 <= len(jobs) <= sent_before
        assert [job.payload["file"] for job in jobs] == [f"{number}" for number in range(len(jobs))]
        claimed = await storage.jobs.claim("the new machine")
        assert claimed is not None
        await storage.jobs.finish(claimed.lease, "answered")


def test_a_running_bots_databases_are_saved_but_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = BotProcess(tmp_path)
    process.start()
    try:
        assert main(["save", str(process.data), str(tmp_path / "backup")]) == 0
        assert {path.name for path in (tmp_path / "backup").iterdir()} == set(DATABASES)
        assert main(["restore", str(tmp_path / "backup"), str(process.data)]) == 1
        assert "a bot is running" in capsys.readouterr().err
        assert main(["save", str(process.data), str(tmp_path / "backup")]) == 1
        assert "name a new folder" in capsys.readouterr().err
        assert process.stop() == 0
        assert main(["restore", str(tmp_path / "backup"), str(process.data)]) == 0
        assert (process.data / "songs.db.before").exists()
        process.start()
        assert process.stop() == 0
    finally:
        process.kill()


def test_a_damaged_copy_is_not_put_back(tmp_path: Path) -> None:
    backup, data = tmp_path / "backup", tmp_path / "data"
    backup.mkdir()
    with sqlite3.connect(backup / "songs.db") as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
        connection.executemany("INSERT INTO songs VALUES (?)", [("x" * 1000,)] * 100)
    connection.close()
    content = bytearray((backup / "songs.db").read_bytes())
    content[5000:9000] = b"\xff" * 4000
    (backup / "songs.db").write_bytes(content)
    with pytest.raises(CannotDo, match="damaged"):
        restore(backup, data)
    assert not (data / "songs.db").exists()


@pytest.mark.parametrize("do", [save, restore])
def test_nothing_to_save_or_put_back_is_said(tmp_path: Path, do: object) -> None:
    with pytest.raises(CannotDo, match="there is no database"):
        do(tmp_path / "a", tmp_path / "b")  # type: ignore[operator]
