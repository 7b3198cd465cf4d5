"""Exports corrections as CSV, JSON lines or Parquet, one row per song segment and label.

Only corrections whose authors consented are exported; ``feedback_rows`` defines the columns, ``feedback_writers`` the
file formats.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from storage.corrections import ChatKey, Correction, ReviewStatus, select_corrections, to_correction
from storage.counts import within
from storage.export_target import writing
from storage.feature_codec import SegmentVectors, unpack
from storage.feedback_rows import TABLE_COLUMNS, TABLE_FAMILY, Layout, Row
from storage.tables import AnswerRow, CorrectionRow, FeatureRow, PersonRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.export_target import ExportTarget
    from storage.feedback_writers import ExportFormat, Writer
    from storage.store import Storage

SAMPLE_RATE = 22_050
"""Samples per second; the unit of ``length`` in the public GTZAN table."""
SONGS_AT_ONCE = 16
"""How many songs' features are held in memory at once."""


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which corrections to export; every part that is None (or empty) selects all.

    Attributes
    ----------
    since, until
        When they were first made (UTC; ``until`` excluded).
    genre
        Id of the effective label.
    statuses
        States of review; None leaves out only rejected ones.
    chat
        Only corrections from this chat, for its administrators.
    families
        Feature families to export beside the 57 columns (in CSV as ``texture_0``, ``texture_1``, …).
    """

    since: datetime | None = None
    until: datetime | None = None
    genre: str | None = None
    statuses: Sequence[ReviewStatus] | None = None
    chat: ChatKey | None = None
    families: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """The size of an export.

    Attributes
    ----------
    songs, rows
        Songs and rows in the file.
    without_features
        Songs left out because the requested features are not stored.
    """

    songs: int
    rows: int
    without_features: int


@dataclass(slots=True)
class _Counts:
    songs: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    rows: int = 0


async def export_feedback(
    storage: Storage, target: ExportTarget, form: ExportFormat, selection: ExportFilter | None = None
) -> ExportSummary:
    """Write corrections to a file, which appears only once it is complete, or to a stream.

    People who gave a song the same label share one row per segment, and ``votes`` counts them. If training is allowed
    for only some of their platforms, only the people of those platforms are counted.

    Raises
    ------
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    selection = selection or ExportFilter()
    counts = _Counts()
    async with (
        writing(target, form, Layout(tuple(selection.families))) as writer,
        storage.database.reading() as connection,
    ):
        async for corrections in _songs(connection, selection):
            await _write_song(connection, writer, corrections, selection, counts)
    return ExportSummary(len(counts.songs), counts.rows, len(counts.bare - counts.songs))


async def _songs(connection: AsyncConnection, selection: ExportFilter) -> AsyncIterator[list[Correction]]:
    """Yield the selected corrections song by song, sorted by label within a song."""
    conditions = [
        # Consent must hold both for the person today and for this very row.
        CorrectionRow.consent,
        PersonRow.may_train.is_(True),
        *within(selection.chat, selection.since, selection.until),
        *_selected(selection),
    ]
    consenting = select_corrections().join(PersonRow, PersonRow.person == CorrectionRow.person).where(*conditions)
    songs = select(CorrectionRow.content_hash).join(PersonRow, PersonRow.person == CorrectionRow.person)
    songs = songs.where(*conditions).distinct().order_by(CorrectionRow.content_hash).limit(SONGS_AT_ONCE)
    last = ""
    while page := (await connection.execute(songs.where(CorrectionRow.content_hash > last))).scalars().all():
        rows = await connection.execute(consenting.where(CorrectionRow.content_hash.in_(page)))
        corrections = sorted(map(to_correction, rows), key=lambda each: (each.content_hash, each.verdict, each.id))
        for _, group in groupby(corrections, key=lambda each: each.content_hash):
            yield list(group)
        last = page[-1]


def _selected(selection: ExportFilter) -> list[ColumnElement[bool]]:
    statuses = [status for status in ReviewStatus if status is not ReviewStatus.REJECTED]
    conditions: list[ColumnElement[bool]] = [CorrectionRow.status.in_(selection.statuses or statuses)]
    if selection.genre is not None:
        conditions.append(func.coalesce(CorrectionRow.ruling, CorrectionRow.label) == selection.genre)
    return conditions


async def _write_song(
    connection: AsyncConnection, writer: Writer, corrections: list[Correction], selection: ExportFilter, counts: _Counts
) -> None:
    for _, group in groupby(corrections, key=lambda each: each.verdict):
        votes = list(group)
        counted = [vote for vote in votes if vote.may_train] or votes
        rows = _rows(await _segments(connection, counted[-1]), counted, tuple(selection.families))
        written = await asyncio.to_thread(writer.write, rows)
        counts.rows += written
        (counts.songs if written else counts.bare).add(votes[0].content_hash)


async def _segments(connection: AsyncConnection, correction: Correction) -> tuple[SegmentVectors, ...]:
    """Return the features of the answer that the person saw, or else of the song's latest answer that has any."""
    query = (
        select(FeatureRow.format, FeatureRow.data)
        .join(AnswerRow, AnswerRow.id == FeatureRow.answer_id)
        .where(AnswerRow.content_hash == correction.content_hash)
        .order_by((AnswerRow.id == correction.answer_id).desc(), AnswerRow.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return () if row is None else await asyncio.to_thread(unpack, row.format, row.data)


def _rows(segments: Sequence[SegmentVectors], counted: list[Correction], families: tuple[str, ...]) -> list[Row]:
    latest = counted[-1]
    decided = {vote.status for vote in counted} & {ReviewStatus.ACCEPTED, ReviewStatus.RELABELLED}
    rows = []
    for index, segment in enumerate(segments):
        table = segment.families.get(TABLE_FAMILY)
        if table is None or len(table) != len(TABLE_COLUMNS) or any(name not in segment.families for name in families):
            continue
        facts = {
            "song": latest.content_hash,
            "start": segment.start,
            "end": segment.end,
            "model": latest.model,
            "said": latest.predicted,
            "confidence": latest.confidence,
            "sure": int(latest.sure),
            "status": str(ReviewStatus.ACCEPTED if decided else latest.status),
            "platform": "+".join(sorted({vote.platform for vote in counted})),
            "votes": len(counted),
            "may_train": int(latest.may_train),
            "created": min(vote.created for vote in counted),
            "numbers": "+".join(str(vote.id) for vote in counted),
        }
        rows.append(
            Row(
                # In the public table, file names start with the genre.
                filename=f"{latest.verdict}.{latest.content_hash[:12]}.{index}.wav",
                length=round((segment.end - segment.start) * SAMPLE_RATE),
                table=table,
                families={name: segment.families[name] for name in families},
                label=latest.verdict,
                facts=facts,
            )
        )
    return rows
