"""The bot's side of a cluster: sends songs, receives progress and answers. Every song is answered exactly once.

If a worker is lost, the scheduler gives the song to another worker. If the scheduler is lost, songs wait here and are
sent again when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from concurrent.futures import CancelledError as TaskGone
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from classifier.errors import WorkerLost
from classifier.inference.cluster.credentials import security
from classifier.inference.cluster.messages import (
    ReleaseMessage,
    SongMessage,
    SongResult,
    classify_song,
    load_release,
    receive_release,
)
from classifier.inference.cluster.scheduler_client import SchedulerClient
from classifier.inference.executor import CannotStart, ReleaseRefused
from classifier.inference.manifest import BadRelease
from classifier.inference.worker_pool import PoolClosed
from classifier.song_report import Progress
from common.units import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from distributed import Client

    from classifier.inference.cluster.credentials import Credentials
    from classifier.song_report import Classification

    ProgressCallback = Callable[[Progress], None]

log = logging.getLogger(__name__)

BYTES_IN_FLIGHT: Final = 256 * MEBIBYTE
"""Maximum total size of the songs in the cluster: the memory that the scheduler needs for one bot."""
WAITING_NOTICE_SECONDS: Final = 3.0
"""Interval at which a song that no worker has started is reported as waiting; repeated since chats may skip steps."""
ATTEMPTS: Final = 5
"""Number of starts after which a song is considered to be the cause of the lost workers."""
SWITCH_SECONDS: Final = 120.0


class ClusterExecutor:
    """Classifies songs on the workers of a Dask cluster.

    Parameters
    ----------
    url
        ``tcp://host:port`` or ``tls://host:port`` of the scheduler.
    model_dir
        Folder of the serving release, which is sent to workers on request.
    max_minutes
        Longer songs are refused.
    credentials
        For ``tls://``.
    bytes_in_flight
        Maximum total size of the songs in the cluster; a larger song is sent alone.

    Raises
    ------
    BadCredentials
        If the certificates do not fit the address.
    """

    def __init__(
        self,
        url: str,
        *,
        model_dir: Path,
        max_minutes: float,
        credentials: Credentials | None = None,
        bytes_in_flight: int = BYTES_IN_FLIGHT,
    ) -> None:
        self._url, self._model_dir, self._max_minutes = url, model_dir, max_minutes
        self._security = security(url, credentials)
        self._topic = f"songs-{uuid.uuid4().hex}"
        self._budget = ByteBudget(bytes_in_flight)
        self._release: ReleaseMessage | None = None
        # The releases that workers may request: the serving one and, during a switch, the next one.
        self._releases: dict[str, ReleaseMessage] = {}
        self._listeners: dict[str, ProgressCallback] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._songs: set[asyncio.Task[Any]] = set()
        self._scheduler: SchedulerClient | None = None
        self._closed = False

    @property
    def release(self) -> str:
        return self._serving.name.name

    @property
    def genres(self) -> tuple[str, ...]:
        return self._serving.genres

    @property
    def _serving(self) -> ReleaseMessage:
        if self._release is None:
            raise RuntimeError("the executor has not been started")
        return self._release

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the scheduler."""
        return self._scheduler is not None and self._scheduler.client is not None

    async def start(self) -> None:
        """Read the release and start to connect; songs wait until a worker is available."""
        try:
            self._release = await asyncio.to_thread(ReleaseMessage.read, self._model_dir)
        except BadRelease as error:
            raise CannotStart(str(error)) from error
        self._releases = {self._release.name.digest: self._release}
        self._scheduler = SchedulerClient(self._url, self._security, self._topic, self._on_message)
        self._scheduler.open()

    async def classify(self, path: Path, *, on_progress: ProgressCallback | None = None) -> Classification:
        caller = asyncio.current_task()
        if self._closed or caller is None:
            raise PoolClosed
        work = asyncio.create_task(self._classify(path, on_progress or _ignore))
        self._songs.add(work)
        work.add_done_callback(self._songs.discard)
        try:
            return await work
        except asyncio.CancelledError:
            if self._closed and not caller.cancelling():
                raise PoolClosed from None
            raise

    async def switch(self) -> None:
        try:
            release = await asyncio.to_thread(ReleaseMessage.read, self._model_dir)
        except BadRelease as error:
            raise ReleaseRefused(str(error)) from error
        before = self._serving
        # Workers may request it from now on; songs use the previous release until one worker has loaded it.
        self._releases = {each.name.digest: each for each in (before, release)}
        try:
            async with asyncio.timeout(SWITCH_SECONDS):
                reason = await self._load_release(release)
        except TimeoutError:
            reason = f"no worker of {self._url} could load it within {SWITCH_SECONDS:g} s"
        if reason:
            raise ReleaseRefused(reason)
        self._release = release

    async def close(self) -> None:
        self._closed = True
        for task in (*self._sending, *self._songs):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._scheduler is not None:
            await self._scheduler.close()

    # Songs

    async def _classify(self, path: Path, on_progress: ProgressCallback) -> Classification:
        starts = 0

        def forward(progress: Progress) -> None:
            nonlocal starts
            starts += progress.stage == "decoding"
            on_progress(progress)

        async with self._budget.reserve((await asyncio.to_thread(path.stat)).st_size):
            content = await asyncio.to_thread(path.read_bytes)
            while starts < ATTEMPTS:
                result = await self._deliver(content, path.suffix, forward)
                if result.answer is not None:
                    return result.answer
                failure = result.song_error or result.bug
                if failure is not None:
                    raise failure
        raise WorkerLost

    async def _deliver(self, content: bytes, suffix: str, on_progress: ProgressCallback) -> SongResult:
        """Send a song and wait for its result; an empty result means that the song must be sent again."""
        ticket = f"song-{uuid.uuid4().hex}"
        with self._receiving_progress(ticket, on_progress):
            client = await self._client(on_progress)
            song = SongMessage(ticket, content, suffix, self._serving.name, self._max_minutes, self._topic)
            try:
                future = client.submit(classify_song, song, key=ticket, pure=False, retries=0)
            except (OSError, RuntimeError, ValueError) as error:  # the client has just been closed
                return self._retry_after(client, error)
            try:
                result: SongResult = await future
            except KilledWorker:
                log.warning("gave up on a song: every worker that started it died")
                return SongResult(song_error=WorkerLost())
            except (FutureCancelledError, TaskGone, CommClosedError, OSError) as error:
                return self._retry_after(client, error)
            else:
                return result
            finally:
                # Releasing the last future of a task cancels the task on the worker.
                future.release()  # type: ignore[no-untyped-call]

    async def _client(self, on_progress: ProgressCallback) -> Client:
        if self._scheduler is None:
            raise RuntimeError("the executor has not been started")
        if self._scheduler.client is None:
            on_progress(Progress("waiting"))
        return await self._scheduler.connected()

    def _retry_after(self, client: Client, error: BaseException) -> SongResult:
        log.info("sending a song again: %s", str(error).partition("\n")[0] or type(error).__name__)
        if self._scheduler is not None:
            self._scheduler.lost(client)
        return SongResult()

    @contextmanager
    def _receiving_progress(self, ticket: str, on_progress: ProgressCallback) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(WAITING_NOTICE_SECONDS, lambda: remind())

        def remind() -> None:
            nonlocal timer
            timer = loop.call_later(WAITING_NOTICE_SECONDS, remind)
            on_progress(Progress("waiting"))

        def forward(progress: Progress) -> None:
            timer.cancel()
            on_progress(progress)

        self._listeners[ticket] = forward
        try:
            yield
        finally:
            timer.cancel()
            del self._listeners[ticket]

    # Messages from workers

    def _on_message(self, message: dict[str, Any]) -> None:
        match message:
            case {"song": str(ticket), "stage": str(stage), "segment": int(segment), "segments": int(segments)}:
                if ticket in self._listeners:
                    self._listeners[ticket](Progress(stage, segment, segments))
            case {"release": str(digest), "worker": str(worker)}:
                sending = asyncio.create_task(self._send_release(digest, worker))
                self._sending.add(sending)
                sending.add_done_callback(self._sending.discard)

    async def _send_release(self, digest: str, worker: str) -> None:
        client = self._scheduler.client if self._scheduler is not None else None
        release = self._releases.get(digest)
        if client is None or release is None:
            return  # the worker requests it again with the next song
        log.info("sending release %s to %s", release.name.name, worker)
        try:
            await client.run(receive_release, release, workers=[worker], on_error="ignore")
        except (OSError, CommClosedError, TaskGone, ValueError) as error:
            log.warning("release %s could not be sent to %s: %s", release.name.name, worker, error)

    async def _load_release(self, release: ReleaseMessage) -> str:
        while True:
            client = await self._client(_ignore)
            future = client.submit(
                load_release,
                release.name,
                self._max_minutes,
                self._topic,
                key=f"load-release-{uuid.uuid4().hex}",
                pure=False,
            )
            try:
                return str(await future)
            except KilledWorker:
                return "every worker that tried to load it died"
            except (FutureCancelledError, TaskGone, CommClosedError, OSError) as error:
                self._retry_after(client, error)
            finally:
                future.release()  # type: ignore[no-untyped-call]


class ByteBudget:
    """A semaphore over bytes, first come, first served; a reservation above the budget gets all of it.

    Parameters
    ----------
    size
        Number of bytes that may be reserved at a time.
    """

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[None]:
        """Reserve bytes for the duration of the context, waiting until they are free."""
        size = min(size, self._size)
        if self._waiting or size > self._free:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._free_up(size)
                else:
                    self._waiting.remove((size, turn))
                    self._free_up(0)
                raise
        else:
            self._free -= size
        try:
            yield
        finally:
            self._free_up(size)

    def _free_up(self, size: int) -> None:
        self._free += size
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, turn = self._waiting.popleft()
            self._free -= wanted
            turn.set_result(None)


def _ignore(_: Progress) -> None:
    """Ignore progress where the caller passed no callback."""
