"""The queue: each job is held by one worker at a time until it is finished."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage import (
    LEASE_SECONDS,
    MAX_ATTEMPTS,
    CancelResult,
    JobState,
    LeaseLost,
    NewReply,
    RowNotFound,
    Storage,
    TooManyToday,
)
from storage.job import MAX_INTERRUPTIONS
from storage.job_statements import ABANDON_INTERRUPTIONS
from tests.storage.factories import START, answered, claimed, job_of, new_job, queued, reply_to

if TYPE_CHECKING:
    from tests.storage.factories import Clock


async def test_a_job_is_written_down_claimed_answered_and_finished(storage: Storage, clock: Clock) -> None:
    added = await storage.jobs.add(new_job("ann", message={"id": 7, "nul": "\0"}, key="telegram:1:7"))
    assert added.is_new
    assert (added.job.state, added.job.attempts, added.job.created) == (JobState.QUEUED, 0, START)
    clock.advance(seconds=3)
    taken = await claimed(storage)
    assert taken.job.id == added.job.id
    assert (taken.job.state, taken.job.attempts, taken.job.started) == (JobState.RUNNING, 0, clock.time)
    assert taken.job.message == {"id": 7, "nul": "\0"}
    await storage.jobs.save_progress(taken.lease, {"progress message": 8})
    reply_id = await reply_to(storage, taken)
    assert (await job_of(storage, taken.job.id)).reply_id == reply_id
    await storage.jobs.finish(taken.lease, "answered")
    ended = await job_of(storage, taken.job.id)
    assert (ended.state, ended.outcome, ended.finished) == (JobState.FINISHED, "answered", clock.time)
    assert await storage.jobs.claim("worker") is None


async def test_what_is_noted_of_a_waiting_job_is_there_when_it_is_claimed(storage: Storage) -> None:
    job = (await queued(storage)).id
    assert await storage.jobs.save_waiting_progress(job, {"message": 8})
    assert await storage.jobs.save_waiting_progress(job, {"more": 9})
    taken = await claimed(storage)
    assert taken.job.progress == {"message": 8, "more": 9}
    assert not await storage.jobs.save_waiting_progress(job, {"message": 10})
    await storage.jobs.finish(taken.lease, "answered")
    assert not await storage.jobs.save_waiting_progress(job, {"message": 10})
    assert (await job_of(storage, job)).progress == {}


async def test_what_people_wrote_is_wiped_when_the_job_ends(storage: Storage) -> None:
    await queued(storage)
    taken = await claimed(storage)
    await storage.jobs.save_progress(taken.lease, {"progress message": 8})
    await storage.jobs.finish(taken.lease, "failed")
    ended = await job_of(storage, taken.job.id)
    assert (ended.message, ended.payload, ended.progress) == ({}, {}, {})


async def test_an_empty_queue_gives_nothing(storage: Storage) -> None:
    assert await storage.jobs.claim("worker") is None
    assert await storage.jobs.heartbeat([]) == await storage.jobs.heartbeat(())


async def test_a_hundred_jobs_are_claimed_once_each_by_two_processes(storage: Storage, another: Storage) -> None:
    jobs = [await queued(storage, f"person {number % 7}") for number in range(100)]

    async def work(own: Storage, owner: str) -> list[int]:
        done = []
        while (taken := await own.jobs.claim(owner)) is not None:
            await own.jobs.finish(taken.lease, "answered")
            done.append(taken.job.id)
        return done

    workers = [work(own, f"worker {i}") for i, own in enumerate([storage, another, storage, another])]
    done = [job_id for each in await asyncio.gather(*workers) for job_id in each]
    assert sorted(done) == sorted(job.id for job in jobs)


async def test_an_update_that_is_delivered_twice_makes_one_job(storage: Storage, another: Storage) -> None:
    added = await asyncio.gather(*(each.jobs.add(new_job(key="same")) for each in (storage, another) for _ in range(4)))
    assert sum(each.is_new for each in added) == 1
    assert len({each.job.id for each in added}) == 1
    taken = await claimed(storage)
    await storage.jobs.finish(taken.lease, "answered")
    again = await storage.jobs.add(new_job(key="same"), queued_limit=0, daily_limit=0)
    assert (again.is_new, again.job.state) == (False, JobState.FINISHED)


async def test_jobs_without_a_key_are_never_the_same(storage: Storage) -> None:
    assert len({(await queued(storage)).id for _ in range(3)}) == 3


async def test_a_process_takes_only_jobs_of_its_platforms(storage: Storage) -> None:
    await queued(storage, platform="discord")
    assert await storage.jobs.claim("worker", platforms=["telegram", "local"]) is None
    assert await storage.jobs.claim("worker", platforms=[]) is None
    assert await storage.jobs.claim("worker", platforms=["discord"]) is not None


async def test_a_process_takes_only_jobs_that_it_can_answer(storage: Storage) -> None:
    theirs = await queued(storage, "ann", home="telegram:them")
    ours = await queued(storage, "bob", home="telegram:us")
    anyones = await queued(storage, "cat")
    assert theirs.id < ours.id < anyones.id
    taken = [await storage.jobs.claim("we", homes=["telegram:us", "local:us"]) for _ in range(3)]
    assert [each and each.job.id for each in taken] == [ours.id, anyones.id, None]
    assert await storage.jobs.claim("they", homes=["telegram:them"]) is not None


async def test_a_dead_workers_job_is_done_by_another(storage: Storage, another: Storage, clock: Clock) -> None:
    await queued(storage)
    dead = await claimed(storage, "dead")
    assert await another.jobs.claim("alive") is None
    clock.advance(seconds=LEASE_SECONDS - 1)
    assert await another.jobs.claim("alive") is None
    clock.advance(seconds=1)
    taken = await claimed(another, "alive")
    assert taken.job.id == dead.job.id
    assert (taken.job.attempts, taken.job.interruptions) == (0, 1)


async def test_a_worker_that_comes_back_too_late_can_do_nothing(storage: Storage, clock: Clock) -> None:
    await queued(storage)
    late = await claimed(storage, "worker")
    clock.advance(seconds=LEASE_SECONDS)
    taken = await claimed(storage, "worker")
    answer = await answered(storage)
    for action in (
        storage.jobs.save_progress(late.lease, {}),
        storage.jobs.answer(late.lease, NewReply(answer.id, "local", "chat", "ann")),
        storage.jobs.finish(late.lease, "answered"),
        storage.jobs.release(late.lease),
    ):
        with pytest.raises(LeaseLost):
            await action
    assert (await storage.jobs.heartbeat([late.lease])).lost == {late.job.id}
    await storage.jobs.finish(taken.lease, "answered")
    with pytest.raises(LeaseLost):
        await storage.jobs.finish(taken.lease, "answered")


async def test_a_heartbeat_keeps_a_job(storage: Storage, clock: Clock) -> None:
    await queued(storage)
    taken = await claimed(storage)
    for _ in range(5):
        clock.advance(seconds=LEASE_SECONDS / 2)
        beat = await storage.jobs.heartbeat([taken.lease])
        assert (beat.lost, beat.cancelled) == (frozenset(), frozenset())
        assert await storage.jobs.claim("thief") is None


async def test_a_crash_after_the_answer_was_written_down_leaves_only_the_sending(
    storage: Storage, another: Storage, clock: Clock
) -> None:
    await queued(storage)
    dead = await claimed(storage, "dead")
    reply_id = await reply_to(storage, dead)
    assert await another.jobs.claim("alive") is None
    clock.advance(seconds=LEASE_SECONDS)
    taken = await claimed(another, "alive")
    assert taken.job.reply_id == reply_id
    assert await reply_to(another, taken) == reply_id
    await another.jobs.finish(taken.lease, "answered")
    # Answered once, so logged once.
    assert (await storage.songs.chat_stats("local", "chat")).answers == 1


async def test_a_restarted_process_takes_its_jobs_back_at_once(storage: Storage) -> None:
    await queued(storage)
    await queued(storage, "bob")
    mine = await claimed(storage, "process 1")
    await claimed(storage, "process 2")
    assert await storage.jobs.requeue_owned("process 1") == 1
    assert (await claimed(storage, "process 1")).job.id == mine.job.id
    assert await storage.jobs.claim("process 1") is None


async def test_a_clean_stop_hands_jobs_back_uncounted_and_in_their_old_place(storage: Storage) -> None:
    first = await queued(storage, "ann")
    await queued(storage, "bob")
    taken = await claimed(storage)
    await storage.jobs.release(taken.lease)
    assert await storage.jobs.position(first.id) == 1
    again = await claimed(storage)
    assert (again.job.id, again.job.attempts) == (first.id, 0)
    await storage.jobs.release(again.lease, counts=True)
    assert (await claimed(storage)).job.attempts == 1


async def test_a_job_that_waits_for_a_platform_lets_others_pass(storage: Storage, clock: Clock) -> None:
    first, second = await queued(storage, "ann"), await queued(storage, "bob")
    taken = await claimed(storage)
    await storage.jobs.release(taken.lease, delay_seconds=30)
    assert (await claimed(storage)).job.id == second.id
    assert await storage.jobs.claim("worker") is None
    clock.advance(seconds=30)
    assert (await claimed(storage)).job.id == first.id


async def test_a_song_that_keeps_killing_its_worker_is_given_up(storage: Storage) -> None:
    await queued(storage)
    for attempt in range(MAX_ATTEMPTS):
        taken = await claimed(storage)
        assert (taken.job.attempts, taken.job.exhausted) == (attempt, False)
        await storage.jobs.release(taken.lease, counts=True)
    assert (await claimed(storage)).job.exhausted


async def test_a_song_whose_process_keeps_ending_is_told_and_in_the_end_dropped(storage: Storage) -> None:
    job = await queued(storage)
    for interruption in range(ABANDON_INTERRUPTIONS):
        taken = await claimed(storage, "process")
        assert (taken.job.attempts, taken.job.interruptions) == (0, interruption)
        assert taken.job.ends_its_process == (interruption >= MAX_INTERRUPTIONS)
        await storage.jobs.requeue_owned("process")
    assert await storage.jobs.claim("worker") is None
    ended = await job_of(storage, job.id)
    assert (ended.state, ended.outcome, ended.message) == (JobState.FINISHED, "abandoned", {})


@pytest.mark.parametrize("hours", [-1, 1, -24 * 365, 24 * 365])
async def test_a_clock_that_is_set_neither_holds_a_song_back_nor_hands_it_out_twice(
    storage: Storage, another: Storage, clock: Clock, hours: float
) -> None:
    first, second = await queued(storage, "ann"), await queued(storage, "bob")
    taken = await claimed(storage, "here")
    clock.jump(hours=hours)
    assert (await claimed(another, "there")).job.id == second.id
    assert await another.jobs.claim("there") is None
    for _ in range(4):
        clock.advance(seconds=LEASE_SECONDS / 3)
        await storage.jobs.heartbeat([taken.lease])
        clock.jump(hours=-hours / 2)
        beat = await another.jobs.claim("there")
        assert beat is None or beat.job.id == second.id
    assert not (await storage.jobs.heartbeat([taken.lease])).lost
    assert taken.job.id == first.id


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_delay_lasts_as_long_as_it_was_meant_to_however_the_clock_is_set(
    storage: Storage, clock: Clock, hours: float
) -> None:
    await queued(storage)
    await storage.jobs.release((await claimed(storage)).lease, delay_seconds=30)
    clock.jump(hours=hours)
    assert await storage.jobs.claim("worker") is None
    clock.advance(seconds=30)
    assert await storage.jobs.claim("worker") is not None


@pytest.mark.parametrize("hours", [1, 72])
async def test_a_restart_after_the_clock_was_set_back_waits_for_no_delay_of_before(
    storage: Storage, another: Storage, clock: Clock, hours: float
) -> None:
    await queued(storage)
    await storage.jobs.release((await claimed(storage)).lease, delay_seconds=30)
    clock.jump(hours=-hours)
    await another.jobs.requeue_owned("worker")
    assert await another.jobs.claim("worker") is not None


async def test_songs_that_a_clock_far_ahead_has_dated_count_for_no_day(storage: Storage, clock: Clock) -> None:
    clock.jump(days=365)
    await storage.jobs.add(new_job("ann"), daily_limit=1)
    clock.jump(hours=-1)
    with pytest.raises(TooManyToday):
        await storage.jobs.add(new_job("ann"), daily_limit=1)
    clock.jump(days=-364)
    assert (await storage.jobs.add(new_job("ann"), daily_limit=1)).is_new


async def test_expired_leases_can_be_queued_again_without_claiming(storage: Storage, clock: Clock) -> None:
    await queued(storage)
    taken = await claimed(storage)
    assert await storage.jobs.requeue_expired() == 0
    clock.advance(seconds=LEASE_SECONDS)
    assert await storage.jobs.requeue_expired() == 1
    assert (await job_of(storage, taken.job.id)).state is JobState.QUEUED


async def test_a_forged_number_finds_no_job(storage: Storage) -> None:
    for number in (0, -1, 10**6, 10**30):
        assert await storage.jobs.get(number) is None
        assert await storage.jobs.position(number) is None
        assert await storage.jobs.cancel(number) is CancelResult.TOO_LATE


async def test_an_answer_must_exist_to_be_given(storage: Storage) -> None:
    await queued(storage)
    taken = await claimed(storage)
    with pytest.raises(RowNotFound):
        await storage.jobs.answer(taken.lease, NewReply(404, "local", "chat", "ann"))
    assert (await job_of(storage, taken.job.id)).reply_id is None


async def test_the_load_of_the_queue_is_counted(storage: Storage, clock: Clock) -> None:
    assert (await storage.jobs.load()).oldest is None
    await queued(storage, "ann")
    clock.advance(seconds=5)
    await queued(storage, "bob")
    await queued(storage, "cid")
    await claimed(storage)
    load = await storage.jobs.load()
    assert (load.queued, load.running, load.oldest) == (2, 1, START + timedelta(seconds=5))


async def test_a_persons_open_jobs_are_listed(storage: Storage) -> None:
    jobs = [await queued(storage) for _ in range(3)]
    await queued(storage, "bob")
    await storage.jobs.cancel(jobs[0].id)
    await claimed(storage)
    assert [(job.id, job.state) for job in await storage.jobs.of_person("ann")] == [
        (jobs[1].id, JobState.RUNNING),
        (jobs[2].id, JobState.QUEUED),
    ]
