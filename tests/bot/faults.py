"""Faults by plan: every place where a song's way waits, and every call of storage, meets every fault once.

``python -m tests.bot.faults [--postgresql] [--only PATTERN]`` tries them and names those after which something was
wrong: a song without exactly one end, or one that was told twice, a file or a row that was left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import shutil
import sys
import tempfile
import types
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import aiohttp
from sqlalchemy.exc import OperationalError

import bot
from bot.core.active_job import ActiveJob
from bot.core.errors import TryLater
from bot.core.identity import IdHasher
from bot.settings import Settings
from storage import JobState, Storage
from storage.database import database_url
from storage.migrate import migrate
from tests.bot.fake_classifier import EarAtHand
from tests.bot.links_at_hand import LinksAtHand
from tests.bot.recording_chat import Notebook
from tests.bot.running import Bot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator

log = logging.getLogger(__name__)

ROOT = Path(bot.__file__).resolve().parents[1]
ROOMS = ("bot", "links", "tests/bot/recording_chat.py", "tests/bot/links_at_hand.py")
LINK = "https://song.example/song"
PARTS = ("jobs", "songs", "replies", "people", "chat_settings")
PATIENCE_SECONDS = 20.0
QUICK = {
    "bot.core.job_retries.FAULT_DELAY_SECONDS": 0.01,
    "bot.core.song_queue.POLL_SECONDS": 0.05,
    "bot.core.song_queue.HEARTBEAT_SECONDS": 0.05,
    "storage.durations.LEASE_SECONDS": 0.3,
}
PLACE_FAULTS = ("cancel", "timeout", "platform error", "lost connection", "kill")
CALL_FAULTS = ("lost before", "lost after", "kill before", "kill after")


class Killed(BaseException):
    """The bot was killed: nothing of it runs on, and nothing that it still asks for happens."""


@dataclass
class Plan:
    """One fault, and where it is to happen; none to find out where it could.

    Attributes
    ----------
    place, fault
        Where, and what.
    places, calls
        All places that were passed, and all calls that were made, in order.
    """

    place: str = ""
    fault: str = ""
    places: dict[str, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)
    is_armed: bool = False
    has_happened: bool = False
    is_dead: bool = False
    killed: asyncio.Event = field(default_factory=asyncio.Event)
    press_cancel: Callable[[], None] = lambda: None

    def meets(self, place: str, *faults: str) -> str | None:
        """Return the fault that happens here and now, if one does."""
        if not self.is_armed or self.has_happened or self.place != place or (faults and self.fault not in faults):
            return None
        self.has_happened = True
        return self.fault

    def kill(self) -> Killed:
        """Kill the bot."""
        self.is_dead = True
        self.killed.set()
        return Killed()


def _place(coroutine: Any) -> str:
    """Name where a coroutine waits: the innermost line of the project's own."""
    name = ""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(ROOT) and str(path.relative_to(ROOT)).startswith(ROOMS):
                name = f"{path.relative_to(ROOT)}:{frame.f_lineno} {frame.f_code.co_qualname}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
    return name


@types.coroutine
def _faulty(work: Coroutine[Any, Any, None], plan: Plan) -> Generator[Any, Any, None]:
    """Run a song's work; let the planned fault happen where it waits there first."""
    step: Callable[[], Any] = partial(work.send, None)
    while True:
        try:
            awaited = step()
        except StopIteration:
            return
        place = _place(work)
        plan.places[place] = None
        fault = plan.meets(place, *PLACE_FAULTS)
        if fault == "cancel":
            plan.press_cancel()
        elif fault is not None:
            if awaited is not None:
                awaited._asyncio_future_blocking = False
            error = _error(fault, plan)
            step = partial(work.throw, error)
            continue
        try:
            value = yield awaited
        except BaseException as error:
            step = partial(work.throw, error)
        else:
            step = partial(work.send, value)


def _error(fault: str, plan: Plan) -> BaseException:
    match fault:
        case "timeout":
            return TimeoutError()
        case "platform error":
            return TryLater(0.01)
        case "lost connection":
            return aiohttp.ServerDisconnectedError()
        case _:
            return plan.kill()


