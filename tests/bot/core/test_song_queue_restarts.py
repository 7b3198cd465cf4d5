"""What becomes of songs when the bot stops, starts again, or takes its own work for abandoned."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.core.errors import Closing, TryLater
from bot.core.identity import Person
from storage import LEASE_SECONDS, CancelResult, ClaimedJob, JobState, Storage
from storage.database import BUSY_SECONDS
from storage.job import MAX_INTERRUPTIONS
from tests.bot.running import Bot, ended, eventually
from tests.storage.factories import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]


async def test_a_bot_that_is_killed_over_and_over_blames_no_song(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    for _ in range(MAX_INTERRUPTIONS - 1):
        assert await storage.jobs.claim("this bot") is not None
        await storage.jobs.requeue_owned("this bot")
    await bot.start()
    assert await ended(bot, job.id) == "answered"
    await bot.queue.stop()


async def test_a_song_that_was_under_way_when_the_bot_died_is_answered_once_by_the_next(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    first = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    job = await first.conversation.submit(notebook.sends(tone(name="song.wav")))
    # A worker of this name took the song, and was never heard of again.
    assert await storage.jobs.claim("this bot") is not None
    second = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    await second.start()
    assert await ended(second, job.id) == "answered"
    assert len(notebook.answers["song.wav"]) == 1
    await second.queue.stop()


async def test_a_waiting_song_whose_bot_died_before_it_said_that_it_was_stopped_is_told_so_by_the_next(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    # A process of this name was killed after it stored that Cancel was pressed, and before it told anybody.
    assert isinstance(await storage.jobs.cancel(job.id, teller="this bot"), ClaimedJob)
    await bot.start()
    assert await ended(bot, job.id) == "cancelled"
    assert notebook.stopped_songs == notebook.discarded == ["song.wav"]
    assert ear.heard == []
    await bot.queue.stop()


async def test_a_song_that_is_stopped_before_all_chats_have_started_is_told_so(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work")
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    pressed = asyncio.create_task(bot.conversation.cancel(job.id, bot.requester(Person("telegram", "ann"))))
    await asyncio.wait({pressed}, timeout=0.1)
    bot.with_chat(notebook)
    ear.go_on.clear()
    await bot.start()
    assert await pressed in {CancelResult.DONE, CancelResult.ASKED}
    assert await ended(bot, job.id) == "cancelled"
    assert notebook.stopped_songs == notebook.discarded == ["song.wav"]
    await bot.queue.stop()


async def test_an_answer_that_was_written_down_but_not_sent_is_sent_without_hearing_the_song_again(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    notebook.faults = [TryLater(3600)]
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    await bot.start()

    async def answer_is_written() -> bool:
        written = await storage.jobs.get(job.id)
        return written is not None and written.reply_id is not None

    await eventually(answer_is_written)
    await bot.queue.stop()
    written = await storage.jobs.get(job.id)
    assert written is not None
    assert (written.state, len(ear.heard)) == (JobState.QUEUED, 1)
    assert notebook.answers["song.wav"] == []


async def test_stopping_the_bot_writes_running_songs_back_and_takes_no_new_ones(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.song_queue.FINISH_SECONDS", 0.1)
    ear.go_on.clear()
    job = await bot.conversation.submit(notebook.sends(tone(name="long.wav")))
    await notebook.until(lambda: "listening" in notebook.stages["long.wav"])
    await bot.queue.stop()
    written = await bot.storage.jobs.get(job.id)
    assert written is not None
    assert (written.state, written.attempts) == (JobState.QUEUED, 0)
    assert notebook.discarded == []
    assert notebook.stopped_songs == []
    with pytest.raises(Closing):
        await bot.conversation.submit(notebook.sends(tone(500)))


async def test_stopping_the_bot_lets_a_song_finish_that_needs_only_a_moment(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    ear.go_on.clear()
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    await notebook.until(lambda: "listening" in notebook.stages["song.wav"])
    stopping = asyncio.create_task(bot.queue.stop())
    await asyncio.sleep(0)
    ear.go_on.set()
    await stopping
    assert await ended(bot, job.id) == "answered"


async def test_stopping_the_bot_does_not_wait_for_a_database_that_hangs(
    bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.song_queue.RELEASE_SECONDS", 0.05)
    with closing(sqlite3.connect(tmp_path / "songs.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(BUSY_SECONDS / 2):
            await bot.queue.stop()
        other.execute("ROLLBACK")


async def test_a_song_that_goes_on_during_a_long_outage_is_not_begun_a_second_time(
    seeded_file: Path,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    tone: Tone,
    tmp_path: Path,
) -> None:
    clock, path = Clock(), tmp_path / "jobs.db"
    shutil.copy(seeded_file, path)
    async with await Storage.open(f"sqlite:///{path}", monotonic=clock.monotonic) as storage:
        bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
        await bot.start()
        ear.go_on.clear()
        first = await bot.conversation.submit(notebook.sends(tone(200, name="first.wav")))
        await notebook.until(lambda: "listening" in notebook.stages["first.wav"])
        # No lease was renewed for so long, and songs are claimed again before the next renewal.
        clock.advance(seconds=LEASE_SECONDS)
        second = await bot.conversation.submit(notebook.sends(tone(900, name="second.wav"), "bob"))
        await notebook.until(lambda: notebook.stages["second.wav"])
        ear.go_on.set()
        assert [await ended(bot, job.id) for job in (first, second)] == ["answered", "answered"]
        assert sorted(ear.heard) == ["first.wav", "second.wav"]
        await bot.queue.stop()


async def test_a_song_that_came_back_while_it_still_runs_here_goes_on_only_after_that(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.song_queue.POLL_SECONDS", 0.05)
    ear.go_on.clear()
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    await notebook.until(lambda: "listening" in notebook.stages["song.wav"])
    # What another process does that takes a song for abandoned, and ends; then its sender presses Cancel.
    await bot.storage.jobs.requeue_owned("this bot")
    await bot.conversation.cancel(job.id, bot.requester(Person("telegram", "ann")))
    assert await ended(bot, job.id) == "cancelled"
    assert notebook.stopped_songs == ["song.wav"]
    assert ear.heard == ["song.wav"]
