"""Cancelling jobs, and how many one person may have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from storage import (
    LEASE_SECONDS,
    CancelResult,
    ClaimedJob,
    JobCancelled,
    LeaseLost,
    PersonLoad,
    Storage,
    TooManyQueued,
    TooManyToday,
)
from tests.storage.factories import claimed, job_of, new_job, queued, reply_to

if TYPE_CHECKING:
    from tests.storage.factories import Clock


async def test_a_waiting_job_is_cancelled_at_once(storage: Storage) -> None:
    job = await queued(storage)
    assert await storage.jobs.cancel(job.id) is CancelResult.DONE
    assert await storage.jobs.cancel(job.id) is CancelResult.TOO_LATE
    assert await storage.jobs.claim("worker") is None
    ended = await job_of(storage, job.id)
    assert (ended.outcome, ended.payload) == ("cancelled", {})


async def test_a_waiting_job_that_is_cancelled_stays_until_its_person_was_told(
    storage: Storage, another: Storage
) -> None:
    job = await queued(storage)
    cancelled = await storage.jobs.cancel(job.id, teller="worker")
    assert isinstance(cancelled, ClaimedJob)
    assert await another.jobs.claim("other") is None
    # The teller is killed and starts again: another look at the queue finds the job to be told of.
    await another.jobs.requeue_owned("worker")
    again = await claimed(another)
    assert (again.job.id, again.job.cancel_requested) == (job.id, True)
    with pytest.raises(LeaseLost):
        await storage.jobs.finish(cancelled.lease, "cancelled")
    await another.jobs.finish(again.lease, "cancelled")
    assert (await job_of(storage, job.id)).outcome == "cancelled"


async def test_a_running_jobs_worker_is_asked_to_stop(storage: Storage, another: Storage) -> None:
    await queued(storage)
    taken = await claimed(storage)
    assert await another.jobs.cancel(taken.job.id) is CancelResult.ASKED
    assert (await storage.jobs.heartbeat([taken.lease])).cancelled == {taken.job.id}
    with pytest.raises(JobCancelled):
        await reply_to(storage, taken)
    await storage.jobs.finish(taken.lease, "cancelled")
    assert (await job_of(storage, taken.job.id)).outcome == "cancelled"


async def test_cancel_reaches_the_next_worker_if_the_first_one_dies(storage: Storage, clock: Clock) -> None:
    await queued(storage)
    await storage.jobs.cancel((await claimed(storage)).job.id)
    clock.advance(seconds=LEASE_SECONDS)
    assert (await claimed(storage)).job.cancel_requested


async def test_cancel_is_too_late_once_the_answer_is_written_down(storage: Storage, clock: Clock) -> None:
    await queued(storage)
    taken = await claimed(storage)
    await reply_to(storage, taken)
    assert await storage.jobs.cancel(taken.job.id) is CancelResult.TOO_LATE
    clock.advance(seconds=LEASE_SECONDS)
    await storage.jobs.requeue_expired()
    assert await storage.jobs.cancel(taken.job.id) is CancelResult.TOO_LATE


async def test_cancel_and_answer_at_the_same_moment_agree_on_one(storage: Storage, another: Storage) -> None:
    for number in range(10):
        await queued(storage, f"person {number}")
        taken = await claimed(storage)
        pressed, written = await asyncio.gather(
            another.jobs.cancel(taken.job.id), reply_to(storage, taken), return_exceptions=True
        )
        if isinstance(written, str):
            assert pressed is CancelResult.TOO_LATE
        else:
            assert isinstance(written, JobCancelled)
            assert pressed is CancelResult.ASKED
        await storage.jobs.finish(taken.lease, "done")


async def test_a_person_may_have_so_many_songs_waiting(storage: Storage, another: Storage) -> None:
    adds = [each.jobs.add(new_job("ann"), queued_limit=3) for each in (storage, another) for _ in range(5)]
    results = await asyncio.gather(*adds, return_exceptions=True)
    refused = [result for result in results if isinstance(result, TooManyQueued)]
    assert len(results) - len(refused) == 3
    assert "3 songs" in str(refused[0])
    # Limits apply to each person separately.
    await storage.jobs.add(new_job("bob"), queued_limit=3)
    # A running one still counts, an ended one does not.
    taken = await claimed(storage)
    with pytest.raises(TooManyQueued):
        await storage.jobs.add(new_job("ann"), queued_limit=3)
    await storage.jobs.finish(taken.lease, "answered")
    await storage.jobs.add(new_job("ann"), queued_limit=3)


async def test_a_person_may_send_so_many_songs_within_a_day(storage: Storage, clock: Clock) -> None:
    for _ in range(2):
        await storage.jobs.add(new_job(), daily_limit=2)
        await storage.jobs.finish((await claimed(storage)).lease, "answered")
    with pytest.raises(TooManyToday):
        await storage.jobs.add(new_job(), daily_limit=2)
    clock.advance(hours=24)
    await storage.jobs.add(new_job(), daily_limit=2)


async def test_a_song_cancelled_unheard_does_not_count_for_the_day(storage: Storage) -> None:
    job = await queued(storage)
    await storage.jobs.cancel(job.id)
    await queued(storage)
    heard = await claimed(storage)
    await storage.jobs.cancel(heard.job.id)
    await storage.jobs.finish(heard.lease, "cancelled")
    await queued(storage)
    assert await storage.jobs.person_load("ann") == PersonLoad(queued=1, running=0, today=2)


async def test_everything_at_once_on_one_persons_songs_ends_well(storage: Storage, another: Storage) -> None:
    jobs = [await queued(storage) for _ in range(30)]
    leases = [(await claimed(storage)).lease for _ in range(10)]
    pressed = [each.jobs.cancel(job.id) for job in jobs for each in (storage, another)]
    beats = [each.jobs.heartbeat(leases) for each in (storage, another) for _ in range(3)]
    others = [storage.jobs.requeue_owned("nobody"), another.jobs.requeue_expired(), another.people.erase("ann")]
    await asyncio.gather(*pressed, *beats, *others)
    assert (await storage.jobs.heartbeat(leases)).lost == {lease.job_id for lease in leases}
    assert await storage.jobs.of_person("ann") == []
