"""Telegram's commands, by their English and their Vietnamese names; ``/genre`` is handled by ``submissions``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import BotCommand

from bot.core.callbacks import ChoicePurpose, GenreTarget
from bot.core.chat import OutgoingMessage, Response
from bot.core.errors import DateUnclear
from bot.core.localization import LANGUAGES, language_of, say
from bot.core.moderation import read_export_filter
from bot.telegram.keyboards import answered_reply, genre_target

if TYPE_CHECKING:
    from telegram import Message

    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.core.request_handler import RequestHandler
    from bot.telegram.api_client import TelegramClient
    from bot.telegram.request_context import RequestContext

# Telegram allows only a to z, 0 to 9 and _ in commands.
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
NEED_ADMINISTRATOR = frozenset({"feedback", "settings"})
PLAIN_COMMANDS = frozenset({"help", "about", "stats", "privacy", "mydata", "forgetme", "settings", "language"})


def english_name(name: str) -> str:
    """Return a command's English name."""
    return _ENGLISH.get(name, name)


def bot_commands(language: Language) -> list[BotCommand]:
    """Return the commands as Telegram lists them for people of a language."""
    return [
        BotCommand(VIETNAMESE[name] if language == "vi" else name, say(language, f"command-{name}"))
        for name in VIETNAMESE
    ]


async def register(client: TelegramClient) -> None:
    """Register the commands in every language; English is for everybody else."""
    for language in LANGUAGES:
        code = None if language == "en" else language
        await client.bot.set_my_commands(bot_commands(language), language_code=code)


class Commands:
    """Everything that begins with a slash, except ``/genre``.

    Parameters
    ----------
    conversation, requests
        Where requests go.
    """

    def __init__(self, conversation: Conversation, requests: RequestHandler) -> None:
        self._conversation = conversation
        self._requests = requests

    async def run(self, context: RequestContext, message: Message, name: str, options: str) -> Response | None:
        """Carry out a command; an unknown one gets help in a private chat."""
        command, requester = english_name(name), context.requester
        if command == "language" and (language := language_of(options)) is not None:
            return await self._requests.set_language(requester, language)
        if command in PLAIN_COMMANDS:
            return await self._requests.command(command, requester)
        if command == "correct":
            return await self._correct(context, message, options)
        if command == "feedback":
            return await self._feedback(context, options)
        if command == "start" or requester.private:
            return await self._requests.command("help", requester)
        return None

    async def _correct(self, context: RequestContext, message: Message, genre: str) -> Response:
        replied = message.reply_to_message
        target, reply_id = genre_target(replied), answered_reply(replied)
        if reply_id is None and target is not None and target.purpose is ChoicePurpose.CORRECT:
            reply_id = target.subject
        if reply_id is None:
            return Response(OutgoingMessage(context.requester.words.say("chat-correct-usage")))
        if genre:
            return await self._requests.correct(context.requester, reply_id, genre)
        return await self._requests.offer_genres(context.requester, GenreTarget(ChoicePurpose.CORRECT, reply_id))

    async def _feedback(self, context: RequestContext, options: str) -> Response:
        self._conversation.moderation.require(context.requester)
        what, _, rest = options.partition(" ")
        if what == "review":
            return await self._requests.command("review", context.requester)
        if what == "stats":
            return await self._requests.command("counts", context.requester)
        usage = Response(OutgoingMessage(context.requester.words.say("chat-feedback-usage")))
        if what != "export":
            return usage
        try:
            wanted = read_export_filter(rest)
        except DateUnclear:
            return usage
        return await self._requests.export(context.requester, wanted)
