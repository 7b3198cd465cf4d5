"""The bot as its operator starts it, with the release: both chats in one process, each in its own language."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.bot.discord import TOKEN as DISCORD_TOKEN
from tests.bot.discord import FakeDiscord
from tests.bot.discord import Somebody as Discordian
from tests.bot.discord.running import prepare
from tests.bot.discord.world import custom_ids
from tests.bot.process import BotProcess
from tests.bot.telegram.people import Somebody as Telegrammer
from tests.bot.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.bot.telegram.server import TelegramServer
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(300)
async def test_the_release_answers_in_both_chats_and_what_one_chat_heard_the_other_knows(tmp_path: Path) -> None:
    tune = write(song("classical", 64, 2, stereo=True), tmp_path / "morning.opus")
    telegram = TelegramServer()
    await telegram.start()
    async with FakeDiscord() as discord:
        prepare(discord)
        bot = BotProcess(
            tmp_path,
            "bot",
            DISCORD_TOKEN=DISCORD_TOKEN,
            DISCORD_API_URL=discord.api,
            DISCORD_GATEWAY_URL=discord.gateway.address,
            TELEGRAM_TOKEN=TELEGRAM_TOKEN,
            TELEGRAM_API_URL=telegram.url,
        )
        ann, lan = Discordian(discord), Telegrammer(telegram, 12, "vi")
        try:
            await asyncio.to_thread(bot.start)
            await ann.command(ann.direct, "genre", files=(tune,))

            def answered() -> dict[str, str] | None:
                found = [m for m in discord.world.of_bot() if any(c.startswith("votes:") for c in custom_ids(m))]
                return found[0] if found else None

            answer = await discord.world.until(answered)
            assert "classical" in answer["content"]
            assert "0:00–1:0" in answer["content"]
            other = await lan.answered(await lan.sends(tune))
            assert "nhạc cổ điển" in other["caption"]
            assert "Bài này mình nghe rồi" in other["caption"]
            votes = await ann.told(await ann.presses(answer, "votes"))
            assert "sound colour: classical" in votes["content"]
            await lan.writes("/gioithieu")
            await lan.hears("biết 18 thể loại")
            assert await asyncio.to_thread(bot.stop) == 0
            assert "Traceback" not in bot.log
        finally:
            await asyncio.to_thread(bot.kill)
            await telegram.stop()
