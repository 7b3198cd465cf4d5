"""The persistent queue of songs: fair between people, one worker per job, and safe across crashes.

It does not interpret jobs: message and payload are the caller's JSON.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, tuple_, update

from common.errors import StorageUnavailable
from storage import fair_queue
from storage.database import LARGEST_NUMBER, lock
from storage.durations import Delays, LeaseObserver
from storage.errors import JobCancelled, LeaseLost, TooManyQueued, TooManyToday
from storage.job import (
    LEASE_SECONDS,
    CancelResult,
    ClaimedJob,
    EnqueueResult,
    HeartbeatResult,
    Job,
    JobState,
    Lease,
    NewJob,
    PersonLoad,
    QueueLoad,
    find_job,
    get_job,
    person_load_of,
    select_jobs,
    to_job,
)
from storage.job_statements import (
    AT_ONCE,
    ENDED,
    QUEUED_AGAIN,
    change_held,
    held_by,
    insert_job,
    requeue_jobs,
    take_job,
)
from storage.replies import find_reply, insert_reply
from storage.tables import JobRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database
    from storage.replies import NewReply, Reply


@uncancellable
class Jobs:
    """Reached as ``storage.jobs``.

    A worker's cycle: ``claim`` → work, with a ``heartbeat`` at least every ``LEASE_SECONDS / 3`` → ``answer`` (saves
    the reply) → send → ``finish``. After a crash the job can be claimed again once its lease has expired; if it has a
    ``reply_id``, only sending is left. Check ``cancel_requested`` and ``exhausted`` before working on a job.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._leases = LeaseObserver(monotonic)
        self._delays = Delays(monotonic)

    async def add(
        self, new: NewJob, *, queued_limit: int | None = None, daily_limit: int | None = None
    ) -> EnqueueResult:
        """Save a job behind the person's other jobs.

        Raises
        ------
        TooManyQueued, TooManyToday
            If the person already has ``queued_limit`` songs waiting or running, or has sent ``daily_limit`` within
            24 hours. Checked in the same transaction; a job whose key is known raises neither.
        """
        async with self._database.transaction() as connection:
            # One at a time per person; otherwise several attachments at once could exceed the limits together.
            await lock(connection, f"jobs of {new.person}")
            known = await find_job(connection, new.key)
            if known is not None:
                return EnqueueResult(known, is_new=False)
            now = self._database.now()
            load = await person_load_of(connection, new.person, now)
            if queued_limit is not None and load.queued + load.running >= queued_limit:
                raise TooManyQueued(limit=queued_limit)
            if daily_limit is not None and load.today >= daily_limit:
                raise TooManyToday(limit=daily_limit)
            return EnqueueResult(await insert_job(connection, new, now), is_new=True)

    async def claim(
        self,
        owner: str,
        *,
        platforms: Sequence[str] | None = None,
        homes: Sequence[str] | None = None,
        except_people: Sequence[str] = (),
        still_running: Collection[int] = (),
        lease_seconds: float = LEASE_SECONDS,
    ) -> ClaimedJob | None:
        """Take the next job, fairly between people; None if none waits. Expired leases are requeued first.

        Parameters
        ----------
        owner
            Name of the worker; must be stable across restarts for ``requeue_owned``.
        platforms
            Only jobs of these platforms; None takes any.
        homes
            Only jobs of these homes, or of none in particular; None takes any.
        except_people
            No jobs of these people, except those that only remain to be sent.
        still_running
            Not these jobs, which the worker is working on, whatever became of their leases in an outage.
        """
        waiting = [JobRow.state == JobState.QUEUED, self._due()]
        if platforms is not None:
            waiting.append(JobRow.platform.in_(platforms))
        if homes is not None:
            waiting.append(or_(JobRow.home.is_(None), JobRow.home.in_(homes)))
        if except_people:
            waiting.append(or_(JobRow.reply_id.is_not(None), JobRow.person.not_in(except_people)))
        if still_running:
            waiting.append(JobRow.id.not_in(still_running))
        with self._restarting_leases():
            claimed = await self._claim(owner, waiting, still_running, lease_seconds)
        if claimed is not None:
            self._delays.forget([claimed.job.id])
        return claimed

    async def _claim(
        self, owner: str, waiting: Sequence[ColumnElement[bool]], still_running: Collection[int], lease_seconds: float
    ) -> ClaimedJob | None:
        # An idle queue is polled often, which must not block writers.
        async with self._database.reading() as connection:
            expired = await self._expired(connection, still_running)
            query = select(JobRow.id).where(and_(*waiting)).limit(1)
            if not expired and (await connection.execute(query)).scalar() is None:
                return None
        async with self._database.transaction() as connection:
            now = self._database.now()
            await self._requeue_expired(connection, still_running)
            query = select(JobRow.id).where(*waiting).order_by(JobRow.rank, JobRow.turn, JobRow.id).limit(1)
            job_id = (await connection.execute(query.with_for_update(skip_locked=True))).scalar()
            if job_id is None:
                return None
            until = now + timedelta(seconds=lease_seconds)
            claimed = await take_job(connection, job_id, owner, until, started=now)
            self._leases.saw(job_id, claimed.lease.number, until)
        return claimed

    async def heartbeat(self, leases: Iterable[Lease], *, lease_seconds: float = LEASE_SECONDS) -> HeartbeatResult:
        """Extend leases; return which of them were lost and which jobs to stop."""
        with self._restarting_leases():
            return await self._heartbeat(leases, lease_seconds)

    async def _heartbeat(self, leases: Iterable[Lease], lease_seconds: float) -> HeartbeatResult:
        lost, cancelled = set(), set()
        async with self._database.transaction() as connection:
            until = self._database.now() + timedelta(seconds=lease_seconds)
            # Always in the same order, to avoid deadlocks between processes.
            for lease in sorted(leases, key=lambda each: each.job_id):
                extended = update(JobRow).where(*held_by(lease)).values(leased_until=until)
                asked = (await connection.execute(extended.returning(JobRow.cancel_requested))).scalar()
                if asked is None:
                    lost.add(lease.job_id)
                    continue
                self._leases.saw(lease.job_id, lease.number, until)
                if asked:
                    cancelled.add(lease.job_id)
        return HeartbeatResult(frozenset(lost), frozenset(cancelled))

    async def save_progress(self, lease: Lease, progress: Mapping[str, Any]) -> None:
        """Save what is needed after a restart, such as the id of the progress message.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        """
        async with self._database.transaction() as connection:
            await change_held(connection, lease, progress=dict(progress))

    async def save_waiting_progress(self, job_id: int, progress: Mapping[str, Any]) -> bool:
        """Add to the saved progress of a job that waits in the queue.

        Returns
        -------
        bool
            False if the job is not waiting (any more); its worker uses ``save_progress``.
        """
        async with self._database.transaction() as connection:
            job = await get_job(connection, job_id, for_update=True)
            if job is None or job.state is not JobState.QUEUED:
                return False
            noted = {**job.progress, **progress}
            await connection.execute(update(JobRow).where(JobRow.id == job_id).values(progress=noted))
            return True

    async def answer(self, lease: Lease, new: NewReply) -> Reply:
        """Save the reply and mark the job as answered, in one transaction; repeated calls return the same reply.

        From here on it is too late to cancel, and after a restart only sending is repeated.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        JobCancelled
            If Cancel came first: ``finish`` the job as cancelled.
        RowNotFound
            If there is no such answer.
        """
        async with self._database.transaction() as connection:
            query = select(JobRow.reply_id, JobRow.cancel_requested).where(*held_by(lease)).with_for_update()
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                raise LeaseLost(f"Job {lease.job_id} is no longer {lease.owner}'s.")
            written = None if row.reply_id is None else await find_reply(connection, row.reply_id)
            if written is not None:
                return written
            if row.cancel_requested:
                raise JobCancelled(f"Job {lease.job_id} was cancelled.")
            reply = await insert_reply(connection, new, self._database.now())
            await change_held(connection, lease, reply_id=reply.id)
            return reply

    async def finish(self, lease: Lease, outcome: str) -> None:
        """End a held job, once, with an outcome: ``answered``, ``failed``, ``cancelled``, ``undeliverable`` or another.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        """
        async with self._database.transaction() as connection:
            await change_held(connection, lease, **ENDED, outcome=outcome, finished=self._database.now())

    async def release(self, lease: Lease, *, delay_seconds: float = 0, counts: bool = False) -> None:
        """Return a job to its old position in the queue, to be claimed after a delay at the earliest.

        Parameters
        ----------
        counts
            Whether this start counts as an attempt: yes if the song was at fault, no after a clean stop, a platform
            error, or what befell others.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        """
        not_before = self._database.now() + timedelta(seconds=delay_seconds) if delay_seconds > 0 else AT_ONCE
        attempts = JobRow.attempts + 1 if counts else JobRow.attempts
        async with self._database.transaction() as connection:
            await change_held(connection, lease, **QUEUED_AGAIN, not_before=not_before, attempts=attempts)
        self._delays.put_off(lease.job_id, delay_seconds)

    async def requeue_owned(self, owner: str) -> int:
        """Requeue all jobs that a worker holds and return their number; the delays of all jobs end.

        The clock may have been set since they began, so whoever set them decides anew.

        For a process that replaces a crashed one of the same name; on a clean stop ``release`` each job instead.
        """
        async with self._database.transaction() as connection:
            now = self._database.now()
            put_off = (JobRow.state == JobState.QUEUED, JobRow.not_before > now)
            await connection.execute(update(JobRow).where(*put_off).values(not_before=AT_ONCE))
            held = (JobRow.state == JobState.RUNNING) & (JobRow.owner == owner)
            return await requeue_jobs(connection, held, now)

    async def requeue_expired(self) -> int:
        """Requeue the jobs whose lease has expired and return their number; ``claim`` does this, too."""
        async with self._database.transaction() as connection:
            return await self._requeue_expired(connection)

    async def cancel(self, job_id: int, *, teller: str | None = None) -> CancelResult | ClaimedJob:
        """End a waiting job, or ask the worker of a running one to stop (its next heartbeat tells it).

        Parameters
        ----------
        teller
            The worker that tells the person. It is given a waiting job to ``finish`` once they were told, so that
            another one does it should this one be killed before. By default nobody has to be told.
        """
        async with self._database.transaction() as connection:
            # Cancelling moves later jobs up; without the lock, two cancellations could deadlock.
            await fair_queue.lock_lane(connection, job_id)
            job = await get_job(connection, job_id, for_update=True)
            if job is None or job.state is JobState.FINISHED or job.reply_id is not None:
                return CancelResult.TOO_LATE
            this = update(JobRow).where(JobRow.id == job_id)
            if job.state is JobState.RUNNING:
                await connection.execute(this.values(cancel_requested=True))
                return CancelResult.ASKED
            await fair_queue.give_up(connection, job_id)
            now = self._database.now()
            if teller is None:
                await connection.execute(this.values(**ENDED, outcome="cancelled", finished=now))
                return CancelResult.DONE
            await connection.execute(this.values(cancel_requested=True))
            until = now + timedelta(seconds=LEASE_SECONDS)
            claimed = await take_job(connection, job_id, teller, until, started=job.started)
            self._leases.saw(job_id, claimed.lease.number, until)
        self._delays.forget([job_id])
        return claimed

    async def get(self, job_id: int) -> Job | None:
        """Return the current state of a job."""
        async with self._database.reading() as connection:
            return await get_job(connection, job_id)

    async def of_person(self, person: str) -> list[Job]:
        """List a person's jobs that have not ended, oldest first."""
        query = select_jobs().where(JobRow.person == person, JobRow.state != JobState.FINISHED).order_by(JobRow.id)
        async with self._database.reading() as connection:
            return [to_job(row) for row in await connection.execute(query)]

    async def position(self, job_id: int) -> int | None:
        """Return a job's position: 1 is next, 0 is running, None has ended or does not exist."""
        if not 0 < job_id <= LARGEST_NUMBER:
            return None
        place = tuple_(JobRow.rank, JobRow.turn, JobRow.id)
        async with self._database.reading() as connection:
            query = select(JobRow.state, JobRow.rank, JobRow.turn).where(JobRow.id == job_id)
            row = (await connection.execute(query)).one_or_none()
            if row is None or row.state == JobState.FINISHED:
                return None
            if row.state == JobState.RUNNING:
                return 0
            # Jobs whose time has not come yet do not count as ahead.
            due = (JobRow.state == JobState.QUEUED, self._due())
            ahead = select(func.count()).where(*due, place < (row.rank, row.turn, job_id))
            return (await connection.execute(ahead)).scalar_one() + 1

    async def load(self) -> QueueLoad:
        """Count the whole queue."""
        query = (
            select(JobRow.state, func.count(), func.min(JobRow.created))
            .where(JobRow.state != JobState.FINISHED)
            .group_by(JobRow.state)
        )
        async with self._database.reading() as connection:
            rows = {state: (count, oldest) for state, count, oldest in await connection.execute(query)}
        queued, oldest = rows.get(JobState.QUEUED, (0, None))
        return QueueLoad(queued, rows.get(JobState.RUNNING, (0, None))[0], oldest)

    async def person_load(self, person: str) -> PersonLoad:
        """Count one person's songs."""
        async with self._database.reading() as connection:
            return await person_load_of(connection, person, self._database.now())

    def _due(self) -> ColumnElement[bool]:
        """Select the jobs whose delay has passed, if they had one: those put off here by this process's own clock."""
        over, waiting = self._delays.sorted()
        return or_(JobRow.id.in_(over), (JobRow.not_before <= self._database.now()) & JobRow.id.not_in(waiting))

    @contextmanager
    def _restarting_leases(self) -> Iterator[None]:
        """After an outage, count anew how long each lease has not been renewed."""
        try:
            yield
        except StorageUnavailable:
            self._leases.restart()
            raise

    async def _expired(self, connection: AsyncConnection, still_running: Collection[int]) -> list[int]:
        query = select(JobRow.id, JobRow.claims, JobRow.leased_until).where(JobRow.state == JobState.RUNNING)
        rows = await connection.execute(query)
        expired = self._leases.expired({job_id: (claims, until) for job_id, claims, until in rows})
        return [job_id for job_id in expired if job_id not in still_running]

    async def _requeue_expired(self, connection: AsyncConnection, still_running: Collection[int] = ()) -> int:
        expired = await self._expired(connection, still_running)
        is_expired = (JobRow.state == JobState.RUNNING) & JobRow.id.in_(expired)
        return await requeue_jobs(connection, is_expired, self._database.now()) if expired else 0
