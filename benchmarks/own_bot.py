"""Teaches a genre to a bot that does not know it, as ordinary people do, and asks about other songs the next day.

``python benchmarks/own_bot.py [--label vpop] [--chat page|telegram|discord]`` makes the packaged release forget the
genre (see ``learning_curve.py``) and lets people teach songs of it: on the page, one person corrects each answer as in
``make run``; in a group, one of three teaches by ``/teach`` and the two others agree with the whole lesson. The clock
then shows the next night, the bot retrains by itself, and songs by other artists are sent to it, which was never
stopped. A song is its excerpts one after the other; ``--excerpts 1`` takes the first one alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.learning_curve import clips_of_today, forgetting  # noqa: E402  found only now
from bot.core.callbacks import Action, ConsentCallback  # noqa: E402
from bot.core.identity import IdHasher  # noqa: E402
from bot.metrics import Metrics  # noqa: E402
from bot.release_watch import ReleaseWatch  # noqa: E402
from bot.retraining import Retraining  # noqa: E402
from bot.settings import Settings  # noqa: E402
from classifier.audio.decoding import SAMPLE_RATE, decode  # noqa: E402
from classifier.inference.executor_factory import open_executor  # noqa: E402
from classifier.inference.manifest import read_manifest  # noqa: E402
from classifier.training import base_dataset, release_writer  # noqa: E402
from classifier.training.candidate import Serving  # noqa: E402
from common.community import Community  # noqa: E402
from storage import Storage  # noqa: E402
from tests.bot.both.chats import open_discord, open_telegram  # noqa: E402
from tests.bot.discord import FakeDiscord  # noqa: E402
from tests.bot.telegram.server import TelegramServer  # noqa: E402
from tests.bot.web.page import history, opened_page, send  # noqa: E402
from tests.synthesis import write  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    import aiohttp

    from tests.bot.both.chats import ChatUnderTest
    from tests.bot.running import Bot
    from tests.bot.web.page import Page

SECONDS_PER_SONG = 300.0
SWITCH_SECONDS = 120.0
EVENING, NIGHT = 20, timedelta(hours=10)
AGREEING = "boss", "operator"
"""The two people of the tests' group who agree with what the third one teaches."""


@dataclass(frozen=True)
class Known:
    """A song of which the label is known."""

    path: Path
    label: str
    artist: str


class Clock:
    """Shows the evening of today, until it is moved on."""

    def __init__(self) -> None:
        now = datetime.now(UTC).astimezone()
        self._ahead = now.replace(hour=EVENING) - now

    def now(self) -> datetime:
        """Return the local time."""
        return (datetime.now(UTC) + self._ahead).astimezone()

    def move_on(self, time: timedelta) -> None:
        """Let so much time pass at once."""
        self._ahead += time


class People(ABC):
    """Those who use the bot.

    Attributes
    ----------
    bot
        The bot.
    gestures
        How many messages, commands and presses it took to teach.
    """

    bot: Bot
    gestures = 0

    @abstractmethod
    async def teach(self, label: str, songs: Sequence[Path]) -> None:
        """Teach songs of a label."""

    @abstractmethod
    async def ask(self, song: Path) -> str:
        """Send a song and return the id of the reply."""

    async def told(self, song: Path) -> str | None:
        """Send a song and return the genre that is answered."""
        async with asyncio.timeout(SECONDS_PER_SONG):
            reply = await self.bot.storage.replies.find(await self.ask(song))
        assert reply is not None  # noqa: S101 - it was answered just now
        found = await self.bot.storage.songs.answer(reply.answer_id)
        return None if found is None else found.genre


