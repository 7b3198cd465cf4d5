"""The operator's limits on songs, checked before a song is stored and again while its bytes arrive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.errors import DownloadTooSlow
from common.errors import TooLarge
from common.transfer_rate import MinimumRate, TooSlow
from common.units import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.settings import Settings
    from common.errors import UserError


def max_bytes(settings: Settings) -> int:
    """Return the largest size of a song's file."""
    return round(settings.max_megabytes * MEGABYTE)


def check_size(settings: Settings, size: int | None) -> None:
    """Raise ``TooLarge`` for a song that the platform, which has it, says is larger than allowed.

    Its length is not checked here: only decoding tells it.
    """
    if size is not None and size > max_bytes(settings):
        raise TooLarge(megabytes=settings.max_megabytes)


async def save(chunks: AsyncIterator[bytes], target: Path, limit: int) -> None:
    """Write what a platform hands over to a file.

    Raises ``TooLarge`` as soon as there are more bytes than ``limit``, and ``DownloadTooSlow`` below the minimum rate.
    """
    written = 0
    with target.open("wb") as file:
        async for chunk in at_minimum_rate(chunks, DownloadTooSlow):
            written += len(chunk)
            if written > limit:
                raise TooLarge(megabytes=limit / MEGABYTE)
            await asyncio.to_thread(file.write, chunk)


async def at_minimum_rate(chunks: AsyncIterator[bytes], error: type[UserError]) -> AsyncIterator[bytes]:
    """Yield chunks as they come; raise the error if they stay below the minimum rate for longer than the grace time."""
    clock, rate = asyncio.get_running_loop().time, MinimumRate()
    while True:
        began = clock()
        chunk = await anext(chunks, None)
        if chunk is None:
            return
        try:
            rate.waited(clock() - began, len(chunk))
        except TooSlow:
            raise error() from None
        yield chunk
