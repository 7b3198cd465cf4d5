from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from bot.__main__ import main
from bot.logging import JsonFormatter, TextFormatter
from bot.settings import WrongSettings, read_settings
from tests.bot.process import REPOSITORY, BotProcess
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path


def _run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m bot`` to its end."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **settings}
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that checks settings in this process; it returns exit status, output and errors."""

    def run(**settings: str) -> tuple[int, str, str]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        status = main(["--check"])
        return status, *capsys.readouterr()

    return run


def test_check_says_which_chats_would_start_with_which_limits(check: Check, tmp_path: Path) -> None:
    status, output, _ = check(MAX_MINUTES="20", SONGS_PER_PERSON_QUEUED="4")
    assert status == 0
    assert "local page: would start on 127.0.0.1:8080, only from this machine" in output
    assert "at most 20 minutes" in output
    assert "at most 4 songs waiting" in output
    assert "links: to any site, straight, without cookies; 300 seconds each, no address inside" in output
    assert "links to many songs: the first 5, once asked" in output
    assert list(tmp_path.iterdir()) == []


def test_check_says_how_links_are_fetched_and_no_password(check: Check, tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n")
    proxy = "socks5h://somebody:a-password@proxy.example:1080"
    _, output, errors = check(LINK_PROXY=proxy, LINK_COOKIES=str(cookies), LINK_HOSTS="a.example,b.example")
    assert "links: to a.example, b.example, through LINK_PROXY, with the cookies of LINK_COOKIES" in output
    assert "a-password" not in output + errors


def test_check_names_every_wrong_setting_and_exits_with_2(check: Check, tmp_path: Path) -> None:
    status, _, errors = check(WORKERS="none", LOCAL_CHAT="0.0.0.0:80")
    assert status == 2
    assert sorted(line.partition(":")[0] for line in errors.splitlines()) == ["LOCAL_CHAT", "WORKERS"]
    assert _run(tmp_path, WORKERS="none").returncode == 2


def test_a_token_for_a_chat_that_this_version_lacks_is_answered_honestly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.settings.chat_module", lambda platform: f"bot.no_{platform}_here")
    monkeypatch.setenv("DISCORD_TOKEN", "x" * 30)
    with pytest.raises(WrongSettings, match="DISCORD_TOKEN: this version of the bot has no Discord chat"):
        read_settings()


def test_with_nothing_to_start_the_bot_says_what_to_set(tmp_path: Path) -> None:
    done = _run(tmp_path, LOCAL_CHAT="off")
    assert done.returncode == 1
    assert "set a token, or LOCAL_CHAT" in done.stderr


def test_without_a_release_the_bot_says_where_it_looked(tmp_path: Path) -> None:
    done = _run(tmp_path, MODEL_DIR="nowhere")
    assert done.returncode == 1
    assert "There is no model in nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_bot_in_the_same_place_is_refused(tmp_path: Path) -> None:
    first = BotProcess(tmp_path).start()
    try:
        second = _run(tmp_path)
        assert second.returncode == 1
        assert "another bot is running in data" in second.stderr
    finally:
        first.kill()


def test_a_bot_with_another_key_does_not_make_strangers_of_everybody_unasked(tmp_path: Path) -> None:
    first = BotProcess(tmp_path).start()
    assert first.stop() == 0
    key = first.data / "secret.key"
    (key.parent / "lost").write_bytes(key.read_bytes())
    key.unlink()
    refused = _run(tmp_path)
    assert refused.returncode == 1
    assert "secret.key is missing, and people in the database were written down with it" in refused.stderr
    assert "python -m storage new-key" in refused.stderr
    assert not key.exists()
    assert "Traceback" not in refused.stderr
    command = [sys.executable, "-m", "storage", "new-key"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "will not recognise anyone from before" in told.stdout
    assert BotProcess(tmp_path).start().stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_bot_that_is_stopped_writes_its_song_back(tmp_path: Path, number: signal.Signals) -> None:
    process = BotProcess(tmp_path, LINGER="60").start()
    try:
        write(song("jazz", 20), tmp_path / "song.ogg")
        headers = {"Origin": process.address, "X-File-Name": "song.ogg"}
        hello = urllib.request.Request(f"{process.address}/hello", method="POST", headers=headers)
        with urllib.request.urlopen(hello) as response:
            cookie = response.headers["Set-Cookie"].partition(";")[0]
        sending = urllib.request.Request(
            f"{process.address}/songs",
            method="POST",
            data=(tmp_path / "song.ogg").read_bytes(),
            headers=headers | {"Cookie": cookie},
        )
        with urllib.request.urlopen(sending) as response:
            assert response.status == 201
        assert process.stop(number) == 0
    finally:
        process.kill()
    with sqlite3.connect(process.data / "songs.db") as database:
        assert database.execute("SELECT state FROM jobs").fetchall() == [("queued",)]
    assert "Traceback" not in process.log


def test_serving_loads_no_chat_library_and_nothing_that_only_training_or_workers_need(tmp_path: Path) -> None:
    program = (
        "import sys, bot.app, bot.__main__\n"
        "heavy = {'discord', 'telegram', 'tensorflow', 'keras', 'librosa', 'numba', 'matplotlib', 'pandas', 'yt_dlp'}\n"
        "heavy |= {'av', 'joblib', 'scipy', 'sklearn', 'soxr'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_secrets_are_masked_in_logs_of_either_form() -> None:
    try:
        raise ValueError("https://api.telegram.org/bot123:hush/getMe")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "token %s", ("123:hush",), sys.exc_info())
    for formatter in (TextFormatter(["123:hush"]), JsonFormatter(["123:hush"])):
        line = formatter.format(record)
        assert "hush" not in line
        assert "•••" in line
    entry = json.loads(JsonFormatter(["123:hush"]).format(record))
    assert entry["level"] == "error"
    assert "ValueError" in entry["traceback"]
