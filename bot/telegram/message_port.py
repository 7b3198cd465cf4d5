"""Posts and edits a song's message on Telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.telegram import limits
from bot.telegram.api_client import MessageGone

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bot.core.chat import OutgoingMessage
    from bot.core.status_message import StatusLimits
    from bot.telegram.api_client import MessageLocation, TelegramClient


class TelegramMessagePort:
    """Implements ``bot.core.status_message.MessagePort``.

    Parameters
    ----------
    client
        The connection.
    location
        The message that the song's message replies to.
    """

    def __init__(self, client: TelegramClient, location: MessageLocation) -> None:
        self._client = client
        self._location = location

    @property
    def limits(self) -> StatusLimits:
        """How often progress may be shown: groups have negative ids, and a limit for all messages together."""
        return limits.GROUP_STATUS if self._location.chat < 0 else limits.PRIVATE_STATUS

    @property
    def place(self) -> Hashable:
        """The chat."""
        return self._location.chat

    def has_room(self) -> bool:
        """Return whether the chat takes progress and an answer directly after it."""
        return self._client.has_room(self._location.chat, limits.ROOM_FOR_PROGRESS)

    async def post(self, message: OutgoingMessage) -> int:
        """Post a message as a reply to the song."""
        return await self._client.post(self._location, message)

    async def edit(self, message_id: int, message: OutgoingMessage) -> bool:
        """Edit a message; return False if it is gone, or if the chat allows no pictures."""
        try:
            await self._client.edit(self._location.chat, message_id, message)
        except MessageGone:
            return False
        return True

    async def withdraw(self, message_id: int) -> None:
        """Delete a message."""
        await self._client.delete(self._location.chat, message_id)

    async def find(self, callbacks: set[str]) -> int | None:  # noqa: ARG002 - bots cannot read a chat's history
        """Return None: bots cannot read a chat's history."""
        return None
