"""A pool of worker processes in which a file that crashes, hangs or exhausts its worker affects only itself.

Each worker has its own pebble pool, so that anything a dying process leaves behind (a lock, a partial message) is
discarded with it. The code that runs inside a worker, and its limits, are in ``worker_process``.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import multiprocessing
import socket
from collections import deque
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from pebble import ProcessExpired, ProcessPool

from classifier.errors import TookTooLong, WorkerLost
from classifier.inference import worker_process
from classifier.inference.memory_check import has_memory_for_another
from classifier.inference.worker_process import WorkerError
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future
    from pathlib import Path

    from classifier.inference.worker_process import FileProcessor, WorkerLimits
    from classifier.song_report import Progress

log = logging.getLogger(__name__)

START_SECONDS: Final = 120
SONGS_PER_WORKER: Final = 500  # workers are replaced regularly, so that memory leaks in native code do not add up
ATTEMPTS: Final = 3
_PROGRESS_MESSAGE_BYTES: Final = 1024

Info = TypeVar("Info")
Result = TypeVar("Result")
T = TypeVar("T")


class PoolClosed(RuntimeError):
    """The pool was closed before the file was processed."""


class _WorkerGone(Exception):
    """A worker died before it started the file, so the file can be given to another one."""


class WorkerPool(Generic[Info, Result]):
    """Processes files in confined child processes that have loaded their processor in advance.

    Parameters
    ----------
    make_processor
        Called in every new worker. It must be picklable: a function of a module, or a ``functools.partial`` of one.
    workers
        Number of processes.
    limits
        Resources that one file may use.
    """

    def __init__(
        self, make_processor: Callable[[], FileProcessor[Info, Result]], *, workers: int, limits: WorkerLimits
    ) -> None:
        self._make_processor, self._workers, self._limits = make_processor, workers, limits
        self._generation = 0
        self._slots: list[_WorkerSlot[Info, Result]] = []
        self._idle: asyncio.Queue[_WorkerSlot[Info, Result] | None] = asyncio.Queue()
        self._background_tasks: set[asyncio.Task[Any]] = set()
        self._retirements: deque[asyncio.Future[_WorkerSlot[Info, Result]]] = deque()
        self._switching = asyncio.Lock()
        self._closed = False
        self.restarts = 0

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the worker processes that are ready."""
        return tuple(slot.pid for slot in self._slots if slot.pid is not None)

    async def start(self, make_processor: Callable[[], FileProcessor[Info, Result]] | None = None) -> Info:
        """Start all workers, wait until each has loaded its processor, and return the processor's info.

        Parameters
        ----------
        make_processor
            Replaces the one that was passed to the constructor.

        Raises
        ------
        WorkerError
            If the processor cannot be loaded.
        """
        self._make_processor = make_processor or self._make_processor
        self._slots = [_WorkerSlot(self._make_processor, self._limits, self._generation) for _ in range(self._workers)]
        try:
            infos = await asyncio.gather(*(slot.open() for slot in self._slots))
        except BaseException:
            await self.close()
            raise
        for slot in self._slots:
            self._idle.put_nowait(slot)
        return infos[0]

    async def run(self, path: Path, on_progress: Callable[[Progress], None] | None = None) -> Result:
        """Process a file as soon as a worker is free.

        Cancelling the awaiting task ends the worker's process.

        Raises
        ------
        SongError
            If the file cannot be processed; ``TookTooLong`` after the time limit, ``WorkerLost`` after a crash or when
            memory ran out.
        WorkerError
            For a bug in the processor.
        PoolClosed
            If the pool is closed.
        """
        for _ in range(ATTEMPTS):
            slot = await self._acquire()
            healthy = False
            try:
                result = await slot.run(path, on_progress)
                healthy = slot.songs < SONGS_PER_WORKER
            except _WorkerGone:
                continue
            except (WorkerLost, TookTooLong):
                raise
            except SongError:
                healthy = True
                raise
            else:
                return result
            finally:
                self._put_back(slot, healthy=healthy)
        raise WorkerLost

    async def _acquire(self) -> _WorkerSlot[Info, Result]:
        slot = None if self._closed else await self._idle.get()
        if slot is None or self._closed:
            self._idle.put_nowait(None)  # wakes the next waiting task
            raise PoolClosed
        if self._is_outdated(slot):
            better = self._take_idle(outdated=False)
            if better is not None:
                self._idle.put_nowait(slot)
                return better
        return slot

    def _put_back(self, slot: _WorkerSlot[Info, Result], *, healthy: bool) -> None:
        if self._closed:
            return
        if healthy or (self._retirements and self._is_outdated(slot)):
            self._make_available(slot)
        else:
            self._spawn(self._restart(slot))

    async def _restart(self, slot: _WorkerSlot[Info, Result]) -> None:
        self.restarts += 1
        try:
            await slot.close()
            await slot.open()
        except Exception:
            # The next file given to this slot tries again, and raises the error if that fails too.
            log.exception("a worker could not be started again")
        self._make_available(slot)

    def _spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a background task that ``close`` cancels."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)
        return task

    def _make_available(self, slot: _WorkerSlot[Info, Result]) -> None:
        """Hand an outdated worker over to a waiting replacement, any other to the next file."""
        if self._retirements and self._is_outdated(slot):
            self._retirements.popleft().set_result(slot)
        else:
            self._idle.put_nowait(slot)

    def _is_outdated(self, slot: _WorkerSlot[Info, Result]) -> bool:
        return slot.generation != self._generation

    async def switch(self, make_processor: Callable[[], FileProcessor[Info, Result]]) -> Info:
        """Replace the workers by workers with another processor, one by one, while files are being processed.

        Returns the new processor's info once the first new worker is ready. Each of the others is started when an old
        one has finished its file and ended, so there is never more than one extra process. If there is no memory for
        an extra process, an old worker ends before the new one starts, and is started again if that fails.

        Raises
        ------
        WorkerError
            If the processor cannot be loaded; the old workers stay.
        PoolClosed
            If the pool was closed in the meantime.
        """
        await self._switching.acquire()
        retired: _WorkerSlot[Info, Result] | None = None
        try:
            if self._closed:
                raise PoolClosed
            if not await asyncio.to_thread(has_memory_for_another, self.pids):
                retired = await self._acquire()
                await retired.close()
            slot = _WorkerSlot(make_processor, self._limits, self._generation + 1)
            info = await self._spawn(self._start_extra(slot))
        except BaseException as error:
            self._switching.release()
            if retired is not None and not self._closed:
                self._spawn(self._restart(retired))
            if self._closed and isinstance(error, asyncio.CancelledError):
                raise PoolClosed from None
            raise
        self._make_processor, self._generation = make_processor, slot.generation
        self._spawn(self._replace_outdated(retired or self._take_idle(outdated=True)))
        self._make_available(slot)
        return info

    async def _start_extra(self, slot: _WorkerSlot[Info, Result]) -> Info:
        """Start an additional worker; it becomes part of the pool only if that succeeds."""
        self._slots.append(slot)
        try:
            info = await slot.open()
        except BaseException:
            await slot.close(for_good=True)
            self._slots.remove(slot)
            raise
        return info

    async def _replace_outdated(self, first: _WorkerSlot[Info, Result] | None) -> None:
        """End the outdated workers one by one, idle ones first, and start a new one for each but the first."""
        try:
            await self._retire_outdated(first)
            while any(map(self._is_outdated, self._slots)):
                beside = await asyncio.to_thread(has_memory_for_another, self.pids)
                if not beside:
                    await self._retire_outdated()
                slot = _WorkerSlot(self._make_processor, self._limits, self._generation)
                try:
                    await self._start_extra(slot)
                except WorkerError as error:
                    # The processor was loaded before, so this is temporary; the next file for this slot tries again.
                    log.warning("a worker could not be started for the new release: %s", error)
                    self._slots.append(slot)
                self._make_available(slot)
                if beside:
                    await self._retire_outdated()
        finally:
            self._switching.release()

    async def _retire_outdated(self, slot: _WorkerSlot[Info, Result] | None = None) -> None:
        """End an outdated worker: the given one, else the first that becomes idle."""
        slot = slot or self._take_idle(outdated=True)
        if slot is None:
            retirement: asyncio.Future[_WorkerSlot[Info, Result]] = asyncio.get_running_loop().create_future()
            self._retirements.append(retirement)
            slot = await retirement
        await slot.close(for_good=True)
        self._slots.remove(slot)

    def _take_idle(self, *, outdated: bool) -> _WorkerSlot[Info, Result] | None:
        """Remove from the idle workers the first one that is (or is not) outdated, and return it."""
        waiting = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        found = next((slot for slot in waiting if slot is not None and self._is_outdated(slot) is outdated), None)
        for slot in waiting:
            if slot is None or slot is not found:
                self._idle.put_nowait(slot)
        return found

    async def close(self) -> None:
        """End all workers immediately, even while they process files."""
        self._closed = True
        self._idle.put_nowait(None)
        for coroutine in tuple(self._background_tasks):
            coroutine.cancel()
        await asyncio.gather(*self._background_tasks, return_exceptions=True)
        await asyncio.gather(*(slot.close(for_good=True) for slot in self._slots))


