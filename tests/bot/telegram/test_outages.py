"""Songs that come together while nothing can be stored."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from storage import Storage, database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.core.chat import Submission
    from storage import Job
    from tests.bot.running import Bot
    from tests.bot.telegram.people import Somebody
    from tests.bot.telegram.server import TelegramServer

SONGS = 8


@pytest.fixture
async def storage(tmp_path: Path, seeded_file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Storage]:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    shutil.copy(seeded_file, tmp_path / "songs.db")
    async with await Storage.open(f"sqlite:///{tmp_path / 'songs.db'}") as opened:
        yield opened


def _has_helped(telegram: TelegramServer, ann: Somebody, times: int) -> bool:
    said = [message["text"] for message in telegram.said(ann.chat["id"])]
    return len([each for each in said if "can't save" not in each]) == times


async def test_after_one_song_of_a_batch_could_not_be_stored_the_others_are_refused_at_once(
    bot: Bot,
    telegram: TelegramServer,
    ann: Somebody,
    tone: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries, submit = 0, bot.conversation.submit

    async def counted(submission: Submission) -> Job:
        nonlocal tries
        tries += 1
        return await submit(submission)

    monkeypatch.setattr(bot.conversation, "submit", counted)
    with closing(sqlite3.connect(tmp_path / "songs.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.gather(*(ann.sends(tone(200 + number)) for number in range(SONGS)))
        await ann.hears("can't save anything")
        # The second request comes in a batch behind all songs.
        for number in (1, 2):
            await ann.writes("/help")
            await telegram.until(partial(_has_helped, telegram, ann, number))
        other.execute("ROLLBACK")
    # The first one came alone; the others came together while it was tried.
    assert tries < SONGS / 2
