"""The pace at which a place is written to, where requests are delayed on their way."""

from __future__ import annotations

import asyncio
import gc
import random
from typing import TYPE_CHECKING

import pytest

from bot.core.progress_pace import ProgressPace
from bot.discord import rate_limit
from bot.discord.rate_limit import DiscordRateLimiter, RequestWindow
from tests.bot.load_rates import Bucket, Limit, Rates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.settings import Settings
    from tests.bot.discord.running import Scene

SECONDS = 0.2
# As many messages as one channel gets in the crowd's scenario, within two of Discord's windows and a bit.
SONGS = 9


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"songs_per_person_queued": SONGS})


@pytest.mark.parametrize("seed", range(3))
async def test_a_limit_is_kept_however_long_requests_are_on_their_way(seed: int) -> None:
    chance, window = random.Random(seed), RequestWindow(5, SECONDS)
    bucket, rates, sliding = Bucket(Limit("", 5, SECONDS)), Rates(), Limit("requests", 5, SECONDS)
    taken: list[bool] = []

    async def ask(there: float, back: float) -> None:
        async with window.request():
            await asyncio.sleep(there)
            taken.append(bucket.use())
            rates.note(sliding)
            await asyncio.sleep(back)

    delays = [(chance.choice((0, SECONDS / 2)), chance.choice((0, SECONDS / 4))) for _ in range(20)]
    await asyncio.gather(*(ask(*each) for each in delays))
    assert taken == [True] * 20
    assert rates.breaches == []


async def test_progress_leaves_room_for_answers_and_what_is_long_past_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limit, "PLACE_SECONDS", SECONDS / 4)
    pace, limiter = ProgressPace(), DiscordRateLimiter()
    assert pace.wait(1) <= 0
    pace.shown(1, SECONDS)
    assert pace.wait(1) > 0
    assert pace.wait(2) <= 0
    while limiter.has_room(2):
        async with limiter.request("edit", 2):
            pass
    assert limiter.has_room("token")
    await asyncio.sleep(SECONDS / 2)
    gc.collect()
    assert not limiter._windows


async def test_songs_that_fill_a_channel_are_answered_once_each_within_its_limits(
    scene: Scene, tone: Callable[..., Path]
) -> None:
    for number in range(SONGS):
        await scene.bob.says(scene.channel, "", tone(200 + number, name=f"{number}.wav"), mention=True)
    answers = await scene.answers(scene.channel, SONGS)
    assert len(answers) == len(scene.world.of_bot(scene.channel)) == SONGS
    assert scene.world.rates.breaches == []
