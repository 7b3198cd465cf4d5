"""The cluster's side: a worker's pools of confined processes, one for each release, and the songs under way in them.

It outlives the worker's connections: when the scheduler is gone, the processes stay warm until it is back.
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

from classifier.inference.cluster.messages import PLUGIN, Delivery
from classifier.inference.executor import song_limits
from classifier.inference.manifest import BadRelease
from classifier.inference.worker_pool import PoolClosed, WorkerPool
from classifier.inference.worker_process import WorkFailed
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classifier.inference.cluster.messages import ReleaseName, ReleaseParcel, SongParcel
    from classifier.inference.cluster.release_cache import Shelf
    from classifier.inference.executor import Release
    from classifier.inference.worker_process import Work
    from classifier.song_report import Classification, Progress

    MakeWork = Callable[[Path, float], Callable[[], Work[Release, Classification]]]
    Pool = WorkerPool[Release, Classification]

log = logging.getLogger(__name__)

RELEASE_SECONDS: Final = 60.0
"""How long a machine waits for a release that it has asked for."""
IDLE_SECONDS: Final = 60.0
"""How long a release that nobody asks for stays loaded beside the one that serves."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a pool is loaded with."""

    release: ReleaseName
    max_minutes: float


class _Loaded:
    """A pool, opened once, how many songs are under way in it, and when one was last (the loop's clock, seconds)."""

    def __init__(self, opening: asyncio.Task[Pool]) -> None:
        self.opening = opening
        self.songs = 0
        self.used = 0.0


