"""The bot of the soak test as a process: started, killed and started again, always in the same place."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.visitor import status
from tests.bot.fake_classifier import GENRES
from tests.bot.fake_releases import lay

if TYPE_CHECKING:
    from typing import BinaryIO

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE, OPERATIONS = "127.0.0.1:18471", "127.0.0.1:18472"
READY = 200
START_SECONDS = 120.0
STOP_SECONDS = 60.0
FIRST_RELEASE = "first"


class SoakedBot:
    """The bot, which begins to start at once.

    Parameters
    ----------
    place
        Its working directory.
    python
        The interpreter that runs it.
    ear_seconds
        How long the tests' ear listens to 30 seconds of a song; it answers in the name of a release that holds nothing
        else. None lets the packaged release answer.
    workers
        How many songs are heard at once.
    **settings
        How it reaches its chats.
    """

    def __init__(
        self, place: Path, python: str, *, ear_seconds: float | None, workers: int = 1, **settings: str
    ) -> None:
        self._place = place
        ear = () if ear_seconds is None else ("--ear", str(ear_seconds))
        self._command = [python, str(REPOSITORY / "benchmarks/soak_bot.py"), *ear]
        (place / "tmp").mkdir()
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "TMPDIR": str(place / "tmp"),
            "LOCAL_CHAT": PAGE,
            "OPERATIONS_LISTEN": OPERATIONS,
            "MAX_MINUTES": "20",
            "WORKERS": str(workers),
            "SONGS_PER_PERSON_DAILY": "100000",
            **({"MODEL_DIR": str(place / "models")} if ear else {}),
            **settings,
        }
        self.models = place / "models"
        if ear:
            lay(self.models, FIRST_RELEASE, GENRES)
        self._log: BinaryIO = (place / "log.txt").open("ab")
        self._process = self._begun()

    @property
    def pid(self) -> int:
        """Number of its process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has logged in all its lives."""
        return (self._place / "log.txt").read_text(encoding="utf-8")

    def begin_again(self) -> None:
        """Start it anew without waiting."""
        self._process = self._begun()

    async def until_ready(self) -> None:
        """Wait until it is ready."""
        async with asyncio.timeout(START_SECONDS):
            while await asyncio.to_thread(status, f"http://{OPERATIONS}/readyz") != READY:
                if self._process.poll() is not None:
                    raise SystemExit(f"the bot is not ready:\n{self.log[-3000:]}")
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.wait()

    async def stop(self) -> int:
        """Ask it to stop; return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, STOP_SECONDS)

    def _begun(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, cwd=self._place, env=self._environment, stdout=self._log, stderr=self._log
        )

    def left(self) -> list[str]:
        """List the processes that still run in its place."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdecimal() and (folder / "cwd").readlink().is_relative_to(self._place):
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found
