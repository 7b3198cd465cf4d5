"""Composes the bot, starts its chats, runs until a signal comes, and shuts down in order.

``compose`` is the one place where the queue, the job runner and the conversation are built and connected.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import signal
import socket
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.chat_registry import homes, links_limits, open_chats
from bot.chat_starter import ChatStarter
from bot.core.conversation import Conversation
from bot.core.genre_names import GenreNames
from bot.core.identity import BadKey, IdHasher, open_keys
from bot.core.job_runner import JobRunner
from bot.core.pending_songs import PendingSongs
from bot.core.playlist_prompt import PlaylistPrompts
from bot.core.song_queue import SongQueue
from bot.core.teaching import Teaching
from bot.core.teaching_questions import TeachingQuestions
from bot.health import CannotListen, Health, Operations
from bot.metrics import Metrics
from bot.release_watch import ReleaseWatch, seed
from bot.retraining import Retraining
from classifier.inference.cluster.credentials import Credentials
from classifier.inference.executor import CannotStart as ExecutorCannotStart
from classifier.inference.executor_factory import UnknownExecutor, open_executor
from classifier.inference.manifest import PACKAGED_MODELS, BadRelease
from links import Fetcher
from storage import KEY_NOTE, BadDatabaseUrl, DatabaseTooNew, DatabaseUnusable, Storage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from bot.core.chat import Chat
    from bot.settings import Settings
    from classifier.inference.executor import SongExecutor

TIDY_SECONDS = 6 * 3600.0
# A chat that hangs, as its database may, is left alone after so long when the bot ends.
STOP_SECONDS = 5.0
CLOSE_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of the bot that no platform owns."""

    names: GenreNames
    runner: JobRunner
    queue: SongQueue
    conversation: Conversation


def compose(
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    executor: SongExecutor,
    chats: Mapping[str, Chat],
    *,
    owner: str,
    folder: Path,
    metrics: Metrics,
    links: Fetcher | None = None,
    homes: Mapping[str, str] | None = None,
) -> Core:
    """Build the core.

    Parameters
    ----------
    storage, keys, settings
        Where things are stored, the keyed hashes of people, and the limits.
    executor
        Where songs are classified.
    chats
        Platform → chat; filled as chats start.
    owner, homes
        As in ``SongQueue``.
    folder
        For the files of songs in progress.
    metrics
        Counts songs and corrections.
    links
        Fetches links; None where links are not supported.
    """
    names = GenreNames(storage)
    songs = PendingSongs(storage, keys, names)
    prompts = PlaylistPrompts(storage, settings)
    teaching = Teaching(storage, settings, names, metrics)
    questions = TeachingQuestions(storage, settings)
    runner = JobRunner(
        storage,
        executor,
        prompts,
        folder,
        slots=settings.workers,
        teaching=teaching,
        questions=questions,
        links=links,
    )
    queue = SongQueue(storage, runner, chats, songs, owner=owner, slots=settings.workers, metrics=metrics, homes=homes)
    conversation = Conversation(storage, keys, settings, names, songs, queue, prompts, metrics, teaching)
    return Core(names, runner, queue, conversation)


class CannotServe(Exception):
    """The bot cannot run at all; the message says why, and what the operator can do."""


async def serve(settings: Settings, executor: SongExecutor | None = None) -> int:
    """Run the bot until SIGINT or SIGTERM; return the exit status.

    Parameters
    ----------
    executor
        Where songs are classified, not started yet; by default where the settings say.

    Raises
    ------
    CannotServe
        With a sentence for the operator.
    """
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled.set)
    async with AsyncExitStack() as stack:
        stack.enter_context(_only_one(settings.data_dir))
        health = Health(Metrics(), settings.data_dir)
        await _operations(settings, health, stack)
        executor = executor or _executor(settings)
        stack.push_async_callback(executor.close)
        releases = ReleaseWatch(settings.release_dir, executor)
        storage = await stack.enter_async_context(await _begin(settings, releases))
        health.has_storage(storage)
        health.has_model(executor)
        starter = ChatStarter()
        running = starter.running
        core = await _compose(storage, settings, executor, running, health.metrics)
        await stack.enter_async_context(releases.followed(core.names.load, core.conversation.info.serves))
        stack.push_async_callback(_close_chats, running)
        chats = open_chats(settings, core.conversation)
        failed = await starter.start(chats)
        if not running:
            raise CannotServe("; ".join(failed) or "there is no chat to start: set a token, or LOCAL_CHAT")
        await core.queue.start()
        stack.push_async_callback(core.queue.stop)
        health.has_chats(tuple(chat.platform for chat in chats), running)
        await stack.enter_async_context(starter.trying_again())
        retraining = Retraining(storage, settings, health.metrics)
        await stack.enter_async_context(retraining.going_on())
        tidying = asyncio.create_task(_keep_tidy(storage))
        await signalled.wait()
        tidying.cancel()
        health.stops()
        log.info("stopping: no new songs are taken; songs in progress finish or are released")
        await _of_all(running, lambda chat: chat.stop_taking(), STOP_SECONDS)
    log.info("stopped")
    return 0


