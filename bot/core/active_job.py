"""A song that this process is working on: its job and the hold on it, its chat, and the progress shown there."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from bot.core.chat import Stage
from storage import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from bot.core.chat import Chat, Song
    from bot.metrics import Metrics
    from storage import Job, Lease, Storage

log = logging.getLogger(__name__)


class Why(Enum):
    """Why a song was stopped: by its sender, because it is not ours any more, or because the bot shuts down."""

    CANCELLED = auto()
    LOST = auto()
    CLOSING = auto()


class Stopped(Exception):
    """The song was stopped where it may be; ``UnderWay.why`` says why."""


class UnderWay:
    """A song between its claim and its end.

    Attributes
    ----------
    song
        As its chat knows it, with what the chat last noted.
    stage
        How far it has come.
    why
        Why it was stopped; None while it goes on.
    """

    def __init__(self, storage: Storage, chat: Chat, song: Song, job: Job, lease: Lease, metrics: Metrics) -> None:
        self.chat = chat
        self.song = song
        self.job = job
        self.lease = lease
        self.stage = Stage("fetching")
        self.why: Why | None = None
        self._storage = storage
        self._metrics = metrics
        self._stage_began = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._may_be_stopped = False
        self._changed = asyncio.Event()
        self._quiet = False
        self._showing: asyncio.Task[None] | None = None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The work itself, once begun."""
        return self._task

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start the work, and showing its progress."""
        self._showing = asyncio.create_task(self._show_stages())
        self._task = asyncio.create_task(work, name=f"song-{self.job.id}")

    def at(self, stage: Stage) -> None:
        """Note how far the song has come; it is shown as soon as the chat has time for it."""
        if stage.kind != self.stage.kind:
            self.leave_stage()
        self.stage = stage
        self._changed.set()

    def leave_stage(self) -> None:
        """Count the time that was spent in the present stage."""
        now = time.monotonic()
        self._metrics.stage_ended(self.stage.kind, now - self._stage_began)
        self._stage_began = now

    def stop(self, why: Why) -> None:
        """Stop the work as soon as it may be stopped; the first reason given is the one that counts."""
        if self.why is not None:
            return
        self.why = why
        if self._may_be_stopped and self._task is not None:
            self._task.cancel()

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Mark what may be cut off at any moment; what is written down or sent elsewhere never is.

        Raises
        ------
        Stopped
            If somebody stops the song within, or had stopped it before.
        """
        if self.why is not None:
            raise Stopped()
        self._may_be_stopped = True
        try:
            yield
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.why is None or task is None:
                raise
            task.uncancel()
            raise Stopped() from None
        finally:
            self._may_be_stopped = False

    async def quiet(self) -> None:
        """Show no more progress: what is being shown just now is waited for, so that nothing overtakes the answer."""
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
                self.stop(Why.LOST)
                return
            except Exception:
                # Progress is a courtesy: a platform that cannot show it now must not cost the song.
                log.warning("job %d: progress could not be shown", self.job.id, exc_info=True)
