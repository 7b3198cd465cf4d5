"""How fast Telegram may be written to: see ``telegram.constants.FloodLimit`` for its limits.

The most urgent requests pass first (``bot.core.priority``).
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from telegram.ext import AIORateLimiter

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


class TelegramRateLimiter(AIORateLimiter):
    """Delays requests until Telegram takes them; the library's own limiter has no limit for private chats."""

    def __init__(self) -> None:
        # The library only waits and tries again after a refusal.
        super().__init__(overall_max_rate=0, group_max_rate=0, max_retries=MAX_RETRIES)
        self._overall = PriorityLimiter(OVERALL_BURST, OVERALL_SECONDS, reserved=OVERALL_RESERVED)
        self._chats: dict[int, PriorityLimiter] = {}

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | JSONDict | list[JSONDict]]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> bool | JSONDict | list[JSONDict]:
        """Run a request when its chat has room for it; reactions and requests that only read count against no chat.

        A reaction that is refused is not tried again, since the library would hold everything else back meanwhile.
        """
        if endpoint == REACTING:
            await self._overall.acquire()
            return await callback(*args, **kwargs)
        chat = None if endpoint in READING else data.get("chat_id")
        if isinstance(chat, int) and not _is_admitted.get():
            await self._admit(chat)
        return await super().process_request(callback, args, kwargs, endpoint, {}, rate_limit_args)

    @asynccontextmanager
    async def admitted(self, chat: int) -> AsyncIterator[None]:
        """Wait for room in a chat; the request that is made within goes out at once."""
        await self._admit(chat)
        token = _is_admitted.set(True)
        try:
            yield
        finally:
            _is_admitted.reset(token)

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
