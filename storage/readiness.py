"""How much feedback there is on each genre, and what is missing before it can be learnt.

Everything that tells people, operators or the trainer about it reads this one table.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from storage.feature_codec import unpack
from storage.label_aggregation import AggregationRules, load_verdicts
from storage.label_votes import LabelVerdict, Purpose, VerdictStatus
from storage.tables import AnswerRow, FeatureRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database
    from storage.feature_codec import SegmentVectors

SameRecordings = Callable[[Sequence[tuple["SegmentVectors", ...]]], Sequence[int]]
"""Numbers songs by their recordings: those that are one recording, encoded anew, get the same number."""
GENRE_SONGS = 20
"""Recordings that a genre of its own needs."""
COMPARED_SONGS = 3 * GENRE_SONGS
"""A label with more songs than this has enough, however many are copies; its songs are not compared."""


@dataclass(frozen=True, slots=True)
class GenreReadiness:
    """The feedback on one genre.

    Attributes
    ----------
    label
        Its id.
    recordings, copies
        Recordings that count, and songs that are other encodings of those.
    people
        How many people stand behind the genre: those behind songs that count, or behind one that waits.
    needed_recordings, needed_people
        How many a new genre needs.
    waiting, disputed, unconfirmed
        Songs that lack people, on which people disagree, or whose genre no moderator has confirmed.
    later, counts_from
        Songs that count later, and when the first of them does.
    """

    label: str
    recordings: int
    copies: int
    people: int
    needed_recordings: int
    needed_people: int
    waiting: int
    disputed: int
    unconfirmed: int
    later: int
    counts_from: datetime | None

    @property
    def complete(self) -> bool:
        """Whether there is enough for a genre of its own."""
        return self.missing_recordings == 0 and self.missing_people == 0

    @property
    def missing_recordings(self) -> int:
        """How many recordings are missing."""
        return max(0, self.needed_recordings - self.recordings)

    @property
    def missing_people(self) -> int:
        """How many people are missing; none once a moderator has confirmed a song."""
        return max(0, self.needed_people - self.people)


@uncancellable
class Readiness:
    """Reached as ``storage.readiness``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def table(
        self,
        rules: AggregationRules,
        *,
        needed_recordings: int = GENRE_SONGS,
        same_recordings: SameRecordings | None = None,
    ) -> list[GenreReadiness]:
        """Return every genre that people gave, most recordings first, then most songs that do not count yet.

        Parameters
        ----------
        rules
            Which label counts; as many people as must agree must stand behind a genre.
        needed_recordings
            Recordings that a new genre needs.
        same_recordings
            Tells recordings apart; without it, each file is one.
        """
        async with self._database.reading() as connection:
            verdicts = await load_verdicts(connection, rules, self._database.now())
            by_label: dict[str, list[LabelVerdict]] = defaultdict(list)
            for verdict in verdicts.values():
                if verdict.purpose is Purpose.TRAIN:
                    by_label[verdict.label].append(verdict)
            found = []
            for label, mine in by_label.items():
                counted = [each for each in mine if each.status is VerdictStatus.COUNTS]
                recordings = await _recordings(connection, counted, same_recordings)
                found.append(_readiness(label, mine, counted, recordings, needed_recordings, rules.agreement))
        return sorted(found, key=lambda each: (-each.recordings, -len(by_label[each.label]), each.label))


def _readiness(
    label: str,
    every: Sequence[LabelVerdict],
    counted: Sequence[LabelVerdict],
    recordings: int,
    needed: int,
    people: int,
) -> GenreReadiness:
    statuses = Counter(each.status for each in every)
    times = [each.counts_from for each in every if each.counts_from is not None]
    reviewed = any(each.reviewed for each in counted)
    return GenreReadiness(
        label=label,
        recordings=recordings,
        copies=len(counted) - recordings,
        people=max(max(each.label_people, each.people) for each in every),
        needed_recordings=needed,
        needed_people=0 if reviewed else people,
        waiting=statuses[VerdictStatus.WAITS],
        disputed=statuses[VerdictStatus.DISPUTED],
        unconfirmed=statuses[VerdictStatus.UNCONFIRMED],
        later=statuses[VerdictStatus.LATER],
        counts_from=min(times, default=None),
    )


async def _recordings(
    connection: AsyncConnection, counted: Sequence[LabelVerdict], same_recordings: SameRecordings | None
) -> int:
    if same_recordings is None or not 1 < len(counted) <= COMPARED_SONGS:
        return len(counted)
    query = (
        select(AnswerRow.content_hash, FeatureRow.format, FeatureRow.data)
        .join(FeatureRow, FeatureRow.answer_id == AnswerRow.id)
        .where(AnswerRow.content_hash.in_([each.song for each in counted]))
        .order_by(AnswerRow.id)
    )
    latest = {row.content_hash: (row.format, row.data) for row in await connection.execute(query)}

    def distinct() -> int:
        return len(set(same_recordings([unpack(form, data) for form, data in latest.values()])))

    return len(counted) - len(latest) + await asyncio.to_thread(distinct)
