"""A pool of worker processes in which a file that crashes, hangs or exhausts its worker affects only itself.

Each worker has its own pebble pool (``worker_slot``), so that anything a dying process leaves behind (a lock, a partial
message) is discarded with it. The code that runs inside a worker, and its limits, are in ``worker_process``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from classifier.errors import TookTooLong, WorkerFrozen, WorkerLost
from classifier.inference.memory_check import has_memory_for_another
from classifier.inference.worker_process import WorkerError
from classifier.inference.worker_slot import WorkerGone, WorkerSilent, WorkerSlot
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from classifier.inference.worker_process import FileProcessor, WorkerLimits
    from classifier.song_report import Progress

log = logging.getLogger(__name__)

SONGS_PER_WORKER: Final = 500  # workers are replaced regularly, so that memory leaks in native code do not add up
ATTEMPTS: Final = 3

Info = TypeVar("Info")
Result = TypeVar("Result")
T = TypeVar("T")


class PoolClosed(RuntimeError):
    """The pool was closed before the file was processed."""


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
        self._slots: list[WorkerSlot[Info, Result]] = []
        self._idle: asyncio.Queue[WorkerSlot[Info, Result] | None] = asyncio.Queue()
        self._background_tasks: set[asyncio.Task[Any]] = set()
        self._retirements: deque[asyncio.Future[WorkerSlot[Info, Result]]] = deque()
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
        self._slots = [WorkerSlot(self._make_processor, self._limits, self._generation) for _ in range(self._workers)]
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
            memory ran out, ``WorkerFrozen`` if two workers showed no sign of life.
        WorkerError
            For a bug in the processor, or if workers keep dying before they begin.
        PoolClosed
            If the pool is closed.
        """
        was_silent = False
        for _ in range(ATTEMPTS):
            slot = await self._acquire()
            healthy = False
            try:
                result = await slot.run(path, on_progress)
                healthy = slot.songs < SONGS_PER_WORKER
            except WorkerGone:
                continue
            except WorkerSilent:
                if was_silent:
                    raise WorkerFrozen from None
                was_silent = True
            except (WorkerLost, TookTooLong):
                raise
            except SongError:
                healthy = True
                raise
            else:
                return result
            finally:
                self._put_back(slot, healthy=healthy)
        raise WorkerError("WorkerGone", f"{ATTEMPTS} workers died before they began")

    async def _acquire(self) -> WorkerSlot[Info, Result]:
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

    def _put_back(self, slot: WorkerSlot[Info, Result], *, healthy: bool) -> None:
        if self._closed:
            return
        if healthy or (self._retirements and self._is_outdated(slot)):
            self._make_available(slot)
        else:
            self._spawn(self._restart(slot))

    async def _restart(self, slot: WorkerSlot[Info, Result]) -> None:
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

    def _make_available(self, slot: WorkerSlot[Info, Result]) -> None:
        """Hand an outdated worker over to a waiting replacement, any other to the next file."""
        if self._retirements and self._is_outdated(slot):
            self._retirements.popleft().set_result(slot)
        else:
            self._idle.put_nowait(slot)

    def _is_outdated(self, slot: WorkerSlot[Info, Result]) -> bool:
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
        retired: WorkerSlot[Info, Result] | None = None
        try:
            if self._closed:
                raise PoolClosed
            if not await asyncio.to_thread(has_memory_for_another, self.pids):
                retired = await self._acquire()
                await retired.close()
            slot = WorkerSlot(make_processor, self._limits, self._generation + 1)
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

    async def _start_extra(self, slot: WorkerSlot[Info, Result]) -> Info:
        """Start an additional worker; it becomes part of the pool only if that succeeds."""
        self._slots.append(slot)
        try:
            info = await slot.open()
        except BaseException:
            await slot.close(for_good=True)
            self._slots.remove(slot)
            raise
        return info

    async def _replace_outdated(self, first: WorkerSlot[Info, Result] | None) -> None:
        """End the outdated workers one by one, idle ones first, and start a new one for each but the first."""
        try:
            await self._retire_outdated(first)
            while any(map(self._is_outdated, self._slots)):
                beside = await asyncio.to_thread(has_memory_for_another, self.pids)
                if not beside:
                    await self._retire_outdated()
                slot = WorkerSlot(self._make_processor, self._limits, self._generation)
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

    async def _retire_outdated(self, slot: WorkerSlot[Info, Result] | None = None) -> None:
        """End an outdated worker: the given one, else the first that becomes idle."""
        slot = slot or self._take_idle(outdated=True)
        if slot is None:
            retirement: asyncio.Future[WorkerSlot[Info, Result]] = asyncio.get_running_loop().create_future()
            self._retirements.append(retirement)
            slot = await retirement
        await slot.close(for_good=True)
        self._slots.remove(slot)

    def _take_idle(self, *, outdated: bool) -> WorkerSlot[Info, Result] | None:
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
