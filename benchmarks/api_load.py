"""A program sends a hundred songs through the API while twenty people chat: ``python benchmarks/api_load.py``.

The bot runs as its own process; the chats are the tests' fake servers. Prints how long the people waited, without the
program and with it, and how long the program did.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import statistics
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.bot.load import Crowd, Load
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bot.load import Outcome

TOKEN = "program-" + "p" * 40
SONG_SECONDS = 5.0


def songs(folder: Path, style: str) -> Iterator[Path]:
    """Yield songs with different bytes."""
    first = write(song(style, SONG_SECONDS), folder / f"{style}.opus").read_bytes()
    for number in count():
        path = folder / f"{style}-{number}.opus"
        path.write_bytes(first + f"TAG{number:06}".ljust(128).encode())
        yield path


async def program(port: int, paths: list[Path]) -> list[float]:
    """Send all songs at once; return how long each waited."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "audio/ogg"}
    patience = aiohttp.ClientTimeout()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers, timeout=patience) as api:
        return await asyncio.gather(*(_one(api, path) for path in paths))


async def _one(api: aiohttp.ClientSession, path: Path) -> float:
    began = time.monotonic()
    async with api.post("/v1/songs", data=await asyncio.to_thread(path.read_bytes)) as response:
        response.raise_for_status()
        address = response.headers["Location"]
    async with api.get(f"{address}/events") as stream:
        text = await stream.text()
    if '"status": "answered"' not in text:
        raise RuntimeError(f"a song was not answered: {text[-300:]}")
    return time.monotonic() - began


async def measured(folder: Path, arguments: argparse.Namespace, *, sent: int) -> tuple[Outcome, list[float]]:
    """Let the people in, and beside them a program that sends so many songs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    load = Load(
        folder,
        songs(folder, "jazz"),
        "tests.bot.bot_with_fake_classifier" if arguments.ear else "bot",
        WORKERS=str(arguments.workers),
        API_TOKENS=TOKEN,
        API_LISTEN=f"127.0.0.1:{port}",
        SONGS_PER_PERSON_QUEUED=str(max(sent, 10)),
        LINGER=str(arguments.linger),
    )
    others = songs(folder, "metal")
    crowd = Crowd(eager=2, others=(2,) * (arguments.people // 2 - 1), together=1)
    waits: list[float] = []

    async def beside() -> None:
        waits.extend(await program(port, [next(others) for _ in range(sent)]))

    return await load.run(crowd, beside), waits


def main() -> int:
    """Measure both; return 0 if every song was answered once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ear", action="store_true", help="answer by the tests' rule of thumb, not by the release")
    parser.add_argument("--songs", type=int, default=100, help="songs of the program")
    parser.add_argument("--people", type=int, default=20, help="people who chat, two songs each")
    parser.add_argument("--workers", type=int, default=2, help="songs classified at a time")
    parser.add_argument("--linger", type=float, default=0.2, help="with --ear: seconds that each song takes")
    arguments = parser.parse_args()
    table = Table("", "person's first answer (median, most)", "program's songs (median, last)")
    fine = True
    with tempfile.TemporaryDirectory() as folder:
        for name, sent in (("people alone", 0), (f"with {arguments.songs} songs of a program", arguments.songs)):
            place = Path(folder) / name.split()[0]
            place.mkdir()
            outcome, program_waits = asyncio.run(measured(place, arguments, sent=sent))
            firsts = [person.waits[0] for person in outcome.waits]
            fine &= all(answers == 1 for person in outcome.waits for answers in person.answers)
            table.add_row(name, _spread(firsts), _spread(program_waits) if program_waits else "")
    Console(width=110).print(table)
    return 0 if fine else 1


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} s, {max(seconds):.1f} s"


if __name__ == "__main__":
    sys.exit(main())
