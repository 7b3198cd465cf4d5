"""A bot that chats on a Telegram of the tests' own, and songs to send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.setting_values import Moderator
from bot.telegram import limits, rate_limit
from bot.telegram.chat import open_chat
from tests.bot.load_rates import hurry
from tests.bot.running import Bot
from tests.bot.telegram import server
from tests.bot.telegram.people import Somebody
from tests.bot.telegram.server import TOKEN, TelegramServer
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand

OPERATOR = 99


@pytest.fixture(autouse=True)
def _a_network_that_recovers_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.api_client.NETWORK_SECONDS", 0.1)


@pytest.fixture(autouse=True)
def _a_clock_that_runs_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, rate_limit, "CHAT_SECONDS", "GROUP_SECONDS")
    hurry(monkeypatch, limits, "PRIVATE_STATUS", "GROUP_STATUS", "QUEUE_NEWS_SECONDS")
    hurry(monkeypatch, server, "EDIT_SECONDS", "TO_PERSON", "TO_GROUP")


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    opened = TelegramServer()
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def settings(settings: Settings, telegram: TelegramServer) -> Settings:
    return settings.model_copy(
        update={
            "telegram_token": SecretStr(TOKEN),
            "telegram_api_url": telegram.url,
            "moderators": (Moderator("telegram", str(OPERATOR)),),
        }
    )


@pytest.fixture
async def bot(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, telegram: TelegramServer, tmp_path: Path
) -> AsyncIterator[Bot]:
    running = Bot(storage, keys, settings, ear, tmp_path / "work")
    chat = open_chat(settings, running.conversation)
    running.conversation.info.serves(ear.release, ear.genres)
    running.with_chat(chat)
    await chat.start()
    await running.start()
    yield running
    await chat.stop_taking()
    await running.queue.stop()
    await chat.close()
    assert telegram.broken == []


@pytest.fixture(scope="session")
def tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song of our own."""
    return write(song("blues", 6), tmp_path_factory.mktemp("songs") / "tune.opus")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video with a song of our own."""
    return write(song("jazz", 4), tmp_path_factory.mktemp("songs") / "film.mp4")


@pytest.fixture
def ann(telegram: TelegramServer) -> Somebody:
    return Somebody(telegram, 11)


@pytest.fixture
def lan(telegram: TelegramServer) -> Somebody:
    """Speaks Vietnamese."""
    return Somebody(telegram, 12, "vi")


@pytest.fixture
def operator(telegram: TelegramServer) -> Somebody:
    return Somebody(telegram, OPERATOR)
