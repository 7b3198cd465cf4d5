"""The worker's side of a cluster: one pool of confined processes per release, and the songs in them.

The plugin outlives the worker's connections: while the scheduler is away, the processes stay loaded.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from distributed.diagnostics.plugin import WorkerPlugin

from classifier.inference.cluster.messages import PLUGIN, SongResult
from classifier.inference.executor import song_limits
from classifier.inference.manifest import BadRelease
from classifier.inference.worker_pool import PoolClosed, WorkerPool
from classifier.inference.worker_process import WorkerError
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classifier.inference.cluster.messages import ReleaseId, ReleaseMessage, SongMessage
    from classifier.inference.cluster.release_cache import ReleaseCache
    from classifier.inference.executor import Release
    from classifier.inference.worker_process import FileProcessor
    from classifier.song_report import Classification, Progress

    MakeReleaseProcessor = Callable[[Path, float], Callable[[], FileProcessor[Release, Classification]]]
    Pool = WorkerPool[Release, Classification]

log = logging.getLogger(__name__)

RELEASE_SECONDS: Final = 60.0
"""How long a worker waits for a release that it has requested."""
IDLE_SECONDS: Final = 60.0
"""How long an unused release stays loaded beside the current one."""


@dataclass(frozen=True, slots=True)
class _PoolKey:
    """Identifies a pool."""

    release: ReleaseId
    max_minutes: float


class _LoadedPool:
    """A pool, the number of songs in it, and when it was last used (the event loop's clock, seconds)."""

    def __init__(self, opening: asyncio.Task[Pool]) -> None:
        self.opening = opening
        self.songs = 0
        self.used = 0.0


class ClassifierPlugin(WorkerPlugin):
    """Classifies songs in a worker of the cluster.

    Parameters
    ----------
    make_processor
        Called with a release's folder and the maximum length of a song in minutes; returns the processor factory for
        the pool's processes.
    cache
        The releases on disk.
    songs
        Number of songs that are classified at a time.
    """

    name = PLUGIN

    def __init__(self, make_processor: MakeReleaseProcessor, cache: ReleaseCache, *, songs: int) -> None:
        self._make_processor = make_processor
        self._cache = cache
        self._workers = songs
        self._pools: dict[_PoolKey, _LoadedPool] = {}
        self._songs: dict[str, asyncio.Task[SongResult]] = {}
        self._expected: dict[str, asyncio.Future[Path]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._worker: Any = None

    # Called by the cluster

    def setup(self, worker: Any) -> None:
        """Remember the worker that this plugin belongs to."""
        self._worker = worker

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Cancel a song when its task was cancelled."""
        if start in {"executing", "long-running"} and finish == "released" and key in self._songs:
            self._songs[key].cancel()

    async def teardown(self, worker: Any) -> None:  # noqa: ARG002 - as the library calls it
        """Cancel all songs when the connection has ended; other workers start them again."""
        songs = tuple(self._songs.values())
        for song in songs:
            song.cancel()
        for expected in self._expected.values():
            if not expected.done():
                expected.set_exception(TimeoutError("the connection was lost before the release arrived"))
        await asyncio.gather(*songs, return_exceptions=True)

    async def classify_song(self, song: SongMessage) -> SongResult:
        """Classify a song; called by the task of the cluster."""
        work = self._songs[song.ticket] = asyncio.create_task(self._classify_in_pool(song))
        try:
            await asyncio.wait([work])
            return SongResult() if work.cancelled() else work.result()
        finally:
            work.cancel()
            self._songs.pop(song.ticket, None)

    async def load_release(self, release: ReleaseId, max_minutes: float, topic: str) -> str:
        """Load a release before the first song; return why that failed, or an empty string."""
        try:
            await self._open(_PoolKey(release, max_minutes), topic)
        except WorkerError as error:
            return error.message if error.kind == BadRelease.__name__ else str(error)
        except (BadRelease, OSError, TimeoutError) as error:
            return str(error) or "it did not arrive"
        return ""

    async def receive(self, release: ReleaseMessage) -> None:
        """Save a release that was requested."""
        waiting = self._expected.get(release.name.digest)
        try:
            folder = await asyncio.to_thread(self._cache.put, release)
        except (BadRelease, OSError) as error:
            log.exception("a release could not be saved")
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
            return
        log.info("release %s has arrived", release.name.name)
        if waiting is not None and not waiting.done():
            waiting.set_result(folder)

    # Pools

    async def close(self) -> None:
        """End all processes."""
        await asyncio.gather(*self._closing, *(self._close_pool(loaded) for loaded in self._pools.values()))
        self._pools.clear()

    async def _classify_in_pool(self, song: SongMessage) -> SongResult:
        def on_progress(progress: Progress) -> None:
            self._worker.log_event(song.topic, {"song": song.ticket, **asdict(progress)})

        key = _PoolKey(song.release, song.max_minutes)
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="genre-song-"))
        try:
            path = folder / f"song{song.suffix}"
            await asyncio.to_thread(path.write_bytes, song.content)
            loaded = await self._open(key, song.topic)
            with self._in_use(loaded):
                return SongResult(answer=await loaded.opening.result().run(path, on_progress))
        except SongError as error:
            return SongResult(song_error=error)
        except WorkerError as error:
            return SongResult(bug=error)
        except (PoolClosed, TimeoutError):
            return SongResult()
        except Exception as error:
            log.exception("a bug made a song fail")
            return SongResult(bug=WorkerError.from_exception(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _open(self, key: _PoolKey, topic: str) -> _LoadedPool:
        loaded = self._pools.pop(key, None)
        if loaded is None or (loaded.opening.done() and _failed(loaded.opening)):
            loaded = _LoadedPool(asyncio.create_task(self._load(key, topic)))
        # The last pool in the dictionary is the most recently used one.
        self._pools[key] = loaded
        with self._in_use(loaded):
            await asyncio.shield(loaded.opening)
        return loaded

    async def _load(self, key: _PoolKey, topic: str) -> Pool:
        folder = await self._folder(key.release, topic)
        pool: Pool = WorkerPool(
            self._make_processor(folder, key.max_minutes), workers=self._workers, limits=song_limits(key.max_minutes)
        )
        await pool.start()
        log.info("release %s is loaded", key.release.name)
        return pool

    async def _folder(self, release: ReleaseId, topic: str) -> Path:
        """Return the folder of a release, requesting it from the bot if it is not in the cache.

        Raises
        ------
        TimeoutError
            If it does not arrive.
        """
        found = await asyncio.to_thread(self._cache.find, release)
        if found is not None:
            return found
        expected = self._expected.get(release.digest)
        if expected is None:
            expected = self._expected[release.digest] = asyncio.get_running_loop().create_future()
        log.info("requesting release %s", release.name)
        self._worker.log_event(topic, {"release": release.digest, "worker": self._worker.address})
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                return await asyncio.shield(expected)
        finally:
            self._expected.pop(release.digest, None)

    @contextmanager
    def _in_use(self, loaded: _LoadedPool) -> Iterator[None]:
        """Mark a pool as in use, and later close the pools that are idle."""
        loop = asyncio.get_running_loop()
        loaded.songs += 1
        try:
            yield
        finally:
            loaded.songs -= 1
            loaded.used = loop.time()
            if len(self._pools) > 1:
                loop.call_later(IDLE_SECONDS + 1, self._close_idle_pools)

    def _close_idle_pools(self) -> None:
        """Close the idle pools of all releases but the current one."""
        now = asyncio.get_running_loop().time()
        for key, loaded in tuple(self._pools.items())[:-1]:
            if not loaded.songs and now - loaded.used >= IDLE_SECONDS:
                del self._pools[key]
                self._closing.add(closing := asyncio.create_task(self._close_pool(loaded)))
                closing.add_done_callback(self._closing.discard)

    @staticmethod
    async def _close_pool(loaded: _LoadedPool) -> None:
        loaded.opening.cancel()
        [pool] = await asyncio.gather(loaded.opening, return_exceptions=True)
        if isinstance(pool, WorkerPool):
            await pool.close()


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None
