"""A bot in each chat in turn, for rules that must be the same in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core import status_message
from bot.discord import limits as discord_limits
from bot.discord import rate_limit as discord_rate_limit
from bot.setting_values import Moderator
from bot.telegram import limits as telegram_limits
from bot.telegram import rate_limit as telegram_rate_limit
from tests.bot.both.chats import OPERATOR, open_discord, open_telegram
from tests.bot.discord import world
from tests.bot.discord.server import FakeDiscord
from tests.bot.load_rates import hurry
from tests.bot.telegram import server
from tests.bot.telegram.server import TelegramServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.both.chats import ChatUnderTest
    from tests.bot.fake_classifier import EarAtHand


@pytest.fixture
def sources() -> tuple[str, ...]:
    """From where the bot may learn; by default not from Discord."""
    return ("discord", "telegram", "local", "api")


@pytest.fixture
def settings(settings: Settings, sources: tuple[str, ...]) -> Settings:
    moderators = tuple(Moderator(platform, str(OPERATOR)) for platform in ("discord", "telegram"))
    return settings.model_copy(update={"moderators": moderators, "training_sources": sources})


@pytest.fixture(autouse=True)
def _clocks_that_run_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, status_message, "NO_ROOM_SECONDS")
    hurry(monkeypatch, discord_rate_limit, "PLACE_SECONDS")
    hurry(monkeypatch, discord_limits, "STATUS", "QUEUE_NEWS_SECONDS")
    hurry(monkeypatch, world, "MESSAGES", "EDITS")
    hurry(monkeypatch, telegram_rate_limit, "CHAT_SECONDS", "GROUP_SECONDS")
    hurry(monkeypatch, telegram_limits, "PRIVATE_STATUS", "GROUP_STATUS", "QUEUE_NEWS_SECONDS")
    hurry(monkeypatch, server, "EDIT_SECONDS", "TO_PERSON", "TO_GROUP")


@pytest.fixture
def reads_along() -> bool:
    """Whether the bot may read messages on Discord that do not mention it."""
    return False


@pytest.fixture(params=["discord", "telegram"])
async def chat(
    request: pytest.FixtureRequest,
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
    reads_along: bool,
) -> AsyncIterator[ChatUnderTest]:
    if request.param == "discord":
        async with FakeDiscord() as discord:
            discord.world.reads_along = reads_along
            opened = await open_discord(discord, storage, keys, settings, ear)
            yield opened
            await opened.close()
        return
    telegram = TelegramServer()
    await telegram.start()
    opened = await open_telegram(telegram, storage, keys, settings, ear)
    yield opened
    await opened.close()
    await telegram.stop()
