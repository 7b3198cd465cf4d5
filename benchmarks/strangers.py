"""What a stranger can do to another's waiting time, with one worker and 512 MB: ``python benchmarks/strangers.py``.

``--before FOLDER`` measures another checkout of this repository, too. Each attack meets a bot of its own, which runs
with the released model; somebody else then sends a song of 4 seconds to the page, and their wait is measured. The
memory limit is one that the kernel keeps; only root can set it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
from benchmarks.watching import MemoryLimit  # noqa: E402  found only now
from tests.synthesis import song, write  # noqa: E402  found only now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

MEGABYTES = 512
START_SECONDS = 180.0
PATIENCE_SECONDS = 150.0
HEAD_START_SECONDS = 10.0
DRIP_SECONDS = 1.0
IFRAMES, SLOW_UPLOADS = 200_000, 200


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a song that comes a byte a second, or a page of very many players."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        request = await reader.readuntil(b"\r\n\r\n")
        if b"/iframes" in request:
            page = b"".join(b'<iframe src="https://a%d.example/x"></iframe>' % number for number in range(IFRAMES))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
            await writer.drain()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 1000000\r\n\r\nID3")
            while True:
                await writer.drain()
                await asyncio.sleep(DRIP_SECONDS)
                writer.write(b"x")
    writer.close()


@asynccontextmanager
async def bot(tree: Path, python: str) -> AsyncIterator[str]:
    """Run the bot of a checkout with one worker; yield the page's address."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tree), "LOCAL_CHAT": "127.0.0.1:0", "WORKERS": "1"}
        limit = MemoryLimit(MEGABYTES) if os.geteuid() == 0 else None
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *(python, str(tree / "benchmarks/soak_bot.py")),
                cwd=folder,
                env=environment,
                stdout=file,
                stderr=file,
                preexec_fn=None if limit is None else limit.enter,
            )
        try:
            async with asyncio.timeout(START_SECONDS):
                while (found := re.search(r'the page is at (http://[^\s"]+)', log.read_text())) is None:
                    if process.returncode is not None:
                        raise SystemExit(log.read_text())
                    await asyncio.sleep(0.2)
            yield found[1].replace("localhost", "127.0.0.1")
        finally:
            process.kill()
            await process.wait()
            if limit is not None:
                sys.stderr.write(f"at most {limit.peak():.0f} MiB, {limit.killed()} ended for want of memory\n")
                await limit.emptied()
                limit.close()


@asynccontextmanager
async def browser(page: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the page in a browser of its own."""
    manners = {"Origin": page, "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    async with aiohttp.ClientSession(
        page,
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        headers=manners,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        await (await session.post("/hello")).read()
        yield session


async def _links(stranger: aiohttp.ClientSession, link: str, count: int) -> None:
    for number in range(count):
        async with stranger.post("/links", json={"link": f"{link}?{number}"}) as response:
            response.raise_for_status()
    await asyncio.sleep(HEAD_START_SECONDS)


async def _slow_uploads(stranger: aiohttp.ClientSession) -> list[asyncio.Task[None]]:
    async def slow() -> AsyncIterator[bytes]:
        yield b"RIFF"
        while True:
            await asyncio.sleep(DRIP_SECONDS)
            yield b"x"

    async def send() -> None:
        with suppress(aiohttp.ClientError):
            async with stranger.post("/songs", data=slow()) as response:
                await response.read()

    uploads = [asyncio.create_task(send()) for _ in range(SLOW_UPLOADS)]
    await asyncio.sleep(HEAD_START_SECONDS)
    return uploads


async def _wait(page: str, path: Path) -> float | None:
    """Send a song to the page; return the seconds until it is answered, None if patience ran out."""
    content = await asyncio.to_thread(path.read_bytes)
    async with browser(page) as honest:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                async with honest.post("/songs", data=content, headers={"X-File-Name": "song.wav"}) as sent:
                    number = (await sent.json())["id"]
                while True:
                    async with honest.post("/hello") as response:
                        entries = (await response.json())["entries"]
                    if next(entry for entry in entries if entry["id"] == number)["state"] != "waiting":
                        return time.monotonic() - began
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return None


ATTACKS: dict[str, Callable[[aiohttp.ClientSession, str], Awaitable[object]]] = {
    "nothing": lambda _stranger, _site: asyncio.sleep(0),
    "3 links that send a byte a second": lambda stranger, site: _links(stranger, f"{site}/drip.mp3", 3),
    f"3 links to pages of {IFRAMES} iframes": lambda stranger, site: _links(stranger, f"{site}/iframes", 3),
    f"{SLOW_UPLOADS} uploads of a byte a second": lambda stranger, _site: _slow_uploads(stranger),
}


async def measure(trees: list[Path], python: str) -> Table:
    """Let each attack meet a bot of each checkout; return the waits as a table."""
    table = Table("a stranger sends", *("before" if tree != REPOSITORY else "now" for tree in trees))
    server = await asyncio.start_server(_drips, "127.0.0.1", 0)
    site = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        path = write(song("blues", 4), Path(folder) / "song.wav")
        for name, attack in ATTACKS.items():
            cells = []
            for tree in trees:
                async with bot(tree, python) as page, browser(page) as stranger:
                    uploads = await attack(stranger, site)
                    seconds = await _wait(page, path)
                    for task in uploads if isinstance(uploads, list) else []:
                        task.cancel()
                cells.append(f"over {PATIENCE_SECONDS:g} s" if seconds is None else f"{seconds:.1f} s")
                sys.stderr.write(f"{name}, {tree.name}: {cells[-1]}\n")
            table.add_row(name, *cells)
    server.close()
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="a checkout of an earlier version, to compare with")
    parser.add_argument("--python", default=sys.executable, help="interpreter that runs the bots")
    arguments = parser.parse_args()
    trees = [*([] if arguments.before is None else [arguments.before.resolve()]), REPOSITORY]
    Console(width=110).print(asyncio.run(measure(trees, arguments.python)))


if __name__ == "__main__":
    main()