class Machine(WorkerPlugin):
    """What a worker of the cluster does to songs.

    Parameters
    ----------
    make_work
        Given a release's folder and the longest song in minutes: returns what every child process is loaded with.
    shelf
        Where releases are kept.
    songs
        How many songs are worked on at a time.
    """

    name = PLUGIN

    def __init__(self, make_work: MakeWork, shelf: Shelf, *, songs: int) -> None:
        self._make_work = make_work
        self._shelf = shelf
        self._seats = songs
        self._pools: dict[_Kind, _Loaded] = {}
        self._songs: dict[str, asyncio.Task[Delivery]] = {}
        self._coming: dict[str, asyncio.Future[Path]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._worker: Any = None

    # What the cluster calls

    def setup(self, worker: Any) -> None:
        """Belong to this worker from now on."""
        self._worker = worker

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Stop the work on a song that nobody waits for any more."""
        if start in {"executing", "long-running"} and finish == "released" and key in self._songs:
            self._songs[key].cancel()

    async def teardown(self, worker: Any) -> None:  # noqa: ARG002 - as the library calls it
        """Stop all songs of a connection that has ended: they are begun anew elsewhere."""
        songs = tuple(self._songs.values())
        for song in songs:
            song.cancel()
        for coming in self._coming.values():
            if not coming.done():
                coming.set_exception(TimeoutError("the connection was lost before the release came"))
        await asyncio.gather(*songs, return_exceptions=True)

    async def hear(self, song: SongParcel) -> Delivery:
        """Listen to a song; called in a task of the cluster."""
        work = self._songs[song.ticket] = asyncio.create_task(self._hear(song))
        try:
            await asyncio.wait([work])
            return Delivery() if work.cancelled() else work.result()
        finally:
            work.cancel()
            self._songs.pop(song.ticket, None)

    async def prepare(self, release: ReleaseName, max_minutes: float, topic: str) -> str:
        """Load a release before the first song; return why it cannot be, or nothing."""
        try:
            await self._open(_Kind(release, max_minutes), topic)
        except WorkFailed as error:
            return error.said if error.kind == BadRelease.__name__ else str(error)
        except (BadRelease, OSError, TimeoutError) as error:
            return str(error) or "it did not arrive"
        return ""

    async def take(self, parcel: ReleaseParcel) -> None:
        """Keep a release that was asked for."""
        waiting = self._coming.get(parcel.name.digest)
        try:
            place = await asyncio.to_thread(self._shelf.put, parcel)
        except (BadRelease, OSError) as error:
            log.exception("a release could not be kept")
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
            return
        log.info("release %s has arrived", parcel.name.name)
        if waiting is not None and not waiting.done():
            waiting.set_result(place)

    # The work

    async def close(self) -> None:
        """End all processes."""
        await asyncio.gather(*self._endings, *(self._end(loaded) for loaded in self._pools.values()))
        self._pools.clear()

    async def _hear(self, song: SongParcel) -> Delivery:
        def tell(progress: Progress) -> None:
            self._worker.log_event(song.topic, {"song": song.ticket, **asdict(progress)})

        kind = _Kind(song.release, song.max_minutes)
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="genre-song-"))
        try:
            path = folder / f"song{song.suffix}"
            await asyncio.to_thread(path.write_bytes, song.content)
            loaded = await self._open(kind, song.topic)
            with self._in_use(loaded):
                return Delivery(answer=await loaded.opening.result().run(path, tell))
        except SongError as error:
            return Delivery(refusal=error)
        except WorkFailed as error:
            return Delivery(fault=error)
        except (PoolClosed, TimeoutError):
            return Delivery()
        except Exception as error:
            log.exception("a song failed through a bug")
            return Delivery(fault=WorkFailed.because(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _open(self, kind: _Kind, topic: str) -> _Loaded:
        loaded = self._pools.pop(kind, None)
        if loaded is None or (loaded.opening.done() and _failed(loaded.opening)):
            loaded = _Loaded(asyncio.create_task(self._load(kind, topic)))
        # The last in the dictionary is the last that was asked for.
        self._pools[kind] = loaded
        with self._in_use(loaded):
            await asyncio.shield(loaded.opening)
        return loaded

    async def _load(self, kind: _Kind, topic: str) -> Pool:
        folder = await self._folder(kind.release, topic)
        pool: Pool = WorkerPool(
            self._make_work(folder, kind.max_minutes), workers=self._seats, limits=song_limits(kind.max_minutes)
        )
        await pool.start()
        log.info("release %s is loaded", kind.release.name)
        return pool

    async def _folder(self, release: ReleaseName, topic: str) -> Path:
        """Return where a release lies; ask the bot for it if it is not here.

        Raises
        ------
        TimeoutError
            If it does not come.
        """
        found = await asyncio.to_thread(self._shelf.find, release)
        if found is not None:
            return found
        coming = self._coming.get(release.digest)
        if coming is None:
            coming = self._coming[release.digest] = asyncio.get_running_loop().create_future()
        log.info("release %s is not here; asking for it", release.name)
        self._worker.log_event(topic, {"release": release.digest, "worker": self._worker.address})
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                return await asyncio.shield(coming)
        finally:
            self._coming.pop(release.digest, None)

    @contextmanager
    def _in_use(self, loaded: _Loaded) -> Iterator[None]:
        """Keep a pool, and look a while later whether it is still of use."""
        loop = asyncio.get_running_loop()
        loaded.songs += 1
        try:
            yield
        finally:
            loaded.songs -= 1
            loaded.used = loop.time()
            if len(self._pools) > 1:
                loop.call_later(IDLE_SECONDS + 1, self._let_go)

    def _let_go(self) -> None:
        """End the pools of releases that another has taken the place of, as soon as they are idle."""
        now = asyncio.get_running_loop().time()
        for kind, loaded in tuple(self._pools.items())[:-1]:
            if not loaded.songs and now - loaded.used >= IDLE_SECONDS:
                del self._pools[kind]
                self._endings.add(ending := asyncio.create_task(self._end(loaded)))
                ending.add_done_callback(self._endings.discard)

    @staticmethod
    async def _end(loaded: _Loaded) -> None:
        loaded.opening.cancel()
        [pool] = await asyncio.gather(loaded.opening, return_exceptions=True)
        if isinstance(pool, WorkerPool):
            await pool.close()


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None
