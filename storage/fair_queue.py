"""Who is next: people take turns, whatever the number of songs that each of them sent.

Fair queueing by rounds: a job's turn is the round in which it is served. A person's songs stand in one round after the
other; a newcomer joins the round after the one being served, behind those who are in it already. So every round is
finite: nobody's song waits for another's hundred, and no stream of newcomers holds up somebody who already waits.
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
    """Hold the lane of a job until the transaction ends; nothing happens if there is no such job."""
    if 0 < job_id <= LARGEST_NUMBER:
        lane = (await connection.execute(select(JobRow.fairness_key).where(JobRow.id == job_id))).scalar()
        await lock(connection, f"lane of {lane}")


async def give_up(connection: AsyncConnection, job_id: int) -> None:
    """Take a waiting job out of its lane's rounds: the lane's later jobs move up, its own is unserved."""
    job = select(JobRow.fairness_key, JobRow.turn, JobRow.started).where(JobRow.id == job_id)
    lane, turn, started = (await connection.execute(job)).one()
    later = (JobRow.fairness_key == lane, JobRow.state == "queued", JobRow.turn > turn)
    await connection.execute(update(JobRow).where(*later).values(turn=JobRow.turn - 1))
    if started is None:
        await connection.execute(update(JobRow).where(JobRow.id == job_id).values(turn=0))
