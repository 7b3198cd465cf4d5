"""The bot as a process of its own on a Telegram of the tests' own: starts, stops, kills, webhooks."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.bot.process import BotProcess
from tests.bot.running import eventually
from tests.bot.telegram.people import Somebody, texts
from tests.bot.telegram.server import TOKEN, TelegramServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "x-telegram-bot-api-secret-token"


@pytest.fixture
def start(telegram: TelegramServer, tmp_path: Path) -> Iterator[Callable[..., BotProcess]]:
    """Give a function that makes a bot which is killed in the end, whatever happens."""
    made = []

    def make(**more: str) -> BotProcess:
        folder = tmp_path / "process"
        folder.mkdir(exist_ok=True)
        made.append(BotProcess(folder, **{"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, **more}))
        return made[-1]

    yield make
    for process in made:
        process.kill()


async def _started(process: BotProcess) -> BotProcess:
    return await asyncio.to_thread(process.start)


async def _noted(process: BotProcess) -> bool:
    """Whether the bot has written down where the song's message is."""
    with closing(sqlite3.connect(process.data / "songs.db")) as database:
        return any("message" in progress for (progress,) in database.execute("SELECT progress FROM jobs"))


async def test_a_bot_that_is_killed_in_the_middle_of_a_song_answers_it_once_when_it_is_back(
    start: Callable[..., BotProcess], telegram: TelegramServer, ann: Somebody, tune: Path
) -> None:
    first = await _started(start(LINGER="30"))
    song = await ann.sends(tune)
    progress = await ann.hears("…")
    await eventually(lambda: _noted(first))
    first.kill()
    second = await _started(start(LINGER="0"))
    answer = await ann.answered(song)
    assert answer["message_id"] == progress["message_id"]
    assert len(telegram.said(ann.number)) == 1
    await ann.presses(answer, "Jazz")
    await ann.hears("May I learn from this?")
    assert await asyncio.to_thread(second.stop) == 0
    third = await _started(start())
    # Buttons work after a restart, too.
    await ann.presses(telegram.messages[ann.number, answer["message_id"]], "Undo")
    await telegram.until(lambda: "Your correction is removed." in telegram.toasts)
    assert await asyncio.to_thread(third.stop, signal.SIGINT) == 0
    assert TOKEN not in first.log + second.log + third.log
    assert "Traceback" not in second.log + third.log
    assert telegram.broken == []


async def test_a_token_that_telegram_refuses_is_named_and_the_other_chats_run(
    start: Callable[..., BotProcess], telegram: TelegramServer
) -> None:
    process = await _started(start(TELEGRAM_TOKEN="654321:abcdefghijklmnopqrstuvwxyz-ABCDEFGH"))
    assert "telegram cannot start: TELEGRAM_TOKEN was refused" in process.log
    assert await asyncio.to_thread(process.stop) == 0


async def test_telegram_brings_updates_to_a_webhook_that_only_listens_to_its_secret(
    start: Callable[..., BotProcess], telegram: TelegramServer, ann: Somebody, tune: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/telegram"
    process = await _started(start(WEBHOOK_URL=url, WEBHOOK_LISTEN=f"127.0.0.1:{port}"))
    await telegram.until(lambda: telegram.webhook)
    assert telegram.webhook["url"] == url
    song = await ann.sends(tune)
    update: dict[str, Any] = {"update_id": 1, "message": song}
    async with aiohttp.ClientSession() as http:

        async def bring(secret: str, body: bytes) -> int:
            async with http.post(url, data=body, headers={SECRET: secret}) as response:
                return response.status

        whole = json.dumps(update).encode()
        assert await bring("a guess", whole) == HTTPStatus.FORBIDDEN
        secret = telegram.webhook["secret_token"]
        assert await bring(secret, b"no update") == HTTPStatus.BAD_REQUEST
        # Telegram brings again what it is not sure of.
        assert [await bring(secret, whole) for _ in range(2)] == [HTTPStatus.OK, HTTPStatus.OK]
    assert texts(await ann.answered(song))[0] == "Jazz"
    assert len(telegram.said(ann.number)) == 1
    assert await asyncio.to_thread(process.stop) == 0
