"""A bot that is told of lists, and of what is behind their links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.links_at_hand import LinksAtHand
from tests.bot.running import Bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.people import Keys
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.ear import EarAtHand
    from tests.bot.notebook import Notebook


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"songs_per_person_queued": 10, "workers": 2})


@pytest.fixture
def links() -> LinksAtHand:
    return LinksAtHand()


@pytest.fixture
async def bot(
    storage: Storage,
    keys: Keys,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    links: LinksAtHand,
    tmp_path: Path,
) -> AsyncIterator[Bot]:
    running = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
    await running.start()
    yield running
    await running.queue.stop()
