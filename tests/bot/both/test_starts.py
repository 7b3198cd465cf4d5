"""A network that is bad for a moment while the bot starts: the other chats run, and this one follows by itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.chat_starter import ChatStarter
from bot.discord.chat import DiscordChat
from bot.telegram.chat import TelegramChat
from common.addresses import Address
from tests.bot.discord.server import FakeDiscord
from tests.bot.discord.world import TOKEN as DISCORD_TOKEN
from tests.bot.discord.world import Fault
from tests.bot.running import Bot, eventually
from tests.bot.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.bot.telegram.server import TelegramServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand


@asynccontextmanager
async def _discord(token: str = DISCORD_TOKEN) -> AsyncIterator[dict[str, Any]]:
    async with FakeDiscord() as server:
        server.world.faults = [Fault("GET", "/users/@me$", 0, times=2)]
        yield {
            "discord_token": SecretStr(token),
            "discord_api_url": server.api,
            "discord_gateway_url": server.gateway.address,
        }


@asynccontextmanager
async def _telegram(token: str = TELEGRAM_TOKEN, **more: Any) -> AsyncIterator[dict[str, Any]]:
    server = TelegramServer()
    await server.start()
    method = "setWebhook" if more else "deleteWebhook"
    server.faults[method].extend([(502, {"description": "Bad Gateway"})] * 2)
    yield {"telegram_token": SecretStr(token), "telegram_api_url": server.url, **more}
    await server.stop()


def _by_webhook() -> Any:
    return _telegram(webhook_url="https://bot.example/updates", webhook_listen=Address("127.0.0.1", 0))


@pytest.mark.parametrize(
    ("network", "kind"), [(_discord, DiscordChat), (_telegram, TelegramChat), (_by_webhook, TelegramChat)]
)
async def test_a_chat_that_could_not_be_reached_follows_the_others(
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    network: Any,
    kind: type[DiscordChat | TelegramChat],
) -> None:
    monkeypatch.setattr("bot.chat_starter.FIRST_PAUSE_SECONDS", 0.01)
    async with network() as where:
        there = settings.model_copy(update=where)
        chat, starter = kind(there, Bot(storage, keys, there, ear, tmp_path / "work").conversation), ChatStarter()
        (reason,) = await starter.start([chat])
        assert "cannot be reached" in reason
        assert not chat.connected

        async def is_there() -> bool:
            return chat.platform in starter.running and chat.connected

        async with starter.trying_again():
            await eventually(is_there)
        await chat.close()


async def test_a_wrong_token_is_told_and_not_tried_again(
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("bot.chat_starter.FIRST_PAUSE_SECONDS", 0.01)
    async with _telegram("1:" + 35 * "x") as where:
        there = settings.model_copy(update=where)
        chat, starter = (
            TelegramChat(there, Bot(storage, keys, there, ear, tmp_path / "work").conversation),
            ChatStarter(),
        )
        (reason,) = await starter.start([chat])
        assert "TELEGRAM_TOKEN was refused" in reason
        async with starter.trying_again():
            await asyncio.sleep(0.05)
        assert caplog.text.count("TELEGRAM_TOKEN was refused") == 1
