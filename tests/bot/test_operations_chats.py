"""Whether each chat is connected, as readiness tells it: while its platform is there, and when it is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.telegram.chat import TelegramChat
from bot.telegram.updates import SECRET_HEADER, Webhook
from common.addresses import Address
from tests.bot.discord.running import close_scene, open_scene, prepare
from tests.bot.discord.server import FakeDiscord
from tests.bot.running import Bot, eventually
from tests.bot.telegram.server import TOKEN, TelegramServer

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.chat import Chat
    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand


async def _becomes(chat: Chat, *, connected: bool) -> None:
    async def is_so() -> bool:
        return chat.connected is connected

    await eventually(is_so)


async def test_discord_is_connected_while_its_gateway_is(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> None:
    async with FakeDiscord() as discord:
        scene = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
        assert scene.chat.connected
        await discord.gateway.ask_to_reconnect()
        await _becomes(scene.chat, connected=True)
    await _becomes(scene.chat, connected=False)
    await close_scene(scene)
    assert not scene.chat.connected


@pytest.fixture
def _a_network_that_recovers_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.updates.FIRST_PAUSE_SECONDS", 0.1)


@pytest.mark.usefixtures("_a_network_that_recovers_soon")
async def test_telegram_is_connected_while_it_can_be_asked(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, tmp_path: Path
) -> None:
    telegram = TelegramServer()
    await telegram.start()
    there = settings.model_copy(update={"telegram_token": SecretStr(TOKEN), "telegram_api_url": telegram.url})
    chat = TelegramChat(there, Bot(storage, keys, there, ear, tmp_path / "work").conversation)
    assert not chat.connected
    await chat.start()
    await _becomes(chat, connected=True)
    await telegram.stop()
    await _becomes(chat, connected=False)
    await chat.close()
    assert not chat.connected


async def test_telegram_by_webhook_is_connected_while_it_listens() -> None:
    class Line:
        """As much of a connection as the webhook needs."""

        async def set_webhook(self, url: str, **_: object) -> None:
            assert url == "https://bot.example/updates"

    async def receive(_: object) -> None:
        """Nothing comes."""

    webhook = Webhook(
        Line(),  # type: ignore[arg-type]
        receive,
        url="https://bot.example/updates",
        address=Address("127.0.0.1", 0),
        secret="x",
    )
    assert not webhook.connected
    await webhook.start()
    assert webhook.connected
    assert webhook._runner is not None
    # The secret of a stranger, in bytes that are no text.
    reader, writer = await asyncio.open_connection(*webhook._runner.addresses[0])
    writer.write(b"POST /updates HTTP/1.1\r\nHost: bot\r\nContent-Length: 0\r\n")
    writer.write(SECRET_HEADER.encode() + b": \xff\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"403"
    writer.close()
    await webhook.stop()
    assert not webhook.connected
