"""How fast Telegram may be written to: see ``telegram.constants.FloodLimit`` for its limits.

A bucket of B that leaks R a second lets through at most B + R·T requests within T seconds, so both are chosen together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiolimiter import AsyncLimiter
from telegram.ext import AIORateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

JSONDict = dict[str, Any]
MAX_RETRIES = 5
# Telegram: "avoid sending more than one message per second" to a chat, short bursts allowed.
CHAT_BURST, CHAT_SECONDS = 3, 3.3
# At most 4 + 14 within a minute, of the 20 that a group takes: requests may arrive closer together than they were sent.
GROUP_BURST, GROUP_SECONDS = 4, 17.0
# At most 8 + 16 within a second, of the 30 that all chats take together.
OVERALL_BURST, OVERALL_SECONDS = 8, 0.5
CHATS_REMEMBERED = 512
READING = frozenset({"getChat", "getChatMember", "getChatAdministrators"})


class TelegramRateLimiter(AIORateLimiter):
    """Delays requests until Telegram takes them; the library's own limiter has no limit for private chats."""

    def __init__(self) -> None:
        super().__init__(
            overall_max_rate=OVERALL_BURST,
            overall_time_period=OVERALL_SECONDS,
            group_max_rate=0,
            max_retries=MAX_RETRIES,
        )
        self._chats: dict[int, AsyncLimiter] = {}

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | JSONDict | list[JSONDict]]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> bool | JSONDict | list[JSONDict]:
        """Run a request when its chat has room for it; requests that only read count against no chat."""
        chat = None if endpoint in READING else data.get("chat_id")
        if not isinstance(chat, int):
            return await super().process_request(callback, args, kwargs, endpoint, {}, rate_limit_args)
        await self._limiter(chat).acquire()
        # The global rate limit applies to every chat; per-chat limits were checked above.
        return await super().process_request(callback, args, kwargs, endpoint, {"chat_id": 0}, rate_limit_args)

    def has_room(self, chat: int, requests: int) -> bool:
        """Return whether a chat takes so many requests at once."""
        return self._limiter(chat).has_capacity(requests)

    def _limiter(self, chat: int) -> AsyncLimiter:
        if chat not in self._chats:
            if len(self._chats) >= CHATS_REMEMBERED:
                self._chats = {
                    number: each for number, each in self._chats.items() if not each.has_capacity(each.max_rate)
                }
            burst, seconds = (GROUP_BURST, GROUP_SECONDS) if chat < 0 else (CHAT_BURST, CHAT_SECONDS)
            self._chats[chat] = AsyncLimiter(burst, seconds)
        return self._chats[chat]
