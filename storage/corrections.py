"""Corrections as data and as rows; ``feedback`` has the rules for changing them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, or_, select

from common.genres import load_genres
from storage.database import LARGEST_NUMBER
from storage.tables import AnswerRow, CorrectionRow, SongRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection


class ReviewStatus(StrEnum):
    """The state of a correction's review."""

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
    """One person's opinion on one song.

    Attributes
    ----------
    id
        Number in this database.
    person
        Keyed hash.
    content_hash, answer_id
        The song, and the answer that the person saw.
    title
        The song's title, if known.
    predicted, confidence, sure, model
        The genre that was answered (empty for what is not music), its probability, whether it was sure, and the
        release.
    label
        Id of the label that the person gave; equal to ``predicted`` when they agreed.
    status, ruling
        State of the review; the moderator's label if ``RELABELLED``.
    consent
        Whether the person allows training from the song's features and this correction.
    may_train
        Whether the operator allows training from this platform (``TRAINING_SOURCES``).
    platform, chat
        Where it was given.
    moderator, moderated
        Keyed hash of the last moderator, and when.
    created, updated
        When the person first made it, and last changed it (UTC).
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
        """Whether the person confirmed the answer, or gave the family of the style that was answered."""
        return load_genres().agrees(self.label, self.predicted)

    @property
    def verdict(self) -> str:
        """The effective label: the moderator's, or else the person's."""
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


def agrees_with_answer() -> ColumnElement[bool]:
    """Return the condition for corrections that agree with their answer, as ``Correction.agrees`` tells it."""
    genres = load_genres()
    families = [
        and_(CorrectionRow.label == family, AnswerRow.genre.in_(genres.children(family))) for family in genres.families
    ]
    return or_(CorrectionRow.label == AnswerRow.genre, *families)


def in_chat(chat: ChatKey | None) -> list[ColumnElement[bool]]:
    """Return the conditions for corrections from one chat; no conditions for None."""
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
    """Return a correction by number, in the caller's transaction; if ``chat`` is given, only one from that chat."""
    if not 0 < number <= LARGEST_NUMBER:
        return None
    query = select_corrections().where(CorrectionRow.id == number, *in_chat(chat))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else to_correction(row)