def _watch_calls(storage: Storage, plan: Plan) -> None:
    """Let the calls of storage meet their planned faults, and none be answered once the bot is dead."""
    for part in PARTS:
        whole = getattr(storage, part)
        for name in dir(type(whole)):
            method = getattr(whole, name)
            if not name.startswith("_") and asyncio.iscoroutinefunction(method):
                setattr(whole, name, _call(f"storage.{part}.{name}", method, plan))


def _call(name: str, method: Callable[..., Awaitable[Any]], plan: Plan) -> Callable[..., Awaitable[Any]]:
    async def call(*arguments: Any, **options: Any) -> Any:
        if plan.is_dead:
            raise Killed()
        if plan.is_armed:
            plan.calls[name] = None
        fault = plan.meets(name, *CALL_FAULTS)
        if fault == "lost before":
            raise OperationalError("the connection was lost", None, OSError())
        if fault == "kill before":
            raise plan.kill()
        result = await method(*arguments, **options)
        if fault == "lost after":
            raise OperationalError("the connection was lost", None, OSError())
        if fault == "kill after":
            raise plan.kill()
        return result

    return call


class FaultyNotebook(Notebook):
    """A chat that is silent once its bot is dead."""

    def __init__(self, plan: Plan, before: Notebook | None = None) -> None:
        super().__init__()
        self._plan = plan
        if before is not None:
            vars(self).update({name: value for name, value in vars(before).items() if name != "_plan"})

    async def _note(self, page: list[Any], line: Any) -> None:
        if self._plan.is_dead:
            raise Killed()
        await super()._note(page, line)


@dataclass(frozen=True)
class World:
    """Where it happens: a database, a folder, and a song behind a link."""

    url: str
    folder: Path
    song: Path


async def try_out(world: World, plan: Plan) -> list[str]:
    """Send a song while a plan is carried out, restart the bot if it was killed; return what is wrong in the end."""
    notebook = FaultyNotebook(plan)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    patches: list[Any] = [mock.patch(name, value) for name, value in QUICK.items()]
    begin = ActiveJob.begin
    patches.append(mock.patch.object(ActiveJob, "begin", lambda self, work: begin(self, _faulty(work, plan))))
    for patch in patches:
        patch.start()
    try:
        storage = await Storage.open(world.url)
        running = await _begun(world, storage, notebook, plan)
        job = await running.conversation.submit(notebook.sends(world.song, source="link", payload={"link": LINK}))
        plan.is_armed = True
        cancelling: list[asyncio.Task[Any]] = []
        plan.press_cancel = lambda: cancelling.append(asyncio.create_task(running.queue.cancel(job.id)))
        looking = await Storage.open(world.url)
        ended = asyncio.create_task(_until_ended(looking, job.id))
        killed = asyncio.create_task(plan.killed.wait())
        await asyncio.wait({ended, killed}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_SECONDS)
        if plan.is_dead:
            await _abandon(running)
            await storage.close()
            notebook = FaultyNotebook(Plan(), notebook)
            storage = await Storage.open(world.url)
            running = await _begun(world, storage, notebook, Plan())
        await asyncio.wait({ended}, timeout=PATIENCE_SECONDS)
        killed.cancel()
        await asyncio.gather(*cancelling, return_exceptions=True)
        plan.is_armed = False
        await running.queue.stop()
        wrong = await _wrong(looking, notebook, world, job.id)
        ended.cancel()
        await asyncio.gather(ended, killed, return_exceptions=True)
        await storage.close()
        await looking.close()
        return wrong
    finally:
        for patch in patches:
            patch.stop()


async def _begun(world: World, storage: Storage, notebook: Notebook, plan: Plan) -> Bot:
    settings = Settings(data_dir=world.folder / "data", workers=1)
    links = LinksAtHand()
    links.songs[LINK] = world.song
    _watch_calls(storage, plan)
    running = Bot(storage, IdHasher(b"a key"), settings, EarAtHand(), world.folder / "work", links).with_chat(notebook)
    await running.start()
    return running


