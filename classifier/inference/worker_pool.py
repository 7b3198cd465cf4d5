"""A pool of worker processes in which one file's crash, hang or hunger costs only itself.

Each worker has a pebble pool to itself, so that whatever a dying process leaves behind (a lock, half a message) is
thrown away with it. ``worker_process`` says what a worker does, and within which limits.
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
from classifier.inference.memory_check import has_room
from classifier.inference.worker_process import WorkFailed
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future
    from pathlib import Path

    from classifier.inference.worker_process import Limits, Work
    from classifier.song_report import Progress

log = logging.getLogger(__name__)

START_SECONDS: Final = 120
SONGS_PER_WORKER: Final = 500  # a fresh process now and then, so that no leak in native code adds up
ATTEMPTS: Final = 3
_MESSAGE_BYTES: Final = 1024

About = TypeVar("About")
Result = TypeVar("Result")
Done = TypeVar("Done")


class PoolClosed(RuntimeError):
    """The pool was closed before or while the file was worked on."""


class _WorkerGone(Exception):
    """A worker had died before it took the file: another can have it."""


class WorkerPool(Generic[About, Result]):
    """Does work on files, each in a confined, warmed-up child process.

    Parameters
    ----------
    make_work
        Called in every new worker; it must survive pickling, so a module's function or a ``functools.partial`` of one.
    workers
        How many processes.
    limits
        What one file may use.
    """

    def __init__(self, make_work: Callable[[], Work[About, Result]], *, workers: int, limits: Limits) -> None:
        self._make_work, self._workers, self._limits = make_work, workers, limits
        self._edition = 0
        self._slots: list[_Slot[About, Result]] = []
        self._idle: asyncio.Queue[_Slot[About, Result] | None] = asyncio.Queue()
        self._chores: set[asyncio.Task[Any]] = set()
        self._leaving: deque[asyncio.Future[_Slot[About, Result]]] = deque()
        self._switching = asyncio.Lock()
        self._closed = False
        self.restarts = 0

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the worker processes that are ready."""
        return tuple(slot.pid for slot in self._slots if slot.pid is not None)

    async def start(self, make_work: Callable[[], Work[About, Result]] | None = None) -> About:
        """Start all workers, wait until each has loaded its work, and return what the work says of itself.

        Parameters
        ----------
        make_work
            In place of the one that the pool was made with.

        Raises
        ------
        WorkFailed
            If the work cannot be loaded.
        """
        self._make_work = make_work or self._make_work
        self._slots = [_Slot(self._make_work, self._limits, self._edition) for _ in range(self._workers)]
        try:
            abouts = await asyncio.gather(*(slot.open() for slot in self._slots))
        except BaseException:
            await self.close()
            raise
        for slot in self._slots:
            self._idle.put_nowait(slot)
        return abouts[0]

    async def run(self, path: Path, on_progress: Callable[[Progress], None] | None = None) -> Result:
        """Work on one file as soon as a worker is free.

        Cancelling the task that awaits this ends the worker's process, and with it the work.

        Raises
        ------
        SongError
            What is wrong with the file: among others ``TookTooLong`` and, after a crash or when memory ran out,
            ``WorkerLost``.
        WorkFailed
            For a bug in the work.
        PoolClosed
            If the pool is closed.
        """
        for _ in range(ATTEMPTS):
            slot = await self._take()
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
                self._give_back(slot, healthy=healthy)
        raise WorkerLost

    async def _take(self) -> _Slot[About, Result]:
        slot = None if self._closed else await self._idle.get()
        if slot is None or self._closed:
            self._idle.put_nowait(None)  # for the next one who waits
            raise PoolClosed
        if self._is_outdated(slot):
            better = self._idle_one(outdated=False)
            if better is not None:
                self._idle.put_nowait(slot)
                return better
        return slot

    def _give_back(self, slot: _Slot[About, Result], *, healthy: bool) -> None:
        if self._closed:
            return
        if healthy or (self._leaving and self._is_outdated(slot)):
            self._offer(slot)
        else:
            self._begin(self._renew(slot))

    async def _renew(self, slot: _Slot[About, Result]) -> None:
        self.restarts += 1
        try:
            await slot.close()
            await slot.open()
        except Exception:
            # The next song that comes to this place tries again, and learns why if it fails again.
            log.exception("a worker could not be started again")
        self._offer(slot)

    def _begin(self, chore: Coroutine[Any, Any, Done]) -> asyncio.Task[Done]:
        """Start what ``close`` puts an end to."""
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    def _offer(self, slot: _Slot[About, Result]) -> None:
        """Give a worker to whoever waits for one: to end it if it is outdated, else to work with it."""
        if self._leaving and self._is_outdated(slot):
            self._leaving.popleft().set_result(slot)
        else:
            self._idle.put_nowait(slot)

    def _is_outdated(self, slot: _Slot[About, Result]) -> bool:
        return slot.edition != self._edition

    async def switch(self, make_work: Callable[[], Work[About, Result]]) -> About:
        """Bring the workers over to other work, one by one, while files go on being worked on.

        Returns once the first new worker is there, with what its work says of itself; each of the others follows when
        a former one has finished its file and ended, so that there is never more than one process too many. Where
        there is no memory for that one, a former worker ends before the new one begins, and comes back if that fails.

        Raises
        ------
        WorkFailed
            If the work cannot be loaded; nothing has changed then.
        PoolClosed
            If the pool was closed meanwhile.
        """
        await self._switching.acquire()
        former: _Slot[About, Result] | None = None
        try:
            if self._closed:
                raise PoolClosed
            if not await asyncio.to_thread(has_room, self.pids):
                former = await self._take()
                await former.close()
            slot = _Slot(make_work, self._limits, self._edition + 1)
            about = await self._begin(self._open_beside(slot))
        except BaseException as error:
            self._switching.release()
            if former is not None and not self._closed:
                self._begin(self._renew(former))
            if self._closed and isinstance(error, asyncio.CancelledError):
                raise PoolClosed from None
            raise
        self._make_work, self._edition = make_work, slot.edition
        self._begin(self._bring_over(former or self._idle_one(outdated=True)))
        self._offer(slot)
        return about

    async def _open_beside(self, slot: _Slot[About, Result]) -> About:
        """Make a worker ready that belongs to the pool only once it is."""
        self._slots.append(slot)
        try:
            about = await slot.open()
        except BaseException:
            await slot.close(for_good=True)
            self._slots.remove(slot)
            raise
        return about

    async def _bring_over(self, first: _Slot[About, Result] | None) -> None:
        """End the outdated workers one by one, an idle one first, and make a new one ready for each but the first."""
        try:
            await self._end_outdated(first)
            while any(map(self._is_outdated, self._slots)):
                beside = await asyncio.to_thread(has_room, self.pids)
                if not beside:
                    await self._end_outdated()
                slot = _Slot(self._make_work, self._limits, self._edition)
                try:
                    await self._open_beside(slot)
                except WorkFailed as error:
                    # It has been loaded before, so this passes; the next song that comes to this place tries again.
                    log.warning("a worker could not be started for the new release: %s", error)
                    self._slots.append(slot)
                self._offer(slot)
                if beside:
                    await self._end_outdated()
        finally:
            self._switching.release()

    async def _end_outdated(self, slot: _Slot[About, Result] | None = None) -> None:
        """End an outdated worker: the given one, else whichever has nothing to do first."""
        slot = slot or self._idle_one(outdated=True)
        if slot is None:
            leaving: asyncio.Future[_Slot[About, Result]] = asyncio.get_running_loop().create_future()
            self._leaving.append(leaving)
            slot = await leaving
        await slot.close(for_good=True)
        self._slots.remove(slot)

    def _idle_one(self, *, outdated: bool) -> _Slot[About, Result] | None:
        """Take out of the waiting workers the first that is outdated, or that is not."""
        waiting = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        found = next((slot for slot in waiting if slot is not None and self._is_outdated(slot) is outdated), None)
        for slot in waiting:
            if slot is None or slot is not found:
                self._idle.put_nowait(slot)
        return found

    async def close(self) -> None:
        """End all workers at once, whatever they are doing."""
        self._closed = True
        self._idle.put_nowait(None)
        for chore in tuple(self._chores):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.gather(*(slot.close(for_good=True) for slot in self._slots))


