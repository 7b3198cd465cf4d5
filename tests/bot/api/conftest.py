"""The API's server with a bot behind it, and two programs with a token each."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.api import ApiChat, open_api
from common.addresses import Address
from tests.bot.running import Bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand

ANN, BOB = "ann-" + "a" * 40, "bob-" + "b" * 40
WAV = {"Content-Type": "audio/wav"}


@dataclass(frozen=True)
class Api:
    """The server, and sessions of both programs and of one without a token."""

    bot: Bot
    chat: ApiChat
    ann: aiohttp.ClientSession
    bob: aiohttp.ClientSession
    nobody: aiohttp.ClientSession


@pytest.fixture
async def api(storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand) -> AsyncIterator[Api]:
    tokens = SecretStr(f"{ANN}, {BOB}")
    settings = settings.model_copy(update={"api_tokens": tokens, "api_listen": Address("127.0.0.1", 0)})
    bot = Bot(storage, keys, settings, ear, settings.data_dir / "work")
    chat = open_api(settings, bot.conversation)
    bot.with_chat(chat)
    await chat.start()
    await bot.start()
    address = f"http://127.0.0.1:{chat.port}"
    sessions = [
        aiohttp.ClientSession(address, headers={"Accept-Language": "en"} | headers)
        for headers in ({"Authorization": f"Bearer {ANN}"}, {"Authorization": f"Bearer {BOB}"}, {})
    ]
    yield Api(bot, chat, *sessions)
    for session in sessions:
        await session.close()
    await bot.queue.stop()
    await chat.close()


async def send(program: aiohttp.ClientSession, path: Path, **headers: str) -> dict[str, Any]:
    content = await asyncio.to_thread(path.read_bytes)
    async with program.post("/v1/songs", data=content, headers=WAV | headers) as response:
        assert response.status == 202, await response.text()
        song = dict(await response.json())
        assert response.headers["Location"] == f"/v1/songs/{song['id']}"
        return song


async def events(program: aiohttp.ClientSession, song_id: str) -> list[dict[str, Any]]:
    """Follow a song to its end, and return what was told."""
    async with program.get(f"/v1/songs/{song_id}/events") as stream:
        text = await stream.text()
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


async def problem(response: aiohttp.ClientResponse) -> tuple[int, str]:
    """Return status and code of a problem document."""
    assert response.content_type == "application/problem+json"
    body = await response.json()
    assert body["status"] == response.status
    assert body["detail"].endswith((".", "”."))
    return response.status, body["code"]
