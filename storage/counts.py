"""Counts over corrections, as moderators see them; ``feedback`` is the way to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from storage.corrections import ChatKey, ReviewStatus, in_chat
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
    predicted, right
        Opinions on answers with this genre, and how many of them agreed.
    labelled
        Opinions, not rejected, whose verdict is this genre.
    """

    predicted: int
    right: int
    labelled: int


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
    statuses: Mapping[ReviewStatus, int]
    genres: Mapping[str, GenreCount]
    proposed: Mapping[str, int]
    trainable: int


def within(chat: ChatKey | None, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions for corrections first given in a chat and period; None lifts one."""
    conditions = in_chat(chat)
    if since is not None:
        conditions.append(CorrectionRow.created >= since)
    if until is not None:
        conditions.append(CorrectionRow.created < until)
    return conditions


async def count_feedback(
    connection: AsyncConnection, chat: ChatKey | None, since: datetime | None, until: datetime | None
) -> FeedbackStats:
    """Count the corrections first given in a chat and period."""
    here = within(chat, since, until)
    agrees = CorrectionRow.label == AnswerRow.genre
    verdict = func.coalesce(CorrectionRow.ruling, CorrectionRow.label)
    usable = CorrectionRow.consent & CorrectionRow.may_train & (CorrectionRow.status != ReviewStatus.REJECTED)
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
    given = select(verdict, func.count()).where(*here, CorrectionRow.status != ReviewStatus.REJECTED).group_by(verdict)
    corrections, people, songs, agreeing, trainable = (await connection.execute(totals)).one()
    predicted = {genre: (count, right) for genre, count, right in await connection.execute(said)}
    labelled = dict((await connection.execute(given)).all())
    genres = {
        genre: GenreCount(*predicted.get(genre, (0, 0)), labelled.get(genre, 0))
        for genre in sorted(predicted.keys() | labelled.keys())
    }
    proposals = select(LabelRow.id).where(LabelRow.status == "proposed", LabelRow.id.in_(list(labelled)))
    proposed = (await connection.execute(proposals)).scalars().all()
    return FeedbackStats(
        corrections=corrections,
        people=people,
        songs=songs,
        agreeing=agreeing,
        statuses={ReviewStatus(status): count for status, count in await connection.execute(statuses)},
        genres=dict(sorted(genres.items(), key=lambda item: -max(item[1].predicted, item[1].labelled))),
        proposed={label: labelled[label] for label in sorted(proposed, key=lambda label: -labelled[label])},
        trainable=trainable,
    )
