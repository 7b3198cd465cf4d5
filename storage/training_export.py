"""Writes training files: one row per segment of every song whose label counts, with all features.

``label_votes`` decides which labels count, ``feedback_writers`` has the file formats, ``feedback_import`` reads them.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from storage.export import SAMPLE_RATE
from storage.export_target import writing
from storage.feature_codec import unpack
from storage.feedback_rows import TABLE_COLUMNS, TABLE_FAMILY, TRAINING_COLUMNS, Layout, Row
from storage.label_aggregation import AggregationRules, load_verdicts
from storage.label_votes import LabelVerdict, Purpose, VerdictStatus
from storage.tables import AnswerRow, FeatureRow, ImportedSongRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.export_target import ExportTarget
    from storage.feature_codec import SegmentVectors
    from storage.feedback_writers import ExportFormat
    from storage.store import Storage


@dataclass(frozen=True, slots=True)
class TrainingExportSummary:
    """The size of a training file, and what was left out.

    Attributes
    ----------
    songs, rows
        In the file.
    evaluate
        Songs of these for evaluation only.
    waiting, disputed
        Songs left out because too few people agree, or because people disagree.
    without_features
        Songs left out because their features are no longer stored or lack a family.
    later, unconfirmed
        Songs that count later, and those of a new genre that no moderator has confirmed yet.
    """

    songs: int
    rows: int
    evaluate: int
    waiting: int
    disputed: int
    without_features: int
    later: int = 0
    unconfirmed: int = 0


class _TrainingSong(NamedTuple):
    verdict: LabelVerdict
    imported: bool


async def export_for_training(
    storage: Storage, target: ExportTarget, form: ExportFormat, rules: AggregationRules | None = None
) -> TrainingExportSummary:
    """Write all training songs, one at a time; the last row is marked as such.

    Parameters
    ----------
    target
        A file, which appears only once it is complete, or a stream.
    rules
        How many people must agree, and which platforms may train.

    Raises
    ------
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    rules = rules or AggregationRules()
    written: list[tuple[Purpose, int]] = []
    async with storage.database.reading() as connection:
        verdicts = await load_verdicts(connection, rules, storage.database.now())
        counting = [each for each in verdicts.values() if each.status is VerdictStatus.COUNTS]
        own = [_TrainingSong(each, imported=False) for each in counting]
        givers = _numbered({each.giver for each in counting})
        training = [*own, *await _imported(connection, rules, {each.song for each in counting})]
        layout = Layout(await _families(connection), TRAINING_COLUMNS, wide=True)
        async with writing(target, form, layout) as writer:
            for song in sorted(training, key=lambda each: each.verdict.song):
                segments = await _segments(connection, song)
                rows = _rows(song.verdict, givers.get(song.verdict.giver, 0), segments, layout.families)
                written.append((song.verdict.purpose, await asyncio.to_thread(writer.write, rows)))
    return _summary(written, _left_out(verdicts.values(), training))


def _summary(written: Sequence[tuple[Purpose, int]], left_out: Sequence[VerdictStatus]) -> TrainingExportSummary:
    """Sum up what each song may be used for with the number of its rows, and why others were left out."""
    with_rows = [purpose for purpose, rows in written if rows]
    return TrainingExportSummary(
        songs=len(with_rows),
        rows=sum(rows for _, rows in written),
        evaluate=with_rows.count(Purpose.EVALUATE),
        waiting=left_out.count(VerdictStatus.WAITS),
        disputed=left_out.count(VerdictStatus.DISPUTED),
        without_features=len(written) - len(with_rows),
        later=left_out.count(VerdictStatus.LATER),
        unconfirmed=left_out.count(VerdictStatus.UNCONFIRMED),
    )


def _left_out(verdicts: Iterable[LabelVerdict], training: Sequence[_TrainingSong]) -> list[VerdictStatus]:
    """Return why songs with a label do not count."""
    counted = {each.verdict.song for each in training}
    return [each.status for each in verdicts if each.song not in counted]


