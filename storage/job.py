"""A job as data and as a row; how jobs come and go is told by ``select_jobs``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from storage.database import LARGEST_NUMBER
from storage.tables import JobRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

LEASE_SECONDS = 30
"""How long a worker may be silent before its job is another's."""
MAX_ATTEMPTS = 3
"""Starts after which a job is not tried again but its person told so."""


class JobState(StrEnum):
    """A job waits, is a worker's, or has ended."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A song to be answered.

    Attributes
    ----------
    platform, chat, person
        As in ``NewReply``: where, and keyed hashes of the place and the person.
    message
        What is needed to reply after a restart (JSON); wiped when the job ends.
    payload
        What is needed to get the bytes again (JSON); wiped when the job ends.
    source
        What kind of content: ``upload``, ``link``, ``voice``, …
    key
        Opaque name of the very thing sent (a keyed hash of chat, message, attachment): a second job with the same
        key is not added, so an update that the platform delivers twice is answered once. None never collides.
    priority
        Higher goes first, whatever the turns: leave it at 0 for people.
    fairness_key
        Who shares a turn in the queue; the person by default.
    home
        Names those processes that can answer this chat; None where any can that serves the platform.
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
    """A job as it stands.

    Attributes
    ----------
    id
        Number of the job; short enough for a Cancel button.
    platform, chat, person, message, payload, source
        As in ``NewJob``; message and payload are empty once the job has ended.
    state, outcome
        ``outcome`` is the word given to ``finish`` (``cancelled`` by ``cancel``); None until it ended.
    owner
        Who holds it; None while nobody does.
    progress
        What ``save_progress`` was last told, such as where the progress message is; empty before.
    attempts
        How often it was started, this time included, releases that were no fault of the song left out.
    reply_id
        Set once its answer was written down: what is left to do is to send it, and it may have been sent already.
    cancel_requested
        Somebody pressed Cancel while it ran: tell the person, and ``finish`` it.
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
    reply_id: str | None
    cancel_requested: bool
    created: datetime
    started: datetime | None
    finished: datetime | None

    @property
    def exhausted(self) -> bool:
        """Whether it took its worker down too often: do not try again, tell the person, and ``finish`` it."""
        return self.attempts > MAX_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on a job; it ends when the job is claimed anew, whoever claims it."""

    job_id: int
    owner: str
    number: int


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job and the hold on it."""

    job: Job
    lease: Lease


@dataclass(frozen=True, slots=True)
class EnqueueResult:
    """A job in the queue; ``is_new`` is False if its key was already there (perhaps long ended)."""

    job: Job
    is_new: bool


@dataclass(frozen=True, slots=True)
class HeartbeatResult:
    """What a heartbeat found, as job ids: those to drop at once, and those to stop because of Cancel."""

    lost: frozenset[int] = field(default_factory=frozenset)
    cancelled: frozenset[int] = field(default_factory=frozenset)


class CancelResult(StrEnum):
    """What pressing Cancel did: ended it, asked its worker to stop, or came after the answer (or to no job)."""

    DONE = "done"
    ASKED = "asked"
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """How busy the queue is.

    Attributes
    ----------
    queued, running
        Jobs.
    oldest
        When the longest-waiting queued job was added (UTC); None if none waits.
    """

    queued: int
    running: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """One person's songs: waiting, running, and sent within the last 24 hours (those cancelled unheard left out)."""

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
