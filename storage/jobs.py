"""The persistent queue of songs: fair between people, each job done by one worker at a time, alive after a crash.

Knows nothing of what a job is: message and payload are JSON of the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from storage.database import Database
    from storage.replies import NewReply, Reply

LEASE_SECONDS = 60
MAX_ATTEMPTS = 3


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
    progress
        What ``note`` was last told, such as where the progress message is; empty before.
    attempts
        How often it was started, this time included, releases that were no fault of the song left out.
    reply_id
        Set once its answer was written down: what is left to do is to send it, and it may have been sent already.
    cancel_requested
        Somebody pressed Cancel while it ran.
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
    progress: Mapping[str, Any]
    attempts: int
    reply_id: str | None
    cancel_requested: bool
    created: datetime
    started: datetime | None
    finished: datetime | None

    @property
    def exhausted(self) -> bool:
        """Has it taken its worker down too often? Then do not try again: tell the person, and ``finish`` it."""
        return self.attempts > MAX_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on a job; it ends when the job is claimed anew, whoever claims it."""

    job_id: int
    owner: str
    number: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job and the hold on it."""

    job: Job
    lease: Lease


@dataclass(frozen=True, slots=True)
class Added:
    """A job in the queue; ``is_new`` is False if its key was already there (perhaps long ended)."""

    job: Job
    is_new: bool


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat found, as job ids: those to drop at once, and those to stop because of Cancel."""

    lost: frozenset[int] = field(default_factory=frozenset)
    cancelled: frozenset[int] = field(default_factory=frozenset)


class Cancel(StrEnum):
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


class Jobs:
    """Reached as ``storage.jobs``.

    A worker's round: ``claim`` → work, ``heartbeat`` at least every ``LEASE_SECONDS / 3`` → ``answer`` (the reply is
    written down) → send → ``finish``. After a crash the job is claimed again once its lease ran out; if it then has a
    ``reply_id``, only the sending is left.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewJob, *, queued_limit: int | None = None, daily_limit: int | None = None) -> Added:
        """Write a job down at the end of its person's line.

        Raises
        ------
        TooManyQueued, TooManyToday
            If the person already has ``queued_limit`` songs waiting or running, or has sent ``daily_limit`` within
            24 hours. Checked in the same transaction; a job whose key is known raises neither.
        """
        raise NotImplementedError

    async def claim(
        self, owner: str, *, platforms: Sequence[str] | None = None, lease_seconds: float = LEASE_SECONDS
    ) -> Claimed | None:
        """Take the next job, people by turns; None if nothing waits. Jobs whose lease ran out are queued again first.

        Parameters
        ----------
        owner
            Name of the worker; stable over restarts if ``take_back`` is to be of use.
        platforms
            Only jobs of these platforms; None takes any.
        """
        raise NotImplementedError

    async def heartbeat(self, leases: Iterable[Lease], *, lease_seconds: float = LEASE_SECONDS) -> Beat:
        """Prolong leases; say which of them are lost and which jobs are to be stopped."""
        raise NotImplementedError

    async def note(self, lease: Lease, progress: Mapping[str, Any]) -> None:
        """Keep what is to be known after a restart, such as where the progress message is.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        """
        raise NotImplementedError

    async def answer(self, lease: Lease, new: NewReply) -> Reply:
        """Write the reply down and mark the job answered, in one transaction; the same reply comes back every time.

        From here on Cancel is too late, and a restart only sends (again) what is written down here.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        JobCancelled
            If Cancel came first: ``finish`` the job as cancelled.
        UnknownRow
            If there is no such answer.
        """
        raise NotImplementedError

    async def finish(self, lease: Lease, outcome: str) -> None:
        """End a job that is held: ``answered``, ``failed``, ``cancelled``, ``undeliverable``, … Once only.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        """
        raise NotImplementedError

    async def release(self, lease: Lease, *, delay_seconds: float = 0, counts: bool = False) -> None:
        """Put a job back to its old place in the queue, to be claimed after a delay at the earliest.

        Parameters
        ----------
        counts
            Whether this start counts as an attempt: no for a clean stop or a platform's fault, yes for the song's.

        Raises
        ------
        LeaseLost
            If the job is no longer held.
        """
        raise NotImplementedError

    async def take_back(self, owner: str) -> int:
        """Queue again all that an owner holds, at once; return how many.

        For a process that starts under the name of one that died, and for a clean stop.
        """
        raise NotImplementedError

    async def requeue_expired(self) -> int:
        """Queue again the jobs whose lease ran out; return how many; ``claim`` does so too."""
        raise NotImplementedError

    async def cancel(self, job_id: int) -> Cancel:
        """End a waiting job, or ask the worker of a running one to stop (its next heartbeat tells it)."""
        raise NotImplementedError

    async def get(self, job_id: int) -> Job | None:
        """Return a job as it stands."""
        raise NotImplementedError

    async def of_person(self, person: str) -> list[Job]:
        """List a person's jobs that have not ended, oldest first."""
        raise NotImplementedError

    async def position(self, job_id: int) -> int | None:
        """Return a job's place: 1 is next, 0 is running, None has ended (or never was)."""
        raise NotImplementedError

    async def load(self) -> QueueLoad:
        """Count the whole queue."""
        raise NotImplementedError

    async def person_load(self, person: str) -> PersonLoad:
        """Count one person's songs."""
        raise NotImplementedError