async def _abandon(running: Bot) -> None:
    """End the tasks of a bot that was killed; whatever they ask for in their last moments does not happen."""
    tasks = [*running.queue._loops, *(active.task for active in running.queue._running.values() if active.task)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until_ended(storage: Storage, job_id: int) -> None:
    while True:
        job = await storage.jobs.get(job_id)
        if job is not None and job.state is JobState.FINISHED:
            return
        await asyncio.sleep(0.01)


async def _wrong(storage: Storage, notebook: Notebook, world: World, job_id: int) -> list[str]:
    job, name = await storage.jobs.get(job_id), world.song.name
    assert job is not None
    told = {
        "answered": {answered.reply.id for answered in notebook.answers[name]},
        "failed": {error.code for error in notebook.refusals[name]},
        "cancelled": set(notebook.stopped_songs),
    }
    kinds = [kind for kind, tellings in told.items() if tellings]
    wrong = []
    if job.state is not JobState.FINISHED:
        wrong.append(f"the song is {job.state}")
    elif kinds != [job.outcome] or len(told[str(job.outcome)]) != 1:
        wrong.append(f"the song is {job.outcome}, and told were {told}")
    if job.owner is not None or (job.state is JobState.FINISHED and (job.progress or job.payload)):
        wrong.append("its row is not tidied")
    left = [path for path in (world.folder / "work").rglob("*") if path.is_file()]
    return wrong + [f"{path} was left behind" for path in left]


def plans(seen: Plan) -> Iterator[tuple[str, str]]:
    """Yield every place and every call that was seen, with each of its faults."""
    yield from ((place, fault) for place in seen.places for fault in PLACE_FAULTS)
    yield from ((call, fault) for call in seen.calls for fault in CALL_FAULTS)


async def try_all(world_of: Callable[[], World], only: str = "") -> tuple[int, list[str]]:
    """Try every fault that a pattern finds, each in a world of its own; return how many, and what went wrong."""
    seen = Plan()
    wrong = await try_out(world_of(), seen)
    assert not wrong, wrong
    tried = [(place, fault) for place, fault in plans(seen) if re.search(only, f"{fault} at {place}")]
    for place, fault in tried:
        log.info("%s at %s", fault, place)
        for what in await try_out(world_of(), Plan(place, fault)):
            log.info("wrong: %s", what)
            wrong.append(f"{fault} at {place}: {what}")
    return len(tried), wrong


def sqlite_worlds(folder: Path, template: Path, song: Path) -> Callable[[], World]:
    """Return what makes a new world with a copy of an SQLite database."""
    numbers = iter(range(10_000))

    def new() -> World:
        place = folder / str(next(numbers))
        place.mkdir()
        shutil.copy(template, place / "songs.sqlite3")
        return World(f"sqlite:///{place}/songs.sqlite3", place, song)

    return new


def main() -> int:
    """Try all faults and print what went wrong."""
    from tests.storage.postgresql import PostgreSQL, find_binaries
    from tests.synthesis import song, write

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server, not on SQLite")
    parser.add_argument("--only", default="", help="only faults whose name this regular expression finds")
    arguments = parser.parse_args()
    # What the bot logs of each fault is as it should be.
    logging.basicConfig(format="%(message)s", level=logging.CRITICAL)
    log.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = write(song("blues", 3), folder / "song.wav")
        if arguments.postgresql:
            binaries = find_binaries()
            if binaries is None:
                raise SystemExit("needs PostgreSQL's initdb and pg_ctl")
            server = PostgreSQL(binaries)
            server.start()
            template = server.create()
            asyncio.run(migrate(database_url(server.url(template))))

            def new() -> World:
                place = Path(tempfile.mkdtemp(dir=folder))
                return World(server.url(server.create(template)), place, path)

            try:
                count, wrong = asyncio.run(try_all(new, arguments.only))
            finally:
                server.stop()
        else:
            asyncio.run(migrate(database_url(f"sqlite:///{folder}/template.sqlite3")))
            count, wrong = asyncio.run(
                try_all(sqlite_worlds(folder, folder / "template.sqlite3", path), arguments.only)
            )
    sys.stdout.write("\n".join([*wrong, f"{count} faults, {len(wrong)} with something wrong"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
