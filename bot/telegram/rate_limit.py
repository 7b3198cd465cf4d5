"""How fast Telegram may be written to: see ``telegram.constants.FloodLimit`` for its limits.

The most urgent requests pass first (``bot.core.priority``).
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bot.core.priority import PriorityLimiter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

JSONDict = dict[str, Any]
MAX_RETRIES = 5
# Telegram: "avoid sending more than one message per second" to a chat, short bursts allowed.
CHAT_BURST, CHAT_SECONDS = 3, 3.3
# At most 4 + 14 within a minute, of the 20 that a group takes: requests may arrive closer together than they were sent.
GROUP_BURST, GROUP_SECONDS = 4, 17.0
# At most 8 + 16 within a second, of the 30 that all chats take together.
OVERALL_BURST, OVERALL_SECONDS = 8, 0.5
# So many of each burst are kept for responses to commands and buttons.
CHAT_RESERVED, OVERALL_RESERVED = 1, 2
CHATS_REMEMBERED = 512
_is_admitted: ContextVar[bool] = ContextVar("is_admitted", default=False)
REACTING = "setMessageReaction"
READING = frozenset({"getChat", "getChatMember", "getChatAdministrators"})


class TelegramRateLimiter(BaseRateLimiter[int]):
    """Delays requests until Telegram takes them, and repeats those that it refused as too many.

    The library's own limiter has no limit for private chats. It lets all chats wait where one was refused, and all
    that waited go out at once.
    """

    def __init__(self) -> None:
        self._overall = PriorityLimiter(OVERALL_BURST, OVERALL_SECONDS, reserved=OVERALL_RESERVED)
        self._chats: dict[int, PriorityLimiter] = {}

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | JSONDict | list[JSONDict]]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,  # noqa: ARG002 - as the library calls it
    ) -> bool | JSONDict | list[JSONDict]:
        """Run a request when its chat has room for it; reactions and requests that only read count against no chat.

        A reaction that is refused is not worth another request.

        Raises
        ------
        telegram.error.RetryAfter
            If Telegram refuses it again and again.
        """
        if endpoint == REACTING:
            await self._overall.acquire()
            return await callback(*args, **kwargs)
        chat = None if endpoint in READING else data.get("chat_id")
        is_admitted = _is_admitted.get()
        for _ in range(MAX_RETRIES):
            if isinstance(chat, int) and not is_admitted:
                await self._admit(chat)
            is_admitted = False
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as refusal:
                await self._pause(chat, seconds_of(refusal))
        return await callback(*args, **kwargs)

    @asynccontextmanager
    async def admitted(self, chat: int) -> AsyncIterator[None]:
        """Wait for room in a chat; the request that is made within goes out at once."""
        await self._admit(chat)
        token = _is_admitted.set(True)
        try:
            yield
        finally:
            _is_admitted.reset(token)

    async def _pause(self, chat: object, seconds: float) -> None:
        """Let a chat that was refused wait; all of them, if it is not the only one."""
        if not isinstance(chat, int):
            await asyncio.sleep(seconds)
            return
        if any(each.is_paused for number, each in self._chats.items() if number != chat):
            self._overall.pause(seconds)
        self._limiter(chat).pause(seconds)

    async def _admit(self, chat: int) -> None:
        await self._limiter(chat).acquire()
        await self._overall.acquire()

    def has_room(self, chat: int, requests: int) -> bool:
        """Return whether a chat takes so many requests of low priority at once."""
        return self._limiter(chat).has_room(requests) and self._overall.has_room()

    def _limiter(self, chat: int) -> PriorityLimiter:
        if chat not in self._chats:
            if len(self._chats) >= CHATS_REMEMBERED:
                self._chats = {number: each for number, each in self._chats.items() if not each.is_empty}
            burst, seconds = (GROUP_BURST, GROUP_SECONDS) if chat < 0 else (CHAT_BURST, CHAT_SECONDS)
            self._chats[chat] = PriorityLimiter(burst, seconds, reserved=CHAT_RESERVED)
        return self._chats[chat]


def seconds_of(refusal: RetryAfter) -> float:
    """Return how long Telegram wants to be left alone, in seconds."""
    wait = refusal.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else wait
