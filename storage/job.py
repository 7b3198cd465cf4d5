"""Jobs as data and as rows; the queue itself is in ``jobs``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from storage.database import LARGEST_NUMBER
from storage.tables import JobRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

LEASE_SECONDS = 30
"""How long a worker may go without a heartbeat before another may take its job."""
MAX_ATTEMPTS = 3
"""After this many failures a job is not retried, and the person is told so."""
MAX_INTERRUPTIONS = 20
"""After its process ended so often while it held a job, the job is not retried either: it seems to be the cause."""


class JobState(StrEnum):
    """Whether a job waits, is held by a worker, or has ended."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A song to be answered.

    Attributes
    ----------
    platform, chat, person
        As in ``NewReply``.
    message
        What is needed to reply after a restart (JSON); deleted when the job ends.
    payload
        What is needed to download the file again (JSON); deleted when the job ends.
    source
        The kind of content: ``upload``, ``link``, ``voice``, …
    key
        Opaque id of what was sent (a keyed hash of chat, message, attachment). A second job with the same key is not
        added, so an update that the platform delivers twice is answered once. None never collides.
    priority
        Jobs of higher priority go first, regardless of turns; 0 for people.
    fairness_key
        Jobs with the same key share a turn in the queue; the person by default.
    home
        Name of the processes that can answer this chat; None if any process of the platform can.
    """

    platform: str
    chat: str
    person: str
    message: Mapping[str, Any]
    payload: Mapping[str, Any]
    source: str
    key: str | None = None
    priority: int = 0
    fairness_key: str | None = None
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """The current state of a job.

    Attributes
    ----------
    id
        Number of the job; short enough for a Cancel button.
    platform, chat, person, message, payload, source
        As in ``NewJob``; message and payload are empty once the job has ended.
    state, outcome
        ``outcome`` is what ``finish`` was called with (``cancelled`` after ``cancel``); None until the job ended.
    owner
        The worker that holds it; None if none does.
    progress
        What was last passed to ``save_progress``, such as the id of the progress message; empty before.
    attempts
        How often it failed through its own fault: a worker died of it, or there was a bug.
    interruptions
        How often its process ended while it held the job.
    reply_id
        Set once its answer is saved: it remains to send it, which may have happened already.
    cancel_requested
        The person pressed Cancel while it was running: tell them, and ``finish`` it.
    created, started, finished
        UTC; ``started`` is the latest start.
    """

    id: int
    platform: str
    chat: str
    person: str
    message: Mapping[str, Any]
    payload: Mapping[str, Any]
    source: str
    state: JobState
    outcome: str | None
    owner: str | None
    progress: Mapping[str, Any]
    attempts: int
    interruptions: int
    reply_id: str | None
    cancel_requested: bool
    created: datetime
    started: datetime | None
    finished: datetime | None

    @property
    def exhausted(self) -> bool:
        """Whether it has failed too often: do not retry, tell the person, and ``finish`` it."""
        return self.attempts >= MAX_ATTEMPTS

    @property
    def ends_its_process(self) -> bool:
        """Whether its process has ended too often while it held the job: treat it like an exhausted one."""
        return self.interruptions >= MAX_INTERRUPTIONS


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on a job; it ends when anyone claims the job again."""

    job_id: int
    owner: str
    number: int


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job with the lease on it."""

    job: Job
    lease: Lease


@dataclass(frozen=True, slots=True)
class EnqueueResult:
    """A job in the queue; ``is_new`` is False if its key was already there (perhaps long ended)."""

    job: Job
    is_new: bool


@dataclass(frozen=True, slots=True)
class HeartbeatResult:
    """The result of a heartbeat, as job ids: leases that were lost, and jobs that were cancelled."""

    lost: frozenset[int] = field(default_factory=frozenset)
    cancelled: frozenset[int] = field(default_factory=frozenset)


class CancelResult(StrEnum):
    """The effect of pressing Cancel: the job ended, its worker was asked to stop, or it was too late."""

    DONE = "done"
    ASKED = "asked"
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """The load of the queue.

    Attributes
    ----------
    queued, running
        Jobs.
    oldest
        When the oldest queued job was added (UTC); None if none waits.
    """

    queued: int
    running: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """One person's songs: waiting, running, and sent within 24 hours (except those cancelled before they started)."""

    queued: int
    running: int
    today: int


def select_jobs() -> Select[*tuple[Any, ...]]:
    """Select jobs; rows for ``to_job``."""
    return select(
        JobRow.id,
        JobRow.platform,
        JobRow.chat,
        JobRow.person,
        JobRow.message,
        JobRow.payload,
        JobRow.source,
        JobRow.state,
        JobRow.outcome,
        JobRow.owner,
        JobRow.progress,
        JobRow.attempts,
        JobRow.interruptions,
        JobRow.reply_id,
        JobRow.cancel_requested,
        JobRow.created,
        JobRow.started,
        JobRow.finished,
    )


def to_job(row: Any) -> Job:
    """Read a row of ``select_jobs``."""
    values = row._asdict()
    return Job(state=JobState(values.pop("state")), **values)


async def find_job(connection: AsyncConnection, key: str | None) -> Job | None:
    """Return the job of a key, inside the caller's transaction."""
    if key is None:
        return None
    row = (await connection.execute(select_jobs().where(JobRow.key == key))).one_or_none()
    return None if row is None else to_job(row)


async def get_job(connection: AsyncConnection, job_id: int, *, for_update: bool = False) -> Job | None:
    """Return a job by its number, inside the caller's transaction."""
    if not 0 < job_id <= LARGEST_NUMBER:
        return None
    query = select_jobs().where(JobRow.id == job_id)
    row = (await connection.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else to_job(row)


async def person_load_of(connection: AsyncConnection, person: str, now: datetime) -> PersonLoad:
    """Count a person's jobs, in the caller's transaction."""
    # Jobs cancelled before they started do not count towards the daily limit, nor does what a clock that was far ahead
    # has dated.
    never_started = (JobRow.outcome == "cancelled") & JobRow.started.is_(None)
    day = timedelta(hours=24)
    recent = (JobRow.created > now - day) & (JobRow.created <= now + day) & ~func.coalesce(never_started, False)
    query = select(
        func.count().filter(JobRow.state == JobState.QUEUED),
        func.count().filter(JobRow.state == JobState.RUNNING),
        func.count().filter(recent),
    ).where(JobRow.person == person)
    return PersonLoad(*(await connection.execute(query)).one())
