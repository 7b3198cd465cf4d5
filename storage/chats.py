"""Settings of a chat, as its moderators chose them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What moderators can set for a chat.

    Attributes
    ----------
    language
        ``en``, ``vi``; None follows the person.
    picture
        Whether answers come with the timeline picture.
    listening
        The platform's own ids of the channels in which every song is answered unasked.
    """

    language: str | None = None
    picture: bool = True
    listening: frozenset[str] = frozenset()


class Chats:
    """Reached as ``storage.chats``; ``chat`` is the keyed hash of a server, a group or a private chat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, platform: str, chat: str) -> ChatSettings:
        """Return a chat's settings; the defaults where none were made."""
        raise NotImplementedError

    async def save(self, platform: str, chat: str, settings: ChatSettings) -> None:
        """Keep a chat's settings."""
        raise NotImplementedError
