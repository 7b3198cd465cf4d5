"""The local page's server with a bot behind it, and a browser's manners in front of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import CookieJar

from bot.web import LocalChat, open_page
from common.addresses import Address
from tests.bot.running import Bot, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand

HERE = Address("127.0.0.1", 0)


class Page:
    """The page's server with a bot behind it, and a browser's manners in front of it."""

    def __init__(self, bot: Bot, chat: LocalChat) -> None:
        self.bot, self.chat = bot, chat
        self.address = f"http://127.0.0.1:{chat.port}"
        self._sessions: list[aiohttp.ClientSession] = []

    def browser(self, **headers: str) -> aiohttp.ClientSession:
        """Open a browser of its own, with cookies of its own, on this page."""
        manners = {"Origin": self.address, "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
        session = aiohttp.ClientSession(self.address, cookie_jar=CookieJar(unsafe=True), headers=manners | headers)
        self._sessions.append(session)
        return session

    async def close(self) -> None:
        for session in self._sessions:
            await session.close()
        await self.bot.queue.stop()
        await self.chat.close()


@asynccontextmanager
async def opened_page(storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand) -> AsyncIterator[Page]:
    bot = Bot(storage, keys, settings, ear, settings.data_dir / "work")
    chat = open_page(settings, bot.conversation, HERE)
    bot.with_chat(chat)
    await chat.start()
    await bot.start()
    page = Page(bot, chat)
    try:
        yield page
    finally:
        await page.close()


async def send(browser: aiohttp.ClientSession, path: Path, name: str = "song.wav") -> dict[str, Any]:
    content = await asyncio.to_thread(path.read_bytes)
    async with browser.post("/songs", data=content, headers={"X-File-Name": name}) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


async def history(browser: aiohttp.ClientSession) -> dict[str, Any]:
    async with browser.post("/hello") as response:
        return dict(await response.json())


async def settled(browser: aiohttp.ClientSession, number: int) -> dict[str, Any]:
    """Wait until a song has its answer, or its reason why not, and return it as the page would show it."""
    entries: list[dict[str, Any]] = []

    async def over() -> bool:
        entries[:] = [entry for entry in (await history(browser))["entries"] if entry["id"] == number]
        return bool(entries) and entries[0]["state"] != "waiting"

    await eventually(over)
    return entries[0]
