"""Rows of labels and of the texts that find them: operations that ``labels`` and ``seed`` share, in their transactions.

Callers that change rows must hold ``FEEDBACK_LOCK``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, delete, func, or_, select, update

from storage.database import insert_into
from storage.label_text import bare_key, bare_words, name_key
from storage.tables import CorrectionRow, ImportedSongRow, KnownSongRow, LabelRow, TermRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.orm import InstrumentedAttribute

FEEDBACK_LOCK = "feedback"
"""Held by every transaction that changes labels or corrections: they are rare, and one lock cannot deadlock."""


class Owner(NamedTuple):
    """The label that a text finds, and whether the text is an alias."""

    label_id: str
    status: str
    is_alias: bool


def verdict_is(label_id: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    """Match corrections whose effective label is this one."""
    return or_(CorrectionRow.ruling == label_id, and_(CorrectionRow.ruling.is_(None), CorrectionRow.label == label_id))


async def owner_of(connection: AsyncConnection, text: str) -> Owner | None:
    """Return the label with this name, ignoring case, spaces and punctuation."""
    query = (
        select(TermRow.label_id, LabelRow.status, TermRow.is_alias)
        .join(LabelRow, LabelRow.id == TermRow.label_id)
        .where(TermRow.key == name_key(text))
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Owner(*row)


def label_values(
    label_id: str,
    names: tuple[str, str],
    status: str,
    now: datetime,
    *,
    position: int | None = None,
    proposed_by: str | None = None,
) -> dict[str, Any]:
    """Return the row of a new label with its names (English, Vietnamese)."""
    return {
        "id": label_id,
        "name_en": names[0],
        "name_vi": names[1],
        "status": status,
        "position": position,
        "proposed_by": proposed_by,
        "created": now,
    }


def term_values(label_id: str, texts: Iterable[str], *, is_alias: bool) -> list[dict[str, Any]]:
    """Return the rows of texts that find a label."""
    return [
        {
            "key": name_key(text),
            "label_id": label_id,
            "text": text,
            "bare": bare_key(text),
            "words": bare_words(text),
            "is_alias": is_alias,
        }
        for text in texts
    ]


async def add_label(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert a label (``label_values``) with an unused id; its id and names find it unless they find another."""
    await connection.execute(insert_into(connection, LabelRow).values(values))
    await add_terms(connection, values["id"], (values["name_en"], values["name_vi"], values["id"]), is_alias=False)


async def add_terms(connection: AsyncConnection, label_id: str, texts: Iterable[str], *, is_alias: bool) -> None:
    """Let texts find a label, except those that already find one."""
    for values in term_values(label_id, texts, is_alias=is_alias):
        term = insert_into(connection, TermRow).values(values)
        await connection.execute(term.on_conflict_do_nothing(index_elements=["key"]))


async def take_terms(connection: AsyncConnection, label_id: str, texts: Iterable[str]) -> None:
    """Make texts names of a label, even if they were aliases of another one."""
    for text in texts:
        term = (
            update(TermRow)
            .where(TermRow.key == name_key(text), or_(TermRow.is_alias, TermRow.label_id == label_id))
            .values(label_id=label_id, text=text, words=bare_words(text), is_alias=False)
        )
        await connection.execute(term)
    await add_terms(connection, label_id, texts, is_alias=False)


async def merge_labels(connection: AsyncConnection, source_id: str, target_id: str) -> int:
    """Merge one label into another and return the number of corrections that moved."""
    moved = await connection.execute(select(func.count()).select_from(CorrectionRow).where(_holds(source_id)))
    for table, column in (
        (CorrectionRow, CorrectionRow.label),
        (CorrectionRow, CorrectionRow.ruling),
        (KnownSongRow, KnownSongRow.label),
        (ImportedSongRow, ImportedSongRow.label),
    ):
        await connection.execute(update(table).where(column == source_id).values({column: target_id}))
    await connection.execute(
        update(TermRow).where(TermRow.label_id == source_id).values(label_id=target_id, is_alias=True)
    )
    await connection.execute(
        update(LabelRow).where(LabelRow.id == source_id).values(status="merged", merged_into=target_id)
    )
    return moved.scalar_one()


async def delete_unheld(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> int:
    """Delete proposed labels that no correction, known song or imported song uses; return their number."""
    held = or_(
        select(CorrectionRow.id).where(_holds(LabelRow.id)).exists(),
        select(KnownSongRow.label).where(KnownSongRow.label == LabelRow.id).exists(),
        select(ImportedSongRow.label).where(ImportedSongRow.label == LabelRow.id).exists(),
    )
    deleted = delete(LabelRow).where(LabelRow.status == "proposed", ~held, *conditions)
    return (await connection.execute(deleted)).rowcount


def _holds(label_id: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    return or_(CorrectionRow.label == label_id, CorrectionRow.ruling == label_id)
