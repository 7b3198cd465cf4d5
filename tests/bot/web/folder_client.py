"""Sends a folder to the page as its script does, and reads what came of it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from tests.bot.running import eventually
from tests.bot.web.page import history

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp


async def begin(
    browser: aiohttp.ClientSession, songs: Mapping[str, bytes], name: str = "Nhạc", status: int = 201
) -> dict[str, Any]:
    files = [[path, len(content), 1_700_000_000_000] for path, content in songs.items()]
    body = {"name": name, "count": len(files), "files": files}
    async with browser.post("/collections", json=body) as response:
        assert response.status == status, await response.text()
        return dict(await response.json())


async def send_song(browser: aiohttp.ClientSession, folder: int, number: int, content: Any) -> dict[str, Any]:
    async with browser.post(f"/collections/{folder}/songs/{number}", data=content) as response:
        assert response.status == 200, await response.text()
        return dict(await response.json())


async def room(browser: aiohttp.ClientSession, folder: int) -> dict[str, Any]:
    async with browser.get(f"/collections/{folder}/room") as response:
        return dict(await response.json())


async def send_all(browser: aiohttp.ClientSession, songs: Mapping[str, bytes], name: str = "Nhạc") -> dict[str, Any]:
    """Send a folder as the page does, and return its entry when all songs have had their turn."""
    begun = await begin(browser, songs, name)
    folder = begun["entry"]["id"]
    waiting = begun["missing"]
    while waiting:
        number, path = waiting.pop(0)
        if not (await send_song(browser, folder, number, songs[path]))["room"]:
            asked = await room(browser, folder)
            waiting = asked["missing"]
    return await ended(browser, folder)


async def shown(browser: aiohttp.ClientSession, folder: int) -> dict[str, Any]:
    return next(entry for entry in (await history(browser))["entries"] if entry["id"] == folder)


async def ended(browser: aiohttp.ClientSession, folder: int) -> dict[str, Any]:
    async def over() -> bool:
        entry = await shown(browser, folder)
        return not entry["going"]

    await eventually(over)
    return await shown(browser, folder)


async def playlists(browser: aiohttp.ClientSession, entry: Mapping[str, Any]) -> dict[str, str]:
    async with browser.get("/" + entry["sorted"]["playlists"]) as response:
        assert response.status == 200
        with zipfile.ZipFile(io.BytesIO(await response.read())) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}


def paths_in(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if not line.startswith("#")]
