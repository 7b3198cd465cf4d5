"""Songs that another database's export brought in, and what of them must never come back.

Nobody here stands behind an imported song, so it leaves as soon as somebody takes back what they said of that song, and
no file from before that moment brings it in again. What such a file looks like is told by ``readers``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from storage.database import insert_into
from storage.feature_codec import FORMAT
from storage.tables import CorrectionRow, ImportedSongRow, WithdrawnSongRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.feature_codec import SegmentVectors

SONGS_AT_ONCE = 500
"""So many songs are named in one statement."""


@dataclass(frozen=True, slots=True)
class ImportedSong:
    """A song as a file told of it.

    Attributes
    ----------
    song
        Content hash.
    label
        As the file names it.
    weight, may_train, source, people, reviewed, model, heard_as, label_people, updated
        As in ``votes.Verdict``.
    segments
        The features, in the order of time.
    """

    song: str
    label: str
    weight: float
    may_train: bool
    source: str
    people: int
    reviewed: bool
    model: str
    predicted: str
    label_people: int
    updated: datetime
    segments: tuple[SegmentVectors, ...]


async def is_newer(connection: AsyncConnection, song: str, updated: datetime) -> bool:
    """Tell whether nothing is known here of a song that is as new as what a file says."""
    taken_back = select(WithdrawnSongRow.moment).where(WithdrawnSongRow.content_hash == song)
    imported = select(ImportedSongRow.updated).where(ImportedSongRow.content_hash == song)
    own = select(func.max(CorrectionRow.updated), func.max(CorrectionRow.moderated)).where(
        CorrectionRow.content_hash == song, CorrectionRow.consent
    )
    moments = [
        (await connection.execute(taken_back)).scalar(),
        (await connection.execute(imported)).scalar(),
        *(await connection.execute(own)).one(),
    ]
    return all(moment is None or moment < updated for moment in moments)


async def save_imported(connection: AsyncConnection, song: ImportedSong, label_id: str, data: bytes) -> None:
    """Write an imported song down in the place of an older one."""
    values = {
        "label": label_id,
        "weight": song.weight,
        "may_train": song.may_train,
        "source": song.source,
        "people": song.people,
        "reviewed": song.reviewed,
        "model": song.model,
        "heard_as": song.predicted,
        "label_people": song.label_people,
        "updated": song.updated,
        "format": FORMAT,
        "data": data,
    }
    row = insert_into(connection, ImportedSongRow).values(content_hash=song.song, **values)
    await connection.execute(row.on_conflict_do_update(index_elements=["content_hash"], set_=values))


async def record_withdrawal(connection: AsyncConnection, now: datetime, *corrections: ColumnElement[bool]) -> None:
    """Let go of the imported songs that these corrections are about, for good; call it before they are deleted."""
    query = select(CorrectionRow.content_hash).where(CorrectionRow.consent, *corrections)
    songs: Sequence[str] = (await connection.execute(query)).scalars().all()
    for first in range(0, len(songs), SONGS_AT_ONCE):
        some = songs[first : first + SONGS_AT_ONCE]
        await connection.execute(delete(ImportedSongRow).where(ImportedSongRow.content_hash.in_(some)))
        row = insert_into(connection, WithdrawnSongRow).values([{"content_hash": song, "moment": now} for song in some])
        await connection.execute(
            row.on_conflict_do_update(index_elements=["content_hash"], set_={"moment": row.excluded.moment})
        )
