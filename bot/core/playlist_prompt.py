"""Links that lead to many songs: the person is asked first, then each of the first few becomes a song of its own.

Until it is answered, the question is the link's own job, put aside with the playlist in its ``progress``. So it
survives a restart, counts against its sender's limits, and is deleted with everything else about them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from bot.core import questions
from bot.core.chat import Stage
from bot.core.errors import PlaylistUnanswered
from bot.core.playlist_question import PLAYLIST_SONGS, PROGRESS_KEY, QUESTION_SECONDS, PlaylistQuestion
from storage import TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from bot.core.active_job import ActiveJob
    from bot.core.chat import OutgoingMessage
    from bot.core.localization import Localizer
    from bot.settings import Settings
    from links import Playlist, PlaylistFound
    from storage import Storage

log = logging.getLogger(__name__)


class PlaylistPrompts:
    """Asks people how many songs of a playlist they want.

    Parameters
    ----------
    storage, settings
        Where jobs are kept, and the limits per person.
    """

    def __init__(self, storage: Storage, settings: Settings) -> None:
        self._storage = storage
        self._settings = settings
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._ends: dict[int, float] = {}

    async def ask(self, running: ActiveJob, many: PlaylistFound) -> None:
        """Ask about the playlist that a link turned out to be, and put its job aside.

        Raises
        ------
        PlaylistFound
            If nobody can be asked, since the link itself came from a playlist.
        TooManyQueued, TooManyToday
            If the person's limits leave no room for another song.
        LeaseLost, TryLater, Undeliverable
            As sending an answer does.
        """
        if many.playlist is None or running.song.from_playlist:
            raise many
        await self._ask(running, await self._question(many.playlist, running.job.person))

    async def resume(self, running: ActiveJob, question: PlaylistQuestion) -> str | None:
        """Ask a question again that was put aside, if there is time left; return the outcome, if it is one.

        Raises
        ------
        PlaylistUnanswered
            If it is too late for an answer.
        """
        job = await self._storage.jobs.get(running.job.id)
        if job is not None and job.cancel_requested:
            return "cancelled"
        left = self._seconds_left(running.job.id, question)
        if left <= 0:
            raise PlaylistUnanswered()
        await self._ask(running, replace(question, until=time.time() + left))
        return None

    def _seconds_left(self, job_id: int, question: PlaylistQuestion) -> float:
        """Return for how long a question can still be answered, by a clock that nobody sets if it was asked here."""
        if job_id in self._ends:
            return self._ends[job_id] - time.monotonic()
        return min(question.until - time.time(), QUESTION_SECONDS)

    async def question(self, job_id: int, words: Localizer) -> OutgoingMessage | None:
        """Return the question that a job waits for the answer to; None if there is none."""
        job = await self._storage.jobs.get(job_id)
        question = None if job is None else PlaylistQuestion.of(job)
        return None if question is None else self._message(question, words, job_id)

    def lock(self, job_id: int) -> asyncio.Lock:
        """Return the lock under which a question is asked and answered."""
        return self._locks.setdefault(job_id, asyncio.Lock())

    async def _question(self, listing: Playlist, person: str) -> PlaylistQuestion:
        """Return the question for a playlist: no more songs are offered than the person's limits allow."""
        load = await self._storage.jobs.person_load(person)
        # The link's own job makes room for one of them.
        waiting = self._settings.songs_per_person_queued - (load.queued + load.running - 1)
        today = self._settings.songs_per_person_daily - load.today
        if waiting < 1:
            raise TooManyQueued(limit=self._settings.songs_per_person_queued)
        if today < 1:
            raise TooManyToday(limit=self._settings.songs_per_person_daily)
        return PlaylistQuestion(
            items=listing.items[: min(PLAYLIST_SONGS, waiting, today)],
            count=listing.count,
            complete=listing.complete,
            newest_first=listing.newest_first,
            until=time.time() + QUESTION_SECONDS,
        )

    async def _ask(self, running: ActiveJob, question: PlaylistQuestion) -> None:
        job, song = running.job, running.song
        now = time.monotonic()
        self._ends = {each: end for each, end in self._ends.items() if end > now - QUESTION_SECONDS}
        self._ends[job.id] = now + max(0.0, question.until - time.time())
        await running.quiet()
        running.at(Stage("asking"))
        message = self._message(question, song.words, job.id)
        # An answer that comes at once waits until the job has been put aside.
        async with self.lock(job.id):
            noted = {**song.noted, PROGRESS_KEY: asdict(question)}
            await self._storage.jobs.save_progress(running.lease, noted)
            where = await running.chat.ask(song, message)
            await self._storage.jobs.save_progress(running.lease, {**noted, **(where or {})})
            left = self._seconds_left(job.id, question)
            await self._storage.jobs.release(running.lease, delay_seconds=max(0.0, left))

    def _message(self, question: PlaylistQuestion, words: Localizer, job_id: int) -> OutgoingMessage:
        return questions.playlist_question(
            question,
            words,
            job_id,
            queued=self._settings.songs_per_person_queued,
            daily=self._settings.songs_per_person_daily,
        )
