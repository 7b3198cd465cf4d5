from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.bot.discord import TOKEN, FakeDiscord, Somebody
from tests.bot.discord.running import prepare
from tests.bot.discord.world import custom_ids
from tests.bot.process import BotProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tone = Callable[..., Path]


@pytest.fixture(autouse=True)
def _there_is_a_server(discord: FakeDiscord) -> None:
    prepare(discord)


async def test_a_bot_that_is_killed_in_the_middle_of_a_song_answers_it_once_when_it_is_back(
    discord: FakeDiscord, tmp_path: Path, tone: Tone
) -> None:
    ann = Somebody(discord)
    reach = {
        "DISCORD_TOKEN": TOKEN,
        "DISCORD_API_URL": discord.api,
        "DISCORD_GATEWAY_URL": discord.gateway.address,
    }
    slow = BotProcess(tmp_path, LINGER="20", **reach)
    quick = BotProcess(tmp_path, **reach)
    try:
        await asyncio.to_thread(slow.start)
        await ann.says(ann.direct, "", tone(200, 35))
        await discord.world.until(lambda: any("Listening" in each["content"] for each in discord.world.of_bot()))
        await asyncio.to_thread(slow.kill)
        await asyncio.to_thread(quick.start)

        def answered() -> bool:
            return any("votes" in "".join(custom_ids(each)) for each in discord.world.of_bot())

        await discord.world.until(answered)
        assert len(discord.world.of_bot(ann.direct)) == 1
        assert await asyncio.to_thread(quick.stop, signal.SIGTERM) == 0
        assert "Traceback" not in quick.log
    finally:
        slow.kill()
        quick.kill()


async def test_a_token_that_discord_does_not_know_is_named_and_the_page_runs_all_the_same(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    bot = BotProcess(
        tmp_path, DISCORD_TOKEN="x" * 30, DISCORD_API_URL=discord.api, DISCORD_GATEWAY_URL=discord.gateway.address
    )
    try:
        await asyncio.to_thread(bot.start)
        assert "discord cannot start: Discord does not know this token" in bot.log
        assert await asyncio.to_thread(bot.stop) == 0
    finally:
        bot.kill()
