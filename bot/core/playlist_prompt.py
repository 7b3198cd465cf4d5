"""Links that lead to many songs: the person is asked first, then each of the first few becomes a song of its own.

Until it is answered, the question is the link's own job, put aside with the playlist in its ``progress``. So it
survives a restart, counts against its sender's limits, and is deleted with everything else about them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from bot.core import messages
from bot.core.chat import Stage
from bot.core.errors import (
    ButtonExpired,
    Closing,
    NotYours,
    PlaylistCutShort,
    PlaylistDeclined,
    PlaylistTaken,
    PlaylistUnanswered,
    TryLater,
    Undeliverable,
)
from links import Playlist, PlaylistFound, PlaylistItem
from storage import JobState, TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.core.active_job import ActiveJob
    from bot.core.callbacks import PlaylistCallback
    from bot.core.chat import OutgoingMessage, PendingSong
    from bot.core.identity import Keys, Person
    from bot.core.localization import Localizer
    from bot.core.pending_songs import PendingSongs
    from bot.core.song_queue import SongQueue
    from bot.settings import Settings
    from common.errors import SongError
    from storage import Job, Storage

    ReplyTargetFor = Callable[[PlaylistItem], Awaitable[Mapping[str, Any]]]

# As many answers can still be read in a chat. What a host can bear is governed by the limits per person, so this is no
# setting.
PLAYLIST_SONGS = 5
# An unanswered question counts against its sender's limit for this long.
QUESTION_SECONDS = 3600.0
PROGRESS_KEY = "list"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlaylistQuestion:
    """The question how many songs of a playlist are wanted.

    Attributes
    ----------
    items
        The first songs, no more than are offered.
    count, complete, newest_first
        As in ``links.Playlist``.
    until
        When it is too late to answer, in seconds since 1970.
    """

    items: tuple[PlaylistItem, ...]
    count: int
    complete: bool
    newest_first: bool
    until: float

    @classmethod
    def of(cls, job: Job) -> PlaylistQuestion | None:
        """Return the question that a job waits for the answer to; None if there is none."""
        kept = job.progress.get(PROGRESS_KEY)
        if job.state is JobState.FINISHED or kept is None:
            return None
        return cls(**{**kept, "items": tuple(PlaylistItem(**item) for item in kept["items"])})


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
        if time.time() >= question.until:
            raise PlaylistUnanswered()
        await self._ask(running, question)
        return None

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
        await running.quiet()
        running.at(Stage("asking"))
        message = self._message(question, song.words, job.id)
        # An answer that comes at once waits until the job has been put aside.
        async with self.lock(job.id):
            noted = {**song.noted, PROGRESS_KEY: asdict(question)}
            await self._storage.jobs.save_progress(running.lease, noted)
            where = await running.chat.ask(song, message)
            await self._storage.jobs.save_progress(running.lease, {**noted, **(where or {})})
            await self._storage.jobs.release(running.lease, delay_seconds=max(0.0, question.until - time.time()))

    def _message(self, question: PlaylistQuestion, words: Localizer, job_id: int) -> OutgoingMessage:
        return messages.playlist_question(
            question,
            words,
            job_id,
            queued=self._settings.songs_per_person_queued,
            daily=self._settings.songs_per_person_daily,
        )


class PlaylistAnswers:
    """Takes the answers to the questions of ``PlaylistPrompts``.

    Parameters
    ----------
    storage, keys, settings, songs
        As the conversation's.
    prompts
        Asked the questions.
    queue
        Where the songs wait.
    """

    def __init__(
        self,
        storage: Storage,
        keys: Keys,
        settings: Settings,
        songs: PendingSongs,
        prompts: PlaylistPrompts,
        queue: SongQueue,
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._settings = settings
        self._songs = songs
        self._prompts = prompts
        self._queue = queue

    async def answer(self, callback: PlaylistCallback, person: Person, reply_target: ReplyTargetFor) -> list[Job]:
        """Take as many songs of a playlist as a person chose, or none; return the songs' jobs.

        Parameters
        ----------
        callback
            The button that was pressed.
        reply_target
            Returns the way back to one song's message, as ``Submission.message``.

        Raises
        ------
        ButtonExpired, NotYours
            If there is no such question (any more), or somebody else was asked.
        TooManyQueued, TooManyToday, Closing
            If not even one song can be taken; the question stays.
        """
        async with self._prompts.lock(callback.job_id):
            job = await self._storage.jobs.get(callback.job_id)
            question = None if job is None else PlaylistQuestion.of(job)
            if job is None or question is None:
                raise ButtonExpired()
            if job.person != self._keys.person(person):
                raise NotYours()
            song = await self._songs.of(job)
            items = question.items[: callback.count]
            taken, refused = await self._take_all(job, items, reply_target)
            if refused is not None and not taken:
                raise refused
            await self._storage.jobs.cancel(job.id)
        await self._show_outcome(job, song, _outcome(len(taken), len(items)))
        await self._queue.show_places(taken)
        return taken

    async def _take_all(
        self, job: Job, items: tuple[PlaylistItem, ...], reply_target: ReplyTargetFor
    ) -> tuple[list[Job], TooManyQueued | TooManyToday | Closing | None]:
        """Store songs until one is refused; return their jobs, and the refusal."""
        taken: list[Job] = []
        for number, item in enumerate(items, start=1):
            new = self._songs.job_for_item(job, number, item, await reply_target(item))
            try:
                taken.append(
                    await self._queue.add(
                        new,
                        # The question itself counts until it is answered.
                        queued_limit=self._settings.songs_per_person_queued + 1,
                        daily_limit=self._settings.songs_per_person_daily,
                    )
                )
            except (TooManyQueued, TooManyToday, Closing) as refused:
                return taken, refused
        return taken, None

    async def _show_outcome(self, job: Job, song: PendingSong, outcome: SongError) -> None:
        """Put in the question's place what became of it."""
        chat = self._queue.chat(job.platform)
        if chat is None:
            return
        try:
            await chat.refuse(song, outcome)
        except (TryLater, Undeliverable) as reason:
            log.info("job %d: the answer to the playlist question could not be shown: %s", job.id, reason)
        await chat.discard(song)


def _outcome(taken: int, wanted: int) -> SongError:
    if not wanted:
        return PlaylistDeclined()
    return PlaylistTaken(count=taken) if taken == wanted else PlaylistCutShort(count=taken, wanted=wanted)
