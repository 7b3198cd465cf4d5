"""The whole bot as a process of its own, as its operator starts, stops and kills it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import bot

REPOSITORY = Path(bot.__file__).resolve().parents[1]
START_SECONDS = 60.0


class BotProcess:
    """A bot that listens on a free port of this machine.

    Parameters
    ----------
    module
        What is started: ``bot``, or ``tests.bot.bot_with_fake_classifier``.
    folder
        Working directory; its data is in ``data`` below.
    **settings
        Settings by name.
    """

    def __init__(self, folder: Path, module: str = "tests.bot.bot_with_fake_classifier", **settings: str) -> None:
        self._command = [sys.executable, "-m", module]
        self._folder = folder
        self._log = folder / "log.txt"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self._environment = inherited | {
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONWARNINGS": "error",
            "LOCAL_CHAT": "127.0.0.1:0",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.data = folder / "data"
        self.address = ""

    def start(self) -> BotProcess:
        """Start it and wait until the page can be opened."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            found = re.search(r'the page is at (http://[^\s"]+)', self.log)
            if found is not None:
                self.address = found[1]
                return self
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the bot did not start:\n{self.log}")

    @property
    def pid(self) -> int:
        """Number of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has logged since it was started."""
        return self._log.read_text(encoding="utf-8")

    async def spool_is_empty(self) -> bool:
        """Tell whether no bytes of any song are left."""
        return not any((self.data / "spool").iterdir())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and return its exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(30)

    def kill(self) -> None:
        """End it without a word (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
