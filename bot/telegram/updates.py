"""Receives updates by polling or through a webhook.

An update is acknowledged only after ``receive`` has stored its songs: then the next batch is requested, or the webhook
answered. So a crash loses no song, and a song that comes twice is recognised by its key. The library's ``Application``
acknowledges updates before they are handled, which is why it is not used.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from telegram import Update
from telegram.constants import UpdateType
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.core.chat import ChatCannotStart
from bot.http_server import QuietRunner
from bot.telegram.api_client import starting
from bot.telegram.rate_limit import seconds_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from telegram.ext import ExtBot

    from common.addresses import Address

# Reactions arrive only if they are asked for; in a group the bot must be an administrator, too.
UPDATE_TYPES = [
    UpdateType.MESSAGE,
    UpdateType.CHANNEL_POST,
    UpdateType.MY_CHAT_MEMBER,
    UpdateType.MESSAGE_REACTION,
    UpdateType.CALLBACK_QUERY,
]
POLL_SECONDS = 50
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
UPDATES_REMEMBERED = 4096

log = logging.getLogger(__name__)


class Polling:
    """Requests updates until it is stopped.

    Parameters
    ----------
    bot
        The connection.
    receive
        Handles a batch; returns as soon as its songs are stored.
    """

    def __init__(self, bot: ExtBot[int], receive: Callable[[Sequence[Update]], Awaitable[None]]) -> None:
        self._bot = bot
        self._receive = receive
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    @property
    def connected(self) -> bool:
        """Whether updates are requested, and the last request did not fail."""
        return self._task is not None and not self._failing

    async def start(self) -> None:
        """Begin to request updates, for which no webhook may be set; raises ``ChatCannotStart``."""
        with starting():
            await self._bot.delete_webhook()
        self._failing = False
        self._task = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Request no more updates."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _poll(self) -> None:
        offset, pause = 0, FIRST_PAUSE_SECONDS
        while True:
            try:
                batch = await self._bot.get_updates(
                    offset, timeout=timedelta(seconds=POLL_SECONDS), allowed_updates=list(UPDATE_TYPES)
                )
                await self._receive(batch)
            except TelegramError as error:
                self._failing = True
                wait = _pause(error, pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(wait)
            except Exception:
                # Nothing was acknowledged: the same batch comes again.
                log.exception("updates could not be handled; requesting them again")
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                self._failing = False
                pause = FIRST_PAUSE_SECONDS
                offset = max([offset, *(update.update_id + 1 for update in batch)])


class Webhook:
    """Lets Telegram deliver updates; only requests with the secret are accepted.

    Parameters
    ----------
    bot, receive
        As for ``Polling``.
    url
        The address that Telegram sends updates to.
    address
        Where it listens, behind a proxy that speaks HTTPS.
    secret
        Shared with Telegram: 1–256 characters of ``A–Z a–z 0–9 _ -``.
    """

    def __init__(
        self,
        bot: ExtBot[int],
        receive: Callable[[Sequence[Update]], Awaitable[None]],
        *,
        url: str,
        address: Address,
        secret: str,
    ) -> None:
        self._bot = bot
        self._receive = receive
        self._url = url
        self._address = address
        self._secret = secret
        self._seen: dict[int, None] = {}
        self._runner: web.AppRunner | None = None

    @property
    def connected(self) -> bool:
        """Whether it listens; whether Telegram reaches it cannot be known."""
        return self._runner is not None

    async def start(self) -> None:
        """Listen, and register the address with Telegram; raises ``ChatCannotStart``."""
        application = web.Application()
        application.router.add_post(urlsplit(self._url).path or "/", self._take)
        self._runner = QuietRunner(application)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self.stop()
            raise ChatCannotStart(f"cannot listen on {self._address}: set WEBHOOK_LISTEN to another address") from error
        try:
            with starting():
                await self._bot.set_webhook(self._url, allowed_updates=list(UPDATE_TYPES), secret_token=self._secret)
        except ChatCannotStart:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop listening; Telegram keeps the updates that come meanwhile."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        # What is no ASCII has surrogates, which no encoding takes.
        secret = request.headers.get(SECRET_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(secret, self._secret.encode()):
            return web.Response(status=HTTPStatus.FORBIDDEN)
        try:
            update = Update.de_json(await request.json(), self._bot)
            number = update.update_id
        except (ValueError, TypeError, KeyError, AttributeError):
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        if number not in self._seen:
            await self._receive([update])
            self._seen[number] = None
            if len(self._seen) > UPDATES_REMEMBERED:
                del self._seen[next(iter(self._seen))]
        return web.Response()


def _pause(error: TelegramError, pause: float) -> float:
    if isinstance(error, RetryAfter):
        return seconds_of(error)
    if isinstance(error, Conflict):
        log.error("another program requests this bot's updates: stop it, or this one")
    elif isinstance(error, InvalidToken):
        log.error("Telegram no longer accepts TELEGRAM_TOKEN: ask @BotFather for a new one")
    else:
        log.warning("Telegram cannot be reached: %s", error)
    return pause
