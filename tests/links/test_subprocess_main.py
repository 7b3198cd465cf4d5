"""The child process: its messages, that it gets no secrets, and that it never outlives its parent."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.errors import EmptyFile
from links import Fetcher, FetchLimits, fetcher
from links.errors import LinkError, PageTooComplex
from links.ytdlp_runner import PARSED_CHARACTERS, PARSED_EMBEDS, first_part
from tests.conftest import REPOSITORY

LIMITS = FetchLimits(file_bytes=100_000, song_seconds=60, seconds=30)
WAITING_PARENT = """
import asyncio, sys
from pathlib import Path
from links import Fetcher, FetchLimits, fetcher
fetcher.CHILD = ("-sPB", "-c", sys.argv[1])
fetching = Fetcher(FetchLimits(file_bytes=1000, song_seconds=60)).fetch("https://song.example/", Path.cwd())
asyncio.run(fetching)
"""
SLEEPER = """
import json, sys, time
from links.limits import die_with_parent
die_with_parent(json.loads(sys.stdin.readline())["parent"])
import os
open("ready", "w").write(str(os.getpid()))
time.sleep(60)  # until the kernel ends it with its parent
"""


def child_that(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(fetcher, "CHILD", ("-sPB", "-c", code))


async def test_a_child_is_given_nothing_of_the_bots_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    says_all = "print(json.dumps({'done': {'title': str(dict(os.environ))}}))"
    child_that(monkeypatch, f"import os, json; open('song', 'w').write('x'); {says_all}")
    fetched = await Fetcher(LIMITS).fetch("https://song.example/", tmp_path)
    assert fetched.title is not None
    assert "PYTHONPATH" in fetched.title
    assert "secret" not in fetched.title
    assert "PROXY" not in fetched.title


@pytest.mark.parametrize(
    "says",
    [
        "",
        "x = 1/0",
        "print('nonsense')",
        "print('[1]')",
        "print('x' * 10_000_000)",
        "print('{\"error\": 17}')",
        "print('{\"done\": {}}')",  # but it wrote no file
        "import os; os.symlink('/etc/passwd', 'song'); print('{\"done\": {}}')",
        "import os; os.mkdir('song'); print('{\"done\": {}}')",
        "import os; os.kill(os.getpid(), 9)",
    ],
)
async def test_whatever_a_child_does_there_is_a_sentence_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str
) -> None:
    child_that(monkeypatch, says)
    with pytest.raises(LinkError):
        await Fetcher(LIMITS).fetch("https://song.example/", tmp_path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a test may block


async def test_an_empty_file_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child_that(monkeypatch, "open('song', 'w'); print('{\"done\": {}}')")
    with pytest.raises(EmptyFile):
        await Fetcher(LIMITS).fetch("https://song.example/", tmp_path)


async def test_cookies_are_lent_as_a_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cookies = tmp_path / "operators.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n")
    child_that(
        monkeypatch, "open('cookies.txt', 'w').write('x'); open('song', 'w').write('x'); print('{\"done\": {}}')"
    )
    await Fetcher(LIMITS, cookies=cookies).fetch("https://song.example/", tmp_path / "job")
    assert cookies.read_text() == "# Netscape HTTP Cookie File\n"
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["song"]


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", WAITING_PARENT, SLEEPER], cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}
    )
    ready = tmp_path / "link" / "ready"
    while not (ready.exists() and ready.read_text()):
        assert parent.poll() is None
        time.sleep(0.02)
    child = os.pidfd_open(int(ready.read_text()))
    parent.kill()
    parent.wait()
    assert select.select([child], [], [], 30)[0] == [child]
    os.close(child)


def test_a_child_of_nobody_ends_at_once(tmp_path: Path) -> None:
    order = json.dumps({"parent": 1, "link": "https://song.example/"})
    told = subprocess.run(
        [sys.executable, *fetcher.CHILD],
        input=order + "\n",
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == ""
    assert list(Path(tmp_path).iterdir()) == []


def test_a_page_of_very_many_players_is_searched_only_in_its_first_part() -> None:
    page = "<p>words</p>" + "".join(f'<iframe src="https://a{number}.example"></iframe>' for number in range(200_000))
    part = first_part(page)
    assert part.count("<iframe") == PARSED_EMBEDS
    assert len(first_part("x" * 2 * PARSED_CHARACTERS)) == PARSED_CHARACTERS
    assert first_part("<p>words</p><iframe>") == "<p>words</p><iframe>"


async def test_a_child_that_uses_up_its_processor_time_is_told_of_as_a_page_too_complicated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child_that(
        monkeypatch,
        "import resource; from links.limits import FetchLimits, apply_limits\n"
        "apply_limits(FetchLimits(file_bytes=1, song_seconds=1, cpu_seconds=1))\n"
        "while True: pass",
    )
    with pytest.raises(PageTooComplex):
        await Fetcher(LIMITS).fetch("https://song.example/", tmp_path)
