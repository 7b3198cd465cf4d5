"""Labels and the texts that find them, as rows: what ``labels`` and ``seed`` both do inside their transactions.

Whoever changes rows here holds ``FEEDBACK_LOCK``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, delete, func, or_, select, update

from storage.database import insert_into
from storage.label_text import bare_key, bare_words, name_key
from storage.tables import CorrectionRow, ImportedRow, KnownRow, LabelRow, TermRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.orm import InstrumentedAttribute

FEEDBACK_LOCK = "feedback"
"""Whoever changes labels or corrections holds it: people click slowly, and so nobody ever waits in a circle."""


class Owner(NamedTuple):
    """The label that a text finds, and whether it does so only as an alias."""

    label_id: str
    status: str
    is_alias: bool


def verdict_is(label_id: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    """Match corrections whose verdict is a label: the moderator's, else the person's."""
    return or_(CorrectionRow.ruling == label_id, and_(CorrectionRow.ruling.is_(None), CorrectionRow.label == label_id))


async def owner_of(connection: AsyncConnection, text: str) -> Owner | None:
    """Return the label that a text names exactly, case, spaces and punctuation aside."""
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
    """Add a label (``label_values``) whose id is free; its names and id find it as far as they find no other."""
    await connection.execute(insert_into(connection, LabelRow).values(values))
    await add_terms(connection, values["id"], (values["name_en"], values["name_vi"], values["id"]), is_alias=False)


async def add_terms(connection: AsyncConnection, label_id: str, texts: Iterable[str], *, is_alias: bool) -> None:
    """Let texts find a label; a text that already finds one goes on doing so."""
    for values in term_values(label_id, texts, is_alias=is_alias):
        term = insert_into(connection, TermRow).values(values)
        await connection.execute(term.on_conflict_do_nothing(index_elements=["key"]))


async def take_terms(connection: AsyncConnection, label_id: str, texts: Iterable[str]) -> None:
    """Make texts names of a label, even if they have been another label's aliases."""
    for text in texts:
        term = (
            update(TermRow)
            .where(TermRow.key == name_key(text), or_(TermRow.is_alias, TermRow.label_id == label_id))
            .values(label_id=label_id, text=text, words=bare_words(text), is_alias=False)
        )
        await connection.execute(term)
    await add_terms(connection, label_id, texts, is_alias=False)


async def merge_labels(connection: AsyncConnection, source_id: str, target_id: str) -> int:
    """Move everything of one label to another and return how many corrections that were."""
    moved = await connection.execute(select(func.count()).select_from(CorrectionRow).where(_holds(source_id)))
    for table, column in (
        (CorrectionRow, CorrectionRow.label),
        (CorrectionRow, CorrectionRow.ruling),
        (KnownRow, KnownRow.label),
        (ImportedRow, ImportedRow.label),
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
    """Delete proposed labels that nothing holds: no correction, no known and no imported song; say how many."""
    held = or_(
        select(CorrectionRow.id).where(_holds(LabelRow.id)).exists(),
        select(KnownRow.label).where(KnownRow.label == LabelRow.id).exists(),
        select(ImportedRow.label).where(ImportedRow.label == LabelRow.id).exists(),
    )
    deleted = delete(LabelRow).where(LabelRow.status == "proposed", ~held, *conditions)
    return (await connection.execute(deleted)).rowcount


def _holds(label_id: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    return or_(CorrectionRow.label == label_id, CorrectionRow.ruling == label_id)
