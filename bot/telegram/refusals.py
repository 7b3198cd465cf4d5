"""Counts songs that are refused for the same reason, so that many that are sent at once are refused in one sentence.

Telegram sends each song as a message of its own, perhaps seconds apart. The sentence is posted soon, and edited as more
songs follow.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.chat import OutgoingMessage
from bot.core.errors import TryLater, Undeliverable
from bot.core.messages import COUNTED_REFUSALS, refusal
from bot.telegram.api_client import MessageGone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.telegram.api_client import TelegramClient
    from bot.telegram.request_context import RequestContext
    from common.errors import UserError

COLLECT_SECONDS = 1.5
"""Songs that are refused within this time are counted before the sentence is posted or edited."""
FOLLOW_SECONDS = 30.0
"""Songs that are refused later than this after the last one get a sentence of their own."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Count:
    """How many songs were refused, and what tells that there are more."""

    songs: int = 0
    more: asyncio.Event = field(default_factory=asyncio.Event)


class Refusals:
    """Shows refusals.

    Parameters
    ----------
    client
        The connection.
    show
        Tells a person why one song, which may be named, was refused.
    """

    def __init__(
        self, client: TelegramClient, show: Callable[[RequestContext, UserError, str | None], Awaitable[None]]
    ) -> None:
        self._client = client
        self._show = show
        self._counts: dict[tuple[str, str, str], Count] = {}

    async def add(self, context: RequestContext, error: UserError, title: str | None = None) -> None:
        """Show a refusal, together with those that follow it soon, or count it with those before it."""
        if error.code not in COUNTED_REFUSALS:
            await self._show(context, error, title)
            return
        key = context.requester.chat_id, context.requester.person.id, error.code
        is_first = key not in self._counts
        count = self._counts.setdefault(key, Count())
        count.songs += 1
        count.more.set()
        if is_first:
            try:
                await self._tell(context, error, count)
            except (TryLater, Undeliverable, MessageGone) as reason:
                log.info("a refusal could not be shown: %s", reason)
            finally:
                del self._counts[key]

    async def _tell(self, context: RequestContext, error: UserError, count: Count) -> None:
        """Post how many songs were refused, and edit it for as long as more follow."""
        message_id: int | None = None
        while True:
            try:
                async with asyncio.timeout(FOLLOW_SECONDS):
                    await count.more.wait()
            except TimeoutError:
                return
            await asyncio.sleep(COLLECT_SECONDS)
            count.more.clear()
            message = OutgoingMessage(refusal(error, context.requester.language, count.songs))
            if message_id is None:
                message_id = await self._client.post(context.location, message)
            else:
                await self._client.edit(context.location.chat, message_id, message)
