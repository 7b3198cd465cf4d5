"""A bot that is told of lists, and of what is behind their links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.links_at_hand import LinksAtHand
from tests.bot.running import Bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.playlists.prompts import Assemble
    from tests.bot.recording_chat import Notebook


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"songs_per_person_queued": 10, "workers": 2})


@pytest.fixture
def links() -> LinksAtHand:
    return LinksAtHand()


@pytest.fixture
def assemble(
    storage: Storage, keys: IdHasher, ear: EarAtHand, notebook: Notebook, links: LinksAtHand, tmp_path: Path
) -> Assemble:
    """Give a function that puts a bot together, not started yet; another one goes on where the last one stopped."""
    return lambda settings: Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)


@pytest.fixture
async def bot(assemble: Assemble, settings: Settings) -> AsyncIterator[Bot]:
    running = assemble(settings)
    await running.start()
    yield running
    await running.queue.stop()
