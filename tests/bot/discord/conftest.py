"""A bot that chats on a Discord of the tests' own, whose clock runs faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core import status_message
from bot.discord import limits, rate_limit
from tests.bot.discord import world
from tests.bot.discord.running import Scene, close_scene, open_scene, prepare
from tests.bot.discord.server import FakeDiscord
from tests.bot.load_rates import hurry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand


@pytest.fixture
def settings(settings: Settings) -> Settings:
    # By default nothing may be learnt from Discord, and nobody is asked there.
    return settings.model_copy(update={"training_sources": ("discord", "telegram", "local", "api")})


@pytest.fixture(autouse=True)
def _a_clock_that_runs_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, rate_limit, "PLACE_SECONDS")
    hurry(monkeypatch, status_message, "NO_ROOM_SECONDS")
    hurry(monkeypatch, limits, "STATUS", "QUEUE_NEWS_SECONDS")
    hurry(monkeypatch, world, "MESSAGES", "EDITS")


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as opened:
        yield opened


@pytest.fixture
async def scene(
    discord: FakeDiscord, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> AsyncIterator[Scene]:
    opened = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    yield opened
    await close_scene(opened)
