"""The queue of songs: claims jobs fairly, renews their leases, cancels them, and resumes them after a restart.

Jobs are stored by ``storage.jobs`` and run by ``bot.core.job_runner``; ``bot.core.job_retries`` decides what
becomes of those that could not be finished.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.core.active_job import ActiveJob, StopReason
from bot.core.chat import Stage
from bot.core.errors import Closing, TryLater, Undeliverable
from bot.core.job_retries import JobRetries
from bot.core.playlist_question import PlaylistQuestion
from bot.core.retries import with_retries
from bot.core.wait_estimate import WaitEstimate
from bot.metrics import Metrics
from common.errors import StorageUnavailable
from storage import LEASE_SECONDS, CancelResult, ClaimedJob, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.core.background_inference import BackgroundInference
    from bot.core.chat import Chat
    from bot.core.job_runner import JobRunner
    from bot.core.pending_songs import PendingSongs
    from storage import Job, NewJob, Storage

# A song that was cancelled through another process stops within this time.
HEARTBEAT_SECONDS = LEASE_SECONDS / 6
# A job that another process released, or whose delay has passed, is claimed within this time.
POLL_SECONDS = 3.0
# Songs beyond the number of worker slots that may be fetched, or wait with their bytes at hand, at a time.
FETCHES_AHEAD = 3
# Answers beyond those that may wait for their platform while other songs are worked on.
ANSWERS_AHEAD = 50
# What storage gives as the place of a running job.
RUNNING = 0
# At the end, running songs have the first time to finish; the others are released within the second.
FINISH_SECONDS = 5.0
RELEASE_SECONDS = 3.0

log = logging.getLogger(__name__)


class SongQueue:
    """Works on everybody's songs.

    Parameters
    ----------
    storage, runner
        Where jobs are stored, and what runs them.
    chats
        Platform → chat, for every chat that runs; jobs of other platforms are left alone.
    songs
        Turns jobs into the songs that their chats know.
    owner
        Name of this process, the same after a restart.
    slots
        How many songs are classified at a time.
    metrics
        Records waits, stages and outcomes.
    homes
        Platform → name of the account that this process uses there: only processes with the same account take its
        songs over. Without any, all songs of its platforms are taken.
    """

    def __init__(
        self,
        storage: Storage,
        runner: JobRunner,
        chats: Mapping[str, Chat],
        songs: PendingSongs,
        *,
        owner: str,
        slots: int,
        metrics: Metrics | None = None,
        homes: Mapping[str, str] | None = None,
    ) -> None:
        self._homes = homes or {}
        self._metrics = metrics or Metrics()
        self._storage = storage
        self._runner = runner
        self._chats = chats
        self._songs = songs
        self._owner = owner
        self._fetch_slots = slots + FETCHES_AHEAD
        # However slow the senders of somebody's songs are, others find half of the slots free.
        self._fetch_share = self._fetch_slots // 2
        self._running: dict[int, ActiveJob] = {}
        self._wake = asyncio.Event()
        # A chat hears of presses while it, or another one, is still starting.
        self._started = asyncio.Event()
        self._closing = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._estimate = WaitEstimate(slots)
        self._retries = JobRetries(storage, runner, self._metrics, self._estimate)

    @property
    def background(self) -> BackgroundInference:
        """Classifies files that are not in the queue."""
        return self._runner.background

    async def start(self) -> None:
        """Take back the jobs that a process of this name held when it ended, and begin to work."""
        self._runner.sweep()
        again = await self._storage.jobs.requeue_owned(self._owner)
        if again:
            log.info("resuming %d songs that were in progress when the bot stopped", again)
        self._loops = [asyncio.create_task(self._claim_songs()), asyncio.create_task(self._renew_leases())]
        self._started.set()

    async def add(self, new: NewJob, *, queued_limit: int, daily_limit: int) -> Job:
        """Store a song; raises what ``storage.jobs.add`` raises, and ``Closing``."""
        self.check_open()
        new = replace(new, home=self._homes.get(new.platform))
        added = await self._storage.jobs.add(new, queued_limit=queued_limit, daily_limit=daily_limit)
        self._wake.set()
        return added.job

    def chat(self, platform: str) -> Chat | None:
        """Return the chat of a platform, if it runs."""
        return self._chats.get(platform)

    async def show_places(self, jobs: Sequence[Job]) -> None:
        """Show the places of songs that were taken together; a place that cannot be shown now is shown later."""
        for job in jobs:
            stage = await self.stage(job.id)
            if stage is None or stage.kind != "queued" or job.platform not in self._chats:
                continue
            try:
                await self._chats[job.platform].show(await self._songs.of(job), stage)
            except Exception:
                log.warning("job %d: its place could not be shown", job.id, exc_info=True)

    def check_open(self) -> None:
        """Raise ``Closing`` if no more songs are taken."""
        if self._closing.is_set():
            raise Closing()

    async def cancel(self, job_id: int) -> CancelResult:
        """Stop a song, waiting or running; its chat is told, once the queue has started."""
        await self._started.wait()
        job = await self._storage.jobs.get(job_id)
        teller = self._owner if job is not None and job.platform in self._chats else None
        done = await self._storage.jobs.cancel(job_id, teller=teller)
        if isinstance(done, ClaimedJob):
            await self._begin(done)
            running = self._running.get(job_id)
            if running is not None and running.task is not None:
                await asyncio.wait({running.task})
            return CancelResult.DONE
        if done is CancelResult.ASKED and job_id in self._running:
            self._running[job_id].stop(StopReason.CANCELLED)
        return done

    async def drop_person(self, person: str) -> Callable[[], Awaitable[None]]:
        """Stop all songs of a person whose data is deleted; return a function that tells their chats afterwards.

        It waits until the queue has started.
        """
        await self._started.wait()
        jobs = [job for job in await self._storage.jobs.of_person(person) if job.platform in self._chats]
        songs = [(self._chats[job.platform], await self._songs.of(job)) for job in jobs if job.reply_id is None]
        for running in list(self._running.values()):
            if running.job.person == person:
                running.stop(StopReason.LOST)

        async def notify() -> None:
            for chat, song in songs:
                active = self._running.get(song.job_id)
                if active is not None:
                    await active.quiet()
                try:
                    there = song if active is None else replace(song, noted=active.song.noted)
                    await with_retries(partial(chat.stopped, there))
                    await chat.discard(song)
                except (TryLater, Undeliverable) as reason:
                    log.info("job %d: its deletion could not be shown: %s", song.job_id, reason)

        return notify

    async def note_waiting(self, job_id: int, noted: Mapping[str, Any]) -> bool:
        """Store where a waiting song's progress is shown, for after a restart.

        Returns
        -------
        bool
            False if the song has ended or another process has taken it.
        """
        if await self._storage.jobs.save_waiting_progress(job_id, noted):
            return True
        return self._is_ours(await self._storage.jobs.get(job_id))

    def _is_ours(self, job: Job | None) -> bool:
        """Return whether this process has claimed a song."""
        return job is not None and job.owner == self._owner

    async def stage(self, job_id: int) -> Stage | None:
        """Return how far a song has come; None if it ended, never was, or was taken by another process."""
        if job_id in self._running:
            at_hand = self._runner.waiting
            return self._queued(at_hand.index(job_id) + 1) if job_id in at_hand else self._running[job_id].stage
        place = await self._storage.jobs.position(job_id)
        if place is None:
            return None
        job = await self._storage.jobs.get(job_id)
        if place == RUNNING:
            return Stage("fetching") if self._is_ours(job) else None
        if job is not None and PlaylistQuestion.of(job) is not None:
            return Stage("asking")
        return self._queued(place + sum(running.is_ahead for running in self._running.values()))

    def _queued(self, place: int) -> Stage:
        return Stage("queued", place=place, minutes=self._estimate.minutes(place))

    def _songs_moved(self) -> None:
        """Claim what there is room for now, and show those who wait their new places."""
        self._wake.set()
        for chat in self._chats.values():
            chat.queue_moved()

    async def stop(self) -> None:
        """Take no new songs; running ones finish within ``FINISH_SECONDS``, the others are released."""
        self._closing.set()
        self._wake.set()
        # Not cancelled: a job that is just being claimed must be released, too, unless the database hangs.
        if self._loops:
            await asyncio.wait(self._loops, timeout=RELEASE_SECONDS)
        tasks = [running.task for running in self._running.values() if running.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=FINISH_SECONDS)
        for running in list(self._running.values()):
            running.stop(StopReason.CLOSING)
        if tasks:
            await asyncio.wait(tasks, timeout=RELEASE_SECONDS)
        releasing = asyncio.create_task(self._release_all())
        await asyncio.wait({releasing}, timeout=RELEASE_SECONDS)

    async def _release_all(self) -> None:
        try:
            await self._storage.jobs.requeue_owned(self._owner)
        except StorageUnavailable:
            log.warning("songs in progress could not be released; the next start does it")
        except Exception:
            log.exception("songs in progress could not be released; the next start does it")

    async def _claim_songs(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                claimed = None
                # What was told already is stored first, lest it be told again.
                if self._has_room() and not any(each.waits_for_storage for each in self._running.values()):
                    claimed = await self._storage.jobs.claim(
                        self._owner,
                        platforms=tuple(self._chats),
                        homes=tuple(self._homes.values()) or None,
                        except_people=self._people_with_their_share(),
                        still_running=tuple(self._running),
                    )
                if claimed is not None:
                    await self._begin(claimed)
                    continue
            except StorageUnavailable:
                pass  # storage logs it; trying again
            except Exception:
                log.exception("the queue cannot be read; trying again")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    def _has_room(self) -> bool:
        """Return whether another song may be fetched; answers that a platform accepts slowly do not count."""
        answering = sum(running.stage.kind == "answering" for running in self._running.values())
        ahead = sum(running.is_ahead for running in self._running.values())
        return ahead + max(0, answering - ANSWERS_AHEAD) < self._fetch_slots

    def _people_with_their_share(self) -> list[str]:
        """Return who has as many songs being fetched, or waiting with their bytes at hand, as one person may."""
        ahead = Counter(running.job.person for running in self._running.values() if running.is_ahead)
        return [person for person, songs in ahead.items() if songs >= self._fetch_share]

    async def _renew_leases(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._closing.wait()
            held = {running.job.id: running for running in self._running.values()}
            try:
                beat = await self._storage.jobs.heartbeat([running.lease for running in held.values()])
            except StorageUnavailable:
                continue
            except Exception:
                log.exception("the leases of songs in progress cannot be renewed; trying again")
                continue
            for job_id in beat.lost:
                held[job_id].stop(StopReason.LOST)
            for job_id in beat.cancelled:
                held[job_id].stop(StopReason.CANCELLED)

    async def _begin(self, claimed: ClaimedJob) -> None:
        job, chat = claimed.job, self._chats[claimed.job.platform]
        earlier = self._running.get(job.id)
        if earlier is not None:
            # Another process had taken it over for a while: it goes on when what is left of it here has ended.
            earlier.stop(StopReason.LOST)
            await self._storage.jobs.release(claimed.lease, delay_seconds=POLL_SECONDS)
            return
        if claimed.lease.number == 1 and not job.cancel_requested:
            self._metrics.begun(_seconds_since(job.created))
        song = await self._songs.of(job)
        running = ActiveJob(self._storage, chat, song, job, claimed.lease, self._metrics, self._songs_moved)
        if job.cancel_requested:
            # It only remains to be told, which takes no place from songs that are to be heard.
            running.stage = Stage("answering")
        self._running[job.id] = running
        running.begin(self._work(running))
        self._songs_moved()

    async def _work(self, running: ActiveJob) -> None:
        """Take one song to its end, whatever happens on the way."""
        job = running.job
        try:
            outcome = await self._retries.run(running)
            if outcome is not None:
                ending = partial(self._storage.jobs.finish, running.lease, outcome)
                await running.until_stored(ending)
                self._ended(job, outcome)
                await running.chat.discard(running.song)
        except LeaseLost:
            log.info("job %d now belongs to another process", job.id)
        except Exception:
            # The lease expires and the job is tried again: nothing is lost.
            log.exception("job %d could not be ended", job.id)
        finally:
            running.leave_stage()
            self._running.pop(job.id, None)
            self._wake.set()
            await running.quiet()

    def _ended(self, job: Job, outcome: str) -> None:
        seconds = _seconds_since(job.created)
        self._metrics.ended(job.platform, outcome, seconds)
        about = {"job": job.id, "chat": job.platform, "outcome": outcome, "seconds": round(seconds, 3)}
        log.info("job %d: %s after %.1f s", job.id, outcome, seconds, extra=about)


def _seconds_since(moment: datetime) -> float:
    return max(0.0, (datetime.now(UTC) - moment).total_seconds())
