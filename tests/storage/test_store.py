"""Deleting old rows, and what survives a restart."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from storage import ChatSettings, CleanupSummary, JobState, NewReply, Storage
from storage.store import JOB_DAYS, MOST_TIDIED_AT_ONCE, REPLY_DAYS, UNHELD_LABEL_DAYS, utc_now
from tests.conftest import REPOSITORY
from tests.storage.factories import MODEL, answered, claimed, corrected, queued, replied, song

if TYPE_CHECKING:
    from tests.storage.factories import Clock


async def test_a_restart_loses_nothing(url: str, clock: Clock) -> None:
    async with await Storage.open(url, clock=clock) as storage:
        reply = await replied(storage)
        correction = await corrected(storage, "ann", (await storage.labels.propose("Nhạc sến")).id)
        job = await queued(storage)
        await storage.people.set_consent("ann", True)
        await storage.chat_settings.save("local", "chat", ChatSettings("vi"))
    async with await Storage.open(url, clock=clock) as storage:
        assert await storage.replies.find(reply.id) == reply
        found = await storage.feedback.get(correction.id)
        assert found is not None
        assert (found.label, found.consent) == ("nhacsen", True)
        assert (await claimed(storage)).job.id == job.id
        assert (await storage.songs.find_answer(song(), MODEL)) is not None
        assert await storage.chat_settings.settings("local", "chat") == ChatSettings("vi")


KILLED = """
import asyncio, os, signal, sys
from storage import Storage
from tests.storage.factories import claimed, queued

async def main():
    storage = await Storage.open(sys.argv[1])
    await queued(storage)
    await claimed(storage, "process")
    async with storage.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM jobs")
        print("half way", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_process_killed_in_the_middle_of_a_transaction_leaves_the_state_before_it(url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, url, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    assert await process.wait() == -signal.SIGKILL
    async with await Storage.open(url) as storage:
        assert await storage.jobs.requeue_owned("process") == 1
        taken = await claimed(storage, "process")
        assert (taken.job.state, taken.job.interruptions) == (JobState.RUNNING, 1)


async def test_nothing_young_is_tidied_away(storage: Storage) -> None:
    await replied(storage)
    await queued(storage)
    await storage.jobs.finish((await claimed(storage)).lease, "answered")
    await storage.labels.propose("Dream pop")
    assert await storage.delete_expired() == CleanupSummary(0, 0, 0, 0)


async def test_old_replies_and_ended_jobs_go_and_buttons_expire(storage: Storage, clock: Clock) -> None:
    reply = await replied(storage)
    await queued(storage)
    taken = await claimed(storage)
    written = await storage.jobs.answer(taken.lease, NewReply(reply.answer_id, "local", "chat", "ann"))
    await storage.jobs.finish(taken.lease, "answered")
    waiting = await queued(storage)
    clock.advance(days=JOB_DAYS, seconds=1)
    assert await storage.delete_expired() == CleanupSummary(replies=0, jobs=1, features=0, labels=0)
    # Days pass, and rows are tidied on each of them.
    for _ in range((REPLY_DAYS - JOB_DAYS) // 6):
        clock.advance(days=6)
        assert await storage.delete_expired() == CleanupSummary(0, 0, 0, 0)
    clock.advance(days=6)
    assert await storage.delete_expired() == CleanupSummary(replies=2, jobs=0, features=1, labels=0)
    assert await storage.replies.find(written.id) is None
    assert (await claimed(storage)).job.id == waiting.id


async def test_a_clock_that_was_years_ahead_for_a_while_lets_nothing_young_be_deleted(
    storage: Storage, clock: Clock
) -> None:
    reply = await replied(storage)
    await storage.delete_expired()
    clock.jump(days=3650)
    assert await storage.delete_expired() == CleanupSummary(0, 0, 0, 0)
    clock.jump(days=-3650)
    assert await storage.delete_expired() == CleanupSummary(0, 0, 0, 0)
    assert await storage.replies.find(reply.id) is not None


async def test_a_bot_that_was_off_for_long_deletes_what_is_old_step_by_step(storage: Storage, clock: Clock) -> None:
    await replied(storage)
    await storage.delete_expired()
    clock.advance(days=2 * REPLY_DAYS)
    steps = 0
    while not (await storage.delete_expired()).replies:
        steps += 1
    assert steps == REPLY_DAYS // MOST_TIDIED_AT_ONCE.days


async def test_features_stay_as_long_as_anything_hangs_on_them(storage: Storage, clock: Clock) -> None:
    unused = await answered(storage, "unused")
    hung_on = await replied(storage, "replied")
    opinion = await corrected(storage, "ann", "blues", "corrected")
    clock.advance(days=10)
    week = timedelta(days=7)
    assert (await storage.delete_expired(replies=timedelta(days=30), features=week)).features == 1
    assert not await storage.songs.features(unused.id)
    assert await storage.songs.features(hung_on.answer_id)
    assert (await storage.delete_expired(replies=week, features=week)).features == 1
    assert await storage.songs.features(opinion.answer_id)
    # The answer itself stays, and says that its features are gone.
    kept = await storage.songs.find_answer(song("unused"), MODEL)
    assert kept is not None
    assert not kept.has_features


async def test_a_job_survives_the_reply_that_it_wrote(storage: Storage, clock: Clock) -> None:
    answer = await answered(storage)
    await queued(storage)
    taken = await claimed(storage)
    await storage.jobs.answer(taken.lease, NewReply(answer.id, "local", "chat", "ann"))
    clock.advance(days=1)
    await storage.delete_expired(replies=timedelta(hours=1))
    again = await claimed(storage)
    assert (again.job.id, again.job.reply_id) == (taken.job.id, None)


async def test_a_proposed_label_that_nobody_came_to_hold_goes(storage: Storage, clock: Clock) -> None:
    label = await storage.labels.propose("Dream pop")
    held = await storage.labels.propose("Shoegaze")
    await corrected(storage, "ann", held.id)
    clock.advance(days=UNHELD_LABEL_DAYS, seconds=1)
    assert (await storage.delete_expired()).labels == 1
    assert await storage.labels.get_by_number(label.number) is None
    assert await storage.labels.get_by_number(held.number) is not None
    # Its number is never reused, so an old button cannot refer to something else.
    assert (await storage.labels.propose("Britpop")).number > held.number


def test_rows_are_stamped_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)


async def test_what_is_agreed_on_once_holds_for_all_until_it_is_taken_back(url: str) -> None:
    async with await Storage.open(url) as one, await Storage.open(url) as other:
        said = await asyncio.gather(
            one.get_or_set("key", "a"), other.get_or_set("key", "b"), other.get_or_set("key", "c")
        )
        assert len(set(said)) == 1
        assert await one.get_or_set("key", "d") == said[0]
        assert await one.unset("key")
        assert not await other.unset("key")
        assert await other.get_or_set("key", "d") == "d"
