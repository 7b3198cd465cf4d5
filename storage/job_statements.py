"""Statements that change rows of the queue, inside the caller's transaction; ``jobs`` puts them together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from storage import fair_queue
from storage.database import insert_into
from storage.errors import LeaseLost
from storage.job import MAX_INTERRUPTIONS, ClaimedJob, Job, JobState, Lease, NewJob, select_jobs, to_job
from storage.tables import JobRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection


ABANDON_INTERRUPTIONS = MAX_INTERRUPTIONS + 3
"""After so many the job is dropped without telling the person, since even that seems to end its process."""
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""``not_before`` of jobs that need not wait, however the clock is set."""
ENDED: dict[str, Any] = {
    "state": JobState.FINISHED,
    "owner": None,
    "leased_until": None,
    # For privacy: where people wrote and what they sent is not needed once it is answered.
    "message": {},
    "payload": {},
    "progress": {},
}
QUEUED_AGAIN: dict[str, Any] = {"state": JobState.QUEUED, "owner": None, "leased_until": None}


def held_by(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    """Select the job of a lease, if the lease still holds it."""
    return (
        JobRow.id == lease.job_id,
        JobRow.state == JobState.RUNNING,
        JobRow.owner == lease.owner,
        JobRow.claims == lease.number,
    )


async def change_held(connection: AsyncConnection, lease: Lease, **values: Any) -> None:
    """Change the job of a lease; raises ``LeaseLost`` if the lease no longer holds it."""
    changed = await connection.execute(update(JobRow).where(*held_by(lease)).values(**values))
    if not changed.rowcount:
        raise LeaseLost(f"Job {lease.job_id} is no longer {lease.owner}'s.")


async def insert_job(connection: AsyncConnection, new: NewJob, now: datetime) -> Job:
    """Insert a job at the person's next turn."""
    lane = new.person if new.fairness_key is None else new.fairness_key
    row = insert_into(connection, JobRow).values(
        key=new.key,
        platform=new.platform,
        chat=new.chat,
        home=new.home,
        person=new.person,
        fairness_key=lane,
        message=dict(new.message),
        payload=dict(new.payload),
        source=new.source,
        rank=-new.priority,
        turn=await fair_queue.next_turn(connection, lane),
        state=JobState.QUEUED,
        progress={},
        attempts=0,
        claims=0,
        interruptions=0,
        not_before=AT_ONCE,
        cancel_requested=False,
        created=now,
    )
    job_id = (await connection.execute(row.returning(JobRow.id))).scalar_one()
    return to_job((await connection.execute(select_jobs().where(JobRow.id == job_id))).one())


async def take_job(
    connection: AsyncConnection, job_id: int, owner: str, until: datetime, *, started: datetime | None
) -> ClaimedJob:
    """Give a job to a worker until a time; ``started`` is when it began to be worked on."""
    claimed = (
        update(JobRow)
        .where(JobRow.id == job_id)
        .values(
            state=JobState.RUNNING,
            owner=owner,
            leased_until=until,
            started=started,
            claims=JobRow.claims + 1,
        )
    )
    number = (await connection.execute(claimed.returning(JobRow.claims))).scalar_one()
    job = to_job((await connection.execute(select_jobs().where(JobRow.id == job_id))).one())
    return ClaimedJob(job, Lease(job_id, owner, number))


async def requeue_jobs(connection: AsyncConnection, which: ColumnElement[bool], now: datetime) -> int:
    """Requeue jobs whose worker is gone; end those that happened to too often."""
    # Skip rows that another transaction is changing.
    rows = select(JobRow.id, JobRow.interruptions).where(which).order_by(JobRow.id).with_for_update(skip_locked=True)
    found = (await connection.execute(rows)).all()
    abandoned = [row.id for row in found if row.interruptions + 1 >= ABANDON_INTERRUPTIONS]
    again = [row.id for row in found if row.interruptions + 1 < ABANDON_INTERRUPTIONS]
    if abandoned:
        end = update(JobRow).where(JobRow.id.in_(abandoned))
        await connection.execute(end.values(**ENDED, outcome="abandoned", finished=now))
    if again:
        requeue = update(JobRow).where(JobRow.id.in_(again))
        await connection.execute(requeue.values(**QUEUED_AGAIN, interruptions=JobRow.interruptions + 1))
    return len(again)
