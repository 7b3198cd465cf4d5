"""The bot's side of a cluster: songs out, progress and answers in; whatever breaks in between, a song is answered once.

A worker that is lost is the scheduler's to see to: it gives the song to another. A scheduler that is lost is seen to
here: songs wait, and are sent again when it is back.
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
from classifier.inference.cluster.messages import Delivery, ReleaseParcel, SongParcel, hear, prepare, take_release
from classifier.inference.cluster.scheduler_client import Link
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

    Tell = Callable[[Progress], None]

log = logging.getLogger(__name__)

BYTES_IN_FLIGHT: Final = 256 * MEBIBYTE
"""Songs under way in the cluster at a time, by their size: so much the scheduler holds for one bot at most."""
PATIENCE_SECONDS: Final = 3.0
"""After which a song that no machine has begun is said to be waiting, again and again: chats leave steps out."""
ATTEMPTS: Final = 5
"""Starts of a song after which it is taken for the reason that it never ends."""
SWITCH_SECONDS: Final = 120.0


class ClusterExecutor:
    """Classifies songs on the machines of a Dask cluster.

    Parameters
    ----------
    url
        ``tcp://host:port`` or ``tls://host:port`` of the scheduler.
    model_dir
        The release that serves; machines are sent it as soon as they ask.
    max_minutes
        Longer songs are refused.
    credentials
        For ``tls://``.
    bytes_in_flight
        How much of songs may be under way; a larger song goes alone.

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
        self._room = Room(bytes_in_flight)
        self._release: ReleaseParcel | None = None
        # What machines may ask for: the release that serves, and its neighbours in time.
        self._releases: dict[str, ReleaseParcel] = {}
        self._listeners: dict[str, Tell] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._songs: set[asyncio.Task[Any]] = set()
        self._link: Link | None = None
        self._closed = False

    @property
    def release(self) -> str:
        return self._serving.name.name

    @property
    def genres(self) -> tuple[str, ...]:
        return self._serving.genres

    @property
    def _serving(self) -> ReleaseParcel:
        if self._release is None:
            raise RuntimeError("the executor has not been started")
        return self._release

    @property
    def connected(self) -> bool:
        """Whether the scheduler can be reached just now."""
        return self._link is not None and self._link.client is not None

    async def start(self) -> None:
        """Read the release and begin to connect; songs wait for as long as there is nobody to listen."""
        try:
            self._release = await asyncio.to_thread(ReleaseParcel.read, self._model_dir)
        except BadRelease as error:
            raise CannotStart(str(error)) from error
        self._releases = {self._release.name.digest: self._release}
        self._link = Link(self._url, self._security, self._topic, self._heard)
        self._link.open()

    async def classify(self, path: Path, *, on_progress: Tell | None = None) -> Classification:
        caller = asyncio.current_task()
        if self._closed or caller is None:
            raise PoolClosed
        work = asyncio.create_task(self._classify(path, on_progress or _nobody))
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
            parcel = await asyncio.to_thread(ReleaseParcel.read, self._model_dir)
        except BadRelease as error:
            raise ReleaseRefused(str(error)) from error
        before = self._serving
        # Machines may ask for it from now on; songs go to the former until one machine has loaded it.
        self._releases = {each.name.digest: each for each in (before, parcel)}
        try:
            async with asyncio.timeout(SWITCH_SECONDS):
                reason = await self._prepare(parcel)
        except TimeoutError:
            reason = f"no machine of {self._url} could load it within {SWITCH_SECONDS:g} s"
        if reason:
            raise ReleaseRefused(reason)
        self._release = parcel

    async def close(self) -> None:
        self._closed = True
        for task in (*self._sending, *self._songs):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._link is not None:
            await self._link.close()

    # A song

    async def _classify(self, path: Path, tell: Tell) -> Classification:
        starts = 0

        def told(progress: Progress) -> None:
            nonlocal starts
            starts += progress.stage == "decoding"
            tell(progress)

        async with self._room.taken((await asyncio.to_thread(path.stat)).st_size):
            content = await asyncio.to_thread(path.read_bytes)
            while starts < ATTEMPTS:
                delivery = await self._deliver(content, path.suffix, told)
                if delivery.answer is not None:
                    return delivery.answer
                failure = delivery.refusal or delivery.fault
                if failure is not None:
                    raise failure
        raise WorkerLost

    async def _deliver(self, content: bytes, suffix: str, tell: Tell) -> Delivery:
        """Send a song and wait for what becomes of it; an empty delivery means that it has to be sent again."""
        ticket = f"song-{uuid.uuid4().hex}"
        with self._listening(ticket, tell):
            client = await self._client(tell)
            song = SongParcel(ticket, content, suffix, self._serving.name, self._max_minutes, self._topic)
            try:
                future = client.submit(hear, song, key=ticket, pure=False, retries=0)
            except (OSError, RuntimeError, ValueError) as error:  # it has just been closed
                return self._lost(client, error)
            try:
                delivery: Delivery = await future
            except KilledWorker:
                log.warning("a song was given up: every machine that began it died")
                return Delivery(refusal=WorkerLost())
            except (FutureCancelledError, TaskGone, CommClosedError, OSError) as error:
                return self._lost(client, error)
            else:
                return delivery
            finally:
                # Whoever lets go of the last hold on a task has it stopped where it is.
                future.release()  # type: ignore[no-untyped-call]

    async def _client(self, tell: Tell) -> Client:
        if self._link is None:
            raise RuntimeError("the executor has not been started")
        if self._link.client is None:
            tell(Progress("waiting"))
        return await self._link.connected()

    def _lost(self, client: Client, error: BaseException) -> Delivery:
        log.info("a song is sent again: %s", str(error).partition("\n")[0] or type(error).__name__)
        if self._link is not None:
            self._link.lost(client)
        return Delivery()

    @contextmanager
    def _listening(self, ticket: str, tell: Tell) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        waiting = loop.call_later(PATIENCE_SECONDS, lambda: remind())

        def remind() -> None:
            nonlocal waiting
            waiting = loop.call_later(PATIENCE_SECONDS, remind)
            tell(Progress("waiting"))

        def told(progress: Progress) -> None:
            waiting.cancel()
            tell(progress)

        self._listeners[ticket] = told
        try:
            yield
        finally:
            waiting.cancel()
            del self._listeners[ticket]

    # What machines say

    def _heard(self, message: dict[str, Any]) -> None:
        match message:
            case {"song": str(ticket), "stage": str(stage), "segment": int(segment), "segments": int(segments)}:
                if ticket in self._listeners:
                    self._listeners[ticket](Progress(stage, segment, segments))
            case {"release": str(digest), "worker": str(worker)}:
                sending = asyncio.create_task(self._send_release(digest, worker))
                self._sending.add(sending)
                sending.add_done_callback(self._sending.discard)

    async def _send_release(self, digest: str, worker: str) -> None:
        client = self._link.client if self._link is not None else None
        parcel = self._releases.get(digest)
        if client is None or parcel is None:
            return  # it asks again with the next song
        log.info("release %s goes to %s", parcel.name.name, worker)
        try:
            await client.run(take_release, parcel, workers=[worker], on_error="ignore")
        except (OSError, CommClosedError, TaskGone, ValueError) as error:
            log.warning("release %s could not be sent to %s: %s", parcel.name.name, worker, error)

    async def _prepare(self, parcel: ReleaseParcel) -> str:
        while True:
            client = await self._client(_nobody)
            future = client.submit(
                prepare, parcel.name, self._max_minutes, self._topic, key=f"prepare-{uuid.uuid4().hex}", pure=False
            )
            try:
                return str(await future)
            except KilledWorker:
                return "every machine that tried to load it died"
            except (FutureCancelledError, TaskGone, CommClosedError, OSError) as error:
                self._lost(client, error)
            finally:
                future.release()  # type: ignore[no-untyped-call]


class Room:
    """So many bytes may be taken at a time; who comes first goes first, and what is larger than all of it goes alone.

    Parameters
    ----------
    size
        Bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Take so many bytes of the room, as soon as it has them."""
        size = min(size, self._size)
        if self._waiting or size > self._free:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._give_back(size)
                else:
                    self._waiting.remove((size, turn))
                    self._give_back(0)
                raise
        else:
            self._free -= size
        try:
            yield
        finally:
            self._give_back(size)

    def _give_back(self, size: int) -> None:
        self._free += size
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, turn = self._waiting.popleft()
            self._free -= wanted
            turn.set_result(None)


def _nobody(_: Progress) -> None:
    """Take progress that nobody asked for."""
