"""The operator's limits on songs, checked before a song is stored and again while its bytes arrive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from common.errors import TooLarge
from common.units import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.settings import Settings


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
    """Write chunks to a file; raise ``TooLarge`` as soon as there are more bytes than ``limit``."""
    written = 0
    with target.open("wb") as file:
        async for chunk in chunks:
            written += len(chunk)
            if written > limit:
                raise TooLarge(megabytes=limit / MEGABYTE)
            await asyncio.to_thread(file.write, chunk)
