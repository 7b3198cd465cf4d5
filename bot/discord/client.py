"""The connection to Discord: its intents and limits, the registration of commands, and where events go."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.core.localization import DEFAULT_LANGUAGE, has, language_of, translate
from bot.core.priority import PriorityLimiter
from bot.discord.message_parsing import replied_message
from common.errors import StorageUnavailable

if TYPE_CHECKING:
    from bot.core.localization import Language
    from bot.settings import Settings

# A request that would have to wait longer fails, and the queue tries it again later.
LONGEST_PAUSE_SECONDS = 60.0
# Requests that are being answered when the bot stops have this long.
ANSWER_SECONDS = 3.0
# The bot is ready when no server was announced for this long: it needs no list of them all.
GUILD_SECONDS = 0.2
# Discord takes 50 requests a second: a bucket of 8 that leaks 32 a second stays below that.
REQUESTS_BURST, REQUESTS_SECONDS = 8, 0.25
# So many of a burst are kept for responses to requests.
REQUESTS_RESERVED = 2
# Requests to these paths do not count against the limit.
UNCOUNTED = ("/interactions/", "/webhooks/", "/gateway")
PEOPLE_REMEMBERED = 10_000
OFFICIAL_GATEWAY = "wss://gateway.discord.gg"

log = logging.getLogger(__name__)


class ClientListener(Protocol):
    """What the connection calls when something happens."""

    async def on_text_message(self, message: discord.Message) -> None:
        """Handle a message that somebody wrote."""

    async def on_reaction(self, payload: discord.RawReactionActionEvent, *, withdrawn: bool) -> None:
        """Handle a reaction that somebody added, or withdrew."""

    async def on_component(self, interaction: discord.Interaction[Any]) -> None:
        """Handle a pressed button, a choice from a menu, or a filled text box."""


class DiscordClient(discord.AutoShardedClient):
    """discord.py's client with as few rights as the bot needs: no member lists, no message content.

    Parameters
    ----------
    settings
        Discord's addresses, and the shards.
    listener
        Called when something happens.

    Attributes
    ----------
    languages
        Person → language of their Discord at their last interaction; Discord does not send it with messages.
    """

    def __init__(self, settings: Settings, listener: ClientListener) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = intents.reactions = True
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=GUILD_SECONDS,
            max_ratelimit_timeout=LONGEST_PAUSE_SECONDS,
            http_trace=_global_rate_limit(),
            shard_count=settings.discord_shard_count,
            shard_ids=list(settings.discord_shards) or None,  # type: ignore[arg-type]
        )
        self._registers_commands = not settings.discord_shards or 0 in settings.discord_shards
        self._listener = listener
        self.languages: dict[int, Language | None] = {}
        # The library keeps both addresses in class attributes: a process has one Discord.
        Route.BASE = settings.discord_api_url
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
        self._gateway = settings.discord_gateway_url
        self._answering: set[asyncio.Task[Any]] = set()
        self.tree: app_commands.CommandTree[DiscordClient] = TrackingCommandTree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )

    async def setup_hook(self) -> None:
        """Register the commands."""
        await self.tree.set_translator(CommandTranslator())
        # One of several processes is enough, and Discord limits how often commands are registered.
        if self._registers_commands:
            await self._register_commands()
        if self._gateway != OFFICIAL_GATEWAY:
            get_bot_gateway = self.http.get_bot_gateway

            async def with_our_gateway() -> Any:
                shards, _, limit = await get_bot_gateway()
                return shards, self._gateway, limit

            self.http.get_bot_gateway = with_our_gateway  # type: ignore[method-assign]

    def track(self) -> None:
        """Note that the current task answers somebody, so that it is awaited before the connection ends."""
        task = asyncio.current_task()
        if task is not None:
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Pass an event on, unless the connection is being closed, when nobody can be answered any more."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def close(self) -> None:
        """Disconnect after the requests in progress have been answered."""
        if self._answering:
            await asyncio.wait(set(self._answering), timeout=ANSWER_SECONDS)
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await super().close()

    async def _register_commands(self) -> None:
        try:
            await self.tree.sync()
        except discord.HTTPException:
            log.exception("Discord refused the commands; those of the last start stay")

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log what went wrong with an event; an outage, which is logged where it is met, without a traceback."""
        if isinstance(sys.exc_info()[1], StorageUnavailable):
            log.warning("%s was dropped: nothing can be stored or looked up at the moment", event_method)
        else:
            await super().on_error(event_method, *args, **kwargs)

    async def on_message(self, message: discord.Message) -> None:
        """Pass a person's message on."""
        if not message.author.bot:
            self.track()
            await self._listener.on_text_message(message)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Pass a reaction on."""
        self.track()
        await self._listener.on_reaction(payload, withdrawn=False)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        """Pass on that a reaction was withdrawn."""
        self.track()
        await self._listener.on_reaction(payload, withdrawn=True)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Pass everything but commands on: components are known by their custom ids, also after a restart."""
        self.track()
        self._remember_language(interaction)
        if interaction.type in {discord.InteractionType.component, discord.InteractionType.modal_submit}:
            await self._listener.on_component(interaction)

    def _remember_language(self, interaction: discord.Interaction[Any]) -> None:
        self.languages.pop(interaction.user.id, None)
        self.languages[interaction.user.id] = language_of(str(interaction.locale))
        if len(self.languages) > PEOPLE_REMEMBERED:
            del self.languages[next(iter(self.languages))]

    async def with_attachments(self, message: discord.Message) -> discord.Message:
        """Return a message with its attachments, which Discord leaves out of events that do not concern the bot."""
        if message.attachments or message.content or message.message_snapshots or not self.may_read_messages:
            return message
        return await self._fetched(message.channel.id, message.id) or message

    async def replied_message(self, message: discord.Message) -> discord.Message | None:
        """Return the message that a message replies to, fetched where Discord did not send the whole of it."""
        reference = message.reference
        if (
            reference is None
            or reference.message_id is None
            or reference.type is not discord.MessageReferenceType.reply
        ):
            return None
        sent_along = replied_message(message)
        if sent_along is not None:
            return await self.with_attachments(sent_along)
        return await self._fetched(reference.channel_id, reference.message_id)

    async def _fetched(self, channel_id: int, message_id: int) -> discord.Message | None:
        try:
            return await self.get_partial_messageable(channel_id).fetch_message(message_id)
        except discord.HTTPException as error:
            log.info("a message cannot be read: %s", error)
            return None

    @property
    def may_read_messages(self) -> bool:
        """Whether the operator has switched the message content intent on in Discord's developer portal."""
        flags = self.application_flags
        return flags.gateway_message_content or flags.gateway_message_content_limited


class TrackingCommandTree(app_commands.CommandTree[DiscordClient]):
    """The commands, each of which is tracked until it is answered."""

    async def interaction_check(self, interaction: discord.Interaction[DiscordClient], /) -> bool:  # noqa: ARG002 - as called
        """Allow every command."""
        self.client.track()
        return True


def _global_rate_limit() -> aiohttp.TraceConfig:
    """Return a trace that delays requests for Discord's global limit, of which the library learns only by a 429."""
    limiter = PriorityLimiter(REQUESTS_BURST, REQUESTS_SECONDS, reserved=REQUESTS_RESERVED)
    trace = aiohttp.TraceConfig()

    async def wait(_session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        if not any(part in params.url.path for part in UNCOUNTED):
            await limiter.acquire()

    trace.on_request_start.append(wait)
    return trace


def named(key: str) -> app_commands.locale_str:
    """Return the translatable name of a command or an option."""
    return app_commands.locale_str(translate(DEFAULT_LANGUAGE, key), key=key)


def described(key: str) -> app_commands.locale_str:
    """Return the translatable description of a command or an option."""
    return named(f"{key}.about")


class CommandTranslator(app_commands.Translator):
    """Translates the names and descriptions of commands."""

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
        return translate(language, key)
