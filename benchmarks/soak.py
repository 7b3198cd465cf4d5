"""A soak test: twenty people send songs, links and corrections for half an hour, on the page and on Telegram.

``python benchmarks/soak.py [--minutes 30] [--python PYTHON]`` starts the real bot with its release and monitors memory,
file descriptors, temporary files and the database, how long people wait, and that every song is finished.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import numpy as np  # noqa: E402  found only now

from benchmarks.soak_people import Browser, Ledger, Music, Texter  # noqa: E402
from benchmarks.watching import Look, look  # noqa: E402
from deploy.visitor import status  # noqa: E402
from tests.bot.telegram.server import TOKEN, TelegramServer  # noqa: E402
from tests.synthesis import SAMPLE_RATE, song, write  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 20
PAGE, OPERATIONS = "127.0.0.1:18471", "127.0.0.1:18472"
READY = 200
START_SECONDS = 60.0
LOOK_SECONDS = 5.0
PRINT_SECONDS = 60.0
IDLE_SECONDS = 20.0
STYLES = ("blues", "disco", "metal", "jazz", "vietnamese")
LENGTHS_SECONDS = (8, 15, 30, 45, 60, 90, 180, 240)
KINDS = ("mp3", "ogg", "flac", "m4a", "opus", "wav", "webm")
# A fresh file is one of these with a few extra bytes at its end: a different file, the same work.
TAIL_BYTES = 16
TAILED = ("mp3", "flac", "wav")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library calls it
        pass


def compose(folder: Path, site: Path) -> tuple[list[Path], list[Path]]:
    """Synthesise the songs: those to send, and those on a web site."""
    folder.mkdir()
    site.mkdir()
    # Tunes that repeat every half minute: quick to synthesise, and as much work to classify as any other.
    tunes = [song(style, 30) for style in STYLES]

    def play(number: int, seconds: int, path: Path) -> Path:
        return write(np.resize(tunes[number % len(tunes)], seconds * SAMPLE_RATE), path)

    made = [
        play(number, seconds, folder / f"song-{number}.{KINDS[number % len(KINDS)]}")
        for number, seconds in enumerate(LENGTHS_SECONDS * 2)
    ]
    linked = [play(1, seconds, site / f"Linked {seconds}.mp3") for seconds in (20, 60, 200)]
    (folder / "noise.mp3").write_bytes(random.Random(1).randbytes(40_000))  # noqa: S311
    (site / "words.html").write_text("<html><title>Words</title>Words alone.</html>", encoding="utf-8")
    return made, linked


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fresh(made: list[Path], folder: Path) -> Path:
    """Return a file that was never sent before."""
    source = random.choice([path for path in made if path.suffix[1:] in TAILED])  # noqa: S311
    path = folder / f"fresh-{next(_numbers)}{source.suffix}"
    path.write_bytes(source.read_bytes() + os.urandom(TAIL_BYTES))
    return path


_numbers = itertools.count()


class Watch:
    """Samples the bot's resources periodically and prints them now and then."""

    def __init__(self, pid: int, place: Path, ledger: Ledger) -> None:
        self._pid, self._ledger = pid, ledger
        self._data, self._temporary = place / "data", (place / "data/work", place / "data/spool", place / "tmp")
        self._began = time.monotonic()
        self.looks: list[tuple[float, Look]] = []

    def look(self) -> Look:
        """Take one sample."""
        seen = look(self._pid, self._temporary, (self._data / "songs.db", self._data / "local-chat.db"))
        self.looks.append((time.monotonic() - self._began, seen))
        return seen

    async def go_on(self) -> None:
        """Sample until cancelled."""
        print("  min  MiB all  MiB bot  procs  fds  threads  files  db MiB  songs ended", flush=True)
        for number in itertools.count():
            seen = await asyncio.to_thread(self.look)
            if number % round(PRINT_SECONDS / LOOK_SECONDS) == 0:
                minutes = (time.monotonic() - self._began) / 60
                print(
                    f"{minutes:5.1f} {seen.memory:8.1f} {seen.first_process:8.1f} {seen.processes:6} "
                    f"{seen.descriptors:4} {seen.threads:8} {seen.temporary_files:6} {seen.database:7.2f}  "
                    f"{dict(self._ledger.ended)}",
                    flush=True,
                )
            await asyncio.sleep(LOOK_SECONDS)

    def mean(self, what: str, begin: float, end: float) -> float:
        """Return the mean of a value over part of the time, such as from 0.1 to 0.3 of it."""
        last = self.looks[-1][0]
        values = [getattr(seen, what) for at, seen in self.looks if begin * last <= at <= end * last]
        return round(float(np.mean(values)), 1)


