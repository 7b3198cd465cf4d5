"""Fair queueing between people, however many songs each of them sent.

It works by rounds: a job's ``turn`` is the round in which it is served. A person's jobs get consecutive rounds; a
newcomer joins the round after the current one, behind those who are already in it. Each round is therefore finite:
one song never waits for another person's hundred, and a stream of newcomers cannot delay somebody who already waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from storage.database import LARGEST_NUMBER, lock
from storage.tables import JobRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


async def next_turn(connection: AsyncConnection, lane: str) -> int:
    """Return the round for a new job at the end of a lane (``fairness_key``)."""
    latest = select(func.max(JobRow.turn))
    running = latest.where(JobRow.state == "running").scalar_subquery()
    finished = latest.where(JobRow.state == "finished").scalar_subquery()
    waiting = select(func.min(JobRow.turn)).where(JobRow.state == "queued").scalar_subquery()
    own = latest.where(JobRow.fairness_key == lane, JobRow.state.in_(["queued", "running"])).scalar_subquery()
    rounds = (await connection.execute(select(running, finished, waiting, own))).one()
    now_running, last_finished, first_waiting, last_own = (turn or 0 for turn in rounds)
    return max(now_running + 1, last_finished + 1, first_waiting, last_own + 1)


async def lock_lane(connection: AsyncConnection, job_id: int) -> None:
    """Lock the lane of a job until the transaction ends; does nothing if there is no such job."""
    if 0 < job_id <= LARGEST_NUMBER:
        lane = (await connection.execute(select(JobRow.fairness_key).where(JobRow.id == job_id))).scalar()
        await lock(connection, f"lane of {lane}")


async def give_up(connection: AsyncConnection, job_id: int) -> None:
    """Take a waiting job out of its lane: the lane's later jobs each move up by one round."""
    job = select(JobRow.fairness_key, JobRow.turn, JobRow.started).where(JobRow.id == job_id)
    lane, turn, started = (await connection.execute(job)).one()
    later = (JobRow.fairness_key == lane, JobRow.state == "queued", JobRow.turn > turn)
    await connection.execute(update(JobRow).where(*later).values(turn=JobRow.turn - 1))
    if started is None:
        await connection.execute(update(JobRow).where(JobRow.id == job_id).values(turn=0))
