"""A bot that chats on a Discord of the tests' own, whose clock runs faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.discord import message_registry, rate_limit, status_message
from tests.bot.discord import world
from tests.bot.discord.running import Scene, close_scene, open_scene, prepare
from tests.bot.discord.server import FakeDiscord
from tests.bot.load_rates import hurry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.identity import Keys
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand


@pytest.fixture(autouse=True)
def _a_clock_that_runs_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, rate_limit, "PLACE_SECONDS", "PROGRESS_SECONDS", "ROOM_LATER_SECONDS")
    hurry(monkeypatch, status_message, "EDIT_SECONDS")
    hurry(monkeypatch, message_registry, "QUEUE_NEWS_SECONDS")
    hurry(monkeypatch, world, "MESSAGES", "EDITS")


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as opened:
        yield opened


@pytest.fixture
async def scene(
    discord: FakeDiscord, storage: Storage, keys: Keys, settings: Settings, ear: EarAtHand
) -> AsyncIterator[Scene]:
    opened = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    yield opened
    await close_scene(opened)