def start(python: str, place: Path, telegram: str) -> subprocess.Popen[bytes]:
    """Start the bot and wait until it is ready."""
    (place / "tmp").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "TMPDIR": str(place / "tmp"),
        "LOCAL_CHAT": PAGE,
        "OPERATIONS_LISTEN": OPERATIONS,
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_API_URL": telegram,
        "MAX_MINUTES": "20",
    }
    with (place / "log.txt").open("wb") as log:
        return subprocess.Popen(
            [python, str(REPOSITORY / "benchmarks/soak_bot.py")], cwd=place, env=environment, stdout=log, stderr=log
        )


async def ready(process: subprocess.Popen[bytes], place: Path) -> None:
    """Wait until the bot is ready."""
    deadline = time.monotonic() + START_SECONDS
    while await asyncio.to_thread(status, f"http://{OPERATIONS}/readyz") != READY:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the bot is not ready:\n{(place / 'log.txt').read_text(encoding='utf-8')}")
        await asyncio.sleep(0.05)


async def soak(place: Path, music: Music, python: str, minutes: float) -> dict[str, Any]:
    """Run everybody for some minutes; return the findings."""
    ledger, telegram, over = Ledger(), TelegramServer(), asyncio.Event()
    await telegram.start()
    process = start(python, place, telegram.url)
    try:
        await ready(process, place)
        watch = Watch(process.pid, place, ledger)
        before = watch.look()
        watching = asyncio.create_task(watch.go_on())
        people = [Browser(number, music, ledger, f"http://{PAGE}") for number in range(PEOPLE // 2)]
        texters = [Texter(number, music, ledger, telegram) for number in range(PEOPLE - len(people))]
        living = asyncio.gather(*(each.live(over) for each in (*people, *texters)))
        await asyncio.wait({living}, timeout=60 * minutes)
        over.set()
        await living
        await asyncio.sleep(IDLE_SECONDS)
        watching.cancel()
        after = watch.look()
        process.send_signal(signal.SIGTERM)
        exit_status = await asyncio.to_thread(process.wait, 60)
    finally:
        process.kill()
        await telegram.stop()
    return {
        "minutes": minutes,
        "people": PEOPLE,
        "sent": dict(ledger.sent),
        "ended, as people saw it": dict(ledger.ended),
        "ended, as the database has it": outcomes(place / "data/songs.db"),
        "never ended": ledger.lost,
        "opinions": dict(ledger.said),
        "wait for an answer, s": {
            f"p{share}": round(float(np.percentile(ledger.waits, share)), 1) for share in (50, 95, 99)
        },
        "before": before.as_dict(),
        "after": after.as_dict(),
        "memory, MiB, mean of the second tenth → of the last": [
            watch.mean("memory", 0.1, 0.2),
            watch.mean("memory", 0.9, 1),
        ],
        "memory of the bot alone": [watch.mean("first_process", 0.1, 0.2), watch.mean("first_process", 0.9, 1)],
        "memory, MiB, peak": max(seen.memory for _, seen in watch.looks),
        "exit status": exit_status,
        "files left": [str(path.relative_to(place)) for path in left(place)],
        "limits of Telegram broken": telegram.broken,
        "tracebacks in the log": (place / "log.txt").read_text(encoding="utf-8").count("Traceback"),
    }


def outcomes(database: Path) -> dict[str, int]:
    """Count the jobs in the database by outcome."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT coalesce(outcome, state), count(*) FROM jobs GROUP BY 1").fetchall()
    return {str(how): int(count) for how, count in rows}


def left(place: Path) -> list[Path]:
    """List song files that were left behind."""
    return [
        path for folder in ("data/work", "data/spool", "tmp") for path in (place / folder).rglob("*") if path.is_file()
    ]


def main() -> int:
    """Run the soak test, print the findings, and return whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="(default: %(default)s)")
    parser.add_argument("--python", default=sys.executable, help="interpreter that runs the bot")
    parser.add_argument("--keep", type=Path, help="empty folder for the bot's data and log (default: a temporary one)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "bot" if asked.keep is None else asked.keep.resolve()
        place.mkdir(parents=True, exist_ok=True)
        folder, site = Path(temporary) / "songs", Path(temporary) / "site"
        made, linked = compose(folder, site)
        with served(site) as address:
            links = [f"{address}/{path.name.replace(' ', '%20')}" for path in linked]
            broken = (folder / "noise.mp3", f"{address}/words.html")
            music = Music(functools.partial(fresh, made, folder), made, links, broken)
            found = asyncio.run(soak(place, music, asked.python, asked.minutes))
    print(json.dumps(found, indent=2, ensure_ascii=False))
    sent, ended = sum(found["sent"].values()), sum(found["ended, as people saw it"].values())
    well = sent == ended == sum(found["ended, as the database has it"].values()) and not found["files left"]
    return 0 if well and found["exit status"] == 0 and not found["never ended"] else 1


if __name__ == "__main__":
    sys.exit(main())
