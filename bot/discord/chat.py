"""The Discord chat: its connection, and what it implements of ``bot.core.chat.Chat``.

``submissions`` takes songs, ``component_handlers`` handles buttons and text boxes, and ``commands`` the commands.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.core.chat import ChatCannotStart, PlatformUnreachable
from bot.core.request_handler import RequestHandler
from bot.core.size_limits import max_bytes
from bot.core.status_message import StatusMessageChat
from bot.discord import discord
from bot.discord import limits as discord_limits
from bot.discord.client import DiscordClient
from bot.discord.commands import add_commands
from bot.discord.component_handlers import ComponentHandlers
from bot.discord.corrections import DiscordCorrections
from bot.discord.download import fetch
from bot.discord.message_port import DiscordMessagePort, ReplyTarget
from bot.discord.rate_limit import DiscordRateLimiter
from bot.discord.submissions import DiscordSubmissions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.chat import PendingSong
    from bot.core.conversation import Conversation
    from bot.settings import Settings

START_SECONDS = 30.0
CLOSE_SECONDS = 5.0
NETWORK_FAULTS = (
    discord.DiscordServerError,
    discord.GatewayNotFound,
    discord.RateLimited,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
)

log = logging.getLogger(__name__)


class DiscordChat(StatusMessageChat):
    """Discord.

    Parameters
    ----------
    settings, conversation
        The token and the limits, and where requests go.
    """

    platform = discord_limits.PLATFORM
    limits = discord_limits.LIMITS

    def __init__(self, settings: Settings, conversation: Conversation) -> None:
        super().__init__(conversation, discord_limits.QUEUE_NEWS_SECONDS)
        self.client = DiscordClient(settings, self)
        self._settings = settings
        self._connection: asyncio.Task[None] | None = None
        self._is_closing = False
        self._rate_limiter = DiscordRateLimiter()
        self._began = discord.utils.time_snowflake(discord.utils.utcnow())
        requests = RequestHandler(conversation, self.limits, max_bytes(settings))
        self._submissions = DiscordSubmissions(conversation, requests, self.client, self)
        self._corrections = DiscordCorrections(conversation, requests, self.client, self._rate_limiter)
        self._components = ComponentHandlers(conversation, requests)
        has_moderators = any(each.chat == self.platform for each in settings.moderators)
        add_commands(
            self.client,
            conversation,
            requests,
            self._submissions,
            self._corrections,
            has_moderators=has_moderators,
        )

    @property
    def connected(self) -> bool:
        """Whether every connection to the gateway is up; the library reconnects those that are not."""
        if self.client.is_closed() or not self.client.is_ready():
            return False
        return not any(shard.is_closed() for shard in self.client.shards.values())

    async def start(self) -> None:
        """Log in and connect."""
        token = self._settings.discord_token
        if token is None:
            raise ChatCannotStart("there is no DISCORD_TOKEN")
        try:
            await self.client.login(token.get_secret_value())
        except discord.LoginFailure:
            await self.client.close()
            raise ChatCannotStart("Discord does not know this token: make a new one and set DISCORD_TOKEN") from None
        except NETWORK_FAULTS as error:
            await self._disconnect()
            reason = f"{self._settings.discord_api_url} cannot be reached: {error}"
            raise PlatformUnreachable(reason) from error
        except discord.HTTPException as error:
            await self.client.close()
            raise ChatCannotStart(f"Discord refuses to start: {error}") from error
        self._connection = asyncio.create_task(self.client.connect(), name="discord")
        ready = asyncio.create_task(self.client.wait_until_ready())
        await asyncio.wait({ready, self._connection}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._connection.done():
            reason = f"Discord ended the connection: {_reason(self._connection)}"
            if isinstance(self._connection.exception(), NETWORK_FAULTS):
                await self._disconnect()
                raise PlatformUnreachable(reason)
            await self.client.close()
            raise ChatCannotStart(reason)
        self._connection.add_done_callback(self._connection_ended)
        if not self.client.is_ready():
            log.warning("Discord is not ready yet; the bot keeps trying")

    async def _disconnect(self) -> None:
        """Let the client log in again later, which one that was closed cannot."""
        await self.client.http.close()
        # The library does not replace the connector that it closed.
        self.client.http.connector = discord.utils.MISSING

    def _connection_ended(self, connection: asyncio.Task[None]) -> None:
        if not self._is_closing:
            log.error("Discord ended the connection for good: %s; restart the bot", _reason(connection))

    async def stop_taking(self) -> None:
        """Take no more songs; buttons and answers go on working."""
        self._submissions.close()

    async def close(self) -> None:
        """Disconnect."""
        self._is_closing = True
        await self.close_messages()
        await self.client.close()
        if self._connection is not None:
            await asyncio.wait({self._connection}, timeout=CLOSE_SECONDS)

    async def on_text_message(self, message: discord.Message) -> None:
        """Take the genre that a message names for an answer, or else its songs."""
        if not await self._corrections.from_message(message):
            await self._submissions.from_message(message)

    async def on_reaction(self, payload: discord.RawReactionActionEvent, *, withdrawn: bool) -> None:
        """Take a reaction as an opinion on an answer."""
        await self._corrections.from_reaction(payload, withdrawn=withdrawn)

    async def on_component(self, interaction: discord.Interaction[Any]) -> None:
        """Handle a button, a menu or a text box."""
        await self._components.handle(interaction)

    async def fetch(self, song: PendingSong, folder: Path) -> Path:
        """Download the song from Discord."""
        suffix = PurePath(song.title or "").suffix
        target = folder / f"song{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
        await fetch(self.client, song.payload, target, max_bytes(self._settings))
        return target

    def open_port(self, job_id: int, target: Mapping[str, Any]) -> tuple[DiscordMessagePort, int | None]:
        """Return what posts a song's message, and the message that already waits for it."""
        there = ReplyTarget.from_json(target)
        return DiscordMessagePort(self.client, self._rate_limiter, job_id, there, self._began), there.slot


def _reason(connection: asyncio.Task[None]) -> str:
    return "cancelled" if connection.cancelled() else str(connection.exception() or "without a reason")


open_chat = DiscordChat
