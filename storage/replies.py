"""Sent answers, with short ids that button payloads refer to; they survive restarts and expire after a time."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, select, update

from storage.database import LARGEST_NUMBER, insert_into
from storage.errors import RowNotFound
from storage.songs import log_answer
from storage.tables import AnswerRow, ReplyRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database

REPLY_ID_BYTES = 8
_REPLY_ID = re.compile(r"[A-Za-z0-9_-]{11}")


@dataclass(frozen=True, slots=True)
class NewReply:
    """A reply to be saved.

    Attributes
    ----------
    answer_id
        ``Answer.id``.
    platform
        ``discord``, ``telegram``, ``local``.
    chat
        Keyed hash of the chat whose administrators moderate it: a server, a group, a private chat.
    requester
        Keyed hash of the person who asked.
    """

    answer_id: int
    platform: str
    chat: str
    requester: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply whose buttons refer to an answer.

    Attributes
    ----------
    id
        11 characters of ``A–Z a–z 0–9 - _``, short enough for button payloads; random, so it cannot be guessed.
    answer_id, content_hash
        The answer and its song.
    platform, chat, requester
        As in ``NewReply``; the requester is None once that person's data was deleted.
    message
        The message's location, as passed to ``Replies.mark_sent``; None until then.
    created
        UTC.
    """

    id: str
    answer_id: int
    content_hash: str
    platform: str
    chat: str
    requester: str | None
    message: Mapping[str, Any] | None
    created: datetime


@uncancellable
class Replies:
    """Reached as ``storage.replies``. ``storage.jobs.answer`` adds the reply to a job's song."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewReply) -> Reply:
        """Save a reply that belongs to no job, and log the answer in the chat's statistics.

        Raises
        ------
        RowNotFound
            If there is no such answer.
        """
        async with self._database.transaction() as connection:
            return await insert_reply(connection, new, self._database.now())

    async def find(self, reply_id: str) -> Reply | None:
        """Return a reply; None if it has expired or never existed. Accepts any text."""
        async with self._database.reading() as connection:
            return await find_reply(connection, reply_id)

    async def find_sent(self, platform: str, chat: str, message_id: int) -> Reply | None:
        """Return the reply that a message of a chat shows; None if it shows none, or the reply has expired."""
        sent = cast(ReplyRow.message["message"].as_string(), Text) == str(message_id)
        query = select(ReplyRow.id).where(ReplyRow.platform == platform, ReplyRow.chat == chat, sent).limit(1)
        async with self._database.reading() as connection:
            reply_id = (await connection.execute(query)).scalar()
            return None if reply_id is None else await find_reply(connection, reply_id)

    async def mark_sent(self, reply_id: str, message: Mapping[str, Any]) -> None:
        """Save the location of the sent message, so that it can be edited later."""
        async with self._database.transaction() as connection:
            where = update(ReplyRow).where(ReplyRow.id == reply_id).values(message=dict(message))
            await connection.execute(where)


async def insert_reply(connection: AsyncConnection, new: NewReply, now: datetime) -> Reply:
    """Insert a reply and the chat's log entry in the caller's transaction.

    Raises
    ------
    RowNotFound
        If there is no such answer.
    """
    known = select(AnswerRow.content_hash).where(AnswerRow.id == new.answer_id)
    content_hash = (await connection.execute(known)).scalar() if 0 < new.answer_id <= LARGEST_NUMBER else None
    if content_hash is None:
        raise RowNotFound(f"There is no answer {new.answer_id}.")
    reply = Reply(
        id=secrets.token_urlsafe(REPLY_ID_BYTES),
        answer_id=new.answer_id,
        content_hash=content_hash,
        platform=new.platform,
        chat=new.chat,
        requester=new.requester,
        message=None,
        created=now,
    )
    row = insert_into(connection, ReplyRow).values(
        id=reply.id,
        answer_id=reply.answer_id,
        platform=reply.platform,
        chat=reply.chat,
        requester=reply.requester,
        created=now,
    )
    await connection.execute(row)
    await log_answer(connection, new.answer_id, new.platform, new.chat, now)
    return reply


async def find_reply(connection: AsyncConnection, reply_id: str) -> Reply | None:
    """Return a reply inside the caller's transaction."""
    if not _REPLY_ID.fullmatch(reply_id):
        return None
    query = (
        select(
            ReplyRow.id,
            ReplyRow.answer_id,
            AnswerRow.content_hash,
            ReplyRow.platform,
            ReplyRow.chat,
            ReplyRow.requester,
            ReplyRow.message,
            ReplyRow.created,
        )
        .join(AnswerRow, AnswerRow.id == ReplyRow.answer_id)
        .where(ReplyRow.id == reply_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Reply(*row)