class _WorkerSlot(Generic[Info, Result]):
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
        self._progress_callback: tuple[int, Callable[[Progress], None]] | None = None
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
        self._progress_callback = (ticket, on_progress) if on_progress else None
        try:
            self._future = self._schedule(path, ticket)
            async with asyncio.timeout(self._limits.seconds):
                return await asyncio.wrap_future(self._future)
        except TimeoutError:
            raise TookTooLong(seconds=self._limits.seconds) from None
        except ProcessExpired as error:
            log.warning("a worker died of %s", error.exitcode)
            raise WorkerLost from None
        except BrokenProcessPool:
            raise _WorkerGone from None
        except asyncio.CancelledError:
            if self._processes is None:  # not cancelled by the caller: the pool was closed
                raise _WorkerGone from None
            raise
        finally:
            self._read_progress()
            self._future = self._progress_callback = None

    def _schedule(self, path: Path, ticket: int) -> Future[Result]:
        if self._processes is None:
            raise _WorkerGone
        try:
            return cast("Future[Result]", self._processes.schedule(worker_process.process, (str(path), ticket)))
        except RuntimeError:  # raised by pebble when the worker died while it was idle
            raise _WorkerGone from None

    def _read_progress(self) -> None:
        """Pass the progress messages of the worker to the callback."""
        while self._progress_sockets is not None:
            try:
                ticket, progress = worker_process.read_progress(self._progress_sockets[0].recv(_PROGRESS_MESSAGE_BYTES))
            except BlockingIOError:
                return
            if self._progress_callback is not None and self._progress_callback[0] == ticket:
                try:
                    self._progress_callback[1](progress)
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
