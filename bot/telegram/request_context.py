"""Who says something in Telegram, where, and in which language; administrators are asked for at every call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.identity import Person
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.core.moderation import Asker
from bot.telegram.api_client import Where
from bot.telegram.message_parsing import is_private

if TYPE_CHECKING:
    from telegram import Message, User

    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.core.vocabulary import Words
    from bot.telegram.api_client import Line

PLATFORM = "telegram"


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who writes a message or presses a button.

    Attributes
    ----------
    person, language, words
        Who, and how to speak to them.
    where
        Where to answer: the chat, the message written or bearing the button, the topic.
    private
        Whether they are alone with the bot.
    user
        Their number; None for somebody who writes in the name of a chat.
    """

    person: Person
    language: Language
    words: Words
    where: Where
    private: bool
    user: int | None

    @property
    def chat_id(self) -> str:
        """The chat as storage is told of it."""
        return str(self.where.chat)


class Ears:
    """Tells who is speaking."""

    def __init__(self, line: Line, conversation: Conversation) -> None:
        self._line = line
        self._conversation = conversation

    async def voice(self, message: Message, user: User | None = None) -> Voice | None:
        """Return who wrote a message, or who (``user``) pressed a button below it; None for nobody."""
        somebody = user or message.from_user
        nameless = user is None and message.sender_chat is not None
        if nameless and message.sender_chat is not None:
            person = Person(PLATFORM, f"chat{message.sender_chat.id}")
        elif somebody is not None:
            person = Person(PLATFORM, str(somebody.id))
        else:
            return None
        hint = await self._hint(message, somebody)
        language = await self._conversation.language(person) or hint
        return Voice(
            person=person,
            language=language,
            words=self._conversation.words(language),
            where=where_of(message),
            private=is_private(message),
            user=None if nameless or somebody is None else somebody.id,
        )

    async def asker(self, voice: Voice) -> Asker:
        """Return who asks for what moderators may do, as Telegram says it this moment."""
        if voice.private:
            administers = False
        elif voice.user is None:
            # Who writes in the name of the group itself is one of its administrators, unnamed.
            administers = voice.person.id == f"chat{voice.where.chat}"
        else:
            administers = await self._line.administers(voice.where.chat, voice.user)
        return Asker(voice.person, voice.language, voice.chat_id, administers)

    async def _hint(self, message: Message, user: User | None) -> Language:
        """Return the language for somebody who chose none: the chat's, else their device's."""
        chat = await self._conversation.housekeeping.chat(PLATFORM, str(message.chat.id))
        return language_of(chat.language) or language_of(user.language_code if user else None) or DEFAULT_LANGUAGE


def where_of(message: Message) -> Where:
    """Return the place of a message, to answer it."""
    topic = message.message_thread_id if message.is_topic_message else None
    return Where(message.chat.id, message.message_id, topic)
