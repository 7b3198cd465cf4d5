"""Adds labels for the known genres to a database, and again whenever that list changes.

What people proposed or moderators changed meanwhile is kept: a proposal that a new genre covers becomes that genre.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from storage.database import insert_into
from storage.label_aliases import add_label, add_terms, label_values, merge_labels, owner_of, take_terms, term_values
from storage.label_text import name_key
from storage.tables import KeyValueRow, LabelRow, TermRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from common.genres import Genre, Genres

_NOTE = "first labels"


async def is_seeded(connection: AsyncConnection, genres: Genres) -> bool:
    """Tell whether labels were already added for this very list of genres."""
    seeded = (await connection.execute(select(KeyValueRow.value).where(KeyValueRow.name == _NOTE))).scalar()
    return seeded == _edition(genres)


async def seed(connection: AsyncConnection, genres: Genres, now: datetime) -> None:
    """Add the labels that are missing. The caller's transaction must be the only one that changes labels."""
    if await is_seeded(connection, genres):
        return
    owners = dict((await connection.execute(select(TermRow.key, TermRow.label_id))).all())
    taken = owners.keys() | set((await connection.execute(select(LabelRow.id))).scalars())
    rows, terms = [], []
    for position, genre in enumerate(genres):
        keys = {name_key(text) for text in (genre.id, genre.name_en, genre.name_vi, *genre.aliases)}
        if all(owners.get(key) == genre.id for key in keys):
            continue
        if keys & taken:
            await _seed_among_others(connection, genre, position, now)
        else:
            names = (genre.name_en, genre.name_vi)
            rows.append(label_values(genre.id, names, "known", now, position=position))
            terms += term_values(genre.id, (*names, genre.id), is_alias=False)
            terms += term_values(genre.id, genre.aliases, is_alias=True)
    if rows:
        await connection.execute(insert_into(connection, LabelRow), rows)
        await connection.execute(insert_into(connection, TermRow).on_conflict_do_nothing(), terms)
    edition = _edition(genres)
    note = insert_into(connection, KeyValueRow).values(name=_NOTE, value=edition)
    await connection.execute(note.on_conflict_do_update(index_elements=["name"], set_={"value": edition}))


def _edition(genres: Genres) -> str:
    """Return a hash that changes whenever the labels do."""
    labels = [(genre.id, genre.name_en, genre.name_vi, genre.aliases) for genre in genres]
    return hashlib.sha256(repr(labels).encode()).hexdigest()


async def _seed_among_others(connection: AsyncConnection, genre: Genre, position: int, now: datetime) -> None:
    """Add one genre's label where some of its names already find another label."""
    names = (genre.name_en, genre.name_vi)
    status = (await connection.execute(select(LabelRow.status).where(LabelRow.id == genre.id))).scalar()
    if status == "merged":
        # A moderator decided that it is another genre; that decision is final.
        return
    if status is None:
        holder = await owner_of(connection, genre.id)
        if holder is not None and holder.status == "known" and not holder.is_alias:
            return
        await add_label(connection, label_values(genre.id, names, "known", now, position=position))
    elif status == "proposed":
        values = {"name_en": genre.name_en, "name_vi": genre.name_vi, "status": "known", "position": position}
        await connection.execute(update(LabelRow).where(LabelRow.id == genre.id).values(values))
    for text in (genre.id, *names, *genre.aliases):
        holder = await owner_of(connection, text)
        if holder is not None and holder.status == "proposed":
            await merge_labels(connection, holder.label_id, genre.id)
    await take_terms(connection, genre.id, (*names, genre.id))
    await add_terms(connection, genre.id, genre.aliases, is_alias=True)
