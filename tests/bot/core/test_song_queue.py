from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core import job_retries
from bot.core.errors import Closing, DownloadTooSlow, NotYours, OurFault, TryLater, Undeliverable
from bot.core.identity import Person
from bot.core.job_retries import MAX_FETCHES
from bot.core.song_queue import FETCHES_AHEAD
from classifier.errors import NotAudio, WorkerLost
from common.errors import SongError, StorageUnavailable
from storage import LEASE_SECONDS, CancelResult, ClaimedJob, JobState, Storage, TooManyQueued, TooManyToday
from storage.database import BUSY_SECONDS
from storage.job import MAX_INTERRUPTIONS
from tests.bot.links_at_hand import LinksAtHand
from tests.bot.running import Bot, eventually
from tests.storage.factories import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.chat import PendingSong
    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]


async def _ended(bot: Bot, job_id: int) -> str | None:
    """Wait until a job's end is written down, and return its outcome."""

    async def over() -> bool:
        job = await bot.storage.jobs.get(job_id)
        return job is None or job.state is JobState.FINISHED

    await eventually(over)
    job = await bot.storage.jobs.get(job_id)
    return None if job is None else job.outcome


async def test_a_song_goes_through_all_stages_to_its_answer(bot: Bot, notebook: Notebook, tone: Tone) -> None:
    job = await bot.conversation.submit(notebook.sends(tone(200, 65, name="low.wav")))
    assert await _ended(bot, job.id) == "answered"
    heard = notebook.answers["low.wav"][0]
    assert heard.report.genre == "blues"
    assert len(heard.report.segments) == 2
    assert not heard.known
    assert notebook.discarded == ["low.wav"]
    assert notebook.stages["low.wav"][-1] in {"decoding", "listening", "answering"}


