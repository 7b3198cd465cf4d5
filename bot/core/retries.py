"""Sends something again where a platform cannot be reached for a moment and nothing else would."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from bot.core.errors import TryLater

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ATTEMPTS: Final = 3

Sent = TypeVar("Sent")


async def with_retries(send: Callable[[], Awaitable[Sent]]) -> Sent:
    """Return what ``send`` returns; raises what it raises, and ``TryLater`` if the platform says so every time."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await send()
        except TryLater as later:
            await asyncio.sleep(later.seconds)
    return await send()
