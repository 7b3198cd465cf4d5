"""A large file over a thin line, on a clock that jumps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.discord import discord, download
from bot.settings import Settings
from bot.telegram.api_client import TelegramClient
from common.units import MEGABYTE
from tests.bot.telegram.server import TOKEN
from tests.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Download = Callable[[str, Path], Awaitable[object]]

PIECE, PIECES, PAUSE_SECONDS = bytes(64 * 1024), 150, 5.0


async def _from_discord(address: str, target: Path) -> None:
    client = discord.Client(intents=discord.Intents.none())
    await download.fetch(client, {"url": f"{address}/file/song"}, target, 100 * MEGABYTE)


async def _from_telegram(address: str, target: Path) -> None:
    client = TelegramClient(Settings(telegram_token=SecretStr(TOKEN), telegram_api_url=address, max_megabytes=100))
    await client.open()
    await client.download("song", target)
    await client.close()


@pytest.mark.parametrize("fetch", [_from_discord, _from_telegram])
def test_a_file_that_arrives_for_more_than_ten_minutes_arrives(fetch: Download, tmp_path: Path) -> None:
    async def file(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(PIECES):
            await asyncio.sleep(PAUSE_SECONDS)
            await response.write(PIECE)
        return response

    async def call(request: web.Request) -> web.Response:
        about = {"id": 1, "is_bot": True, "first_name": "genre", "username": "genre_bot"}
        if request.path.endswith("getFile"):
            about = {"file_id": "song", "file_unique_id": "song", "file_path": "song"}
        return web.json_response({"ok": True, "result": about})

    async def download_it() -> float:
        application = web.Application()
        application.router.add_get("/file/{path:.*}", file)
        application.router.add_post("/{path:.*}", call)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        clock = asyncio.get_running_loop().time
        began = clock()
        await fetch(f"http://127.0.0.1:{runner.addresses[0][1]}", tmp_path / "song")
        await runner.cleanup()
        return clock() - began

    assert run(download_it(), network_seconds=0.005) > 600
    assert (tmp_path / "song").stat().st_size == PIECES * len(PIECE)
