"""Downloads a song from Discord's servers to a file, up to the operator's limit on its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from bot.core.errors import FileGone, TryLater
from bot.core.size_limits import save
from bot.discord.message_parsing import attachments_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHUNK_BYTES = 1 << 18
CONNECT_SECONDS = 30.0
SILENCE_SECONDS = 60.0
FAULT_SECONDS = 15.0
# Discord's responses for a file whose address has expired, or that was deleted.
GONE = frozenset({403, 404, 410})


async def fetch(client: discord.Client, payload: Mapping[str, Any], target: Path, limit: int) -> None:
    """Download an attachment of at most ``limit`` bytes, whatever size Discord stated before, to ``target``.

    Raises ``TooLarge``, ``FileGone``, or ``TryLater`` if Discord cannot be reached. ``payload`` is as
    ``message_parsing.attachment_source`` made it.
    """
    # However long it takes: how slowly the bytes may come is checked while they do.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            if not await _downloaded(session, payload["url"], target, limit):
                # Addresses of files expire after about a day; the message has a fresh one.
                fresh = await _fresh_address(client, payload)
                if fresh is None or not await _downloaded(session, fresh, target, limit):
                    raise FileGone()
    except (aiohttp.ClientError, TimeoutError, discord.DiscordServerError) as error:
        raise TryLater(FAULT_SECONDS) from error


async def _downloaded(session: aiohttp.ClientSession, url: str, target: Path, limit: int) -> bool:
    """Download a file; return False if it no longer exists."""
    async with session.get(url) as response:
        if response.status in GONE:
            return False
        response.raise_for_status()
        await save(response.content.iter_chunked(CHUNK_BYTES), target, limit)
    return True


async def _fresh_address(client: discord.Client, payload: Mapping[str, Any]) -> str | None:
    if "message" not in payload:
        return None
    try:
        message = await client.get_partial_messageable(payload["channel"]).fetch_message(payload["message"])
    except (discord.NotFound, discord.Forbidden):
        return None
    return next((each.url for each in attachments_of(message) if each.id == payload["attachment"]), None)
