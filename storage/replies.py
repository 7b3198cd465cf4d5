"""Answered messages that buttons hang on: a short id that survives restarts, until house-keeping lets it expire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from storage.database import Database


@dataclass(frozen=True, slots=True)
class NewReply:
    """An answer about to be given in a chat.

    Attributes
    ----------
    answer_id
        ``Answer.id``.
    platform
        ``discord``, ``telegram``, ``local``.
    chat
        Keyed hash of the place whose administrators moderate it: a server, a group, a private chat.
    requester
        Keyed hash of the person who asked.
    """

    answer_id: int
    platform: str
    chat: str
    requester: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer given in a chat.

    Attributes
    ----------
    id
        11 characters of ``A–Z a–z 0–9 - _``: fits button data. Random, so it cannot be guessed from another.
    answer_id, content_hash
        What was answered, and of which song.
    platform, chat, requester
        As in ``NewReply``; the requester is None once that person was forgotten.
    message
        Where the message is, as ``Replies.sent`` was told; None until then.
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


class Replies:
    """Reached as ``storage.replies``. ``storage.jobs.answer`` adds the reply to a job's song."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewReply) -> Reply:
        """Write down a reply that no job stands behind, and that the chat has heard the song.

        Raises
        ------
        UnknownRow
            If there is no such answer.
        """
        raise NotImplementedError

    async def find(self, reply_id: str) -> Reply | None:
        """Return a reply; None for one that expired or never was (any text may be asked for)."""
        raise NotImplementedError

    async def sent(self, reply_id: str, message: Mapping[str, Any]) -> None:
        """Remember where the message is, so that it can be edited later."""
        raise NotImplementedError
