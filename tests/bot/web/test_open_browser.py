"""Whoever starts the bot in a terminal for themselves sees the address, and their browser opens the page."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.bot.process import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 60


@pytest.mark.slow
@pytest.mark.parametrize("opens", [True, False])
def test_a_start_in_a_terminal_shows_the_address_and_opens_it_unless_told_not_to(tmp_path: Path, opens: bool) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n', encoding="utf-8")
    browser.chmod(0o755)
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bot.bot_with_fake_classifier"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "LOCAL_CHAT": "127.0.0.1:0",
            "DISPLAY": ":0",
            "BROWSER": f"{browser} %s",
            **({} if opens else {"OPEN_BROWSER": "off"}),
        },
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    try:
        said = os.read(ours, 4096).decode()  # waits for the first that is said
        deadline = time.monotonic() + PATIENCE_SECONDS
        while opens and not opened.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
    said += _rest(ours)
    assert [line.partition("http")[0] for line in said.splitlines()] == ["the page is at "]
    address = said.strip().removeprefix("the page is at ")
    assert (opened.read_text(encoding="utf-8") if opened.exists() else None) == (address if opens else None)


def _rest(terminal: int) -> str:
    said = b""
    try:
        while chunk := os.read(terminal, 4096):
            said += chunk
    except OSError:
        pass  # Linux says so when the other side has closed it
    os.close(terminal)
    return said.decode()
