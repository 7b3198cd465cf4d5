"""Corrections: one per person and song, their review by moderators, and statistics.

A confirmation of the answer is stored as a correction, too: its label is the answer's genre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from storage.corrections import (
    ChatKey,
    Correction,
    ReviewStatus,
    find_correction,
    get_correction,
    in_chat,
    select_corrections,
    to_correction,
)
from storage.counts import FeedbackStats, count_feedback
from storage.database import LARGEST_NUMBER, insert_into, lock
from storage.errors import RowNotFound
from storage.imported_songs import record_withdrawal
from storage.label_aliases import FEEDBACK_LOCK
from storage.labels import require_label
from storage.tables import AnswerRow, CorrectionRow, PersonRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database


@dataclass(frozen=True, slots=True)
class CorrectionChange:
    """A correction after a change, and before it (None if it is the person's first on this song)."""

    correction: Correction
    previous: Correction | None


@uncancellable
class Feedback:
    """Reached as ``storage.feedback``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def correct(
        self, *, person: str, answer_id: int, label: str, platform: str, chat: str, may_train: bool
    ) -> CorrectionChange:
        """Save a person's correction of a song; it replaces their earlier one on the same song.

        The person's current consent is stored with it. A changed label sends the correction back to review.

        Parameters
        ----------
        label
            Id of a label (``labels.find``, ``labels.propose``); the answer's own genre confirms it.
        may_train
            Whether the operator allows training from this platform (``TRAINING_SOURCES``).

        Raises
        ------
        RowNotFound
            If there is no such answer or label.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            known = await require_label(connection, label)
            content_hash = await _song_of(connection, answer_id)
            previous = await find_correction(connection, person, content_hash)
            agreed = select(PersonRow.may_train).where(PersonRow.person == person)
            now = self._database.now()
            values: dict[str, Any] = {
                "answer_id": answer_id,
                "label": known.id,
                "consent": bool((await connection.execute(agreed)).scalar()),
                "may_train": may_train,
                "platform": platform,
                "chat": chat,
            }
            if previous is None or previous.label != known.id or previous.consent != values["consent"]:
                values["updated"] = now  # saying the same again changes nothing
            if previous is None or previous.label != known.id:
                values |= {"status": ReviewStatus.PENDING, "ruling": None, "moderator": None, "moderated": None}
                values["everywhere"] = False
            if previous is None:
                values |= {"person": person, "content_hash": content_hash, "created": now}
                await connection.execute(insert_into(connection, CorrectionRow).values(values))
            else:
                await connection.execute(update(CorrectionRow).where(CorrectionRow.id == previous.id).values(values))
            correction = await find_correction(connection, person, content_hash)
        if correction is None:
            raise LookupError("a correction vanished inside its own transaction")
        return CorrectionChange(correction, previous)

    async def find(self, person: str, content_hash: str) -> Correction | None:
        """Return a person's correction of a song, if there is one."""
        async with self._database.reading() as connection:
            return await find_correction(connection, person, content_hash)

    async def get(self, correction_id: int, *, chat: ChatKey | None = None) -> Correction | None:
        """Return a correction by number; with ``chat``, only one from that chat."""
        async with self._database.reading() as connection:
            return await get_correction(connection, correction_id, chat)

    async def given(self, label: str, *, chat: ChatKey, since: datetime, until: datetime) -> list[Correction]:
        """List everybody's corrections to one label in a chat and time, oldest first, without rejected ones."""
        query = (
            select_corrections()
            .where(CorrectionRow.label == label, *in_chat(chat), CorrectionRow.status != ReviewStatus.REJECTED)
            .where(CorrectionRow.updated >= since, CorrectionRow.updated <= until)
            .order_by(CorrectionRow.id)
        )
        async with self._database.reading() as connection:
            return [to_correction(row) for row in await connection.execute(query)]

    async def withdraw(self, person: str, content_hash: str) -> Correction | None:
        """Delete a person's correction of a song and return it, so that this can be reported or undone.

        A proposed label that no correction uses any more is no longer offered to others.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            previous = await find_correction(connection, person, content_hash)
            if previous is not None:
                await record_withdrawal(connection, self._database.now(), CorrectionRow.id == previous.id)
                await connection.execute(delete(CorrectionRow).where(CorrectionRow.id == previous.id))
            return previous

    async def votes(self, content_hash: str) -> dict[str, int]:
        """Count people per effective label of one song, without rejected corrections, most first."""
        verdict = func.coalesce(CorrectionRow.ruling, CorrectionRow.label)
        query = (
            select(verdict, func.count())
            .where(CorrectionRow.content_hash == content_hash, CorrectionRow.status != ReviewStatus.REJECTED)
            .group_by(verdict)
            .order_by(func.count().desc(), verdict)
        )
        async with self._database.reading() as connection:
            return dict((await connection.execute(query)).all())

    async def most_used(self, chat: ChatKey, *, limit: int) -> list[str]:
        """Return the ids of the labels that a chat's corrections name most, without rejected ones, most first."""
        verdict = func.coalesce(CorrectionRow.ruling, CorrectionRow.label)
        query = (
            select(verdict)
            .where(*in_chat(chat), CorrectionRow.status != ReviewStatus.REJECTED)
            .group_by(verdict)
            .order_by(func.count().desc(), verdict)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def review(
        self,
        *,
        chat: ChatKey | None = None,
        status: ReviewStatus | None = ReviewStatus.PENDING,
        after: int = 0,
        limit: int = 10,
    ) -> list[Correction]:
        """List corrections to review, oldest first.

        Parameters
        ----------
        chat
            Only corrections from this chat, for its administrators; None for all chats.
        status
            None for any status.
        after
            Only corrections with a larger number; pass the last one shown to continue.
        """
        query = select_corrections().where(CorrectionRow.id > after, *in_chat(chat))
        query = query.order_by(CorrectionRow.id).limit(limit)
        if status is not None:
            query = query.where(CorrectionRow.status == status)
        async with self._database.reading() as connection:
            return [to_correction(row) for row in await connection.execute(query)]

    async def moderate(
        self,
        correction_id: int,
        status: ReviewStatus,
        *,
        moderator: str,
        label: str | None = None,
        chat: ChatKey | None = None,
    ) -> Correction:
        """Save a moderator's decision on a correction; ``PENDING`` undoes an earlier one.

        Parameters
        ----------
        moderator
            Keyed hash.
        label
            Id of the right label, for ``RELABELLED`` only.
        chat
            Only a correction from this chat, for its administrators. Without it the decision is the operator's and
            settles the song's genre; an administrator's decision changes only this one correction.

        Raises
        ------
        RowNotFound
            If there is no such correction (there), or no such label.
        ValueError
            If a label is given without ``RELABELLED`` or missing with it.
        """
        if (label is not None) != (status is ReviewStatus.RELABELLED):
            raise ValueError("a label goes with RELABELLED, and only with it")
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            ruling = None if label is None else (await require_label(connection, label)).id
            undone = status is ReviewStatus.PENDING
            values = {
                "status": status,
                "ruling": ruling,
                "moderator": None if undone else moderator,
                "moderated": None if undone else self._database.now(),
                "everywhere": chat is None and not undone,
            }
            if await get_correction(connection, correction_id, chat) is not None:
                await connection.execute(update(CorrectionRow).where(CorrectionRow.id == correction_id).values(values))
            correction = await get_correction(connection, correction_id, chat)
        if correction is None:
            raise RowNotFound(f"There is no correction {correction_id} here.")
        return correction

    async def stats(
        self, *, chat: ChatKey | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> FeedbackStats:
        """Compute statistics of corrections first made in a period (``until`` excluded), in one chat or everywhere."""
        async with self._database.reading() as connection:
            return await count_feedback(connection, chat, since, until)


async def _song_of(connection: AsyncConnection, answer_id: int) -> str:
    query = select(AnswerRow.content_hash).where(AnswerRow.id == answer_id)
    content_hash = (await connection.execute(query)).scalar() if 0 < answer_id <= LARGEST_NUMBER else None
    if content_hash is None:
        raise RowNotFound(f"There is no answer {answer_id}.")
    return content_hash
