"""The operator's limits on songs, checked before a song is stored and again while its bytes arrive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from common.errors import TooLarge, TooLong
from common.units import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.settings import Settings


def max_bytes(settings: Settings) -> int:
    """Return the largest size of a song's file."""
    return round(settings.max_megabytes * MEGABYTE)


def check_size(settings: Settings, size: int | None, seconds: float | None = None) -> None:
    """Raise ``TooLarge`` or ``TooLong`` for a song that the platform says is larger or longer than allowed.

    Parameters
    ----------
    size, seconds
        As the platform states them; None where it does not.
    """
    if size is not None and size > max_bytes(settings):
        raise TooLarge(megabytes=settings.max_megabytes)
    if seconds is not None and seconds > 60 * settings.max_minutes:
        raise TooLong(minutes=settings.max_minutes)


async def save(chunks: AsyncIterator[bytes], target: Path, limit: int) -> None:
    """Write chunks to a file; raise ``TooLarge`` as soon as there are more bytes than ``limit``."""
    written = 0
    with target.open("wb") as file:
        async for chunk in chunks:
            written += len(chunk)
            if written > limit:
                raise TooLarge(megabytes=limit / MEGABYTE)
            await asyncio.to_thread(file.write, chunk)
