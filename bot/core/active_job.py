"""A song that this process works on: its job and lease, its chat, and the progress shown there."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from bot.core.chat import Stage
from common.errors import StorageUnavailable
from storage import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from bot.core.chat import Chat, PendingSong
    from bot.metrics import Metrics
    from storage import Job, Lease, Storage

Stored = TypeVar("Stored")

OUTAGE_SECONDS = 1.0
"""Between two attempts to store something while nothing can be stored."""

log = logging.getLogger(__name__)


class StopReason(Enum):
    """StopReason a song was stopped: by its sender, because the lease was lost, or because the bot shuts down."""

    CANCELLED = auto()
    LOST = auto()
    CLOSING = auto()


class JobStopped(Exception):
    """The work on a song was interrupted; ``ActiveJob.stop_reason`` says why."""


class ActiveJob:
    """A song from the moment its job was claimed until it has ended.

    Parameters
    ----------
    moved
        Called when the song enters another stage.

    Attributes
    ----------
    song
        As its chat knows it, with what the chat last noted.
    stage
        How far it has come.
    stop_reason
        StopReason it was stopped; None while the work goes on.
    waits_for_storage
        Whether its outcome could not be stored yet.
    """

    def __init__(
        self,
        storage: Storage,
        chat: Chat,
        song: PendingSong,
        job: Job,
        lease: Lease,
        metrics: Metrics,
        moved: Callable[[], None],
    ) -> None:
        self.chat = chat
        self.song = song
        self.job = job
        self.lease = lease
        self.stage = Stage("fetching")
        self.stop_reason: StopReason | None = None
        self._storage = storage
        self._metrics = metrics
        self._moved = moved
        self._stage_began = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._interruptible = False
        self._changed = asyncio.Event()
        self._quiet = False
        self.waits_for_storage = False
        self._showing: asyncio.Task[None] | None = None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that does the work, once begun."""
        return self._task

    @property
    def is_ahead(self) -> bool:
        """Whether it is being fetched, or waits for a worker with its bytes at hand."""
        return self.stage.kind in {"fetching", "queued"}

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start the work, and showing its progress."""
        self._showing = asyncio.create_task(self._show_stages())
        self._task = asyncio.create_task(work, name=f"song-{self.job.id}")

    def at(self, stage: Stage) -> None:
        """Note how far the song has come; it is shown as soon as the chat has time for it."""
        is_new = stage.kind != self.stage.kind
        if is_new:
            self.leave_stage()
        self.stage = stage
        self._changed.set()
        if is_new:
            self._moved()

    def leave_stage(self) -> None:
        """Record the time that was spent in the present stage."""
        now = time.monotonic()
        self._metrics.stage_ended(self.stage.kind, now - self._stage_began)
        self._stage_began = now

    def stop(self, why: StopReason) -> None:
        """Stop the work as soon as it can be interrupted; only the first reason counts."""
        if self.stop_reason is not None:
            return
        self.stop_reason = why
        if self._interruptible and self._task is not None:
            self._task.cancel()

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Allow the enclosed work to be interrupted at any moment; writes and answers elsewhere never are.

        Raises
        ------
        JobStopped
            If the song is stopped meanwhile, or was stopped before.
        """
        if self.stop_reason is not None:
            raise JobStopped()
        self._interruptible = True
        try:
            yield
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.stop_reason is None or task is None:
                raise
            task.uncancel()
            raise JobStopped() from None
        finally:
            self._interruptible = False

    async def until_stored(self, write: Callable[[], Awaitable[Stored]]) -> Stored:
        """Store what must not be lost once it was computed or told: in an outage, again until it is over.

        Raises
        ------
        StorageUnavailable
            If the song is stopped meanwhile, or the bot is.
        """
        while True:
            try:
                return await write()
            except StorageUnavailable:
                if self.stop_reason is not None:
                    raise
                self.waits_for_storage = True
                try:
                    await asyncio.sleep(OUTAGE_SECONDS)
                finally:
                    self.waits_for_storage = False

    async def quiet(self) -> None:
        """Show no more progress, and wait for what is being shown, so that it cannot overtake the answer."""
        self._quiet = True
        self._changed.set()
        if self._showing is not None:
            await asyncio.shield(self._showing)

    async def _show_stages(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._quiet:
                return
            try:
                noted = await self.chat.show(self.song, self.stage)
                if noted is not None and noted != self.song.noted:
                    self.song = replace(self.song, noted=noted)
                    await self._storage.jobs.save_progress(self.lease, noted)
            except LeaseLost:
                self.stop(StopReason.LOST)
                return
            except Exception:
                # A platform that cannot show progress must not fail the song.
                log.warning("job %d: progress could not be shown", self.job.id, exc_info=True)