class OnPage(People):
    """One person with the page of their own bot."""

    def __init__(self, page: Page) -> None:
        self._page, self._me, self.bot = page, page.browser(), page.bot

    async def teach(self, label: str, songs: Sequence[Path]) -> None:
        await history(self._me)
        await self._post("/consent", {"allow": True})
        for song in songs:
            entry = await _answered(self._me, song)
            await self._post(f"/songs/{entry['id']}/opinion", {"genre": label})
            self.gestures += 1

    async def ask(self, song: Path) -> str:
        self.gestures += 1
        entry = await self._page.chat.history.get((await _answered(self._me, song))["id"])
        assert entry is not None  # noqa: S101 - it was answered just now
        assert entry.reply is not None  # noqa: S101
        return entry.reply

    async def _post(self, path: str, values: dict[str, Any]) -> None:
        self.gestures += 1
        async with self._me.post(path, json=values) as response:
            response.raise_for_status()


class InGroup(People):
    """Three people in a group or server."""

    def __init__(self, chat: ChatUnderTest) -> None:
        self._chat, self.bot = chat, chat.bot

    async def teach(self, label: str, songs: Sequence[Path]) -> None:
        await self._chat.teach(label)
        await self._chat.tap(await self._chat.asked_for_consent(), "Yes, you may learn")
        for number, song in enumerate(songs, 1):
            await self._chat.send_unaddressed(song)
            async with asyncio.timeout(SECONDS_PER_SONG):
                while len(self._chat.said("Noted as")) < number:  # noqa: ASYNC110 - it is noticed by looking
                    await asyncio.sleep(0.2)
        await self._chat.teach("")
        self.gestures += 3 + len(songs)
        invitation = await self._chat.says("songs were taught here as")
        for person in AGREEING:
            await self._chat.press_data(person, invitation, self._chat.data_of(invitation, Action.SECOND))
            # The button is below the question that they are asked alone.
            await self._chat.press_data(person, invitation, str(ConsentCallback(allow=True)))
            self.gestures += 2

    async def ask(self, song: Path) -> str:
        self.gestures += 1
        answer = await self._chat.song(song)
        return self._chat.data_of(answer, Action.VOTES).partition(":")[2]


async def _answered(browser: aiohttp.ClientSession, path: Path) -> dict[str, Any]:
    """Send a song and return its answered entry."""
    number = (await send(browser, path, path.name))["id"]
    async with asyncio.timeout(SECONDS_PER_SONG):
        while True:
            entries = [each for each in (await history(browser))["entries"] if each["id"] == number]
            if entries and entries[0]["state"] != "waiting":
                return dict(entries[0])
            await asyncio.sleep(0.2)


@asynccontextmanager
async def people_of(chat: str, storage: Storage, settings: Settings, executor: Any) -> AsyncIterator[People]:
    """Open a chat of that name with a bot in it."""
    keys = IdHasher(b"known to this benchmark")
    if chat == "page":
        async with opened_page(storage, keys, settings, executor) as page:
            yield OnPage(page)
    elif chat == "discord":
        async with FakeDiscord() as discord:
            discord.world.reads_along = True
            opened = await open_discord(discord, storage, keys, settings, executor)
            yield InGroup(opened)
            await opened.close()
    else:
        telegram = TelegramServer()
        await telegram.start()
        opened = await open_telegram(telegram, storage, keys, settings, executor)
        yield InGroup(opened)
        await opened.close()
        await telegram.stop()


def write_release(serving: Serving, folder: Path) -> None:
    """Write a release with its base material."""
    packed = release_writer.content(serving.artifact)
    name = release_writer.name_of(serving.artifact, packed)
    content = base_dataset.pack(serving.base)
    files = {release_writer.file_of(name): packed, base_dataset.file_of(content): content}
    counts = {genre: int((serving.base.labels == genre).sum()) for genre in serving.artifact.genres}
    release_writer.write(folder, name, serving.artifact, files, {"trained_on": counts})


