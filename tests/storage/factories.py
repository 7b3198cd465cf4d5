"""Helpers that put songs, answers, corrections and jobs into a database, and a clock that tests set."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from storage import NewJob, NewReply, SegmentVectors, Storage
from storage.feedback_rows import TABLE_COLUMNS, TABLE_FAMILY

if TYPE_CHECKING:
    from storage import Answer, ClaimedJob, Correction, Job, Reply

MODEL = "release-1"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that shows the time it was set to, and the seconds that have passed, which no setting moves."""

    def __init__(self) -> None:
        self.time = START
        self.passed = 0.0

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **parts: float) -> None:
        self.time += timedelta(**parts)
        self.passed += timedelta(**parts).total_seconds()

    def jump(self, **parts: float) -> None:
        """Set the clock forward or back, without time passing."""
        self.time += timedelta(**parts)

    def monotonic(self) -> float:
        return self.passed


def song(name: str = "a song") -> str:
    """Return a content hash."""
    return hashlib.sha256(name.encode()).hexdigest()


def report(genre: str = "jazz", *, model: str = MODEL, confidence: float = 0.75, **more: Any) -> dict[str, Any]:
    probabilities = {genre: confidence, "zouk": 0.2, "blues": 0.05}
    return {
        "genre": genre,
        "confidence": confidence,
        "sure": confidence > 0.5,
        "model": model,
        "duration": 60.0,
        "probabilities": probabilities,
        "segments": [],
        **more,
    }


def features(segments: int = 2, *, seed: int = 1, texture: int = 8) -> tuple[SegmentVectors, ...]:
    numbers = np.random.default_rng(seed)
    widths = {TABLE_FAMILY: len(TABLE_COLUMNS), "texture": texture}
    return tuple(
        SegmentVectors(
            30.0 * index,
            30.0 * (index + 1),
            {name: numbers.normal(size=width).astype(np.float32) for name, width in widths.items()},
        )
        for index in range(segments)
    )


async def answered(storage: Storage, name: str = "a song", genre: str = "jazz", **more: Any) -> Answer:
    """Save an answer to a song."""
    return await storage.songs.save_answer(song(name), report(genre, **more), features(), platform="local", title=name)


async def corrected(
    storage: Storage,
    person: str,
    label: str,
    name: str = "a song",
    *,
    said: str = "jazz",
    platform: str = "local",
    chat: str = "chat",
    may_train: bool = True,
) -> Correction:
    """Save a person's correction of a song, after an answer to it."""
    answer = await answered(storage, name, said)
    given = await storage.feedback.correct(
        person=person, answer_id=answer.id, label=label, platform=platform, chat=chat, may_train=may_train
    )
    return given.correction


async def agreeing(storage: Storage, label: str, *people: str, name: str = "a song", **more: object) -> None:
    """Save the same correction of several people, who let the bot learn from it."""
    for person in people:
        await storage.people.set_consent(person, True)
        await corrected(storage, person, label, name, **more)  # type: ignore[arg-type]


def new_job(person: str = "ann", **more: Any) -> NewJob:
    values: dict[str, Any] = {
        "platform": "local",
        "chat": "chat",
        "message": {"id": 7},
        "payload": {"file": "song.mp3"},
        "source": "upload",
    }
    return NewJob(person=person, **(values | more))


async def queued(storage: Storage, person: str = "ann", **more: Any) -> Job:
    return (await storage.jobs.add(new_job(person, **more))).job


async def claimed(storage: Storage, owner: str = "worker") -> ClaimedJob:
    """Claim the next job; there must be one."""
    taken = await storage.jobs.claim(owner)
    assert taken is not None
    return taken


async def replied(storage: Storage, name: str = "a song", *, requester: str = "ann", chat: str = "chat") -> Reply:
    answer = await answered(storage, name)
    return await storage.replies.add(NewReply(answer.id, "local", chat, requester))


async def job_of(storage: Storage, job_id: int) -> Job:
    job = await storage.jobs.get(job_id)
    assert job is not None
    return job


async def reply_to(storage: Storage, taken: ClaimedJob) -> str:
    answer = await answered(storage)
    job = taken.job
    return (await storage.jobs.answer(taken.lease, NewReply(answer.id, job.platform, job.chat, job.person))).id
