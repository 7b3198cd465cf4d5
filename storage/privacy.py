"""Exports or deletes all data about one person; reached through ``people``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, false, func, or_, select, update

from storage.corrections import select_corrections, to_correction
from storage.database import lock
from storage.imported_songs import record_withdrawal
from storage.label_aliases import FEEDBACK_LOCK, delete_unheld
from storage.tables import (
    AnswerLogRow,
    AnswerRow,
    ChatRow,
    CorrectionRow,
    JobRow,
    KeyValueRow,
    LabelRow,
    PersonRow,
    ReplyRow,
    SongRow,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.corrections import ChatKey


@dataclass(frozen=True, slots=True)
class ErasureSummary:
    """How many rows were deleted or anonymised.

    Attributes
    ----------
    corrections, consents, jobs
        Deleted.
    replies
        Replies without the requester now; those in the given private chats deleted.
    moderations
        Review decisions without the moderator now.
    labels
        Proposed labels that only this person used; deleted.
    heard
        Log entries of the given private chats; deleted together with the chats' settings.
    """

    corrections: int
    consents: int
    jobs: int
    replies: int
    moderations: int
    labels: int
    heard: int


def thanked(person: str) -> str:
    """Return how the names of the notes begin that say for which genres a person was thanked."""
    return f"thanked {person} "


def overruled(moderator: str) -> str:
    """Return how the names of the notes begin that say which of a moderator's rulings another one contradicted."""
    return f"overruled {moderator} " if moderator else "overruled "


def asking(person: str) -> str:
    """Return the name of the note that says whether a person wants to be asked, and what they were asked last."""
    return f"asking {person}"


async def export_data(connection: AsyncConnection, person: str, private_chats: Sequence[ChatKey]) -> dict[str, Any]:
    """Collect all data about a person as plain JSON."""
    about = select(PersonRow.may_train, PersonRow.asked, PersonRow.decided, PersonRow.language)
    asked = (
        select(ReplyRow.created, ReplyRow.platform, SongRow.title, AnswerRow.genre, AnswerRow.confidence)
        .join(AnswerRow, AnswerRow.id == ReplyRow.answer_id)
        .join(SongRow, SongRow.content_hash == AnswerRow.content_hash)
        .where(or_(ReplyRow.requester == person, _in_any(ReplyRow, private_chats)))
        .order_by(ReplyRow.created)
    )
    heard = (
        select(AnswerLogRow.heard, AnswerLogRow.platform, SongRow.title, AnswerRow.genre)
        .join(AnswerRow, AnswerRow.id == AnswerLogRow.answer_id)
        .join(SongRow, SongRow.content_hash == AnswerRow.content_hash)
        .where(_in_any(AnswerLogRow, private_chats))
        .order_by(AnswerLogRow.id)
    )
    jobs = select(
        JobRow.created,
        JobRow.platform,
        JobRow.source,
        JobRow.state,
        JobRow.outcome,
        JobRow.message,
        JobRow.payload,
        JobRow.progress,
        JobRow.started,
        JobRow.finished,
    )
    labels = select(LabelRow.created, LabelRow.name_en).where(LabelRow.proposed_by == person)
    rulings = select(func.count()).select_from(CorrectionRow).where(CorrectionRow.moderator == person)
    corrections_query = select_corrections().where(CorrectionRow.person == person).order_by(CorrectionRow.id)
    notes = select(KeyValueRow.name).where(KeyValueRow.name.startswith(thanked(person), autoescape=True))
    contradicted = select(KeyValueRow.value).where(KeyValueRow.name.startswith(overruled(person), autoescape=True))
    asked_about = select(KeyValueRow.value).where(KeyValueRow.name == asking(person))
    chats = select(ChatRow.platform, ChatRow.settings).where(_in_any(ChatRow, private_chats))
    return {
        "person": person,
        "consent": await _rows(connection, about.where(PersonRow.person == person)),
        "corrections": [_correction(row) for row in await connection.execute(corrections_query)],
        "songs": await _rows(connection, asked),
        "heard_in_private": await _rows(connection, heard),
        "jobs": await _rows(connection, jobs.where(JobRow.person == person).order_by(JobRow.id)),
        "proposed_labels": await _rows(connection, labels.order_by(LabelRow.number)),
        "rulings": (await connection.execute(rulings)).scalar_one(),
        "thanked_for": [name.removeprefix(thanked(person)) for name in (await connection.execute(notes)).scalars()],
        "overruled": [json.loads(value) for value in (await connection.execute(contradicted)).scalars()],
        "asking": [json.loads(value) for value in (await connection.execute(asked_about)).scalars()],
        "chat_settings": await _rows(connection, chats),
    }


async def erase(
    connection: AsyncConnection, person: str, private_chats: Sequence[ChatKey], now: datetime
) -> ErasureSummary:
    """Delete all data about a person and count it, in the caller's transaction."""
    await lock(connection, FEEDBACK_LOCK)

    async def count(statement: Any) -> int:
        return (await connection.execute(statement)).rowcount

    await record_withdrawal(connection, now, CorrectionRow.person == person)
    corrections = await count(delete(CorrectionRow).where(CorrectionRow.person == person))
    # Jobs before replies, to wait for a worker that is just saving its reply and holds the job. In the
    # same order as heartbeats, to avoid deadlocks.
    await connection.execute(select(JobRow.id).where(JobRow.person == person).order_by(JobRow.id).with_for_update())
    jobs = await count(delete(JobRow).where(JobRow.person == person))
    private_replies = await count(delete(ReplyRow).where(_in_any(ReplyRow, private_chats)))
    own = update(ReplyRow).where(ReplyRow.requester == person)
    replies = await count(own.values(requester=None, message=None))
    ruled = update(CorrectionRow).where(CorrectionRow.moderator == person)
    moderations = await count(ruled.values(moderator=None))
    for notes in (thanked(person), overruled(person)):
        await connection.execute(delete(KeyValueRow).where(KeyValueRow.name.startswith(notes, autoescape=True)))
    await connection.execute(delete(KeyValueRow).where(KeyValueRow.name == asking(person)))
    labels = await delete_unheld(connection, LabelRow.proposed_by == person)
    await connection.execute(update(LabelRow).where(LabelRow.proposed_by == person).values(proposed_by=None))
    heard = await count(delete(AnswerLogRow).where(_in_any(AnswerLogRow, private_chats)))
    await connection.execute(delete(ChatRow).where(_in_any(ChatRow, private_chats)))
    consents = await count(delete(PersonRow).where(PersonRow.person == person))
    return ErasureSummary(corrections, consents, jobs, private_replies + replies, moderations, labels, heard)


def _in_any(table: type[AnswerLogRow | ReplyRow | ChatRow], chats: Sequence[ChatKey]) -> ColumnElement[bool]:
    return or_(false(), *(and_(table.platform == chat.platform, table.chat == chat.chat) for chat in chats))


async def _rows(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [_plain(row._asdict()) for row in await connection.execute(query)]


def _correction(row: Any) -> dict[str, Any]:
    correction = to_correction(row)
    kept = (
        "title",
        "confidence",
        "label",
        "status",
        "ruling",
        "consent",
        "may_train",
        "platform",
        "created",
        "updated",
    )
    return _plain({"said": correction.predicted} | {name: getattr(correction, name) for name in kept})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
