"""Telegram ↔ conversation: songs, answers, buttons in private chats and groups; its package holds the parts."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from typing import TYPE_CHECKING, Any

from bot.core import messages
from bot.telegram import keyboards
from bot.telegram.api_client import CAPTION_CHARACTERS, TEXT_CHARACTERS, Line
from bot.telegram.commands import Commands, register
from bot.telegram.feedback import Opinions
from bot.telegram.moderation import Desk
from bot.telegram.request_context import PLATFORM, Ears
from bot.telegram.router import Dispatch
from bot.telegram.status_message import Progress, titled
from bot.telegram.submissions import Intake
from bot.telegram.updates import Polling, Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.core.chat import Heard, Song, Stage
    from bot.core.conversation import Conversation
    from bot.settings import Settings
    from common.errors import UserError

log = logging.getLogger(__name__)


def open_chat(settings: Settings, conversation: Conversation) -> TelegramChat:
    """Make the chat; it has not started yet."""
    return TelegramChat(settings, conversation)


class TelegramChat:
    """Implements ``bot.core.chat.Chat``.

    Parameters
    ----------
    settings, conversation
        Token, limits and addresses; what is said.
    """

    platform = PLATFORM

    def __init__(self, settings: Settings, conversation: Conversation) -> None:
        self._settings = settings
        self._conversation = conversation
        self._line = Line(settings)
        self._progress = Progress(self._line)
        ears = Ears(self._line, conversation)
        opinions = Opinions(self._line, conversation)
        desk = Desk(self._line, conversation, ears)
        self._dispatch = Dispatch(
            self._line,
            conversation,
            ears,
            self._progress,
            intake=Intake(self._line, conversation, settings, ears, self._progress),
            opinions=opinions,
            desk=desk,
            commands=Commands(self._line, conversation, settings, opinions, desk),
        )
        self._updates = self._way_in()
        self._registering: asyncio.Task[None] | None = None

    def _way_in(self) -> Polling | Webhook:
        if not self._settings.webhook_url:
            return Polling(self._line.bot, self._dispatch.receive)
        token = self._settings.tokens[PLATFORM].get_secret_value()
        return Webhook(
            self._line.bot,
            self._dispatch.receive,
            url=self._settings.webhook_url,
            address=self._settings.webhook_listen,
            # Whoever knows the token may speak for Telegram anyway.
            secret=hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest(),
        )

    @property
    def connected(self) -> bool:
        """Whether Telegram's messages reach the bot."""
        return self._updates.connected

    async def start(self) -> None:
        """Connect, and begin to take songs; raises ``CannotStart``."""
        await self._line.open()
        await self._updates.start()
        self._registering = asyncio.create_task(self._register())

    async def _register(self) -> None:
        try:
            await register(self._line)
        except Exception:
            # Commands work without being listed.
            log.exception("the commands could not be registered")

    async def stop_taking(self) -> None:
        """Ask for no more messages; those that came are still dealt with."""
        await self._updates.stop()

    async def close(self) -> None:
        """End what is under way, and disconnect."""
        await self._updates.stop()
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.gather(self._registering, return_exceptions=True)
        await self._dispatch.close()
        await self._progress.close()
        await self._line.close()

    async def fetch(self, song: Song, folder: Path) -> Path:
        """Bring a song's bytes here."""
        return await self._line.download(song.payload["file"], folder / "song")

    async def show(self, song: Song, stage: Stage) -> Mapping[str, Any] | None:
        """Show how far a song has come."""
        return await self._progress.show(song, stage)

    async def ask(self, song: Song, question: messages.Message) -> Mapping[str, Any]:
        """Turn the song's message into a question."""
        buttons = keyboards.keyboard(question.buttons)
        return {"message": await self._progress.finish(song, question.text, buttons)}

    async def answer(self, song: Song, heard: Heard) -> Mapping[str, Any]:
        """Turn the song's message into its answer, with the picture if the chat wants it."""
        chat, private = str(song.message["chat"]), bool(song.message["private"])
        picture = None
        if (await self._conversation.housekeeping.chat(PLATFORM, chat)).picture:
            picture = await self._conversation.picture(heard.report, song.words, "light")
        room = TEXT_CHARACTERS if picture is None else CAPTION_CHARACTERS
        room -= 2 * len(titled("", song))  # Telegram counts characters beyond the basic plane twice
        said = messages.answer(heard.report, song.words, heard.reply.id, known=heard.known, characters=room)
        buttons = keyboards.below_answer(said.buttons, song.words, heard.reply.id, private=private)
        message = await self._progress.finish(song, titled(said.text, song), buttons, picture=picture)
        return {"chat": song.message["chat"], "message": message}

    async def refuse(self, song: Song, error: UserError) -> None:
        """Say in the song's message why there is no answer."""
        await self._progress.finish(song, titled(messages.sentence(error, song.words.language), song))

    async def stopped(self, song: Song) -> None:
        """Say in the song's message that it was stopped."""
        await self._progress.finish(song, song.words.say("progress-cancelled"))

    async def discard(self, song: Song) -> None:
        """The song has ended; its bytes were in its folder alone."""
        self._progress.forget(song)

    def queue_moved(self) -> None:
        """Show those who wait their new places."""
        self._progress.queue_moved(self._conversation.stage)
