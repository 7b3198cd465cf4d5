"""The Telegram chat: its connection, and what it implements of ``bot.core.chat.Chat``."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from typing import TYPE_CHECKING, Any

from bot.core.chat import ChatCannotStart
from bot.core.errors import TryLater, Undeliverable
from bot.core.request_handler import RequestHandler
from bot.core.retries import with_retries
from bot.core.status_message import StatusMessageChat
from bot.telegram import limits as telegram_limits
from bot.telegram.api_client import MessageLocation, TelegramClient, delivering
from bot.telegram.commands import Commands, register
from bot.telegram.message_port import TelegramMessagePort
from bot.telegram.post_journal import PostJournal
from bot.telegram.request_context import RequestContexts
from bot.telegram.router import Router
from bot.telegram.submissions import TelegramSubmissions
from bot.telegram.updates import Polling, Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.core.chat import PendingSong
    from bot.core.conversation import Conversation
    from bot.settings import Settings

log = logging.getLogger(__name__)


class TelegramChat(StatusMessageChat):
    """Telegram.

    Parameters
    ----------
    settings, conversation
        The token, limits and addresses; where requests go.
    """

    platform = telegram_limits.PLATFORM
    limits = telegram_limits.LIMITS

    def __init__(self, settings: Settings, conversation: Conversation) -> None:
        super().__init__(conversation, telegram_limits.QUEUE_NEWS_SECONDS)
        self._client = TelegramClient(settings)
        self._journal = PostJournal(settings.data_dir / "telegram-posts.jsonl")
        everywhere = [each.id for each in settings.moderators if each.chat == self.platform]
        self._moderators = [int(number) for number in everywhere if number.isdecimal()]
        requests = RequestHandler(conversation, self.limits, self._client.largest_file())
        self._router = Router(
            self._client,
            conversation,
            RequestContexts(self._client, conversation),
            requests=requests,
            submissions=TelegramSubmissions(self._client, conversation),
            commands=Commands(conversation, requests),
            status=self,
        )
        self._updates = self._receiver(settings)
        self._registering: asyncio.Task[None] | None = None

    def _receiver(self, settings: Settings) -> Polling | Webhook:
        if not settings.webhook_url:
            return Polling(self._client.bot, self._router.receive)
        token = settings.tokens[self.platform].get_secret_value()
        return Webhook(
            self._client.bot,
            self._router.receive,
            url=settings.webhook_url,
            address=settings.webhook_listen,
            # Whoever knows the token can act as this bot anyway.
            secret=hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest(),
        )

    @property
    def connected(self) -> bool:
        """Whether updates reach the bot."""
        return self._updates.connected

    async def start(self) -> None:
        """Connect, and begin to take songs; raises ``ChatCannotStart``."""
        await self._client.open()
        try:
            await self._updates.start()
        except ChatCannotStart:
            await self._client.close()
            raise
        self._registering = asyncio.create_task(self._register())

    async def _register(self) -> None:
        async def send() -> None:
            with delivering():
                await register(self._client, self._moderators)

        # Commands work without being listed.
        try:
            await with_retries(send)
        except (TryLater, Undeliverable) as reason:
            log.warning("the commands could not be registered: %s", reason)
        except Exception:
            log.exception("the commands could not be registered because of a bug")

    async def stop_taking(self) -> None:
        """Request no more updates; those that came are still handled."""
        await self._updates.stop()

    async def close(self) -> None:
        """Finish what is in progress, and disconnect."""
        await self._updates.stop()
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.gather(self._registering, return_exceptions=True)
        await self._router.close()
        await self.close_messages()
        await self._client.close()

    async def fetch(self, song: PendingSong, folder: Path) -> Path:
        """Download a song."""
        return await self._client.download(song.payload["file"], folder / "song")

    async def discard(self, song: PendingSong) -> None:
        """Forget the song, which has ended."""
        await super().discard(song)
        self._journal.forget(song.job_id)

    def open_port(self, job_id: int, target: Mapping[str, Any]) -> tuple[TelegramMessagePort, None]:
        """Return what posts a song's message; there is none yet."""
        return TelegramMessagePort(self._client, MessageLocation.from_json(target), self._journal, job_id), None


open_chat = TelegramChat
