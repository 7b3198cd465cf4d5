"""Commands in Telegram, by their English and their Vietnamese names; what they do is the conversation's."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from telegram import BotCommand

from bot.core.errors import NotYours, Undeliverable
from bot.core.localization import LANGUAGES, language_of, say
from bot.telegram import keyboards
from bot.telegram.api_client import Where
from bot.telegram.request_context import PLATFORM
from common.units import MEGABYTE

if TYPE_CHECKING:
    from telegram import Message

    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.settings import Settings
    from bot.telegram.api_client import Line
    from bot.telegram.feedback import Opinions
    from bot.telegram.moderation import Desk
    from bot.telegram.request_context import Voice

# Telegram allows commands only a to z, 0 to 9 and _.
VIETNAMESE = {
    "genre": "theloai",
    "correct": "sualai",
    "language": "ngonngu",
    "privacy": "riengtu",
    "mydata": "dulieu",
    "forgetme": "quentoi",
    "about": "gioithieu",
    "stats": "thongke",
    "help": "trogiup",
    "feedback": "ykien",
    "settings": "caidat",
}
_ENGLISH = {vietnamese: english for english, vietnamese in VIETNAMESE.items()}


def english(name: str) -> str:
    """Return a command's English name."""
    return _ENGLISH.get(name, name)


def described(language: Language) -> list[BotCommand]:
    """Return the commands as Telegram lists them for people of a language."""
    return [
        BotCommand(VIETNAMESE[name] if language == "vi" else name, say(language, f"command-{name}"))
        for name in VIETNAMESE
    ]


async def register(line: Line) -> None:
    """Tell Telegram which commands there are, in every language; English is for everybody else."""
    for language in LANGUAGES:
        await line.bot.set_my_commands(described(language), language_code=None if language == "en" else language)


class Commands:
    """Everything that begins with a slash, ``/genre`` left out."""

    def __init__(
        self, line: Line, conversation: Conversation, settings: Settings, opinions: Opinions, desk: Desk
    ) -> None:
        self._line = line
        self._conversation = conversation
        self._settings = settings
        self._opinions = opinions
        self._desk = desk

    async def run(self, voice: Voice, message: Message, name: str, said: str) -> None:
        """Do what a command asks for; one that nobody knows gets help where the bot is alone with the person."""
        known = {
            "start": self.help,
            "help": self.help,
            "about": self._about,
            "stats": self._stats,
            "language": self._language,
            "privacy": self._privacy,
            "mydata": self._mydata,
            "forgetme": self._forgetme,
        }
        command = english(name)
        if command in known:
            await known[command](voice, said)
        elif command == "correct":
            await self._correct(voice, message, said)
        elif command == "feedback":
            await self._desk.feedback(voice, said)
        elif command == "settings":
            await self._desk.settings(voice)
        elif voice.private:
            await self.help(voice, "")

    async def help(self, voice: Voice, _said: str = "") -> None:
        """Say what the bot does here, and its limits before they bite."""
        words, settings = voice.words, self._settings
        lines = [
            words.say("chat-help-private" if voice.private else "chat-help-group"),
            words.say(
                "chat-limits",
                megabytes=self._line.most_bytes() // MEGABYTE,
                minutes=round(settings.max_minutes),
                queued=settings.songs_per_person_queued,
                daily=settings.songs_per_person_daily,
            ),
            words.say("chat-help-commands"),
        ]
        await self._line.say(voice.where, "\n\n".join(lines))

    async def speak(self, voice: Voice, query: str | None, language: Language) -> None:
        """Speak another language with a person from now on."""
        await self._conversation.set_language(voice.person, language)
        text = say(language, "language-chosen")
        if query is None:
            await self._line.say(voice.where, text)
        else:
            await self._line.toast(query, text)
            if voice.private and voice.where.message is not None:
                await self._line.change(voice.where.chat, voice.where.message, text, None)

    async def consent(self, voice: Voice, query: str, *, allow: bool) -> None:
        """Write down whether a person's corrections may train."""
        message = await self._conversation.set_consent(voice.person, voice.language, allow=allow)
        await self._line.toast(query, message.text)
        if voice.private and voice.where.message is not None:
            await self._line.change(voice.where.chat, voice.where.message, message.text, None)

    async def forget(self, voice: Voice, query: str, *, sure: bool, person: str) -> None:
        """Delete everything about a person who is sure of it; raises ``NotYours`` for anybody else."""
        if person != voice.person.id:
            raise NotYours()
        text = voice.words.say("forget-kept")
        if sure:
            gone = await self._conversation.forget(voice.person, self._private_chats(voice))
            text = voice.words.say("forget-done", songs=gone.replies, corrections=gone.corrections)
        await self._line.toast(query)
        if voice.where.message is not None:
            await self._line.change(voice.where.chat, voice.where.message, text, None)

    async def _about(self, voice: Voice, _said: str) -> None:
        await self._line.say(voice.where, await self._conversation.housekeeping.about(voice.language))

    async def _stats(self, voice: Voice, _said: str) -> None:
        text = await self._conversation.housekeeping.stats(PLATFORM, voice.chat_id, voice.language)
        await self._line.say(voice.where, text)

    async def _language(self, voice: Voice, said: str) -> None:
        language = language_of(said)
        if language is not None:
            await self.speak(voice, None, language)
        else:
            await self._line.say(voice.where, voice.words.say("chat-language"), keyboards.languages())

    async def _privacy(self, voice: Voice, _said: str) -> None:
        message = await self._conversation.privacy(voice.person, voice.language)
        await self._line.say(voice.where, message.text, keyboards.keyboard(message.buttons))

    async def _mydata(self, voice: Voice, _said: str) -> None:
        data = await self._conversation.my_data(voice.person, self._private_chats(voice))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / voice.words.say("mydata-name")
            path.write_text(json.dumps(data, ensure_ascii=False, indent=2), encoding="utf-8")
            if voice.private:
                await self._line.document(voice.where, path, voice.words.say("mydata-here"))
                return
            # What is kept of somebody is nobody else's business.
            try:
                if voice.user is None:
                    raise Undeliverable("the name of a chat has no chat of its own")
                await self._line.document(Where(voice.user), path, voice.words.say("mydata-here"))
            except Undeliverable:
                await self._line.say(voice.where, voice.words.say("chat-write-me-first"))
            else:
                await self._line.say(voice.where, voice.words.say("chat-sent-privately"))

    async def _forgetme(self, voice: Voice, _said: str) -> None:
        buttons = keyboards.forgetting(voice.words, voice.person.id)
        await self._line.say(voice.where, voice.words.say("forget-question"), buttons)

    async def _correct(self, voice: Voice, message: Message, said: str) -> None:
        answered = message.reply_to_message
        reply_id = keyboards.answer_subject(answered) or keyboards.list_subject(answered)
        if reply_id is None:
            await self._line.say(voice.where, voice.words.say("chat-correct-usage"))
        elif said:
            await self._opinions.name(voice, reply_id, said)
        else:
            await self._conversation.given(reply_id, voice.person, voice.language)
            await self._opinions.offer(voice, reply_id)

    @staticmethod
    def _private_chats(voice: Voice) -> list[str]:
        """Return the chat that somebody has with the bot alone: in Telegram it has its person's number."""
        return [] if voice.user is None else [str(voice.user)]
