"""Telegram's commands, by their names in every language, and who sees them; ``submissions`` handles ``/genre``."""

from __future__ import annotations

import logging
import unicodedata
from typing import TYPE_CHECKING

from telegram import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)
from telegram.error import BadRequest

from bot.core.callbacks import ChoicePurpose, GenreTarget
from bot.core.chat import OutgoingMessage
from bot.core.errors import DateUnclear
from bot.core.export_request import read_export_filter
from bot.core.localization import LANGUAGES, language_of, translate
from bot.core.request import Placement, Response
from bot.telegram.keyboards import answered_reply, genre_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telegram import BotCommandScope, Message

    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.core.request_handler import RequestHandler
    from bot.telegram.api_client import TelegramClient
    from bot.telegram.request_context import RequestContext

EVERYBODYS = ("genre", "correct", "teach", "language", "privacy", "mydata", "forgetme", "about", "stats", "help")
"""The commands in everybody's menu, in this order."""
SETTINGS, FEEDBACK = "settings", "feedback"
NEED_ADMINISTRATOR = frozenset({SETTINGS, FEEDBACK})
PLAIN_COMMANDS = frozenset({"help", "about", "stats", "privacy", "mydata", "forgetme", "settings", "language"})

log = logging.getLogger(__name__)


def name_of(key: str, language: Language) -> str:
    """Return what Telegram calls a command: as on Discord, but Telegram allows only a to z, 0 to 9 and _."""
    letters = unicodedata.normalize("NFD", translate(language, f"slash-{key}").replace("đ", "d"))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


_KEYS = {
    name_of(key, language): key
    for language in LANGUAGES
    for key in (*EVERYBODYS, SETTINGS, FEEDBACK, "review", "export")
}


def english_name(name: str) -> str:
    """Return a command's English name."""
    return _KEYS.get(name, name)


def bot_commands(language: Language, names: Iterable[str]) -> list[BotCommand]:
    """Return commands as Telegram lists them for people of a language."""
    return [BotCommand(name_of(name, language), translate(language, f"command-{name}")) for name in names]


async def register(client: TelegramClient, moderators: Iterable[int]) -> None:
    """Set the commands and the profile texts in every language; English is for everybody else.

    Only those who may use a command find it in their menu.

    Parameters
    ----------
    moderators
        People who moderate everywhere, also alone with the bot.
    """
    bot = client.bot
    for language in LANGUAGES:
        code = None if language == "en" else language
        own_settings = (*EVERYBODYS, SETTINGS)
        menus: list[tuple[BotCommandScope, tuple[str, ...]]] = [
            (BotCommandScopeDefault(), EVERYBODYS),
            (BotCommandScopeAllPrivateChats(), own_settings),
            (BotCommandScopeAllChatAdministrators(), (*own_settings, FEEDBACK)),
            *((BotCommandScopeChat(person), (*own_settings, FEEDBACK)) for person in moderators),
        ]
        for scope, names in menus:
            try:
                await bot.set_my_commands(bot_commands(language, names), scope, code)
            except BadRequest as error:
                # A moderator who never wrote to the bot has no chat with it.
                log.info("a menu of commands could not be set: %s", error)
        # Telegram limits how often these are set, so they are only set where they differ.
        description, short = translate(language, "profile-description"), translate(language, "profile-short")
        if (await bot.get_my_description(code)).description != description:
            await bot.set_my_description(description, code)
        if (await bot.get_my_short_description(code)).short_description != short:
            await bot.set_my_short_description(short, code)


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
        if command == "teach":
            return await self._requests.corrections.teach(requester, options)
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
            return Response(OutgoingMessage(context.requester.words.translate("chat-correct-usage")))
        if genre:
            return await self._requests.corrections.choose(context.requester, reply_id, genre, Placement.BELOW)
        return await self._requests.corrections.offer(context.requester, GenreTarget(ChoicePurpose.CORRECT, reply_id))

    async def _feedback(self, context: RequestContext, options: str) -> Response:
        self._conversation.moderation.require(context.requester)
        what, _, rest = options.partition(" ")
        subcommand = english_name(what.lower())
        if subcommand == "review":
            return await self._requests.command("review", context.requester)
        if subcommand == "stats":
            return await self._requests.command("counts", context.requester)
        usage = Response(OutgoingMessage(context.requester.words.translate("chat-feedback-usage")))
        if subcommand != "export":
            return usage
        try:
            wanted = read_export_filter(rest)
        except DateUnclear:
            return usage
        return await self._requests.export(context.requester, wanted)
