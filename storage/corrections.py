"""One person's opinion of one song, as data and as a row; who may change it and when is told by ``feedback``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from storage.database import LARGEST_NUMBER
from storage.tables import AnswerRow, CorrectionRow, SongRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection


class ReviewStatus(StrEnum):
    """Where the review of a correction stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RELABELLED = "relabelled"


@dataclass(frozen=True, slots=True)
class ChatKey:
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
    predicted, confidence, sure, model
        That answer in short.
    label
        Id of the label that the person gave; equal to ``predicted`` when they agreed.
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
    predicted: str
    confidence: float
    sure: bool
    model: str
    label: str
    status: ReviewStatus
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
        return self.label == self.predicted

    @property
    def verdict(self) -> str:
        """The label that counts: the moderator's, else the person's."""
        return self.ruling or self.label


def select_corrections() -> Select[*tuple[Any, ...]]:
    """Select corrections with the song and the answer they are about; rows for ``to_correction``."""
    return (
        select(
            CorrectionRow.id,
            CorrectionRow.person,
            CorrectionRow.content_hash,
            CorrectionRow.answer_id,
            SongRow.title,
            AnswerRow.genre,
            AnswerRow.confidence,
            AnswerRow.sure,
            AnswerRow.model,
            CorrectionRow.label,
            CorrectionRow.status,
            CorrectionRow.ruling,
            CorrectionRow.consent,
            CorrectionRow.may_train,
            CorrectionRow.platform,
            CorrectionRow.chat,
            CorrectionRow.moderator,
            CorrectionRow.moderated,
            CorrectionRow.created,
            CorrectionRow.updated,
        )
        .join(AnswerRow, AnswerRow.id == CorrectionRow.answer_id)
        .join(SongRow, SongRow.content_hash == CorrectionRow.content_hash)
    )


def in_chat(chat: ChatKey | None) -> list[ColumnElement[bool]]:
    """Return the conditions for corrections given in one chat; none for None."""
    return [] if chat is None else [CorrectionRow.platform == chat.platform, CorrectionRow.chat == chat.chat]


def to_correction(row: Any) -> Correction:
    """Read a row of ``select_corrections``."""
    values = row._asdict()
    return Correction(predicted=values.pop("genre"), status=ReviewStatus(values.pop("status")), **values)


async def find_correction(connection: AsyncConnection, person: str, content_hash: str) -> Correction | None:
    """Return one person's correction of one song, in the caller's transaction."""
    query = select_corrections().where(CorrectionRow.person == person, CorrectionRow.content_hash == content_hash)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else to_correction(row)


async def get_correction(connection: AsyncConnection, number: int, chat: ChatKey | None) -> Correction | None:
    """Return a correction by number, only one given in ``chat`` if there is one, in the caller's transaction."""
    if not 0 < number <= LARGEST_NUMBER:
        return None
    query = select_corrections().where(CorrectionRow.id == number, *in_chat(chat))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else to_correction(row)
