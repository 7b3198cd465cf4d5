"""Counts over corrections, as moderators see them; ``feedback`` is the way to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from storage.corrections import Place, Status, given_in
from storage.tables import AnswerRow, CorrectionRow, LabelRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class GenreCount:
    """How one genre fares.

    Attributes
    ----------
    said, right
        Opinions on answers with this genre, and how many of them agreed.
    given
        Opinions, not rejected, whose verdict is this genre.
    """

    said: int
    right: int
    given: int


@dataclass(frozen=True, slots=True)
class FeedbackStats:
    """Counts over corrections.

    Attributes
    ----------
    corrections, people, songs
        How many opinions, by how many people, on how many songs.
    agreeing
        Opinions that said "right".
    statuses
        Status → opinions.
    genres
        Label id → counts, most opinions first.
    proposed
        Label id of each proposed label → opinions with it, not rejected, most first.
    trainable
        Opinions with consent, from a platform that may train, and not rejected.
    """

    corrections: int
    people: int
    songs: int
    agreeing: int
    statuses: Mapping[Status, int]
    genres: Mapping[str, GenreCount]
    proposed: Mapping[str, int]
    trainable: int


def within(place: Place | None, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions for corrections first given in a place and period; None lifts one."""
    conditions = given_in(place)
    if since is not None:
        conditions.append(CorrectionRow.created >= since)
    if until is not None:
        conditions.append(CorrectionRow.created < until)
    return conditions


async def count_feedback(
    connection: AsyncConnection, place: Place | None, since: datetime | None, until: datetime | None
) -> FeedbackStats:
    """Count the corrections first given in a place and period."""
    here = within(place, since, until)
    agrees = CorrectionRow.label == AnswerRow.genre
    verdict = func.coalesce(CorrectionRow.ruling, CorrectionRow.label)
    usable = CorrectionRow.consent & CorrectionRow.may_train & (CorrectionRow.status != Status.REJECTED)
    totals = (
        select(
            func.count(),
            func.count(CorrectionRow.person.distinct()),
            func.count(CorrectionRow.content_hash.distinct()),
            func.count().filter(agrees),
            func.count().filter(usable),
        )
        .join(AnswerRow, AnswerRow.id == CorrectionRow.answer_id)
        .where(*here)
    )
    statuses = select(CorrectionRow.status, func.count()).where(*here).group_by(CorrectionRow.status)
    said = (
        select(AnswerRow.genre, func.count(), func.count().filter(agrees))
        .join(CorrectionRow, AnswerRow.id == CorrectionRow.answer_id)
        .where(*here)
        .group_by(AnswerRow.genre)
    )
    given = select(verdict, func.count()).where(*here, CorrectionRow.status != Status.REJECTED).group_by(verdict)
    corrections, people, songs, agreeing, trainable = (await connection.execute(totals)).one()
    said_of = {genre: (count, right) for genre, count, right in await connection.execute(said)}
    given_to = dict((await connection.execute(given)).all())
    genres = {
        genre: GenreCount(*said_of.get(genre, (0, 0)), given_to.get(genre, 0))
        for genre in sorted(said_of.keys() | given_to.keys())
    }
    proposals = select(LabelRow.id).where(LabelRow.status == "proposed", LabelRow.id.in_(list(given_to)))
    proposed = (await connection.execute(proposals)).scalars().all()
    return FeedbackStats(
        corrections=corrections,
        people=people,
        songs=songs,
        agreeing=agreeing,
        statuses={Status(status): count for status, count in await connection.execute(statuses)},
        genres=dict(sorted(genres.items(), key=lambda item: -max(item[1].said, item[1].given))),
        proposed={label: given_to[label] for label in sorted(proposed, key=lambda label: -given_to[label])},
        trainable=trainable,
    )
