"""Posts and edits a song's message on Discord, through the interaction's webhook while its token is valid."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from bot.core.errors import TryLater, Undeliverable
from bot.discord import limits
from bot.discord.components import custom_ids, files_of, text_of, view_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from bot.core.chat import OutgoingMessage
    from bot.core.message_port import StatusLimits
    from bot.discord.rate_limit import DiscordRateLimiter, Kind

REQUEST_SECONDS = 60.0
FAULT_SECONDS = 10.0
LOOK_BACK_MESSAGES = 100

UNKNOWN_MESSAGE = 10008
# Webhook unknown, its token invalid or expired: the interaction is over.
TOKEN_DEAD = frozenset({10015, 10062, 50027})
TOO_MANY_FOLLOWUPS = 40094
# A new message opens an archived thread again, unless it is locked; an edit does not.
THREAD_ARCHIVED = 50083
REQUEST_TIMEOUT, TOO_MANY_REQUESTS, SERVER_ERRORS = 408, 429, 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """The way back to where a song was sent, as it is stored with the job.

    Attributes
    ----------
    channel
        The channel.
    song
        The message or interaction that sent it; Discord's ids tell when that was.
    reply_to
        The message to reply to; None if there is none.
    token, until
        An interaction's token, and when it expires (seconds since 1970).
    slot
        The message that is ours to edit already; None if it is to be posted.
    sender
        Whoever asked, to be written to where the bot may not write in the channel; None if that is not known.
    """

    channel: int
    song: int
    reply_to: int | None = None
    token: str | None = None
    until: float = 0.0
    slot: int | None = None
    sender: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the target as JSON data; ``from_json`` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ReplyTarget:
        """Read what ``as_json`` wrote; other keys, such as those of earlier versions, are ignored."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in names})


@asynccontextmanager
async def delivering() -> AsyncIterator[None]:
    """Turn Discord's faults into ``TryLater`` and its refusals into ``Undeliverable``; anything else is a bug."""
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            yield
    except discord.RateLimited as limited:
        raise TryLater(limited.retry_after) from limited
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise TryLater(FAULT_SECONDS) from error
    except (discord.Forbidden, discord.NotFound) as error:
        raise Undeliverable(str(error)) from error
    except discord.HTTPException as error:
        if error.status in {REQUEST_TIMEOUT, TOO_MANY_REQUESTS} or error.status >= SERVER_ERRORS:
            raise TryLater(FAULT_SECONDS) from error
        log.warning("Discord refuses a request: %s", error)
        raise Undeliverable(str(error)) from error


