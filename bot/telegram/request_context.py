"""Who writes a message or presses a button on Telegram, where, and how a response is shown to them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.core.chat import OutgoingMessage
from bot.core.errors import TryLater, Undeliverable
from bot.core.identity import Person
from bot.core.localization import language_of
from bot.core.request import Placement, Requester
from bot.core.retries import with_retries
from bot.telegram.api_client import MessageGone, MessageLocation
from bot.telegram.limits import PLATFORM, UPLOAD_BYTES
from bot.telegram.message_parsing import is_private

if TYPE_CHECKING:
    from telegram import Chat, Message, User

    from bot.core.conversation import Conversation
    from bot.core.request import Response
    from bot.telegram.api_client import TelegramClient


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A message or a button press.

    Attributes
    ----------
    requester
        Who made it.
    location
        Where to respond: the chat, the message that was written or bears the button, the topic.
    user
        The requester's id; None for somebody who writes in the name of a chat.
    query
        Id of the button press; None for a message.
    """

    requester: Requester
    location: MessageLocation
    user: int | None
    query: str | None = None


class RequestContexts:
    """Finds out who makes a request, and shows them the response.

    Parameters
    ----------
    client, conversation
        The connection, and where requests go.
    """

    def __init__(self, client: TelegramClient, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation

    async def open(
        self,
        message: Message,
        user: User | None = None,
        query: str | None = None,
        *,
        needs_administrator: bool = False,
        needs_reach: bool = False,
    ) -> RequestContext | None:
        """Return the context of a message, or of a button below it; None if nobody can be named.

        Parameters
        ----------
        user, query
            Who pressed the button, and the press's id.
        needs_administrator
            Whether to ask Telegram if they are an administrator at this moment.
        needs_reach
            Whether to find out which messages of this chat reach the bot.
        """
        somebody = user or message.from_user
        # Whoever writes in the name of a group or channel has no id of their own.
        sender = None if user is not None else message.sender_chat
        if sender is None and somebody is None:
            return None
        number = None if sender is not None or somebody is None else somebody.id
        person = Person(PLATFORM, str(number) if sender is None else f"chat{sender.id}")
        private, chat_id = is_private(message), str(message.chat.id)
        device = language_of(somebody.language_code if somebody else None)
        language = await self._conversation.language_for(person, chat_id, device)
        location = location_of(message)
        requester = Requester(
            person=person,
            words=self._conversation.words(language),
            chat_id=chat_id,
            place=place_of(message),
            administers=needs_administrator and not private and await self._administers(message, number),
            private=private,
            message_id=None if query is None else message.message_id,
            reply_target=location.as_json(),
            # A person's private chat with the bot has the person's own id.
            private_chats=() if number is None else (str(number),),
            upload_bytes=UPLOAD_BYTES,
            addressed_as=await self._client.addressed_as(message.chat.id) if needs_reach and not private else None,
        )
        return RequestContext(requester, location, number, query)

    async def _administers(self, message: Message, number: int | None) -> bool:
        """Return whether the person of that number, or whoever has none, is an administrator of the message's group."""
        if number is not None:
            return await self._client.administers(message.chat.id, number)
        # Whoever writes in the name of the group itself is one of its administrators.
        return message.sender_chat is not None and message.sender_chat.id == message.chat.id

    async def of_group(self, chat: Chat, user: User) -> RequestContext:
        """Return the context of somebody who added the bot to a group."""
        person, chat_id = Person(PLATFORM, str(user.id)), str(chat.id)
        language = await self._conversation.language_for(person, chat_id, language_of(user.language_code))
        requester = Requester(
            person=person,
            words=self._conversation.words(language),
            chat_id=chat_id,
            addressed_as=await self._client.addressed_as(chat.id),
        )
        return RequestContext(requester, MessageLocation(chat.id), user.id)

    async def respond(self, context: RequestContext, response: Response) -> None:
        """Show a response where everybody in the chat may see it; raises ``TryLater`` or ``Undeliverable``."""
        private, location = context.requester.private, context.location
        pressed = None if context.query is None else location.message
        if context.query is not None:
            await self._client.toast(context.query, response.notice)
        message = response.message
        if message is not None and message.file is not None and response.personal and not private:
            await self._send_privately(context, message)
        elif message is not None and pressed is not None and response.placement is not Placement.BELOW:
            if response.placement in {Placement.IN_PLACE, Placement.REPLACE} and (private or not response.personal):
                await with_retries(partial(self._client.edit, location.chat, pressed, message))
        elif message is not None:
            await with_retries(partial(self._client.post, location, message))
        changed = response.buttons_of or pressed
        if response.buttons is not None and changed is not None:
            with suppress(MessageGone):
                await with_retries(partial(self._client.edit_buttons, location.chat, changed, response.buttons))
        if response.withdrawn and pressed is not None:
            await self._client.delete(location.chat, pressed)
        if response.question is not None:
            await self._ask(context, response.question)
        if response.invitation is not None:
            await with_retries(partial(self._client.post, location, response.invitation))

    async def _ask(self, context: RequestContext, question: OutgoingMessage) -> None:
        """Ask the requester alone if they ever wrote to the bot, else where they are."""
        if not context.requester.private and context.user is not None:
            with suppress(Undeliverable, TryLater):
                await self._client.post(MessageLocation(context.user), question)
                return
        await self._client.post(context.location, question)

    async def _send_privately(self, context: RequestContext, message: OutgoingMessage) -> None:
        """Send a person's own data to them alone, and say so in the group."""
        text = "chat-write-me-first"
        if context.user is not None:
            with suppress(Undeliverable):
                await self._client.post(MessageLocation(context.user), message)
                text = "chat-sent-privately"
        await self._client.post(context.location, OutgoingMessage(context.requester.words.translate(text)))


def place_of(message: Message) -> str:
    """Return where a message is, as ``Requester.place``: the chat, and the topic in it."""
    return f"{message.chat.id}:{message.message_thread_id if message.is_topic_message else ''}"


def location_of(message: Message) -> MessageLocation:
    """Return where a message is, to reply to it."""
    topic = message.message_thread_id if message.is_topic_message else None
    sender = None if message.from_user is None or message.sender_chat is not None else message.from_user.id
    return MessageLocation(message.chat.id, message.message_id, topic, sender)
