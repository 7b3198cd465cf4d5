"""Decides what becomes of a song that could not be finished: it is put off, tried again, given up or told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.core.active_job import JobStopped, StopReason
from bot.core.errors import DownloadTooSlow, FetchLater, OurFault, TryLater
from classifier.errors import WorkerLost
from common.errors import StorageUnavailable, is_disk_fault
from storage import MAX_ATTEMPTS, LeaseLost

if TYPE_CHECKING:
    from bot.core.active_job import ActiveJob
    from bot.core.job_runner import JobRunner
    from bot.core.wait_estimate import WaitEstimate
    from bot.metrics import Metrics
    from common.errors import UserError
    from storage import Storage

FAULT_DELAY_SECONDS = 5.0
# A song that met a full disk is tried again after so long, and for so long.
OUTAGE_DELAY_SECONDS = 15.0
OUTAGE_PATIENCE_SECONDS = 3600.0

# So often a platform is asked for the bytes of a song, with pauses up to these: for about three quarters of an hour.
MAX_FETCHES = 15
FETCH_DELAY_SECONDS = 300.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Trouble:
    """How often a song could not be fetched, and since when nothing of it can be stored."""

    fetches: int = 0
    outage_since: float | None = None


class JobRetries:
    """Runs jobs, and returns those to the queue that may still be finished.

    Parameters
    ----------
    storage, runner
        Where jobs are stored, and what runs them.
    metrics, estimate
        Count bugs, and learn how long a song takes.
    """

    def __init__(self, storage: Storage, runner: JobRunner, metrics: Metrics, estimate: WaitEstimate) -> None:
        self._storage = storage
        self._runner = runner
        self._metrics = metrics
        self._estimate = estimate
        self._troubles: defaultdict[int, _Trouble] = defaultdict(_Trouble)

    async def run(self, running: ActiveJob) -> str | None:
        """Return a song's outcome; None if it goes on later or in another process.

        Raises
        ------
        LeaseLost
            If another process has the song now.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            outcome = await self._runner.run(running)
        except FetchLater as later:
            return await self._fetch_later(running, later)
        except TryLater as later:
            log.warning("job %d: %s cannot be reached: %s", running.job.id, running.job.platform, later)
            await self._storage.jobs.release(running.lease, delay_seconds=later.seconds)
            return None
        except LeaseLost:
            raise
        except WorkerLost:
            # Another worker hears it; the queue says how often that may happen.
            await self._storage.jobs.release(running.lease, counts=True)
            return None
        except JobStopped:
            return await self._stopped(running)
        except StorageUnavailable:
            return await self._put_off(running)
        except Exception as error:
            if is_disk_fault(error):
                return await self._put_off(running)
            self._metrics.fault()
            log.exception("job %d failed because of a bug", running.job.id)
            return await self._after_bug(running)
        self._troubles.pop(running.job.id, None)
        if outcome is not None and not running.job.cancel_requested:
            self._estimate.learn(clock() - began)
        return outcome

    async def _fetch_later(self, running: ActiveJob, later: FetchLater) -> str | None:
        """Return a song to the queue whose platform does not hand over its bytes, each time for longer."""
        trouble = self._troubles[running.job.id]
        trouble.fetches, trouble.outage_since = trouble.fetches + 1, None
        if trouble.fetches >= MAX_FETCHES:
            return await self._refuse(running, DownloadTooSlow())
        log.warning("job %d: %s does not hand it over: %s", running.job.id, running.job.platform, later)
        delay = max(later.seconds, min(later.seconds * 2 ** (trouble.fetches - 1), FETCH_DELAY_SECONDS))
        await self._storage.jobs.release(running.lease, delay_seconds=delay)
        return None

    async def _refuse(self, running: ActiveJob, error: UserError) -> str | None:
        """Tell a person that their song has no answer; if they cannot be told now, the song is tried once more."""
        try:
            outcome = await self._runner.refuse(running, error)
        except TryLater as later:
            await self._storage.jobs.release(running.lease, delay_seconds=max(later.seconds, FETCH_DELAY_SECONDS))
            return None
        self._troubles.pop(running.job.id, None)
        return outcome

    async def _put_off(self, running: ActiveJob) -> str | None:
        """Return a song to the queue until something can be stored again; it is no fault of the song.

        What does not fit on the disk for that long is told, since the song itself may be what is too large for it.
        """
        trouble, now = self._troubles[running.job.id], time.monotonic()
        if trouble.outage_since is None:
            trouble.outage_since = now
        if now - trouble.outage_since > OUTAGE_PATIENCE_SECONDS:
            return await self._refuse(running, StorageUnavailable())
        log.warning("job %d waits: nothing can be stored at the moment", running.job.id)
        release = partial(self._storage.jobs.release, running.lease, delay_seconds=OUTAGE_DELAY_SECONDS)
        await running.until_stored(release)
        return None

    async def _stopped(self, running: ActiveJob) -> str | None:
        await running.quiet()
        if running.stop_reason is StopReason.CANCELLED:
            try:
                await running.chat.stopped(running.song)
            except TryLater as later:
                # Storage knows that it was cancelled: whoever claims it next says so.
                await self._storage.jobs.release(running.lease, delay_seconds=later.seconds)
                return None
            return "cancelled"
        if running.stop_reason is StopReason.CLOSING:
            await self._storage.jobs.release(running.lease)
        return None

    async def _after_bug(self, running: ActiveJob) -> str | None:
        attempts = running.job.attempts + 1
        if attempts < MAX_ATTEMPTS:
            delay = FAULT_DELAY_SECONDS * attempts
            await self._storage.jobs.release(running.lease, delay_seconds=delay, counts=True)
            return None
        return await self._refuse(running, OurFault())