class DiscordMessagePort:
    """Implements ``bot.core.message_port.MessagePort``.

    Parameters
    ----------
    client
        The connection.
    rate_limiter
        How fast places may be written to; shared by all ports.
    job_id, target
        Which song, and where it was sent.
    began
        When this process began, as a Discord id.
    """

    def __init__(
        self,
        client: discord.Client,
        rate_limiter: DiscordRateLimiter,
        job_id: int,
        target: ReplyTarget,
        began: int,
    ) -> None:
        self._client = client
        self._rate_limiter = rate_limiter
        self._target = target
        self._began = began
        # Discord posts one message of those with the same nonce: one that is sent again after a lost response or a
        # restart does not appear twice.
        self._nonce = f"{job_id}-{target.song % 10**9}"

    @property
    def limits(self) -> StatusLimits:
        """How often progress may be shown."""
        return limits.STATUS

    @property
    def place(self) -> int | str:
        """What Discord counts edits against: the interaction's token, or the channel."""
        webhook = self._webhook()
        return self._target.channel if webhook is None else webhook.token or self._target.channel

    @property
    def asked(self) -> tuple[int, int] | None:
        """The message that asked, by its channel; an interaction has none."""
        return None if self._target.reply_to is None else (self._target.channel, self._target.reply_to)

    def has_room(self) -> bool:
        """Return whether the place takes progress and an answer directly after it."""
        return self._rate_limiter.has_room(self.place)

    async def post(self, message: OutgoingMessage) -> int:
        """Post a message."""
        async with delivering():
            webhook = self._webhook()
            if webhook is not None:
                try:
                    async with self._request("message"):
                        sent = await webhook.send(
                            text_of(message),
                            files=files_of(message),
                            view=view_of(message) or discord.utils.MISSING,
                            wait=True,
                        )
                except discord.HTTPException as error:
                    self._lose_token(error)
                else:
                    return sent.id
            try:
                return await self._post_to_channel(message, self._target.reply_to)
            except discord.Forbidden:
                # Files and replies need permissions of their own: plain text may still be allowed.
                if message.picture is None and self._target.reply_to is None:
                    raise
                return await self._post_to_channel(replace(message, picture=None), None)

    async def edit(self, message_id: int, message: OutgoingMessage) -> bool:
        """Edit a message; return False if it is gone or out of reach."""
        async with delivering():
            webhook = self._webhook()
            if webhook is not None:
                try:
                    async with self._request("edit"):
                        await webhook.edit_message(message_id, **_content(message))
                except discord.HTTPException as error:
                    if error.code == UNKNOWN_MESSAGE:
                        return False
                    self._lose_token(error)
                else:
                    return True
            try:
                async with self._request("edit"):
                    await self._channel().get_partial_message(message_id).edit(**_content(message))
            except (discord.NotFound, discord.Forbidden):
                return False
            except discord.HTTPException as error:
                if error.code != THREAD_ARCHIVED:
                    raise
                # The message keeps its nonce, and would be returned for a new one that has the same.
                self._nonce = f"{self._nonce.removesuffix('+')}+"
                return False
            return True

    async def withdraw(self, message_id: int) -> None:
        """Delete a follow-up message; any other is the same one for every process, by its nonce or its slot."""
        webhook = self._webhook()
        if webhook is not None and self._target.slot is None:
            async with delivering():
                await webhook.delete_message(message_id)

    async def react(self, emoji: str) -> None:
        """React to the message that asked."""
        async with delivering():
            await self._asked_message().add_reaction(emoji)

    async def remove_reaction(self, emoji: str) -> None:
        """Take a reaction of the bot back."""
        if self._client.user is not None:
            async with delivering():
                await self._asked_message().remove_reaction(emoji, self._client.user)

    def _asked_message(self) -> discord.PartialMessage:
        if self._target.reply_to is None:
            raise Undeliverable("there is no message to react to")
        return self._channel().get_partial_message(self._target.reply_to)

    async def tell_sender(self, message: OutgoingMessage) -> None:
        """Post a message to whoever asked, in their direct messages."""
        if self._target.sender is None:
            raise Undeliverable("nobody to write to is known")
        async with delivering():
            channel = await self._client.create_dm(discord.Object(self._target.sender))
            await channel.send(text_of(message))

    def link(self, message_id: int) -> str | None:
        """Return a link to a message in a server; None in direct messages."""
        channel = self._client.get_channel(self._target.channel)
        guild = getattr(channel, "guild", None)
        return None if guild is None else f"https://discord.com/channels/{guild.id}/{self._target.channel}/{message_id}"

    async def find(self, callbacks: set[str]) -> int | None:
        """Return our message about a song that was sent before this process began, by its buttons."""
        me = self._client.user
        if self._target.song >= self._began or me is None:
            return None
        after = discord.Object(self._target.song - 1)
        async with delivering():
            try:
                async for message in self._channel().history(after=after, limit=LOOK_BACK_MESSAGES):
                    if message.author.id == me.id and callbacks & custom_ids(message):
                        return message.id
            except (discord.Forbidden, discord.NotFound):
                return None
        return None

    async def _post_to_channel(self, message: OutgoingMessage, reply_to: int | None) -> int:
        options: dict[str, Any] = {}
        if reply_to is not None:
            options["reference"] = discord.MessageReference(
                message_id=reply_to, channel_id=self._target.channel, fail_if_not_exists=False
            )
        view = view_of(message)
        if view is not None:
            options["view"] = view
        async with self._request("message"):
            sent = await self._channel().send(text_of(message), files=files_of(message), nonce=self._nonce, **options)
        return sent.id

    def _request(self, kind: Kind) -> AbstractAsyncContextManager[None]:
        return self._rate_limiter.request(kind, self.place)

    def _channel(self) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(self._target.channel)

    def _webhook(self) -> discord.Webhook | None:
        application = self._client.application_id
        if self._target.token is None or application is None or time.time() > self._target.until:
            return None
        # As the library makes it for a new interaction, so that it may carry buttons.
        return discord.Webhook.from_state(
            data={"id": application, "type": 3, "token": self._target.token}, state=self._client._connection
        )

    def _lose_token(self, error: discord.HTTPException) -> None:
        """Go on through the channel if the interaction is over, or its thread archived; raise any other error."""
        if error.code not in TOKEN_DEAD | {TOO_MANY_FOLLOWUPS, THREAD_ARCHIVED} and error.status != 401:
            raise error
        self._target = replace(self._target, token=None)


def _content(message: OutgoingMessage) -> dict[str, Any]:
    return {"content": text_of(message), "attachments": files_of(message), "view": view_of(message)}
