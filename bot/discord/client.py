"""The connection to Discord: where it goes, what it is told, and to whom it hands what it hears."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
import discord
import yarl
from aiolimiter import AsyncLimiter
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.core.localization import DEFAULT_LANGUAGE, has, language_of, say
from bot.discord.components import Pick, Press

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.localization import Language
    from bot.settings import Settings

# Longer pauses than this are the queue's to wait out, not a request's.
LONGEST_PAUSE_SECONDS = 60.0
# What is being answered when the bot stops has so long to be answered.
ANSWER_SECONDS = 3.0
# The bot is ready when no server has been named for so long: it has no use for a list of them all.
GUILD_SECONDS = 0.2
# Discord takes 50 requests a second: a bucket of 8 that leaks 32 a second stays below that.
REQUESTS_BURST, REQUESTS_SECONDS = 8, 0.25
# What Discord counts against no such limit.
UNCOUNTED = ("/interactions/", "/webhooks/", "/gateway")
PEOPLE_REMEMBERED = 10_000
OFFICIAL_GATEWAY = "wss://gateway.discord.gg"

log = logging.getLogger(__name__)


class Listener(Protocol):
    """What the connection hands over."""

    async def heard(self, message: discord.Message) -> None:
        """Somebody wrote a message."""

    async def pressed(self, interaction: discord.Interaction[Any], custom_id: str, values: Sequence[str]) -> None:
        """Somebody pressed a button, or picked from a list."""

    async def typed(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody filled a text box."""


class Client(discord.AutoShardedClient):
    """discord.py's client with as few rights as the bot needs: no member lists, no reading along.

    Parameters
    ----------
    settings
        Where Discord is.
    listener
        Who hears what happens.

    Attributes
    ----------
    spoken
        Person → language of their Discord, as they last pressed or commanded something: it is not told with messages.
    """

    def __init__(self, settings: Settings, listener: Listener) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=GUILD_SECONDS,
            max_ratelimit_timeout=LONGEST_PAUSE_SECONDS,
            http_trace=_paced(),
            shard_count=settings.discord_shard_count,
            shard_ids=list(settings.discord_shards) or None,  # type: ignore[arg-type]
        )
        self._tells_commands = not settings.discord_shards or 0 in settings.discord_shards
        self._listener = listener
        self.spoken: dict[int, Language | None] = {}
        # The library keeps both addresses with the class: there is one Discord to a process.
        Route.BASE = settings.discord_api_url
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
        self._gateway = settings.discord_gateway_url
        self._answering: set[asyncio.Task[Any]] = set()
        self.tree: app_commands.CommandTree[Client] = Tree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )

    async def setup_hook(self) -> None:
        """Make buttons of earlier processes work, and tell Discord which commands there are."""
        self.add_dynamic_items(Press, Pick)
        await self.tree.set_translator(Translator())
        # One process of several is enough to tell, and Discord counts how often it is told.
        if self._tells_commands:
            await self._tell_commands()
        if self._gateway != OFFICIAL_GATEWAY:
            ask = self.http.get_bot_gateway

            async def through_ours() -> Any:
                shards, _, limit = await ask()
                return shards, self._gateway, limit

            self.http.get_bot_gateway = through_ours  # type: ignore[method-assign]

    def attend(self) -> None:
        """Note that the present task answers somebody: it is waited for before the connection ends."""
        task = asyncio.current_task()
        if task is not None:
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def close(self) -> None:
        """End the connection, when what was being answered is answered."""
        if self._answering:
            await asyncio.wait(set(self._answering), timeout=ANSWER_SECONDS)
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await super().close()

    async def _tell_commands(self) -> None:
        try:
            await self.tree.sync()
        except discord.HTTPException:
            log.exception("Discord did not take the commands; those of the last start stay")

    async def on_message(self, message: discord.Message) -> None:
        """Hand a person's message over."""
        if not message.author.bot:
            self.attend()
            await self._listener.heard(message)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Hand a filled text box over: the library forgets those that were open when it was stopped."""
        self.attend()
        self._remember_language(interaction)
        if interaction.type is discord.InteractionType.modal_submit:
            await self._listener.typed(interaction)

    def _remember_language(self, interaction: discord.Interaction[Any]) -> None:
        self.spoken.pop(interaction.user.id, None)
        self.spoken[interaction.user.id] = language_of(str(interaction.locale))
        if len(self.spoken) > PEOPLE_REMEMBERED:
            del self.spoken[next(iter(self.spoken))]

    async def read_along(self, message: discord.Message) -> discord.Message:
        """Return a message with its files, which Discord keeps from events that do not concern the bot."""
        if message.attachments or message.content or not self.may_read_along:
            return message
        try:
            return await message.channel.fetch_message(message.id)
        except discord.HTTPException as error:
            log.info("a message cannot be read: %s", error)
            return message

    async def pressed(self, interaction: discord.Interaction[Any], custom_id: str, values: Sequence[str]) -> None:
        """Hand a press over."""
        self.attend()
        await self._listener.pressed(interaction, custom_id, values)

    @property
    def may_read_along(self) -> bool:
        """Whether the operator has let this application read messages that do not concern it, on Discord's own site."""
        flags = self.application_flags
        return flags.gateway_message_content or flags.gateway_message_content_limited


class Tree(app_commands.CommandTree[Client]):
    """The commands, each of which is attended to."""

    async def interaction_check(self, interaction: discord.Interaction[Client], /) -> bool:  # noqa: ARG002 - as called
        """Let everybody in."""
        self.client.attend()
        return True


def _paced() -> aiohttp.TraceConfig:
    """Return what lets requests wait for the limit on all of them together, which the library only learns by a 429."""
    limiter = AsyncLimiter(REQUESTS_BURST, REQUESTS_SECONDS)
    trace = aiohttp.TraceConfig()

    async def wait(_session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        if not any(part in params.url.path for part in UNCOUNTED):
            await limiter.acquire()

    trace.on_request_start.append(wait)
    return trace


def named(key: str) -> app_commands.locale_str:
    """Return a command's or an option's name, to be put into each language."""
    return app_commands.locale_str(say(DEFAULT_LANGUAGE, key), key=key)


def described(key: str) -> app_commands.locale_str:
    """Return what a command or an option is for, to be put into each language."""
    return named(f"{key}.about")


class Translator(app_commands.Translator):
    """Gives Discord the names and descriptions of commands in every language that the bot speaks."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,  # noqa: ARG002 - as the library calls it
    ) -> str | None:
        """Return a text in a language; None where the bot does not speak it."""
        language, key = language_of(locale.value), string.extras.get("key")
        if language is None or key is None or not has(language, key.partition(".")[0]):
            return None
        return say(language, key)
