"""Songs imported from another database's training file, and the record of withdrawn ones.

No person of this database vouches for an imported song. So it is deleted when somebody withdraws their correction of
that song, and no older file can bring it back. ``feedback_import`` reads the files.
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
"""The largest number of songs in one statement."""


@dataclass(frozen=True, slots=True)
class ImportedSong:
    """A song in a training file.

    Attributes
    ----------
    song
        Content hash.
    label
        As the file names it.
    weight, may_train, source, people, reviewed, model, predicted, label_people, updated
        As in ``label_votes.LabelVerdict``.
    segments
        The features, in order of time.
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
    """Tell whether a file's statement on a song is newer than everything stored here."""
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
    """Save an imported song, replacing an older one."""
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
    """Delete the imported songs that these corrections are about; call this before deleting those."""
    query = select(CorrectionRow.content_hash).where(CorrectionRow.consent, *corrections)
    songs: Sequence[str] = (await connection.execute(query)).scalars().all()
    for first in range(0, len(songs), SONGS_AT_ONCE):
        some = songs[first : first + SONGS_AT_ONCE]
        await connection.execute(delete(ImportedSongRow).where(ImportedSongRow.content_hash.in_(some)))
        row = insert_into(connection, WithdrawnSongRow).values([{"content_hash": song, "moment": now} for song in some])
        await connection.execute(
            row.on_conflict_do_update(index_elements=["content_hash"], set_={"moment": row.excluded.moment})
        )
