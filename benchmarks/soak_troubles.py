"""What goes wrong on purpose in the soak test: kills, dying workers, platforms' faults, slow and hostile people."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from benchmarks.soak_process import FIRST_RELEASE, PAGE, REPOSITORY
from benchmarks.watching import descendants
from classifier.inference.releases import CannotPromote, ReleaseStore
from tests.bot.discord.world import Fault
from tests.bot.fake_classifier import GENRES
from tests.bot.fake_releases import lay, promote
from tests.bot.telegram.people import Somebody
from tests.bot.telegram.refusals import BROKEN_SERVER, flood
from tests.bot.telegram.server import TelegramServer
from tests.fuzz.inputs import draw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from benchmarks.soak import Plan
    from benchmarks.soak_people import Ledger, Music
    from benchmarks.soak_process import SoakedBot
    from tests.bot.discord import FakeDiscord

LIFE_SECONDS = 0.2, 4.0
KILLED_AT_START = 0.15
START_LIFE_SECONDS = 1.5
SECOND_RELEASE = "second"
PROMOTION_SECONDS = 7.0
WORKER_SECONDS = 60.0
SHARE_OF_FAULTS = 0.01
DISCORD_FAULT_SECONDS = 5.0
BURST_SECONDS, BURST = 120.0, 8
HOSTILE_SECONDS = 2.0
DRIP_SECONDS = 1.0
HOSTILE_PERSON = 666


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class FaultyTelegram(TelegramServer):
    """A Telegram that answers some requests with 502, before or after it did what was asked.

    Attributes
    ----------
    share_of_faults
        How many.
    """

    share_of_faults = 0.0

    async def _call(self, request: web.Request) -> web.Response:
        dice = random.random()  # noqa: S311 - no secrets
        if request.match_info["method"] == "getUpdates" or dice >= self.share_of_faults:
            return await super()._call(request)
        status, error = BROKEN_SERVER
        return web.json_response({"ok": False, "error_code": status, **error}, status=status)


class Troubles:
    """Everything that may go wrong.

    Attributes
    ----------
    happened
        How often each trouble came.
    """

    def __init__(
        self,
        bot: SoakedBot,
        telegram: FaultyTelegram,
        discord: FakeDiscord,
        ledger: Ledger,
        place: Path,
        music: Music,
    ) -> None:
        self._bot, self._telegram, self._discord = bot, telegram, discord
        self._ledger, self._place, self._music = ledger, place, music
        self._random = random.Random(17)  # noqa: S311 - no secrets
        self.happened: Counter[str] = Counter()

    async def go_on(self, plan: Plan) -> None:
        """Let happen what a plan says, until its time is up."""
        seconds = 60 * plan.minutes
        if plan.kills:
            await self._kills(plan.kills, seconds)
        elif plan.day:
            await self._day(seconds)
        else:
            await asyncio.sleep(seconds)

    async def _kills(self, count: int, seconds: float) -> None:
        """Kill the bot so often, at random moments, its start included, while releases are promoted."""
        promoting = asyncio.create_task(self._again(PROMOTION_SECONDS, self._promote))
        until = time.monotonic() + seconds
        while self.happened["killed"] < count and time.monotonic() < until:
            await asyncio.sleep(self._random.uniform(*LIFE_SECONDS))
            self._kill()
            if self._random.random() < KILLED_AT_START:
                self._bot.begin_again()
                await asyncio.sleep(self._random.uniform(0, START_LIFE_SECONDS))
                self._kill()
                self.happened["of these while it started"] += 1
            self._bot.begin_again()
            await self._bot.until_ready()
        promoting.cancel()
        await asyncio.gather(promoting, return_exceptions=True)

    async def _day(self, seconds: float) -> None:
        """Let everything go wrong that may in a day, for so long."""
        self._telegram.share_of_faults = SHARE_OF_FAULTS
        forever = [
            self._again(WORKER_SECONDS, self._kill_worker),
            self._again(DISCORD_FAULT_SECONDS, self._break_discord),
            self._again(BURST_SECONDS, self._burst),
            self._again(HOSTILE_SECONDS, self._annoy),
            self._slow_upload(),
        ]
        tasks = [asyncio.create_task(each) for each in forever]
        began = time.monotonic()
        for moment, happens in ((0.35, self._backup), (0.5, self._restart), (0.7, self._promote)):
            await asyncio.sleep(max(0.0, began + moment * seconds - time.monotonic()))
            await happens()
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._telegram.share_of_faults = 0.0
        self._discord.world.faults.clear()
        self._telegram.faults.clear()

    async def _again(self, seconds: float, happens: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await happens()

    def _kill(self) -> None:
        self._bot.kill()
        self._ledger.kills += 1
        self.happened["killed"] += 1

    async def _promote(self) -> None:
        """Let another release serve."""

        def switch() -> None:
            store = ReleaseStore(self._bot.models)
            with store.exclusive():
                for name in (FIRST_RELEASE, SECOND_RELEASE):
                    store.store(lay(self._place / "candidates" / name, name, GENRES))
            serving = store.serving() or {"name": FIRST_RELEASE}
            promote(self._bot.models, SECOND_RELEASE if serving["name"] == FIRST_RELEASE else FIRST_RELEASE)

        with suppress(CannotPromote):
            await asyncio.to_thread(switch)
            self.happened["promotions"] += 1

    async def _kill_worker(self) -> None:
        children = [each for each in descendants(self._bot.pid) if b"spawn_main" in _command(each)]
        if children:
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(children), signal.SIGKILL)
            self.happened["worker processes killed"] += 1

    async def _break_discord(self) -> None:
        method = self._random.choice(("POST", "PATCH"))
        after = self._random.random() < 0.5
        self._discord.world.faults = [Fault(method, "/messages", 500, after=after)]
        self.happened["faults of Discord"] += 1

    async def _burst(self) -> None:
        for method in ("sendMessage", "editMessageText", "editMessageMedia"):
            self._telegram.faults[method].extend([flood(2)] * BURST)
        self._discord.world.faults = [Fault("PATCH", "/messages", 429, times=BURST, retry_after=1)]
        self.happened["bursts of 429"] += 1

    async def _annoy(self) -> None:
        """Send what a hostile person sends."""
        somebody = Somebody(self._telegram, HOSTILE_PERSON)
        text = draw(self._random, self._music.links)[:4000] or "x"
        match self._random.randrange(3):
            case 0:
                await somebody.writes(text.encode("utf-8", "replace").decode())
            case 1:
                said = self._telegram.said(HOSTILE_PERSON)
                if said:
                    await somebody.presses_data(said[-1], text[:60].encode("utf-8", "replace").decode())
            case _:
                await somebody.sends(self._music.broken[0])
        self.happened["hostile messages"] += 1

    async def _slow_upload(self) -> None:
        async def drip() -> AsyncIterator[bytes]:
            yield b"RIFF"
            while True:
                await asyncio.sleep(DRIP_SECONDS)
                yield b"x"

        manners = {"Origin": f"http://{PAGE}", "Sec-Fetch-Site": "same-origin"}
        async with aiohttp.ClientSession(f"http://{PAGE}", headers=manners) as http:
            while True:
                with suppress(aiohttp.ClientError):
                    async with http.post("/songs", data=drip()) as response:
                        await response.read()
                self.happened["slow uploads"] += 1
                await asyncio.sleep(DRIP_SECONDS)

    async def _backup(self) -> None:
        saves = [sys.executable, str(REPOSITORY / "deploy/backup.py"), "save", "data", "backup"]
        done: Any = await asyncio.to_thread(subprocess.run, saves, cwd=self._place, check=False, capture_output=True)
        self.happened["backups" if done.returncode == 0 else "backups that failed"] += 1

    async def _restart(self) -> None:
        status = await self._bot.stop()
        self._ledger.kills += 1
        self.happened["restarts" if status == 0 else "restarts that failed"] += 1
        self._bot.begin_again()
        await self._bot.until_ready()