async def test_a_song_is_written_down_before_any_work_starts(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    job = await bot.conversation.submit(notebook.sends(tone()))
    written = await storage.jobs.get(job.id)
    assert written is not None
    assert written.state is JobState.QUEUED
    assert ear.heard == []


async def test_the_same_bytes_are_answered_from_memory(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    path = tone(name="first.wav")
    copy = path.with_name("second.wav")
    copy.write_bytes(path.read_bytes())
    await _ended(bot, (await bot.conversation.submit(notebook.sends(path))).id)
    await _ended(bot, (await bot.conversation.submit(notebook.sends(copy, "bob"))).id)
    assert ear.heard == ["first.wav"]
    assert notebook.answers["second.wav"][0].known


async def test_a_file_that_is_no_music_gets_its_sentence_and_the_next_song_is_fine(
    bot: Bot, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("not music at all " * 100, encoding="utf-8")
    bad = await bot.conversation.submit(notebook.sends(text))
    good = await bot.conversation.submit(notebook.sends(tone()))
    assert await _ended(bot, bad.id) == "failed"
    assert await _ended(bot, good.id) == "answered"
    assert isinstance(notebook.refusals["text.mp3"][0], NotAudio)


async def test_one_persons_many_songs_do_not_starve_anothers_one(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    jobs = [await bot.conversation.submit(notebook.sends(tone(200 + n, name=f"ann-{n}.wav"))) for n in range(3)]
    jobs.append(await bot.conversation.submit(notebook.sends(tone(500, name="bob.wav"), "bob")))
    await bot.start()
    await asyncio.gather(*(_ended(bot, job.id) for job in jobs))
    assert ear.heard == ["ann-0.wav", "bob.wav", "ann-1.wav", "ann-2.wav"]
    await bot.queue.stop()


async def test_a_person_has_only_so_many_songs_waiting_and_so_many_a_day(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    few = settings.model_copy(update={"songs_per_person_queued": 2, "songs_per_person_daily": 3})
    bot = Bot(storage, keys, few, ear, tmp_path / "work").with_chat(notebook)
    ann = Person("telegram", "ann")
    first = [await bot.conversation.submit(notebook.sends(tone(200 + n))) for n in range(2)]
    with pytest.raises(TooManyQueued):
        await bot.conversation.submit(notebook.sends(tone(300)))
    with pytest.raises(TooManyQueued):
        await bot.conversation.check_limits(ann)
    await bot.start()
    await asyncio.gather(*(_ended(bot, job.id) for job in first))
    await bot.conversation.check_limits(ann)
    last = await bot.conversation.submit(notebook.sends(tone(400)))
    await _ended(bot, last.id)
    with pytest.raises(TooManyToday):
        await bot.conversation.submit(notebook.sends(tone(500)))
    with pytest.raises(TooManyToday):
        await bot.conversation.check_limits(ann)
    await bot.conversation.check_limits(Person("telegram", "bob"))
    await bot.queue.stop()


async def test_one_persons_slow_links_leave_half_of_the_fetches_to_others(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    links = LinksAtHand()
    links.go_on.clear()
    many = settings.model_copy(update={"songs_per_person_queued": 20, "workers": 1})
    bot = Bot(storage, keys, many, ear, tmp_path / "work", links).with_chat(notebook)
    slow = [
        await bot.conversation.submit(
            notebook.sends(
                tmp_path / f"slow {number}", source="link", payload={"link": f"https://slow.example/{number}"}
            )
        )
        for number in range(10)
    ]
    await bot.start()
    quick = await bot.conversation.submit(notebook.sends(tone(name="quick.wav"), "bob"))
    assert await _ended(bot, quick.id) == "answered"
    assert len(links.fetched) == (1 + FETCHES_AHEAD) // 2
    links.go_on.set()
    assert {await _ended(bot, job.id) for job in slow} == {"failed"}
    await bot.queue.stop()


async def test_a_running_song_can_be_stopped_and_only_by_its_sender(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    ear.go_on.clear()
    job = await bot.conversation.submit(notebook.sends(tone(name="long.wav")))
    await notebook.until(lambda: "listening" in notebook.stages["long.wav"])
    with pytest.raises(NotYours):
        await bot.conversation.cancel(job.id, bot.requester(Person("telegram", "bob")))
    assert await bot.conversation.cancel(job.id, bot.requester(Person("telegram", "ann"))) is CancelResult.ASKED
    assert await _ended(bot, job.id) == "cancelled"
    assert notebook.stopped_songs == ["long.wav"]
    assert notebook.answers["long.wav"] == []
    assert await bot.conversation.cancel(job.id, bot.requester(Person("telegram", "ann"))) is CancelResult.TOO_LATE


async def test_a_waiting_song_can_be_stopped(bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand) -> None:
    ear.go_on.clear()
    taken = bot.settings.workers + bot.settings.workers + FETCHES_AHEAD
    for number in range(taken):
        await bot.conversation.submit(notebook.sends(tone(200 + number), f"person {number}"))

    async def all_are_taken() -> bool:
        return (await bot.storage.jobs.load()).running == taken

    await eventually(all_are_taken)
    waiting = await bot.conversation.submit(notebook.sends(tone(900, name="waiting.wav")))

    async def is_behind_all_that_are_not_listened_to() -> bool:
        stage = await bot.conversation.stage(waiting.id)
        return stage is not None and (stage.kind, stage.place) == ("queued", taken - bot.settings.workers + 1)

    await eventually(is_behind_all_that_are_not_listened_to)
    assert await bot.conversation.cancel(waiting.id, bot.requester(Person("telegram", "ann"))) is CancelResult.DONE
    assert notebook.stopped_songs == ["waiting.wav"]
    assert notebook.discarded == ["waiting.wav"]
    ear.go_on.set()


async def test_a_platforms_fault_while_answering_is_tried_again_and_told_once(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    notebook.faults = [TryLater(0), TryLater(0)]
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await _ended(bot, job.id) == "answered"
    assert len(notebook.answers["song.wav"]) == 1
    assert ear.heard == ["song.wav"]


async def test_a_platform_that_never_hands_a_song_over_is_not_asked_for_ever(
    bot: Bot, notebook: Notebook, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def fails(*_: object) -> Path:
        nonlocal asked
        asked += 1
        raise TryLater(0)

    monkeypatch.setattr(notebook, "fetch", fails)
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await _ended(bot, job.id) == "failed"
    assert [type(error) for error in notebook.refusals["song.wav"]] == [DownloadTooSlow]
    assert asked == MAX_FETCHES


@pytest.mark.parametrize("patience", [job_retries.OUTAGE_PATIENCE_SECONDS, 0])
async def test_a_song_that_waited_long_survives_an_outage_unless_that_lasts_too_long(
    bot: Bot, notebook: Notebook, tone: Tone, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr("bot.core.job_retries.OUTAGE_PATIENCE_SECONDS", patience)
    monkeypatch.setattr("bot.core.job_retries.OUTAGE_DELAY_SECONDS", 0)
    outages, fetch = [StorageUnavailable(), StorageUnavailable()], notebook.fetch

    async def fetch_in_an_outage(song: PendingSong, folder: Path) -> Path:
        if outages:
            raise outages.pop()
        return await fetch(song, folder)

    monkeypatch.setattr(notebook, "fetch", fetch_in_an_outage)
    hours_ago = datetime.now(UTC) - timedelta(hours=2)
    monkeypatch.setattr(bot.storage.database, "now", lambda: hours_ago)
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await _ended(bot, job.id) == ("answered" if patience else "failed")
    assert [type(error) for error in notebook.refusals["song.wav"]] == ([] if patience else [StorageUnavailable])


async def test_an_answer_that_can_never_arrive_is_closed_quietly(bot: Bot, notebook: Notebook, tone: Tone) -> None:
    notebook.faults = [Undeliverable("blocked")]
    job = await bot.conversation.submit(notebook.sends(tone()))
    assert await _ended(bot, job.id) == "undeliverable"


async def test_a_bug_is_tried_again_and_in_the_end_admitted(
    bot: Bot, notebook: Notebook, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.job_retries.FAULT_DELAY_SECONDS", 0)
    notebook.faults = [RuntimeError("a bug")] * 3
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await _ended(bot, job.id) == "failed"
    assert [type(error) for error in notebook.refusals["song.wav"]] == [OurFault]


async def test_a_song_is_blamed_only_when_its_worker_died_twice_and_once_more_alone(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    ear.deaths = 3
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await _ended(bot, job.id) == "failed"
    assert ear.heard == ["song.wav"] * 3
    assert [type(error) for error in notebook.refusals["song.wav"]] == [WorkerLost]


async def test_a_worker_that_was_killed_from_outside_costs_its_song_nothing(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    ear.deaths = 2
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await _ended(bot, job.id) == "answered"


async def test_a_bot_that_is_killed_over_and_over_blames_no_song(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    for _ in range(MAX_INTERRUPTIONS - 1):
        assert await storage.jobs.claim("this bot") is not None
        await storage.jobs.requeue_owned("this bot")
    await bot.start()
    assert await _ended(bot, job.id) == "answered"
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
    assert await _ended(second, job.id) == "answered"
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
    assert await _ended(bot, job.id) == "cancelled"
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
    assert await _ended(bot, job.id) == "cancelled"
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
    assert await _ended(bot, job.id) == "answered"


async def test_stopping_the_bot_does_not_wait_for_a_database_that_hangs(
    bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.song_queue.RELEASE_SECONDS", 0.05)
    with closing(sqlite3.connect(tmp_path / "songs.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(BUSY_SECONDS / 2):
            await bot.queue.stop()
        other.execute("ROLLBACK")


async def test_the_second_delivery_of_the_same_message_is_not_answered_again(
    bot: Bot, notebook: Notebook, tone: Tone
) -> None:
    path = tone(name="song.wav")
    first = await bot.conversation.submit(notebook.sends(path, key="message 1"))
    second = await bot.conversation.submit(notebook.sends(path, key="message 1"))
    assert first.id == second.id
    await _ended(bot, first.id)
    assert len(notebook.answers["song.wav"]) == 1


async def test_a_chat_that_cannot_show_progress_costs_nobody_their_song(
    bot: Bot, notebook: Notebook, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise SongError()

    monkeypatch.setattr(notebook, "show", fails)
    job = await bot.conversation.submit(notebook.sends(tone()))
    assert await _ended(bot, job.id) == "answered"


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
        assert [await _ended(bot, job.id) for job in (first, second)] == ["answered", "answered"]
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
    assert await _ended(bot, job.id) == "cancelled"
    assert notebook.stopped_songs == ["song.wav"]
    assert ear.heard == ["song.wav"]


async def test_no_file_of_a_song_under_way_is_left(bot: Bot, notebook: Notebook, tone: Tone, tmp_path: Path) -> None:
    await _ended(bot, (await bot.conversation.submit(notebook.sends(tone()))).id)
    assert list((tmp_path / "work").iterdir()) == []
