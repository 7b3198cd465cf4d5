"""Statistics over corrections, for moderators; reached through ``feedback``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from storage.corrections import ChatKey, ReviewStatus, agrees_with_answer, in_chat
from storage.tables import AnswerRow, CorrectionRow, LabelRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class GenreCount:
    """The feedback on one genre.

    Attributes
    ----------
    predicted, right
        Corrections of answers with this genre, and how many of them confirmed it.
    labelled
        Corrections, not rejected, whose effective label is this genre.
    """

    predicted: int
    right: int
    labelled: int


@dataclass(frozen=True, slots=True)
class FeedbackStats:
    """Statistics over corrections.

    Attributes
    ----------
    corrections, people, songs
        Numbers of corrections, of people who made them, and of songs.
    agreeing
        Corrections that confirmed the answer.
    statuses
        Status → number of corrections.
    genres
        Label id → counts, most corrections first.
    proposed
        Id of each proposed label → corrections with it, not rejected, most first.
    trainable
        Corrections with consent, from a platform that may train, and not rejected.
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
    """Compute the statistics of corrections first made in a chat and period."""
    here = within(chat, since, until)
    agrees = agrees_with_answer()
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
    predictions_query = (
        select(AnswerRow.genre, func.count(), func.count().filter(agrees))
        .join(CorrectionRow, AnswerRow.id == CorrectionRow.answer_id)
        .where(*here)
        .group_by(AnswerRow.genre)
    )
    labels_query = (
        select(verdict, func.count()).where(*here, CorrectionRow.status != ReviewStatus.REJECTED).group_by(verdict)
    )
    corrections, people, songs, agreeing, trainable = (await connection.execute(totals)).one()
    predicted = {genre: (count, right) for genre, count, right in await connection.execute(predictions_query)}
    labelled = dict((await connection.execute(labels_query)).all())
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
