"""Fetches links like the bot, in one process in a network namespace, and reports results and leftovers.

``python -m tests.links.driver [CHILD] < CASES``: one JSON object of name → case in, name → result out. ``CHILD`` is
a module whose ``run`` the child processes call instead of starting the bot's own module: they are forked from this
process, since starting Python and yt-dlp anew for each of more than a hundred links takes a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import SongError
from links import Fetcher, FetchLimits, PlaylistFound, fetcher
from links import ytdlp_runner as site_room

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Mapping

AT_ONCE = 3
MOST_DESCRIPTORS = 1024


async def run(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    limits = FetchLimits(**{"file_bytes": 200_000, "page_bytes": 300_000, "song_seconds": 60, **case.get("limits", {})})
    heard: list[int] = []
    begun = asyncio.Event()

    def hear(received: int) -> None:
        heard.append(received)
        begun.set()

    fetching = Fetcher(limits, hosts=tuple(case.get("hosts", ["*"])), proxy=case.get("proxy", ""))
    result: dict[str, Any] = {"code": None, "sentence": None}
    clock = asyncio.get_running_loop().time
    began = clock()
    if "most" in case:
        listing = await fetching.list_songs(case["link"], folder, most=case["most"])
        return result | {"listing": asdict(listing), "seconds": clock() - began, "left": names_in(folder)}
    task = asyncio.ensure_future(fetching.fetch(case["link"], folder, item=case.get("item"), on_bytes=hear))
    if case.get("cancel"):
        await begun.wait()
        task.cancel()
        began = clock()
    try:
        fetched = await task
    except SongError as error:
        result |= {"code": error.code, "sentence": str(error), "values": error.values}
        found = error.playlist if isinstance(error, PlaylistFound) else None
        result["listing"] = None if found is None else asdict(found)
    except asyncio.CancelledError:
        result["code"] = "cancelled"
    else:
        result |= {"size": fetched.path.stat().st_size, "name": fetched.name}
        fetched.path.unlink()
    return result | {"seconds": clock() - began, "heard": heard, "left": names_in(folder)}


def names_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*")]


async def run_all(cases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    seats = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, case: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            if case.get("waits"):
                return name, await run(case, Path(folder))
            async with seats:
                return name, await run(case, Path(folder))

    results = dict(await asyncio.gather(*(one(name, case) for name, case in cases.items())))
    await asyncio.sleep(0.1)
    return results


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def children() -> list[str]:
    return [
        number
        for task in Path("/proc/self/task").iterdir()
        for number in (task / "children").read_text().split()
        if number
    ]


def fork_children(run: Callable[[], None]) -> None:
    """Let child processes call a function that never returns, instead of executing a program."""
    start = asyncio.create_subprocess_exec

    async def fork(*command: str, env: Mapping[str, str], **options: Any) -> Process:
        def child() -> None:
            os.closerange(3, MOST_DESCRIPTORS)  # what the parent waits for until the program is executed, too
            os.environ.clear()
            os.environ.update(env)
            run()

        return await start(*command, env=env, preexec_fn=child, **options)

    asyncio.create_subprocess_exec = fork  # type: ignore[assignment]


async def main() -> None:
    assert site_room.SONG_NAME == fetcher.SONG
    if len(sys.argv) > 1:
        fork_children(import_module(sys.argv[1]).run)
    cases = json.load(sys.stdin)
    before = open_files()
    results = await run_all(cases)
    json.dump({"results": results, "files": open_files() - before, "children": children()}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
