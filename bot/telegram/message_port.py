"""Posts and edits a song's message on Telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.callbacks import CancelCallback
from bot.core.chat import Button
from bot.core.errors import Undeliverable
from bot.telegram import limits
from bot.telegram.api_client import MessageGone, MessageLocation
from bot.telegram.post_journal import PostedMessage

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bot.core.chat import OutgoingMessage
    from bot.core.message_port import StatusLimits
    from bot.telegram.api_client import TelegramClient
    from bot.telegram.post_journal import PostJournal

CANDIDATES = 12
"""So many messages after the newest one that was known may be the one that is sought."""
SUPERGROUP = 10**12
"""Ids of supergroups and channels are below minus this (https://core.telegram.org/api/bots/ids)."""


class TelegramMessagePort:
    """Implements ``bot.core.message_port.MessagePort``.

    Parameters
    ----------
    client
        The connection.
    location
        The message that the song's message replies to.
    journal, job_id
        Where the messages of songs are noted, and which song this is.
    """

    def __init__(self, client: TelegramClient, location: MessageLocation, journal: PostJournal, job_id: int) -> None:
        self._client = client
        self._location = location
        self._journal = journal
        self._job_id = job_id

    @property
    def limits(self) -> StatusLimits:
        """How often progress may be shown: groups have negative ids, and a limit for all messages together."""
        return limits.GROUP_STATUS if self._location.chat < 0 else limits.PRIVATE_STATUS

    @property
    def place(self) -> Hashable:
        """The chat."""
        return self._location.chat

    @property
    def asked(self) -> tuple[int, int] | None:
        """The message that asked, by its chat; None where a button of the bot's own was pressed."""
        chat, message = self._location.chat, self._location.message
        is_own = self._location.sender == self._client.bot.id
        return None if message is None or is_own else (chat, message)

    def has_room(self) -> bool:
        """Return whether the chat takes progress and an answer directly after it."""
        return self._client.has_room(self._location.chat, limits.ROOM_FOR_PROGRESS)

    async def post(self, message: OutgoingMessage) -> int:
        """Post a message as a reply to the song, and note it if it has the song's Cancel button."""
        cancel = next((each.text for each in message.buttons if isinstance(each.callback, CancelCallback)), None)
        if cancel is None:
            return await self._client.post(self._location, message)
        chat, after = self._location.chat, 0

        def note(newest: int) -> None:
            nonlocal after
            after = newest
            self._journal.note(self._job_id, PostedMessage(chat, after, cancel))

        message_id = await self._client.post_noted(self._location, message, note)
        self._journal.note(self._job_id, PostedMessage(chat, after, cancel, message_id))
        return message_id

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

    async def react(self, emoji: str) -> None:
        """React to the song."""
        await self._client.react(self._location, emoji)

    async def remove_reaction(self, emoji: str) -> None:  # noqa: ARG002 - a bot has one reaction to a message
        """Take the reaction of the bot back."""
        await self._client.react(self._location, None)

    async def tell_sender(self, message: OutgoingMessage) -> None:
        """Post a message to whoever asked; Telegram allows it if they ever wrote to the bot."""
        sender = self._location.sender
        if sender is None or sender == self._location.chat:
            raise Undeliverable("there is no other chat with whoever asked")
        await self._client.post(MessageLocation(sender), message)

    def link(self, message_id: int) -> str | None:
        """Return a link to a message of a supergroup or channel; no other chat has such links."""
        number = -self._location.chat - SUPERGROUP
        return f"https://t.me/c/{number}/{message_id}" if number > 0 else None

    async def find(self, callbacks: set[str]) -> int | None:  # noqa: ARG002 - the journal knows the button
        """Return the message that an earlier process posted for the song, as far as it came to note it.

        Bots cannot read a chat's history. But an edit that changes nothing is refused as such, so the message that has
        the song's button already is found among those that came next.
        """
        entry = self._journal.get(self._job_id)
        if entry is None or entry.message is not None or entry.chat != self._location.chat:
            return None if entry is None else entry.message
        button = Button(CancelCallback(self._job_id), entry.button)
        for number in range(entry.after + 1, entry.after + 1 + CANDIDATES):
            if await self._client.has_button(entry.chat, number, button):
                return number
        return None
