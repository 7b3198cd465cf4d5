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
from storage.feedback_writers import LESSON_FACTS, TABLE_COLUMNS, TABLE_FAMILY, Layout, Row, open_writer
from storage.label_aggregation import Rules, load_verdicts
from storage.label_votes import Standing, Use
from storage.tables import AnswerRow, FeatureRow, ImportedRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.feature_codec import SegmentVectors
    from storage.feedback_writers import Format
    from storage.label_votes import Verdict
    from storage.store import Storage


@dataclass(frozen=True, slots=True)
class Taught:
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


class _Lesson(NamedTuple):
    song: str
    label: str
    weight: float
    use: Use
    source: str
    people: int
    reviewed: bool
    model: str
    heard_as: str
    label_people: int
    updated: datetime
    imported: bool


async def export_for_training(storage: Storage, target: Path, form: Format, rules: Rules | None = None) -> Taught:
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
    rules = rules or Rules()
    part = target.with_name(target.name + ".part")
    try:
        async with storage.database.reading() as connection:
            verdicts = await load_verdicts(connection, rules)
            lessons = [_told(each) for each in verdicts.values() if each.standing is Standing.COUNTS]
            lessons += await _imported(connection, rules, {lesson.song for lesson in lessons})
            layout = Layout(await _families(connection), LESSON_FACTS, wide=True)
            writer = await asyncio.to_thread(open_writer, form, part, layout)
            try:
                songs = rows = evaluate = 0
                for lesson in sorted(lessons, key=lambda each: each.song):
                    segments = await _segments(connection, lesson)
                    written = await asyncio.to_thread(writer.write, _rows(lesson, segments, layout.families))
                    rows += written
                    songs += bool(written)
                    evaluate += bool(written) and lesson.use is Use.EVALUATE
            finally:
                await asyncio.to_thread(writer.close)
        await asyncio.to_thread(part.replace, target)
    finally:
        with suppress(OSError):
            await asyncio.to_thread(part.unlink, missing_ok=True)
    counted = {lesson.song for lesson in lessons}
    left_out = [each.standing for song, each in verdicts.items() if song not in counted]
    return Taught(
        songs=songs,
        rows=rows,
        evaluate=evaluate,
        waiting=left_out.count(Standing.WAITS),
        disputed=left_out.count(Standing.DISPUTED),
        without_features=len(lessons) - songs,
    )


def _told(verdict: Verdict) -> _Lesson:
    return _Lesson(
        song=verdict.song,
        label=verdict.label,
        weight=verdict.weight,
        use=verdict.use,
        source=verdict.source,
        people=verdict.people,
        reviewed=verdict.reviewed,
        model=verdict.model,
        heard_as=verdict.heard_as,
        label_people=verdict.label_people,
        updated=verdict.updated,
        imported=False,
    )


async def _imported(connection: AsyncConnection, rules: Rules, own: set[str]) -> list[_Lesson]:
    """Return the lessons that files brought in, of songs for which no opinion here counts."""
    query = select(
        ImportedRow.content_hash,
        ImportedRow.label,
        ImportedRow.weight,
        ImportedRow.may_train,
        ImportedRow.source,
        ImportedRow.people,
        ImportedRow.reviewed,
        ImportedRow.model,
        ImportedRow.heard_as,
        ImportedRow.label_people,
        ImportedRow.updated,
    )
    found = []
    for row in await connection.execute(query):
        allowed = rules.sources is None or set(row.source.split("+")) <= set(rules.sources)
        use = Use.TRAIN if row.may_train and allowed else Use.EVALUATE
        if row.content_hash not in own:
            lesson = _Lesson(
                song=row.content_hash,
                label=row.label,
                weight=row.weight,
                use=use,
                source=row.source,
                people=row.people,
                reviewed=row.reviewed,
                model=row.model,
                heard_as=row.heard_as,
                label_people=row.label_people,
                updated=row.updated,
                imported=True,
            )
            found.append(lesson)
    return found


async def _families(connection: AsyncConnection) -> tuple[str, ...]:
    """Name the feature families beside the 57 that the latest song is kept with: all that can be trained from."""
    own = select(FeatureRow.format, FeatureRow.data).order_by(FeatureRow.answer_id.desc()).limit(1)
    brought = select(ImportedRow.format, ImportedRow.data).order_by(ImportedRow.updated.desc()).limit(1)
    for query in (own, brought):
        row = (await connection.execute(query)).one_or_none()
        if row is not None:
            segments = await asyncio.to_thread(unpack, row.format, row.data)
            return tuple(sorted({name for segment in segments for name in segment.families} - {TABLE_FAMILY}))
    return ()


async def _segments(connection: AsyncConnection, lesson: _Lesson) -> tuple[SegmentVectors, ...]:
    """Return the features of a song, those of its latest answer that has any."""
    own = (
        select(FeatureRow.format, FeatureRow.data)
        .join(AnswerRow, AnswerRow.id == FeatureRow.answer_id)
        .where(AnswerRow.content_hash == lesson.song)
        .order_by(AnswerRow.id.desc())
        .limit(1)
    )
    brought = select(ImportedRow.format, ImportedRow.data).where(ImportedRow.content_hash == lesson.song)
    row = (await connection.execute(brought if lesson.imported else own)).one_or_none()
    return () if row is None else await asyncio.to_thread(unpack, row.format, row.data)


def _rows(lesson: _Lesson, segments: Sequence[SegmentVectors], families: tuple[str, ...]) -> list[Row]:
    rows = []
    for index, segment in enumerate(segments):
        table = segment.families.get(TABLE_FAMILY)
        if table is None or len(table) != len(TABLE_COLUMNS) or any(name not in segment.families for name in families):
            continue
        facts = {
            "song": lesson.song,
            "segment": index,
            "weight": round(lesson.weight, 6),
            "use": str(lesson.use),
            "source": lesson.source,
            "people": lesson.people,
            "reviewed": lesson.reviewed,
            "model": lesson.model,
            "heard_as": lesson.heard_as,
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
