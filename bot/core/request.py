"""Requests to the bot, by a command or a button, and what comes back for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.chat import Button, OutgoingMessage
    from bot.core.identity import Person
    from bot.core.localization import Language, Localizer


@dataclass(frozen=True, slots=True)
class Requester:
    """Somebody who types a command or presses a button.

    Attributes
    ----------
    person, words
        Who, and texts in their language.
    chat_id
        The platform's id of the server, group or private chat.
    place
        Where in it they are: the platform's id of the channel, thread or topic.
    administers
        Whether the platform says at this moment that they are an administrator of that chat.
    private
        Whether they are alone with the bot.
    message_id
        The message with the button, if one was pressed.
    reply_target
        The way back for songs that are taken through this request, as ``Submission.message``.
    private_chats
        Ids of chats that are theirs alone.
    upload_bytes
        How large a file may be sent to them.
    addressed_as
        What commands must end with in this chat where the platform shows the bot nothing else, such as ``@genre_bot``;
        None where mentions reach it, too.
    """

    person: Person
    words: Localizer
    chat_id: str
    place: str = ""
    administers: bool = False
    private: bool = False
    message_id: int | None = None
    reply_target: Mapping[str, Any] = field(default_factory=dict)
    private_chats: tuple[str, ...] = ()
    upload_bytes: int | None = None
    addressed_as: str | None = None

    @property
    def language(self) -> Language:
        """The language to speak with them."""
        return self.words.language


class Placement(Enum):
    """Where a response is shown in a chat that others see, too.

    Below the request; in its place; as a notice; or in its place for everybody, where only the requester can have
    changed what it says.
    """

    BELOW = auto()
    IN_PLACE = auto()
    NOTICE = auto()
    REPLACE = auto()


@dataclass(frozen=True, slots=True)
class Response:
    """What comes back for a command or a button.

    Attributes
    ----------
    message, placement
        What to show, and where.
    notice
        A short text above the chat, where the platform has one.
    personal
        Whether the message concerns only the requester and must not change a message that a group shares.
    buttons
        The buttons that a message has from now on; None if they stay.
    buttons_of
        The id of that message in the requester's private chat; None for the message that was pressed.
    question
        Another message that asks the requester something.
    invitation
        Another message, which everybody in the chat sees.
    withdrawn
        Whether the pressed message is to be deleted.
    """

    message: OutgoingMessage | None = None
    placement: Placement = Placement.BELOW
    notice: str | None = None
    personal: bool = False
    buttons: tuple[Button, ...] | None = None
    buttons_of: int | None = None
    question: OutgoingMessage | None = None
    invitation: OutgoingMessage | None = None
    withdrawn: bool = False
