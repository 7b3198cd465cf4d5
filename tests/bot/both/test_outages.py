"""A database that cannot be written: what needs it is told in a sentence, the rest works, and songs go on later."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.core import active_job, song_queue
from bot.core.callbacks import Action
from storage import Storage, database
from tests.bot.both.chats import text_of
from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.bot.both.chats import ChatUnderTest
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]

SORRY = "I can't save anything at the moment. Please try again in a few minutes."


@pytest.fixture
async def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Storage]:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(active_job, "OUTAGE_SECONDS", 0.05)
    monkeypatch.setattr(song_queue, "POLL_SECONDS", 0.1)
    async with await Storage.open(f"sqlite:///{tmp_path / 'songs.db'}") as opened:
        yield opened


async def test_an_outage_is_told_and_what_is_under_way_goes_on_after_it(
    chat: ChatUnderTest, ear: EarAtHand, tone: Tone, tmp_path: Path
) -> None:
    answer = await chat.song(tone(200, name="first.wav"))
    ear.go_on.clear()
    await chat.send(tone(900, name="second.wav"))

    async def begun() -> bool:
        return "second.wav" in " ".join(ear.heard) or len(ear.heard) == 2

    await eventually(begun)
    with closing(sqlite3.connect(tmp_path / "songs.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ear.go_on.set()
        assert "genre" in text_of(await chat.command("ann", "help"))
        assert "genre" in text_of(await chat.command("ann", "about"))
        await chat.send(tone(1500, name="third.wav"))
        assert text_of(await chat.says(SORRY)) == SORRY
        assert await chat.press_data("ann", answer, chat.data_of(answer, Action.RIGHT)) == SORRY
        assert await chat.bot.storage.feedback.review(status=None) == []
        other.execute("ROLLBACK")
    await chat.says("jazz")

    async def ended() -> bool:
        load = await chat.bot.storage.jobs.load()
        return load.queued + load.running == 0

    await eventually(ended)
    # Heard once: its answer was kept while it could not be stored.
    assert len(ear.heard) == 2


async def test_a_reaction_that_cannot_be_looked_up_is_dropped_without_a_traceback(
    chat: ChatUnderTest, tone: Tone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await chat.song(tone(200, name="first.wav"))
    (tmp_path / "songs.db").rename(tmp_path / "elsewhere.db")
    await chat.reacts(answer, "👎")

    async def is_told() -> bool:
        return "was dropped" in caplog.text

    await eventually(is_told)
    (tmp_path / "elsewhere.db").rename(tmp_path / "songs.db")
    assert "Traceback" not in caplog.text
