"""A soak test: twenty people send songs, links and corrections for half an hour, in all three chats.

``python benchmarks/soak.py [--minutes 30]`` starts the real bot with its release and monitors memory, file descriptors,
temporary files and the database, how long people wait, and that every song is finished. ``--ear`` answers by the tests'
rule of thumb instead. ``--kills 200`` kills the bot so often at random moments, while releases are promoted;
``--day`` lets 500 people meet everything that may go wrong in a day (``soak_troubles``).
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import itertools
import json
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import numpy as np  # noqa: E402  found only now

from benchmarks.soak_messengers import Chatter, Texter, follow_discord, follow_telegram  # noqa: E402
from benchmarks.soak_people import BROKEN_FILE, BROKEN_LINK, Browser, Ledger, Music  # noqa: E402
from benchmarks.soak_process import PAGE, SoakedBot  # noqa: E402
from benchmarks.soak_troubles import FaultyTelegram, Troubles  # noqa: E402
from benchmarks.watching import Look, look  # noqa: E402
from tests.bot.discord import TOKEN as DISCORD_TOKEN  # noqa: E402
from tests.bot.discord import FakeDiscord  # noqa: E402
from tests.bot.discord.running import prepare  # noqa: E402
from tests.bot.telegram.server import TOKEN  # noqa: E402
from tests.synthesis import SAMPLE_RATE, song, write  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_SECONDS = 5.0
PRINT_SECONDS = 60.0
IDLE_SECONDS = 20.0
EAR_SECONDS, HASTY_EAR_SECONDS = 0.3, 0.02
STYLES = ("blues", "disco", "metal", "jazz", "vietnamese")
LENGTHS_SECONDS = (8, 15, 30, 45, 60, 90, 180, 240)
SHORT_SECONDS = (4, 6, 8, 10, 15, 20, 30, 35)
KINDS = ("mp3", "ogg", "flac", "m4a", "opus", "wav", "webm")
# A fresh file is one of these with a few extra bytes at its end: a different file, the same work.
TAIL_BYTES = 16
TAILED = ("mp3", "flac", "wav")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library calls it
        pass


@dataclass(frozen=True)
class Plan:
    """Who does what for how long.

    Attributes
    ----------
    people, thinking_seconds
        How many, in all three chats, and how long each of them waits on average before the next song.
    ear
        Whether the tests' rule of thumb answers, not the release.
    kills
        How often the bot is killed; the test ends with the last time.
    day
        Whether everything happens that may go wrong in a day.
    """

    minutes: float
    people: int
    thinking_seconds: float
    ear: bool
    kills: int
    day: bool

    @property
    def ear_seconds(self) -> float | None:
        """How long the rule of thumb takes over 30 seconds of a song; hardly any time in a day told in an hour."""
        if not self.ear:
            return None
        return HASTY_EAR_SECONDS if self.day else EAR_SECONDS


def compose(folder: Path, site: Path, lengths: tuple[int, ...]) -> tuple[list[Path], list[Path]]:
    """Synthesise the songs: those to send, and those on a web site."""
    folder.mkdir()
    site.mkdir()
    # Tunes that repeat every half minute: quick to synthesise, and as much work to classify as any other.
    tunes = [song(style, 30) for style in STYLES]

    def play(number: int, seconds: int, path: Path) -> Path:
        return write(np.resize(tunes[number % len(tunes)], seconds * SAMPLE_RATE), path)

    made = [
        play(number, seconds, folder / f"song-{number}.{KINDS[number % len(KINDS)]}")
        for number, seconds in enumerate(lengths * 2)
    ]
    linked = [play(1, seconds, site / f"Linked {seconds}.mp3") for seconds in (20, lengths[4], lengths[6])]
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

    def __init__(self, bot: SoakedBot, place: Path, ledger: Ledger) -> None:
        self._bot, self._ledger = bot, ledger
        self._data, self._temporary = place / "data", (place / "data/work", place / "data/spool", place / "tmp")
        self._began = time.monotonic()
        self.looks: list[tuple[float, Look]] = []

    def look(self) -> Look:
        """Take one sample."""
        seen = look(self._bot.pid, self._temporary, (self._data / "songs.db", self._data / "local-chat.db"))
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
                    f"{dict(self._ledger.ended)} of {sum(self._ledger.sent.values())}",
                    flush=True,
                )
            await asyncio.sleep(LOOK_SECONDS)

    def mean(self, what: str, begin: float, end: float) -> float:
        """Return the mean of a value over part of the time, such as from 0.1 to 0.3 of it."""
        last = self.looks[-1][0]
        values = [getattr(seen, what) for at, seen in self.looks if begin * last <= at <= end * last and seen.memory]
        return round(float(np.mean(values)), 1)


async def soak(place: Path, music: Music, python: str, plan: Plan) -> dict[str, Any]:
    """Run everybody for some minutes; return the findings."""
    ledger, over = Ledger(), asyncio.Event()
    async with AsyncExitStack() as stack:
        telegram = FaultyTelegram()
        await telegram.start()
        stack.push_async_callback(telegram.stop)
        discord = await stack.enter_async_context(FakeDiscord())
        prepare(discord)
        reach = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": telegram.url,
            "DISCORD_TOKEN": DISCORD_TOKEN,
            "DISCORD_API_URL": discord.api,
            "DISCORD_GATEWAY_URL": discord.gateway.address,
        }
        bot = SoakedBot(place, python, ear_seconds=plan.ear_seconds, workers=2 if plan.day else 1, **reach)
        stack.callback(bot.kill)
        await bot.until_ready()
        watch = Watch(bot, place, ledger)
        before = watch.look()
        followers = follow_telegram(telegram), follow_discord(discord)
        behind = [asyncio.create_task(each.go_on()) for each in (watch, *followers)]
        people = [
            *(Browser(number, music, ledger, f"http://{PAGE}") for number in range(0, plan.people, 3)),
            *(Texter(number, music, ledger, followers[0], telegram) for number in range(1, plan.people, 3)),
            *(Chatter(number, music, ledger, followers[1], discord) for number in range(2, plan.people, 3)),
        ]
        troubles = Troubles(bot, telegram, discord, ledger, place, music)
        living: asyncio.Future[Any] = asyncio.gather(*(each.live(over, plan.thinking_seconds) for each in people))
        going_wrong: asyncio.Future[Any] = asyncio.create_task(troubles.go_on(plan))
        await asyncio.wait({living, going_wrong}, return_when=asyncio.FIRST_COMPLETED)
        await going_wrong
        over.set()
        await living
        await asyncio.sleep(IDLE_SECONDS)
        for person in people:
            await person.look_back()
            await person.leave()
        for each in behind:
            each.cancel()
        after = watch.look()
        exit_status = await bot.stop()
        strays = [stray for each in followers for stray in each.strays()]
    return {
        "minutes": plan.minutes,
        "people": plan.people,
        "sent": dict(ledger.sent),
        "ended, as people saw it": dict(ledger.ended),
        "ended, as the database has it": outcomes(place / "data/songs.db"),
        "never reached the bot, which was down": ledger.unheard,
        "ended after their sender had given up": ledger.late,
        "never ended": ledger.lost,
        "messages that still say that a song waits, or too many": strays,
        "opinions": dict(ledger.said),
        "corrections": corrections(place / "data/songs.db", ledger),
        "what went wrong on purpose": dict(troubles.happened),
        "songs sent": sum(ledger.sent.values()),
        "wait for an answer, s": {
            f"p{share}": round(float(np.percentile(ledger.waits, share)), 1) for share in (50, 95, 99)
        },
        "before": before.as_dict(),
        "after": after.as_dict(),
        "memory, MiB, mean of tenths 2 to 5 and of the last": [
            *(watch.mean("memory", tenth / 10, (tenth + 1) / 10) for tenth in (1, 2, 3, 4)),
            watch.mean("memory", 0.9, 1),
        ],
        "descriptors, the same": [
            *(watch.mean("descriptors", tenth / 10, (tenth + 1) / 10) for tenth in (1, 2, 3, 4)),
            watch.mean("descriptors", 0.9, 1),
        ],
        "memory of the bot alone": [watch.mean("first_process", 0.1, 0.2), watch.mean("first_process", 0.9, 1)],
        "memory, MiB, peak": max(seen.memory for _, seen in watch.looks),
        "exit status": exit_status,
        "database": integrity(place / "data/songs.db"),
        "files left": [str(path.relative_to(place)) for path in left(place)],
        "processes left": bot.left(),
        "limits of the platforms broken": [*telegram.broken, *discord.world.rates.breaches],
        "tracebacks in the log": bot.log.count("Traceback"),
    }


def corrections(database: Path, ledger: Ledger) -> dict[str, int]:
    """Count the corrections that have to be there, those that may be, and those that are."""
    with closing(sqlite3.connect(database)) as connection:
        [found] = connection.execute("SELECT count(*) FROM corrections").fetchone()
    said = list(ledger.corrections.values())
    return {"confirmed": said.count(True), "interrupted": said.count(None), "in the database": int(found)}


def integrity(database: Path) -> str:
    """Check the database; return ``ok``, or what is wrong."""
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def is_well(found: dict[str, Any]) -> bool:
    """Return whether no song and no correction was lost, none was told twice, and nothing was left behind."""
    opinions = found["corrections"]
    unsure = opinions["interrupted"]
    in_database = found["ended, as the database has it"]
    return (
        0 <= opinions["in the database"] - opinions["confirmed"] <= unsure
        and not any(how.endswith(("queued", "running")) for how in in_database)
        and sum(found["sent"].values())
        == sum(found["ended, as people saw it"].values())
        + found["ended after their sender had given up"]
        + found["never reached the bot, which was down"]
        and sum(count for how, count in found["ended, as people saw it"].items() if how.endswith("failed"))
        <= sum(count for what, count in found["sent"].items() if what in (BROKEN_FILE, BROKEN_LINK))
        and not any(found[each] for each in ("never ended", "files left", "processes left"))
        and not found["messages that still say that a song waits, or too many"]
        and (found["exit status"], found["database"]) == (0, "ok")
    )


def outcomes(database: Path) -> dict[str, int]:
    """Count the jobs in the database by outcome."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT platform || ': ' || coalesce(outcome, state), count(*) FROM jobs GROUP BY 1"
        ).fetchall()
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
    parser.add_argument("--ear", action="store_true", help="answer by the tests' rule of thumb")
    parser.add_argument("--people", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--thinking", type=float, default=40, help="seconds between songs (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=0, help="kill the bot so often")
    parser.add_argument("--day", action="store_true", help="let everything go wrong that may in a day")
    asked = parser.parse_args()
    plan = Plan(asked.minutes, asked.people, asked.thinking, asked.ear, asked.kills, asked.day)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "bot" if asked.keep is None else asked.keep.resolve()
        place.mkdir(parents=True, exist_ok=True)
        folder, site = Path(temporary) / "songs", Path(temporary) / "site"
        made, linked = compose(folder, site, SHORT_SECONDS if asked.ear else LENGTHS_SECONDS)
        with served(site) as address:
            links = [f"{address}/{path.name.replace(' ', '%20')}" for path in linked]
            broken = (folder / "noise.mp3", f"{address}/words.html")
            # Most of a link's time is its process's; a day that is told in an hour has room for few.
            share = 0.03 if asked.day else 0.15
            music = Music(functools.partial(fresh, made, folder), made, links, broken, share)
            found = asyncio.run(soak(place, music, asked.python, plan))
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0 if is_well(found) else 1


if __name__ == "__main__":
    sys.exit(main())
