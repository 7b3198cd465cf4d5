"""Lessons for the next model as a file: one row per segment of every song whose label counts, with all features.

Which label counts is told by ``votes``; what a row looks like in a file, by ``writers``; how one comes back, by
``readers``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from storage.export import SAMPLE_RATE
from storage.feature_codec import unpack
from storage.feedback_writers import TABLE_COLUMNS, TABLE_FAMILY, TRAINING_COLUMNS, Layout, Row, open_writer
from storage.label_aggregation import AggregationRules, load_verdicts
from storage.label_votes import Purpose, VerdictStatus
from storage.tables import AnswerRow, FeatureRow, ImportedSongRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.feature_codec import SegmentVectors
    from storage.feedback_writers import ExportFormat
    from storage.label_votes import Verdict
    from storage.store import Storage


@dataclass(frozen=True, slots=True)
class TrainingExportSummary:
    """How much a file of lessons holds, and what it leaves out.

    Attributes
    ----------
    songs, rows
        In the file.
    evaluate
        Songs of these that may only measure.
    waiting, disputed
        Songs left out because too few people say the same, or because people disagree.
    without_features
        Songs left out because their features are not kept any more, or lack a family.
    """

    songs: int
    rows: int
    evaluate: int
    waiting: int
    disputed: int
    without_features: int


class _TrainingSong(NamedTuple):
    song: str
    label: str
    weight: float
    purpose: Purpose
    source: str
    people: int
    reviewed: bool
    model: str
    predicted: str
    label_people: int
    updated: datetime
    imported: bool


async def export_for_training(
    storage: Storage, target: Path, form: ExportFormat, rules: AggregationRules | None = None
) -> TrainingExportSummary:
    """Write every lesson to a file, which is whole or not there at all.

    Parameters
    ----------
    target
        The file.
    rules
        How many people must agree, and whose chats may train.

    Raises
    ------
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    rules = rules or AggregationRules()
    part = target.with_name(target.name + ".part")
    try:
        async with storage.database.reading() as connection:
            verdicts = await load_verdicts(connection, rules)
            lessons = [_told(each) for each in verdicts.values() if each.status is VerdictStatus.COUNTS]
            lessons += await _imported(connection, rules, {lesson.song for lesson in lessons})
            layout = Layout(await _families(connection), TRAINING_COLUMNS, wide=True)
            writer = await asyncio.to_thread(open_writer, form, part, layout)
            try:
                songs = rows = evaluate = 0
                for lesson in sorted(lessons, key=lambda each: each.song):
                    segments = await _segments(connection, lesson)
                    written = await asyncio.to_thread(writer.write, _rows(lesson, segments, layout.families))
                    rows += written
                    songs += bool(written)
                    evaluate += bool(written) and lesson.purpose is Purpose.EVALUATE
            finally:
                await asyncio.to_thread(writer.close)
        await asyncio.to_thread(part.replace, target)
    finally:
        with suppress(OSError):
            await asyncio.to_thread(part.unlink, missing_ok=True)
    counted = {lesson.song for lesson in lessons}
    left_out = [each.status for song, each in verdicts.items() if song not in counted]
    return TrainingExportSummary(
        songs=songs,
        rows=rows,
        evaluate=evaluate,
        waiting=left_out.count(VerdictStatus.WAITS),
        disputed=left_out.count(VerdictStatus.DISPUTED),
        without_features=len(lessons) - songs,
    )


def _told(verdict: Verdict) -> _TrainingSong:
    return _TrainingSong(
        song=verdict.song,
        label=verdict.label,
        weight=verdict.weight,
        purpose=verdict.purpose,
        source=verdict.source,
        people=verdict.people,
        reviewed=verdict.reviewed,
        model=verdict.model,
        predicted=verdict.predicted,
        label_people=verdict.label_people,
        updated=verdict.updated,
        imported=False,
    )


async def _imported(connection: AsyncConnection, rules: AggregationRules, own: set[str]) -> list[_TrainingSong]:
    """Return the lessons that files brought in, of songs for which no opinion here counts."""
    query = select(
        ImportedSongRow.content_hash,
        ImportedSongRow.label,
        ImportedSongRow.weight,
        ImportedSongRow.may_train,
        ImportedSongRow.source,
        ImportedSongRow.people,
        ImportedSongRow.reviewed,
        ImportedSongRow.model,
        ImportedSongRow.heard_as,
        ImportedSongRow.label_people,
        ImportedSongRow.updated,
    )
    found = []
    for row in await connection.execute(query):
        allowed = rules.sources is None or set(row.source.split("+")) <= set(rules.sources)
        use = Purpose.TRAIN if row.may_train and allowed else Purpose.EVALUATE
        if row.content_hash not in own:
            lesson = _TrainingSong(
                song=row.content_hash,
                label=row.label,
                weight=row.weight,
                purpose=use,
                source=row.source,
                people=row.people,
                reviewed=row.reviewed,
                model=row.model,
                predicted=row.heard_as,
                label_people=row.label_people,
                updated=row.updated,
                imported=True,
            )
            found.append(lesson)
    return found


async def _families(connection: AsyncConnection) -> tuple[str, ...]:
    """Name the feature families beside the 57 that the latest song is kept with: all that can be trained from."""
    own = select(FeatureRow.format, FeatureRow.data).order_by(FeatureRow.answer_id.desc()).limit(1)
    brought = select(ImportedSongRow.format, ImportedSongRow.data).order_by(ImportedSongRow.updated.desc()).limit(1)
    for query in (own, brought):
        row = (await connection.execute(query)).one_or_none()
        if row is not None:
            segments = await asyncio.to_thread(unpack, row.format, row.data)
            return tuple(sorted({name for segment in segments for name in segment.families} - {TABLE_FAMILY}))
    return ()


async def _segments(connection: AsyncConnection, lesson: _TrainingSong) -> tuple[SegmentVectors, ...]:
    """Return the features of a song, those of its latest answer that has any."""
    own = (
        select(FeatureRow.format, FeatureRow.data)
        .join(AnswerRow, AnswerRow.id == FeatureRow.answer_id)
        .where(AnswerRow.content_hash == lesson.song)
        .order_by(AnswerRow.id.desc())
        .limit(1)
    )
    brought = select(ImportedSongRow.format, ImportedSongRow.data).where(ImportedSongRow.content_hash == lesson.song)
    row = (await connection.execute(brought if lesson.imported else own)).one_or_none()
    return () if row is None else await asyncio.to_thread(unpack, row.format, row.data)


def _rows(lesson: _TrainingSong, segments: Sequence[SegmentVectors], families: tuple[str, ...]) -> list[Row]:
    rows = []
    for index, segment in enumerate(segments):
        table = segment.families.get(TABLE_FAMILY)
        if table is None or len(table) != len(TABLE_COLUMNS) or any(name not in segment.families for name in families):
            continue
        facts = {
            "song": lesson.song,
            "segment": index,
            "weight": round(lesson.weight, 6),
            "use": str(lesson.purpose),
            "source": lesson.source,
            "people": lesson.people,
            "reviewed": lesson.reviewed,
            "model": lesson.model,
            "heard_as": lesson.predicted,
            "label_people": lesson.label_people,
            "start": segment.start,
            "end": segment.end,
            "updated": lesson.updated,
        }
        rows.append(
            Row(
                filename=f"{lesson.label}.{lesson.song[:12]}.{index}.wav",
                length=round((segment.end - segment.start) * SAMPLE_RATE),
                table=table,
                families={name: segment.families[name] for name in families},
                label=lesson.label,
                facts=facts,
            )
        )
    return rows