async def _imported(connection: AsyncConnection, rules: AggregationRules, own: set[str]) -> list[_TrainingSong]:
    """Return the imported songs for which no verdict of this database counts."""
    query = select(
        ImportedSongRow.content_hash.label("song"),
        ImportedSongRow.label,
        ImportedSongRow.weight,
        ImportedSongRow.may_train,
        ImportedSongRow.source,
        ImportedSongRow.people,
        ImportedSongRow.reviewed,
        ImportedSongRow.model,
        ImportedSongRow.heard_as.label("predicted"),
        ImportedSongRow.label_people,
        ImportedSongRow.updated,
    )
    songs = []
    for row in await connection.execute(query):
        if row.song not in own:
            values = row._asdict()
            may_train = values.pop("may_train")
            allowed = rules.sources is None or set(row.source.split("+")) <= set(rules.sources)
            purpose = Purpose.TRAIN if may_train and allowed else Purpose.EVALUATE
            verdict = LabelVerdict(status=VerdictStatus.COUNTS, purpose=purpose, **values)
            songs.append(_TrainingSong(verdict, imported=True))
    return songs


async def _families(connection: AsyncConnection) -> tuple[str, ...]:
    """Return the feature families, beside the 57 features, that the latest stored song has."""
    own = select(FeatureRow.format, FeatureRow.data).order_by(FeatureRow.answer_id.desc()).limit(1)
    imported = select(ImportedSongRow.format, ImportedSongRow.data).order_by(ImportedSongRow.updated.desc()).limit(1)
    for query in (own, imported):
        row = (await connection.execute(query)).one_or_none()
        if row is not None:
            segments = await asyncio.to_thread(unpack, row.format, row.data)
            return tuple(sorted({name for segment in segments for name in segment.families} - {TABLE_FAMILY}))
    return ()


async def _segments(connection: AsyncConnection, song: _TrainingSong) -> tuple[SegmentVectors, ...]:
    """Return the features of a song's latest answer that has any."""
    own = (
        select(FeatureRow.format, FeatureRow.data)
        .join(AnswerRow, AnswerRow.id == FeatureRow.answer_id)
        .where(AnswerRow.content_hash == song.verdict.song)
        .order_by(AnswerRow.id.desc())
        .limit(1)
    )
    imported = select(ImportedSongRow.format, ImportedSongRow.data).where(
        ImportedSongRow.content_hash == song.verdict.song
    )
    row = (await connection.execute(imported if song.imported else own)).one_or_none()
    return () if row is None else await asyncio.to_thread(unpack, row.format, row.data)


def _numbered(people: Iterable[str]) -> dict[str, int]:
    """Give people numbers from 1 on, drawn anew for each file."""
    order = sorted(people)
    random.SystemRandom().shuffle(order)
    return {person: number for number, person in enumerate(order, start=1)}


def _rows(
    verdict: LabelVerdict, giver: int, segments: Sequence[SegmentVectors], families: tuple[str, ...]
) -> list[Row]:
    rows = []
    for index, segment in enumerate(segments):
        table = segment.families.get(TABLE_FAMILY)
        if table is None or len(table) != len(TABLE_COLUMNS) or any(name not in segment.families for name in families):
            continue
        facts = {
            "song": verdict.song,
            "segment": index,
            "weight": round(verdict.weight, 6),
            "use": str(verdict.purpose),
            "source": verdict.source,
            "people": verdict.people,
            "reviewed": verdict.reviewed,
            "model": verdict.model,
            "heard_as": verdict.predicted,
            "label_people": verdict.label_people,
            "start": segment.start,
            "end": segment.end,
            "updated": verdict.updated,
            "giver": giver,
            "last": False,
        }
        rows.append(
            Row(
                filename=f"{verdict.label}.{verdict.song[:12]}.{index}.wav",
                length=round((segment.end - segment.start) * SAMPLE_RATE),
                table=table,
                families={name: segment.families[name] for name in families},
                label=verdict.label,
                facts=facts,
            )
        )
    return rows
