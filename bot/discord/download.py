"""A song's bytes from Discord's servers to a file, never more of them than the operator allows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from bot.core.errors import FileGone, TryLater
from bot.discord.message_parsing import attachments_of
from common.errors import TooLarge
from common.units import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHUNK_BYTES = 1 << 18
DOWNLOAD_SECONDS = 600.0
SILENCE_SECONDS = 60.0
FAULT_SECONDS = 15.0
# What Discord says of a file whose address has run out, or that was deleted.
GONE = frozenset({403, 404, 410})


async def fetch(client: discord.Client, payload: Mapping[str, Any], target: Path, *, megabytes: float) -> None:
    """Download an attachment.

    Parameters
    ----------
    payload
        As ``gestures.parcel_of`` made it.
    target
        The file to write.
    megabytes
        The cap, whatever Discord said of the size before.

    Raises
    ------
    TooLarge, FileGone
        With a sentence for the person.
    TryLater
        If Discord cannot be reached.
    """
    timeout = aiohttp.ClientTimeout(total=DOWNLOAD_SECONDS, sock_read=SILENCE_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            if not await _downloaded(session, payload["url"], target, megabytes):
                # Addresses of files run out after a day or so; the message has a fresh one.
                fresh = await _fresh_address(client, payload)
                if fresh is None or not await _downloaded(session, fresh, target, megabytes):
                    raise FileGone()
    except (aiohttp.ClientError, TimeoutError, discord.DiscordServerError) as error:
        raise TryLater(FAULT_SECONDS) from error


async def _downloaded(session: aiohttp.ClientSession, url: str, target: Path, megabytes: float) -> bool:
    """Download a file; False if it is not there any more."""
    limit = round(megabytes * MEGABYTE)
    async with session.get(url) as response:
        if response.status in GONE:
            return False
        response.raise_for_status()
        if (response.content_length or 0) > limit:
            raise TooLarge(megabytes=megabytes)
        written = 0
        with target.open("wb") as file:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                written += len(chunk)
                if written > limit:
                    raise TooLarge(megabytes=megabytes)
                await asyncio.to_thread(file.write, chunk)
    return True


async def _fresh_address(client: discord.Client, payload: Mapping[str, Any]) -> str | None:
    if "message" not in payload:
        return None
    try:
        message = await client.get_partial_messageable(payload["channel"]).fetch_message(payload["message"])
    except (discord.NotFound, discord.Forbidden):
        return None
    return next((each.url for each in attachments_of(message) if each.id == payload["attachment"]), None)
