"""A bot in each chat in turn, for rules that must be the same in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.settings import Moderator
from tests.bot.both.chats import OPERATOR, open_discord, open_telegram
from tests.bot.discord.server import FakeDiscord
from tests.bot.telegram.server import TelegramServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.both.chats import ChatUnderTest
    from tests.bot.fake_classifier import EarAtHand


@pytest.fixture
def settings(settings: Settings) -> Settings:
    moderators = tuple(Moderator(platform, str(OPERATOR)) for platform in ("discord", "telegram"))
    return settings.model_copy(update={"moderators": moderators})


@pytest.fixture(params=["discord", "telegram"])
async def chat(
    request: pytest.FixtureRequest, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> AsyncIterator[ChatUnderTest]:
    if request.param == "discord":
        async with FakeDiscord() as discord:
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
