"""What people say of the answers: one opinion per person and song, its review by moderators, the counts.

An opinion is a label; agreeing with the answer is one too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from storage.database import Database


class Status(StrEnum):
    """Where the review of a correction stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RELABELLED = "relabelled"


@dataclass(frozen=True, slots=True)
class Place:
    """A chat whose administrators may moderate its own rows: platform and keyed hash."""

    platform: str
    chat: str


@dataclass(frozen=True, slots=True)
class Correction:
    """One person's opinion of one song.

    Attributes
    ----------
    id
        Number in this database.
    person
        Keyed hash.
    content_hash, answer_id
        The song, and the answer that the person saw.
    title
        Of the song, if it has one.
    said, confidence, sure, model
        That answer in short.
    label
        Id of the label that the person gave; equal to ``said`` when they agreed.
    status, ruling
        Where the review stands; the label that a moderator gave instead, if ``RELABELLED``.
    consent
        May numbers computed from the song, and this opinion, train the next model? Asked of the person.
    may_train
        Does the platform it comes from allow that? (``TRAINING_SOURCES``)
    platform, chat
        Where it was given.
    moderator, moderated
        Keyed hash of the last moderator, and when.
    created, updated
        When it was first given, and last changed by the person (UTC).
    """

    id: int
    person: str
    content_hash: str
    answer_id: int
    title: str | None
    said: str
    confidence: float
    sure: bool
    model: str
    label: str
    status: Status
    ruling: str | None
    consent: bool
    may_train: bool
    platform: str
    chat: str
    moderator: str | None
    moderated: datetime | None
    created: datetime
    updated: datetime

    @property
    def agrees(self) -> bool:
        """Whether the person said that the answer was right."""
        return self.label == self.said

    @property
    def verdict(self) -> str:
        """The label that counts: the moderator's, else the person's."""
        return self.ruling or self.label


@dataclass(frozen=True, slots=True)
class Given:
    """A correction as it now stands, and as it stood before (None if it is the first on this song)."""

    correction: Correction
    previous: Correction | None


@dataclass(frozen=True, slots=True)
class GenreCount:
    """How one genre fares.

    Attributes
    ----------
    said, right
        Opinions on answers with this genre, and how many of them agreed.
    given
        Opinions whose verdict is this genre.
    """

    said: int
    right: int
    given: int


@dataclass(frozen=True, slots=True)
class FeedbackStats:
    """Counts over corrections.

    Attributes
    ----------
    corrections, people, songs
        How many opinions, by how many people, on how many songs.
    agreeing
        Opinions that said "right".
    statuses
        Status → opinions.
    genres
        Label id → counts, most opinions first.
    proposed
        Label id of each proposed label → opinions with it, most first.
    trainable
        Opinions with consent, from a platform that may train, and not rejected.
    """

    corrections: int
    people: int
    songs: int
    agreeing: int
    statuses: Mapping[Status, int]
    genres: Mapping[str, GenreCount]
    proposed: Mapping[str, int]
    trainable: int


class Feedback:
    """Reached as ``storage.feedback``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def correct(
        self, *, person: str, answer_id: int, label: str, platform: str, chat: str, may_train: bool
    ) -> Given:
        """Write down what a person says of a song; a second opinion of theirs on the same song replaces the first.

        The person's consent is looked up here. Changing the label sends the correction back to review.

        Parameters
        ----------
        label
            Id of a label (``labels.find``, ``labels.propose``); the answer's own genre means "right".
        may_train
            Whether rows from this platform may train (``TRAINING_SOURCES``).

        Raises
        ------
        UnknownRow
            If there is no such answer or label.
        """
        raise NotImplementedError

    async def find(self, person: str, content_hash: str) -> Correction | None:
        """Return what a person said of a song."""
        raise NotImplementedError

    async def get(self, correction_id: int, *, place: Place | None = None) -> Correction | None:
        """Return a correction by number; with ``place``, only one that was given there."""
        raise NotImplementedError

    async def withdraw(self, person: str, content_hash: str) -> Correction | None:
        """Take back what a person said of a song; return what was there, so that it can be said or undone.

        A proposed label that nobody holds any more goes with it.
        """
        raise NotImplementedError

    async def votes(self, content_hash: str) -> dict[str, int]:
        """Count people per verdict on one song, rejected opinions left out, most first."""
        raise NotImplementedError

    async def review(
        self, *, place: Place | None = None, status: Status | None = Status.PENDING, after: int = 0, limit: int = 10
    ) -> list[Correction]:
        """List corrections to review, oldest first.

        Parameters
        ----------
        place
            Only those given there (an administrator's own rows); None lists all.
        status
            None lists every status.
        after
            Only those with a larger id: pass the last one seen to go on.
        """
        raise NotImplementedError

    async def moderate(
        self,
        correction_id: int,
        status: Status,
        *,
        moderator: str,
        label: str | None = None,
        place: Place | None = None,
    ) -> Correction:
        """Rule on a correction; ``PENDING`` takes an earlier ruling back.

        Parameters
        ----------
        moderator
            Keyed hash.
        label
            Id of the right label; needed for ``RELABELLED``, and only there.
        place
            Rule only on a row given there (an administrator's own rows).

        Raises
        ------
        UnknownRow
            If there is no such correction (there), or no such label.
        ValueError
            If a label is given without ``RELABELLED`` or missing with it.
        """
        raise NotImplementedError

    async def stats(
        self, *, place: Place | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> FeedbackStats:
        """Count corrections first given in a period (``since`` included, ``until`` not), everywhere or in one place."""
        raise NotImplementedError