async def _compose(
    storage: Storage, settings: Settings, executor: SongExecutor, running: Mapping[str, Chat], metrics: Metrics
) -> Core:
    owner = _owner(settings.data_dir)
    return compose(
        storage,
        await _keys(settings, storage),
        settings,
        executor,
        running,
        owner=owner,
        folder=settings.data_dir / "work",
        metrics=metrics,
        links=_links(settings),
        homes=homes(settings, owner),
    )


async def _close_chats(running: Mapping[str, Chat]) -> None:
    await _of_all(running, lambda chat: chat.close(), CLOSE_SECONDS)


async def _of_all(running: Mapping[str, Chat], end: Callable[[Chat], Awaitable[None]], seconds: float) -> None:
    """Do something with all chats, without waiting longer for one that hangs, as its database may."""

    async def call(chat: Chat) -> None:
        try:
            await end(chat)
        except Exception:
            log.exception("%s could not be ended", chat.platform)

    calls = [asyncio.create_task(call(chat)) for chat in running.values()]
    if calls:
        await asyncio.wait(calls, timeout=seconds)


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Lock the data directory: two bots in one would take each other's jobs for their own after a restart."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("w")
    except OSError as error:
        raise CannotServe(
            f"the data folder {data_dir} cannot be written ({error.strerror or error}): give this user write access, "
            "make space, or set DATA_DIR to another folder"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotServe(f"another bot is running in {data_dir}: stop it, or set DATA_DIR") from None
        yield


def _executor(settings: Settings) -> SongExecutor:
    try:
        return open_executor(
            settings.executor_url,
            model_dir=settings.release_dir,
            workers=settings.workers,
            max_minutes=settings.max_minutes,
            credentials=_credentials(settings),
        )
    except UnknownExecutor as reason:
        raise CannotServe(str(reason)) from None


def _credentials(settings: Settings) -> Credentials | None:
    files = (settings.executor_ca, settings.executor_certificate, settings.executor_key)
    authority, certificate, key = files
    return None if authority is None or certificate is None or key is None else Credentials(authority, certificate, key)


async def _operations(settings: Settings, health: Health, stack: AsyncExitStack) -> None:
    """Serve health and metrics, if configured, from before anything is ready until everything has ended."""
    if settings.operations_address is None:
        return
    try:
        await stack.enter_async_context(Operations(health, settings.operations_address, settings.operations_hosts))
    except CannotListen as reason:
        raise CannotServe(str(reason)) from reason


async def _begin(settings: Settings, releases: ReleaseWatch) -> Storage:
    """Open the database while the workers load the release, since neither needs the other."""
    starting = asyncio.create_task(_start(settings, releases))
    try:
        storage = await _storage(settings)
    except BaseException:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        raise
    try:
        await starting
    except BaseException:
        await storage.close()
        raise
    return storage


async def _start(settings: Settings, releases: ReleaseWatch) -> None:
    try:
        await asyncio.to_thread(seed, settings.release_dir, PACKAGED_MODELS, settings.data_dir)
        await releases.start()
    except (BadRelease, ExecutorCannotStart) as reason:
        raise CannotServe(str(reason)) from reason


def _links(settings: Settings) -> Fetcher:
    proxy = settings.link_proxy
    return Fetcher(
        links_limits(settings),
        hosts=settings.link_hosts,
        proxy="" if proxy is None else proxy.get_secret_value(),
        cookies=settings.link_cookies,
    )


async def _storage(settings: Settings) -> Storage:
    try:
        return await Storage.open(settings.database)
    except (BadDatabaseUrl, DatabaseTooNew, DatabaseUnusable) as reason:
        raise CannotServe(str(reason)) from reason


async def _keys(settings: Settings, storage: Storage) -> IdHasher:
    """Return the keys for hashing people; raise ``CannotServe`` if the database was written with others."""
    noted = await storage.value(KEY_NOTE)
    try:
        # A lost key must not be replaced by a new one: it would make strangers of everybody in the database.
        keys = open_keys(settings, may_create=noted is None)
    except BadKey as reason:
        raise CannotServe(str(reason)) from reason
    if await storage.get_or_set(KEY_NOTE, keys.mark) != keys.mark:
        raise CannotServe(
            "the people in this database were written down with another key: restore the earlier SECRET_KEY or "
            "secret.key, or run `python -m storage new-key`, after which nobody in it is recognised any more"
        )
    return keys


async def _keep_tidy(storage: Storage) -> None:
    """Delete what is too old now and then."""
    while True:
        try:
            log.info("deleted as too old: %s", await storage.delete_expired())
        except Exception:
            log.exception("storage could not be tidied")
        await asyncio.sleep(TIDY_SECONDS)


def _owner(data_dir: Path) -> str:
    """Return a name for this process that is the same after a restart and different for every other one."""
    place = f"{socket.gethostname()}:{data_dir.resolve()}"
    return hashlib.sha256(place.encode()).hexdigest()[:16]
