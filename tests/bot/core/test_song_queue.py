from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.core import job_retries
from bot.core.errors import DownloadTooSlow, NotYours, OurFault, TryLater, Undeliverable
from bot.core.identity import Person
from bot.core.job_retries import MAX_FETCHES
from bot.core.song_queue import FETCHES_AHEAD
from classifier.errors import NotAudio, WorkerLost
from common.errors import SongError, StorageUnavailable
from storage import CancelResult, JobState, Storage, TooManyQueued, TooManyToday
from tests.bot.links_at_hand import LinksAtHand
from tests.bot.running import Bot, ended, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.chat import PendingSong
    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]


async def test_a_song_goes_through_all_stages_to_its_answer(bot: Bot, notebook: Notebook, tone: Tone) -> None:
    job = await bot.conversation.submit(notebook.sends(tone(200, 65, name="low.wav")))
    assert await ended(bot, job.id) == "answered"
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
    await ended(bot, (await bot.conversation.submit(notebook.sends(path))).id)
    await ended(bot, (await bot.conversation.submit(notebook.sends(copy, "bob"))).id)
    assert ear.heard == ["first.wav"]
    assert notebook.answers["second.wav"][0].known


async def test_a_file_that_is_no_music_gets_its_sentence_and_the_next_song_is_fine(
    bot: Bot, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("not music at all " * 100, encoding="utf-8")
    bad = await bot.conversation.submit(notebook.sends(text))
    good = await bot.conversation.submit(notebook.sends(tone()))
    assert await ended(bot, bad.id) == "failed"
    assert await ended(bot, good.id) == "answered"
    assert isinstance(notebook.refusals["text.mp3"][0], NotAudio)


async def test_one_persons_many_songs_do_not_starve_anothers_one(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    jobs = [await bot.conversation.submit(notebook.sends(tone(200 + n, name=f"ann-{n}.wav"))) for n in range(3)]
    jobs.append(await bot.conversation.submit(notebook.sends(tone(500, name="bob.wav"), "bob")))
    await bot.start()
    await asyncio.gather(*(ended(bot, job.id) for job in jobs))
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
    await asyncio.gather(*(ended(bot, job.id) for job in first))
    await bot.conversation.check_limits(ann)
    last = await bot.conversation.submit(notebook.sends(tone(400)))
    await ended(bot, last.id)
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
    assert await ended(bot, quick.id) == "answered"
    assert len(links.fetched) == (1 + FETCHES_AHEAD) // 2
    links.go_on.set()
    assert {await ended(bot, job.id) for job in slow} == {"failed"}
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
    assert await ended(bot, job.id) == "cancelled"
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
    assert await ended(bot, job.id) == "answered"
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
    assert await ended(bot, job.id) == "failed"
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
    assert await ended(bot, job.id) == ("answered" if patience else "failed")
    assert [type(error) for error in notebook.refusals["song.wav"]] == ([] if patience else [StorageUnavailable])


async def test_an_answer_that_can_never_arrive_is_closed_quietly(bot: Bot, notebook: Notebook, tone: Tone) -> None:
    notebook.faults = [Undeliverable("blocked")]
    job = await bot.conversation.submit(notebook.sends(tone()))
    assert await ended(bot, job.id) == "undeliverable"


async def test_a_bug_is_tried_again_and_in_the_end_admitted(
    bot: Bot, notebook: Notebook, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.job_retries.FAULT_DELAY_SECONDS", 0)
    notebook.faults = [RuntimeError("a bug")] * 3
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await ended(bot, job.id) == "failed"
    assert [type(error) for error in notebook.refusals["song.wav"]] == [OurFault]


async def test_a_song_is_blamed_only_when_its_worker_died_twice_and_once_more_alone(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    ear.deaths = 3
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await ended(bot, job.id) == "failed"
    assert ear.heard == ["song.wav"] * 3
    assert [type(error) for error in notebook.refusals["song.wav"]] == [WorkerLost]


async def test_a_worker_that_was_killed_from_outside_costs_its_song_nothing(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    ear.deaths = 2
    job = await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    assert await ended(bot, job.id) == "answered"


async def test_the_second_delivery_of_the_same_message_is_not_answered_again(
    bot: Bot, notebook: Notebook, tone: Tone
) -> None:
    path = tone(name="song.wav")
    first = await bot.conversation.submit(notebook.sends(path, key="message 1"))
    second = await bot.conversation.submit(notebook.sends(path, key="message 1"))
    assert first.id == second.id
    await ended(bot, first.id)
    assert len(notebook.answers["song.wav"]) == 1


async def test_a_chat_that_cannot_show_progress_costs_nobody_their_song(
    bot: Bot, notebook: Notebook, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise SongError()

    monkeypatch.setattr(notebook, "show", fails)
    job = await bot.conversation.submit(notebook.sends(tone()))
    assert await ended(bot, job.id) == "answered"


async def test_no_file_of_a_song_under_way_is_left(bot: Bot, notebook: Notebook, tone: Tone, tmp_path: Path) -> None:
    await ended(bot, (await bot.conversation.submit(notebook.sends(tone()))).id)
    assert list((tmp_path / "work").iterdir()) == []
