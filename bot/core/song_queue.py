"""The queue of songs: claims them by turns, holds them while they are worked on, stops them, survives restarts.

What waits is written down by ``storage.jobs``; how a song is heard is ``bot.core.job_runner``'s.
"""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.core.active_job import Stopped, UnderWay, Why
from bot.core.chat import Stage
from bot.core.errors import Closing, TryLater, Undeliverable
from bot.core.playlist_prompt import Question
from bot.metrics import Metrics
from storage import LEASE_SECONDS, MAX_ATTEMPTS, CancelResult, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.core.background_inference import Aside
    from bot.core.chat import Chat, Song
    from bot.core.job_runner import Hearing
    from bot.core.playlist_prompt import Lists
    from storage import ClaimedJob, Job, NewJob, Storage

# So soon a song stops whose Cancel was pressed at another process.
HEARTBEAT_SECONDS = LEASE_SECONDS / 6
# A job that another process gave back, or that waits for its delay, is seen after this time at the latest.
POLL_SECONDS = 3.0
FAULT_DELAY_SECONDS = 5.0
# Songs that may be fetched or sent while every seat is taken.
AHEAD = 2
# Answers beyond those that may wait for their platform while other songs are heard.
ANSWERS_AHEAD = 50
# A running job's place, as the storage tells it.
RUNNING = 0
# Running songs get the first time to finish; what is left is written back within the second.
FINISH_SECONDS = 5.0
WRITE_BACK_SECONDS = 3.0

log = logging.getLogger(__name__)


