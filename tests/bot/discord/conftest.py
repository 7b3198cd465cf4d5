"""The platform's clock, for what runs in the test's own process: its limits and the bot's paces, five times as fast."""

from __future__ import annotations

import pytest

from bot.discord_parts import board, lines, pace
from tests.bot.discord import world
from tests.bot.load_rates import Limit

FASTER = 5


@pytest.fixture(autouse=True)
def _a_clock_that_runs_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (pace, "PLACE_SECONDS"),
        (pace, "PROGRESS_SECONDS"),
        (pace, "ROOM_LATER_SECONDS"),
        (lines, "EDIT_SECONDS"),
        (board, "QUEUE_NEWS_SECONDS"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name) / FASTER)
    limits = {
        method: Limit(limit.name, limit.count, limit.seconds / FASTER) for method, limit in world.IN_CHANNEL.items()
    }
    monkeypatch.setattr(world, "IN_CHANNEL", limits)