class _Slot(Generic[About, Result]):
    """A place for one worker, and the worker that has it now."""

    def __init__(self, make_work: Callable[[], Work[About, Result]], limits: Limits, edition: int) -> None:
        self._make_work, self._limits, self.edition = make_work, limits, edition
        self._processes: ProcessPool | None = None
        self._future: Future[Result] | None = None
        self._ending: asyncio.Future[None] | None = None
        self._news: tuple[socket.socket, socket.socket] | None = None
        self._tickets = itertools.count()
        self._listener: tuple[int, Callable[[Progress], None]] | None = None
        self.pid: int | None = None
        self.songs = 0

    async def open(self) -> About:
        """Start a worker and wait until it is ready."""
        if self._news is None:
            self._news = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._news[0].setblocking(False)
            asyncio.get_running_loop().add_reader(self._news[0], self._hear)
        self.songs = 0
        self._processes = ProcessPool(
            1, initializer=worker_process.begin, initargs=(self._news[1],), context=multiprocessing.get_context("spawn")
        )
        try:
            # The first call starts the process, which takes a while, and this loop has people to answer.
            loading = await asyncio.to_thread(
                self._processes.schedule, worker_process.load, (self._make_work, self._limits)
            )
            async with asyncio.timeout(START_SECONDS):
                pid, about = cast("tuple[int, About]", await asyncio.wrap_future(loading))
        except (TimeoutError, ProcessExpired, BrokenProcessPool) as error:
            raise WorkFailed(type(error).__name__, "a worker was not ready in time, or died before it was") from error
        self.pid = pid
        return about

    async def run(self, path: Path, on_progress: Callable[[Progress], None] | None) -> Result:
        if self.pid is None:
            await self.close()
            await self.open()
        self.songs += 1
        ticket = next(self._tickets)
        self._listener = (ticket, on_progress) if on_progress else None
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
            if self._processes is None:  # nobody cancelled the task: the pool was closed under it
                raise _WorkerGone from None
            raise
        finally:
            self._hear()
            self._future = self._listener = None

    def _schedule(self, path: Path, ticket: int) -> Future[Result]:
        if self._processes is None:
            raise _WorkerGone
        try:
            return cast("Future[Result]", self._processes.schedule(worker_process.do, (str(path), ticket)))
        except RuntimeError:  # pebble's word for a pool whose worker died while it had nothing to do
            raise _WorkerGone from None

    def _hear(self) -> None:
        """Pass on what the worker has told of its progress."""
        while self._news is not None:
            try:
                ticket, progress = worker_process.read_progress(self._news[0].recv(_MESSAGE_BYTES))
            except BlockingIOError:
                return
            if self._listener is not None and self._listener[0] == ticket:
                try:
                    self._listener[1](progress)
                except Exception:
                    log.exception("progress could not be told")

    async def close(self, *, for_good: bool = False) -> None:
        """End the worker, and with it what it is doing."""
        processes, self._processes, self.pid = self._processes, None, None
        if self._future is not None:
            self._future.cancel()
        if processes is not None:
            processes.stop()  # type: ignore[no-untyped-call]
            self._ending = asyncio.ensure_future(asyncio.to_thread(processes.join))
        if self._ending is not None:
            # Shielded: a renewal may be cancelled while it waits here, but what has begun to end must be waited for.
            await asyncio.shield(self._ending)
        if for_good and self._news is not None:
            asyncio.get_running_loop().remove_reader(self._news[0])
            for end in self._news:
                end.close()
            self._news = None