class Queue:
    """Works on everybody's songs.

    Parameters
    ----------
    storage, hearing
        Where jobs are written down, and what takes a song to its end.
    chats
        Platform → chat, for every chat that runs; jobs of others are left alone.
    song_of
        Turns a job into the song that its chat knows.
    owner
        Name of this process, the same after a restart.
    seats
        How many songs are classified at a time.
    metrics
        Told of waits, stages and outcomes.
    homes
        Platform → name of what this process speaks for there: another process takes its songs over only if it speaks
        for the same. Without any, all songs of its platforms are taken.
    """

    def __init__(
        self,
        storage: Storage,
        hearing: Hearing,
        chats: Mapping[str, Chat],
        song_of: Callable[[Job], Awaitable[Song]],
        *,
        owner: str,
        seats: int,
        metrics: Metrics | None = None,
        homes: Mapping[str, str] | None = None,
    ) -> None:
        self._homes = homes or {}
        self._metrics = metrics or Metrics()
        self._storage = storage
        self._hearing = hearing
        self._chats = chats
        self._song_of = song_of
        self._owner = owner
        self._seats = seats
        self._running: dict[int, UnderWay] = {}
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._mean_seconds: float | None = None

    @property
    def aside(self) -> Aside:
        """What listens to songs that are not in the queue."""
        return self._hearing.aside

    async def start(self) -> None:
        """Take back what a process of this name held when it died, and begin to work."""
        self._hearing.sweep()
        again = await self._storage.jobs.requeue_owned(self._owner)
        if again:
            log.info("%d songs were under way when the bot stopped; they go on", again)
        self._loops = [asyncio.create_task(self._claim_songs()), asyncio.create_task(self._hold_songs())]

    async def add(self, new: NewJob, *, queued_limit: int, daily_limit: int) -> Job:
        """Write a song down; raises what ``storage.jobs.add`` raises, and ``Closing``."""
        self.check_open()
        new = replace(new, home=self._homes.get(new.platform))
        added = await self._storage.jobs.add(new, queued_limit=queued_limit, daily_limit=daily_limit)
        self._wake.set()
        return added.job

    def ask_through(self, lists: Lists) -> None:
        """Have people asked about links that lead to many songs."""
        self._hearing.lists = lists

    def chat(self, platform: str) -> Chat | None:
        """Return the chat of a platform, if it runs."""
        return self._chats.get(platform)

    async def show_places(self, jobs: Sequence[Job]) -> None:
        """Show songs that were taken together where they stand; what cannot be shown now will be in its turn."""
        for job in jobs:
            stage = await self.stage(job.id)
            if stage is None or stage.kind != "queued" or job.platform not in self._chats:
                continue
            try:
                await self._chats[job.platform].show(await self._song_of(job), stage)
            except Exception:
                log.warning("job %d: its place could not be shown", job.id, exc_info=True)

    def check_open(self) -> None:
        """Raise ``Closing`` if no more songs are taken."""
        if self._closing.is_set():
            raise Closing()

    async def cancel(self, job_id: int) -> CancelResult:
        """Stop a song, waiting or running; its chat is told."""
        job = await self._storage.jobs.get(job_id)
        done = await self._storage.jobs.cancel(job_id)
        if done is CancelResult.ASKED and job_id in self._running:
            self._running[job_id].stop(Why.CANCELLED)
        elif done is CancelResult.DONE and job is not None and job.platform in self._chats:
            self._ended(job, "cancelled")
            chat, song = self._chats[job.platform], await self._song_of(job)
            await chat.stopped(song)
            await chat.discard(song)
            self._wake.set()
        return done

    async def drop_person(self, person: str) -> Callable[[], Awaitable[None]]:
        """Stop all songs of a person who is being forgotten; return what tells their chats once it is done."""
        jobs = [job for job in await self._storage.jobs.of_person(person) if job.platform in self._chats]
        songs = [(self._chats[job.platform], await self._song_of(job)) for job in jobs if job.reply_id is None]
        for running in list(self._running.values()):
            if running.job.person == person:
                running.stop(Why.LOST)

        async def tell() -> None:
            for chat, song in songs:
                under_way = self._running.get(song.job_id)
                if under_way is not None:
                    await under_way.quiet()
                try:
                    await chat.stopped(song if under_way is None else replace(song, noted=under_way.song.noted))
                    await chat.discard(song)
                except (TryLater, Undeliverable) as reason:
                    log.info("job %d: nobody could be told that it was forgotten: %s", song.job_id, reason)

        return tell

    async def note_waiting(self, job_id: int, noted: Mapping[str, Any]) -> bool:
        """Keep where a waiting song's progress is shown, for after a restart.

        Returns
        -------
        bool
            False if the song has ended or another process has taken it: what is shown there is not ours to change.
        """
        if await self._storage.jobs.save_waiting_progress(job_id, noted):
            return True
        return self._is_ours(await self._storage.jobs.get(job_id))

    def _is_ours(self, job: Job | None) -> bool:
        """Whether this process has claimed a song, be it only just now."""
        return job is not None and job.owner == self._owner

    async def stage(self, job_id: int) -> Stage | None:
        """Return how far a song has come; None if it ended, never was, or was taken by another process."""
        if job_id in self._running:
            return self._running[job_id].stage
        place = await self._storage.jobs.position(job_id)
        if place is None:
            return None
        job = await self._storage.jobs.get(job_id)
        if place == RUNNING:
            return Stage("fetching") if self._is_ours(job) else None
        if job is not None and Question.of(job) is not None:
            return Stage("asking")
        return Stage("queued", place=place, minutes=self._minutes(place))

    async def stop(self) -> None:
        """Take no new songs; running ones finish within ``FINISH_SECONDS``, the others are written back."""
        self._closing.set()
        self._wake.set()
        # Not cancelled: a job that is just being claimed is to be written back, too.
        await asyncio.gather(*self._loops)
        tasks = [running.task for running in self._running.values() if running.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=FINISH_SECONDS)
        for running in list(self._running.values()):
            running.stop(Why.CLOSING)
        if tasks:
            await asyncio.wait(tasks, timeout=WRITE_BACK_SECONDS)
        await self._storage.jobs.requeue_owned(self._owner)

    async def _claim_songs(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                claimed = None
                if self._has_room():
                    claimed = await self._storage.jobs.claim(
                        self._owner, platforms=tuple(self._chats), homes=tuple(self._homes.values()) or None
                    )
                if claimed is not None:
                    await self._begin(claimed)
                    continue
            except Exception:
                log.exception("the queue cannot be read; trying again")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    def _has_room(self) -> bool:
        """Whether another song may be begun: answers that a platform takes slowly keep nobody else from being heard."""
        answering = sum(running.stage.kind == "answering" for running in self._running.values())
        return len(self._running) - min(answering, ANSWERS_AHEAD) < self._seats + AHEAD

    async def _hold_songs(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._closing.wait()
            held = {running.job.id: running for running in self._running.values()}
            try:
                beat = await self._storage.jobs.heartbeat([running.lease for running in held.values()])
            except Exception:
                log.exception("songs under way cannot be held; trying again")
                continue
            for job_id in beat.lost:
                held[job_id].stop(Why.LOST)
            for job_id in beat.cancelled:
                held[job_id].stop(Why.CANCELLED)

    async def _begin(self, claimed: ClaimedJob) -> None:
        job, chat = claimed.job, self._chats[claimed.job.platform]
        if job.attempts == 1:
            self._metrics.begun(_seconds_since(job.created))
        running = UnderWay(self._storage, chat, await self._song_of(job), job, claimed.lease, self._metrics)
        self._running[job.id] = running
        running.begin(self._work(running))
        for other in self._chats.values():
            other.queue_moved()

    async def _work(self, running: UnderWay) -> None:
        """Take one song to its end, whatever happens on the way."""
        job = running.job
        try:
            outcome = await self._hear(running)
            if outcome is not None:
                await self._storage.jobs.finish(running.lease, outcome)
                self._ended(job, outcome)
                await running.chat.discard(running.song)
        except LeaseLost:
            log.info("job %d is no longer ours", job.id)
        except Exception:
            # The lease runs out and the job is tried again: nothing is lost.
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

    async def _hear(self, running: UnderWay) -> str | None:
        """Return a song's outcome, None if it goes on later or elsewhere."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            outcome = await self._hearing.hear(running)
        except TryLater as later:
            log.warning("job %d: %s cannot be reached: %s", running.job.id, running.job.platform, later)
            await self._storage.jobs.release(running.lease, delay_seconds=later.seconds)
            return None
        except LeaseLost:
            raise
        except Stopped:
            return await self._stopped(running)
        except Exception:
            self._metrics.fault()
            log.exception("job %d failed through a bug", running.job.id)
            return await self._after_bug(running)
        if outcome is not None:
            self._learn_pace(clock() - began)
        return outcome

    async def _stopped(self, running: UnderWay) -> str | None:
        await running.quiet()
        if running.why is Why.CANCELLED:
            await running.chat.stopped(running.song)
            return "cancelled"
        if running.why is Why.CLOSING:
            await self._storage.jobs.release(running.lease)
        return None

    async def _after_bug(self, running: UnderWay) -> str | None:
        if running.job.attempts < MAX_ATTEMPTS:
            delay = FAULT_DELAY_SECONDS * running.job.attempts
            await self._storage.jobs.release(running.lease, delay_seconds=delay, counts=True)
            return None
        return await self._hearing.give_up(running)

    def _learn_pace(self, seconds: float) -> None:
        mean = self._mean_seconds
        self._mean_seconds = seconds if mean is None else 0.8 * mean + 0.2 * seconds

    def _minutes(self, place: int) -> int | None:
        if self._mean_seconds is None:
            return None
        seconds = self._mean_seconds * place / self._seats
        return math.ceil(seconds / 60) if seconds >= 60 else None


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
