"""Compares the simulation with the bot's real queue, database and worker processes.

The workers use a fake classifier that takes a known time per segment, so that waiting times can be compared whatever
else runs on this machine.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.simulation import Arrival, Place, quantile, simulate  # noqa: E402  found only now
from bot.app import compose  # noqa: E402
from bot.core.identity import IdHasher, Person  # noqa: E402
from bot.metrics import Metrics  # noqa: E402
from bot.settings import Settings  # noqa: E402
from storage import Storage  # noqa: E402
from tests.bot.fake_classifier import ear_executor  # noqa: E402
from tests.bot.recording_chat import Notebook  # noqa: E402
from tests.synthesis import song, write  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.core.chat import Answered, Chat, PendingSong
    from classifier.inference.executor import LocalExecutor
    from classifier.song_report import Classification, Progress

SONGS, PEOPLE, BURST, HEAVY = 80, 30, 6, 0.3
WORKERS = 2
BUSY = 0.8
SECONDS_PER_SEGMENT = 1.0
LENGTHS = (20.0, 50.0, 80.0)
"""Lengths of songs in seconds: one, two and three segments."""
PRACTICE = 3


class Clocked(Notebook):
    """A chat that records the time of each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: dict[str, float] = {}
        self._change = asyncio.Condition()

    async def answer(self, song: PendingSong, answered: Answered) -> Mapping[str, Any]:
        async with self._change:
            self.answered.setdefault(song.message["name"], time.perf_counter())
            self._change.notify_all()
        return await super().answer(song, answered)

    async def all_of(self, count: int) -> None:
        """Wait for a number of answers."""
        async with self._change:
            await self._change.wait_for(lambda: len(self.answered) >= count)


class Timed:
    """An executor that records how long each song took, by file name."""

    def __init__(self, executor: LocalExecutor) -> None:
        self._executor = executor
        self.release, self.genres = executor.release, executor.genres
        self.took: dict[str, float] = {}

    async def classify(self, path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        began = time.perf_counter()
        try:
            return await self._executor.classify(path, on_progress=on_progress)
        finally:
            self.took[path.name] = time.perf_counter() - began

    async def start(self) -> None:
        """Do nothing; the wrapped executor is already started."""

    async def switch(self) -> None:
        """There is no other release."""

    async def close(self) -> None:
        """Its owner closes it."""


def plan(works: Mapping[float, float], seed: int) -> tuple[list[Arrival], list[float]]:
    """Draw arrivals (who sends which song when) that keep the workers busy for the share ``BUSY`` of the time."""
    draw = random.Random(seed)  # noqa: S311 - dice, not secrets
    mean = sum(works.values()) / len(works)
    mean_burst = 1 + HEAVY * (BURST - 1)
    found, lengths, at = list[Arrival](), list[float](), 0.0
    while len(found) < SONGS:
        at += draw.expovariate(BUSY * WORKERS / mean / mean_burst)
        many = draw.random() < HEAVY
        person = 0 if many else 1 + draw.randrange(PEOPLE)
        for _ in range(BURST if many else 1):
            length = draw.choice(LENGTHS)
            found.append(Arrival(at, person, works[length]))
            lengths.append(length)
    return found[:SONGS], lengths[:SONGS]


async def practise(executor: LocalExecutor, files: Mapping[float, Path]) -> dict[float, float]:
    """Measure how long a song of each length takes alone; the mean of a few runs."""
    works = {}
    for length, path in files.items():
        began = time.perf_counter()
        for _ in range(PRACTICE):
            await executor.classify(path)
        works[length] = (time.perf_counter() - began) / PRACTICE
    return works


async def real(
    folder: Path, executor: Timed, songs: list[Arrival], lengths: list[float], files: Mapping[float, Path]
) -> list[float]:
    """Send the songs to a real queue on time; return the seconds from sending to each answer."""
    settings = Settings(data_dir=folder, songs_per_person_queued=1000, songs_per_person_daily=100_000, local_chat="off")
    chat = Clocked()
    chats: dict[str, Chat] = {chat.platform: chat}
    async with await Storage.open(f"sqlite:///{folder / 'songs.db'}") as storage:
        there = settings.model_copy(update={"workers": WORKERS})
        keys = IdHasher(b"a key that only this run knows")
        core = compose(storage, keys, there, executor, chats, owner="check", folder=folder / "work", metrics=Metrics())
        conversation, queue = core.conversation, core.queue
        await queue.start()
        sent: list[float] = []
        began = time.perf_counter()
        for number, (each, length) in enumerate(zip(songs, lengths, strict=True)):
            path = folder / f"{number}.ogg"
            # Bytes after the last page of an Ogg file are inaudible and make it a different song.
            path.write_bytes(files[length].read_bytes() + b"\0" * number)
            await asyncio.sleep(max(0.0, began + each.at - time.perf_counter()))
            sent.append(time.perf_counter())
            who = f"person {each.person}"
            await conversation.submit(chat.sends(path, who, person=Person(chat.platform, who)))
        async with asyncio.timeout(600):
            await chat.all_of(len(songs))
        await queue.stop()
    return [chat.answered[f"{number}.ogg"] - moment for number, moment in enumerate(sent)]


async def _check(seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {length: write(song("jazz", length), folder / f"of-{length:g}-s.ogg") for length in LENGTHS}
        executor = ear_executor(workers=WORKERS, seconds_per_segment=SECONDS_PER_SEGMENT)
        await executor.start()
        try:
            works = await practise(executor, files)
            songs, lengths = plan(works, seed)
            timed = Timed(executor)
            measured = await real(folder, timed, songs, lengths, files)
        finally:
            await executor.close()
    place = Place(WORKERS, days_between_losses=0)
    # Simulate with the times that songs really took, which include the effect of other load on this machine.
    taken = [Arrival(each.at, each.person, timed.took[f"{number}.ogg"]) for number, each in enumerate(songs)]
    before, after = simulate(songs, place, seed).answers, simulate(taken, place, seed).answers
    longer = sum(timed.took.values()) / sum(each.work for each in songs)
    print(f"songs took {longer:.2f} times what they took alone")
    print(f"{SONGS} songs, {WORKERS} workers, {songs[-1].at:.0f} s; from sending to the answer, seconds:")
    print(f"{'':24} {'predicted':>10} {'… with the times taken':>24} {'measured':>10} {'ratio':>6}")
    singles = [number for number, each in enumerate(songs) if each.person]
    for who, numbers in (("all", list(range(SONGS))), ("who sends one song", singles)):
        for share in (0.5, 0.95):
            first, second, third = (
                quantile([waits[number] for number in numbers], share) for waits in (before, after, measured)
            )
            name = f"{who}, p{100 * share:.0f}"
            print(f"{name:24} {first:>10.2f} {second:>24.2f} {third:>10.2f} {third / second:>6.2f}")


def check(seed: int) -> None:
    """Print predicted and measured waits side by side."""
    asyncio.run(_check(seed))