async def live(
    models: Path, folder: Path, chat: str, label: str, taught: Sequence[Path], asked: Mapping[str, Sequence[Path]]
) -> None:
    """Teach, sleep, and ask."""
    settings = Settings(
        data_dir=folder / "data",
        model_dir=models,
        community=Community.PRIVATE if chat == "page" else Community.GROUP,
        retrain="nightly",
        training_sources=("telegram", "local", "discord"),
        songs_per_person_queued=100,
        songs_per_person_daily=1000,
    )
    executor = open_executor("", model_dir=models, workers=1, max_minutes=10)
    watch = ReleaseWatch(models, executor)
    await watch.start()
    clock = Clock()
    try:
        async with (
            await Storage.open(settings.database, clock=lambda: clock.now().astimezone(UTC)) as storage,
            people_of(chat, storage, settings, executor) as people,
            watch.followed(people.bot.core.names.load, people.bot.conversation.info.serves),
        ):
            retraining = Retraining(storage, settings, Metrics(), clock.now)
            began = time.monotonic()
            await people.teach(label, taught)
            took = time.monotonic() - began
            print(f"{len(taught)} songs taught in {people.gestures} gestures and {took:.0f} s", flush=True)
            print(f"the bot looks at once: {await retraining.look()}", flush=True)
            before = executor.release
            clock.move_on(NIGHT)
            print(f"the next morning: {await retraining.look()}", flush=True)
            if read_manifest(models)["name"] != before:
                async with asyncio.timeout(SWITCH_SECONDS):
                    while executor.release == before:  # noqa: ASYNC110 - it is noticed by looking
                        await asyncio.sleep(0.2)
            await report(people, models, label, asked)
    finally:
        await executor.close()


async def report(people: People, models: Path, label: str, asked: Mapping[str, Sequence[Path]]) -> None:
    """Ask about songs of other artists and print how many of each kind are called by the label."""
    for kind, songs in asked.items():
        answers = [await people.told(song) for song in songs]
        print(f"{kind}: {answers.count(label)} of {len(answers)} called {label}", flush=True)
    manifest = read_manifest(models)
    if evaluation := manifest.get("evaluation"):
        for each in json.loads((models / str(evaluation)).read_text("utf-8"))["differences"]:
            print(f"  {each['what']}: {each['before']} → {each['after']} over {each['songs']}")


def songs_in(data: Path, folder: Path, excerpts: int) -> list[Known]:
    """Put the excerpts of each song of today together."""
    by_song: dict[str, list[dict[str, str]]] = {}
    for row in clips_of_today(data):
        by_song.setdefault(row["song"], []).append(dict(row))
    found = []
    for name, rows in by_song.items():
        path, label = folder / f"{name}.flac", rows[0]["label"]
        clips = [data / "modern" / label / f"{row['clip']}.opus" for row in rows[:excerpts]]
        write(np.concatenate([decode(clip, max_seconds=60) for clip in clips]), path, sample_rate=SAMPLE_RATE)
        found.append(Known(path, label, rows[0]["artist"]))
    return found


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--label", default="vpop")
    parser.add_argument("--chat", choices=("page", "telegram", "discord"), default="page")
    parser.add_argument("--songs", type=int, default=20, help="how many are taught")
    parser.add_argument("--excerpts", type=int, default=2, help="how many of each song are sent")
    parser.add_argument("--asked", type=int, default=20, help="how many of the label, and of others, are asked about")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    label, order = arguments.label, np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name) / "songs").mkdir()
        songs = songs_in(arguments.data, folder, arguments.excerpts)
        mine = [song for song in songs if song.label == label]
        artists = sorted({song.artist for song in mine})
        order.shuffle(artists)
        mine.sort(key=lambda song: artists.index(song.artist))
        taught, seen = mine[: arguments.songs], {song.artist for song in mine[: arguments.songs]}
        fresh = [song.path for song in mine if song.artist not in seen][: arguments.asked]
        strangers = [song for song in songs if song.label != label and song.artist not in seen]
        chosen = order.choice(len(strangers), min(len(strangers), arguments.asked), replace=False)
        models = Path(name) / "models"
        write_release(forgetting(Serving.load(REPOSITORY / "models"), label, 2), models)
        print(f"{read_manifest(models)['name']} does not know {label}", flush=True)
        asked = {
            f"{label} by other artists": fresh,
            "other songs of today": [strangers[place].path for place in chosen],
            "recordings of the ten genres": sorted((arguments.data / "gtzan" / "audio").iterdir()),
        }
        asyncio.run(live(models, Path(name), arguments.chat, label, [song.path for song in taught], asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
