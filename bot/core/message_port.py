"""What a chat with editable messages adds to post, edit and find the message of one song: a port and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bot.core.chat import OutgoingMessage


@dataclass(frozen=True, slots=True)
class StatusLimits:
    """How often a platform lets progress be shown.

    Attributes
    ----------
    message_seconds
        A message is edited at most once in this time.
    place_seconds
        All progress in one place together is edited at most once in this time; 0 where only messages count.
    posts_once
        Whether the platform makes one message of a post that is repeated after a lost response. Where it does not, an
        answer is never posted, but always edited into a message: a repeated edit is the same edit.
    """

    message_seconds: float
    place_seconds: float
    posts_once: bool


class MessagePort(Protocol):
    """Posts and edits the message of one song; every method raises ``TryLater`` or ``Undeliverable``."""

    @property
    def limits(self) -> StatusLimits:
        """How often progress may be shown here."""

    @property
    def place(self) -> Hashable:
        """What the platform counts edits of the message against."""

    @property
    def asked(self) -> Hashable | None:
        """The message that asked, which can be reacted to; None if there is none."""

    def has_room(self) -> bool:
        """Return whether the place takes progress now and an answer directly after it."""

    async def post(self, message: OutgoingMessage) -> int:
        """Post a new message; return its id."""

    async def edit(self, message_id: int, message: OutgoingMessage) -> bool:
        """Edit a message; return False if it is gone or cannot be edited like this."""

    async def withdraw(self, message_id: int) -> None:
        """Delete a message, unless other processes use the same one."""

    async def react(self, emoji: str) -> None:
        """React to the message that asked."""

    async def remove_reaction(self, emoji: str) -> None:
        """Take a reaction of the bot back."""

    async def tell_sender(self, message: OutgoingMessage) -> None:
        """Post a message to whoever asked, alone."""

    def link(self, message_id: int) -> str | None:
        """Return a link to a message that others in the chat can follow; None where there is none, or nobody else."""

    async def find(self, callbacks: set[str]) -> int | None:
        """Return the id of a message with one of these callbacks that an earlier process posted; None for none."""
