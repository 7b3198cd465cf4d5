"""One worker process at a time: it is started, given files, watched, killed and replaced.

``worker_pool`` distributes files among several of them.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import multiprocessing
import os
import signal
import socket
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from pebble import ProcessExpired, ProcessPool

from classifier.errors import TookTooLong, WorkerLost
from classifier.inference import worker_process
from classifier.inference.silence_watch import TICK_SECONDS, SilenceWatch
from classifier.inference.worker_process import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from classifier.inference.worker_process import FileProcessor, WorkerLimits
    from classifier.song_report import Progress

log = logging.getLogger(__name__)

START_SECONDS: Final = 120
_PROGRESS_MESSAGE_BYTES: Final = 1024

Info = TypeVar("Info")
Result = TypeVar("Result")


class WorkerGone(Exception):
    """A worker died before it started the file, so the file can be given to another one."""


class WorkerSilent(Exception):
    """A worker showed no sign of life and was killed; the file is given to another one once."""


class WorkerSlot(Generic[Info, Result]):
    """A worker slot: one worker process at a time, which can be replaced."""

    def __init__(
        self, make_processor: Callable[[], FileProcessor[Info, Result]], limits: WorkerLimits, generation: int
    ) -> None:
        self._make_processor, self._limits, self.generation = make_processor, limits, generation
        self._processes: ProcessPool | None = None
        self._future: Future[Result] | None = None
        self._ending: asyncio.Future[None] | None = None
        self._progress_sockets: tuple[socket.socket, socket.socket] | None = None
        self._tickets = itertools.count()
        self._progress_callback: tuple[int, Callable[[Progress], None] | None] | None = None
        self._watch: SilenceWatch | None = None
        self.pid: int | None = None
        self.songs = 0

    async def open(self) -> Info:
        """Start a worker process and wait until it has loaded its processor."""
        if self._progress_sockets is None:
            self._progress_sockets = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._progress_sockets[0].setblocking(False)
            asyncio.get_running_loop().add_reader(self._progress_sockets[0], self._read_progress)
        self.songs = 0
        self._processes = ProcessPool(
            1,
            initializer=worker_process.initialize,
            initargs=(self._progress_sockets[1],),
            context=multiprocessing.get_context("spawn"),
        )
        try:
            # The first call starts the process, which would block the event loop for a while.
            loading = await asyncio.to_thread(
                self._processes.schedule, worker_process.load, (self._make_processor, self._limits)
            )
            async with asyncio.timeout(START_SECONDS):
                pid, info = cast("tuple[int, Info]", await asyncio.wrap_future(loading))
        except (TimeoutError, ProcessExpired, BrokenProcessPool) as error:
            raise WorkerError(type(error).__name__, "a worker was not ready in time, or died before it was") from error
        self.pid = pid
        return info

    async def run(self, path: Path, on_progress: Callable[[Progress], None] | None) -> Result:
        if self.pid is None:
            await self.close()
            await self.open()
        self.songs += 1
        ticket = next(self._tickets)
        self._progress_callback = ticket, on_progress
        try:
            self._future = self._schedule(path, ticket)
            async with asyncio.timeout(self._limits.seconds):
                return await self._watched(asyncio.wrap_future(self._future))
        except TimeoutError:
            raise TookTooLong(seconds=self._limits.seconds) from None
        except ProcessExpired as error:
            log.warning("a worker died of %s", error.exitcode)
            raise WorkerLost from None
        except BrokenProcessPool:
            raise WorkerGone from None
        except asyncio.CancelledError:
            if self._processes is None:  # not cancelled by the caller: the pool was closed
                raise WorkerGone from None
            raise
        finally:
            self._read_progress()
            self._future = self._progress_callback = self._watch = None

    async def _watched(self, result: asyncio.Future[Result]) -> Result:
        """Wait for the worker's result; kill it if it shows no sign of life."""
        if self.pid is None:
            raise WorkerGone
        self._watch = SilenceWatch(self.pid, self._limits.silence_seconds)
        try:
            while not result.done():
                await asyncio.wait([result], timeout=TICK_SECONDS)
                self._read_progress()
                if not result.done() and self._watch.tick():
                    log.warning("a worker showed no sign of life for %g s", self._limits.silence_seconds)
                    # A stopped process ignores every other signal.
                    with suppress(ProcessLookupError):
                        os.kill(self.pid, signal.SIGKILL)
                    raise WorkerSilent
            return result.result()
        finally:
            result.cancel()

    def _schedule(self, path: Path, ticket: int) -> Future[Result]:
        if self._processes is None:
            raise WorkerGone
        try:
            return cast("Future[Result]", self._processes.schedule(worker_process.process, (str(path), ticket)))
        except RuntimeError:  # raised by pebble when the worker died while it was idle
            raise WorkerGone from None

    def _read_progress(self) -> None:
        """Pass the progress messages of the worker to the callback."""
        while self._progress_sockets is not None:
            try:
                ticket, progress = worker_process.read_progress(self._progress_sockets[0].recv(_PROGRESS_MESSAGE_BYTES))
            except BlockingIOError:
                return
            if self._progress_callback is None or self._progress_callback[0] != ticket:
                continue
            if self._watch is not None:
                self._watch.heard()
            if (callback := self._progress_callback[1]) is not None:
                try:
                    callback(progress)
                except Exception:
                    log.exception("the progress callback failed")

    async def close(self, *, for_good: bool = False) -> None:
        """End the worker process, even while it processes a file."""
        processes, self._processes, self.pid = self._processes, None, None
        if self._future is not None:
            self._future.cancel()
        if processes is not None:
            processes.stop()  # type: ignore[no-untyped-call]
            self._ending = asyncio.ensure_future(asyncio.to_thread(processes.join))
        if self._ending is not None:
            # Shielded, because a process that is being ended must be awaited even if this restart is cancelled.
            await asyncio.shield(self._ending)
        if for_good and self._progress_sockets is not None:
            asyncio.get_running_loop().remove_reader(self._progress_sockets[0])
            for end in self._progress_sockets:
                end.close()
            self._progress_sockets = None
