"""Links that lead to many songs: the person is asked first, then each of the first few becomes a song of its own.

Until it is answered the question is the link's own job, put aside with the list in its ``progress``: so it outlives a
restart, holds a place in its sender's queue, and is forgotten with them.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from bot.core import messages
from bot.core.chat import LINK_SOURCE, Stage
from bot.core.errors import (
    ButtonExpired,
    Closing,
    ListCutShort,
    ListDeclined,
    ListTaken,
    ListUnanswered,
    NotYours,
    TryLater,
    Undeliverable,
)
from links import PlaylistItem
from storage import JobState, NewJob, TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.core.active_job import UnderWay
    from bot.core.chat import Song
    from bot.core.identity import Keys, Person
    from bot.core.song_queue import Queue
    from bot.core.vocabulary import Words
    from bot.settings import Settings
    from common.errors import SongError
    from links import Playlist, PlaylistFound
    from storage import Job, Storage

    Back = Callable[[PlaylistItem], Awaitable[Mapping[str, Any]]]

# As many answers can still be read in a chat. What a host can bear is told by the limits per person, so that this is
# no setting.
LIST_SONGS = 5
# A question that nobody answers holds one of its sender's places.
QUESTION_SECONDS = 3600.0
PROGRESS_KEY = "list"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a list.

    Attributes
    ----------
    items
        Its first songs, no more than are offered.
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
    def of(cls, job: Job) -> Question | None:
        """Return the question that a job waits for the answer of; None if there is none."""
        kept = job.progress.get(PROGRESS_KEY)
        if job.state is JobState.FINISHED or kept is None:
            return None
        return cls(**{**kept, "items": tuple(PlaylistItem(**item) for item in kept["items"])})


class Lists:
    """Asks about lists, and takes the answers.

    Parameters
    ----------
    storage, keys, settings
        As the conversation's.
    song_of
        Turns a job into the song that its chat knows.
    queue
        Returns the queue.
    """

    def __init__(
        self,
        storage: Storage,
        keys: Keys,
        settings: Settings,
        song_of: Callable[[Job], Awaitable[Song]],
        queue: Callable[[], Queue],
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._settings = settings
        self._song_of = song_of
        self._queue = queue
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, running: UnderWay, many: PlaylistFound) -> None:
        """Ask whether to listen to the first songs of the list that a link turned out to be, and put its job aside.

        Raises
        ------
        PlaylistFound
            If nobody can be asked: the link came from a list itself.
        TooManyQueued, TooManyToday
            If the person has no room for another song.
        LeaseLost, TryLater, Undeliverable
            As sending an answer does.
        """
        if many.playlist is None or messages.is_from_list(running.song):
            raise many
        await self._ask(running, await self._question(many.playlist, running.job.person))

    async def resume(self, running: UnderWay, question: Question) -> str | None:
        """Take up a question that was put aside: ask it again if there is time left; return the outcome, if it is one.

        Raises
        ------
        ListUnanswered
            If it is too late for an answer.
        """
        job = await self._storage.jobs.get(running.job.id)
        if job is not None and job.cancel_requested:
            return "cancelled"
        if time.time() >= question.until:
            raise ListUnanswered()
        await self._ask(running, question)
        return None

    async def question(self, job_id: int, words: Words) -> messages.Message | None:
        """Return the question that a job waits for the answer of; None if there is none."""
        job = await self._storage.jobs.get(job_id)
        question = None if job is None else Question.of(job)
        return None if question is None else self._message(question, words, job_id)

    async def answer(self, subject: str, person: Person, back: Back) -> list[Job]:
        """Take a person's answer: as many songs of the list as they chose, or none; return the songs' jobs.

        Parameters
        ----------
        subject
            Of the button that was pressed.
        back
            Makes the way back to one song's message, as ``Submission.message`` has it.

        Raises
        ------
        ButtonExpired, NotYours
            If there is no such question (any more), or it was put to somebody else.
        TooManyQueued, TooManyToday, Closing
            If not even one song can be taken; the question stays.
        """
        read = re.fullmatch(r"(\d{1,18})-(\d{1,2})", subject, re.ASCII)
        if read is None:
            raise ButtonExpired()
        job_id, wanted = int(read[1]), int(read[2])
        async with self._turn(job_id):
            job = await self._storage.jobs.get(job_id)
            question = None if job is None else Question.of(job)
            if job is None or question is None:
                raise ButtonExpired()
            if job.person != self._keys.person(person):
                raise NotYours()
            song = await self._song_of(job)
            items = question.items[:wanted]
            taken, refused = await self._take_all(job, items, back)
            if refused is not None and not taken:
                raise refused
            await self._storage.jobs.cancel(job_id)
        await self._tell(job, song, _ending(len(taken), len(items)))
        await self._queue().show_places(taken)
        return taken

    async def _question(self, listing: Playlist, person: str) -> Question:
        """Return the question for a list: no more songs are offered than the person has room for."""
        load = await self._storage.jobs.person_load(person)
        # The link itself makes room for one of them.
        waiting = self._settings.songs_per_person_queued - (load.queued + load.running - 1)
        today = self._settings.songs_per_person_daily - load.today
        if waiting < 1:
            raise TooManyQueued(limit=self._settings.songs_per_person_queued)
        if today < 1:
            raise TooManyToday(limit=self._settings.songs_per_person_daily)
        return Question(
            items=listing.items[: min(LIST_SONGS, waiting, today)],
            count=listing.count,
            complete=listing.complete,
            newest_first=listing.newest_first,
            until=time.time() + QUESTION_SECONDS,
        )

    async def _ask(self, running: UnderWay, question: Question) -> None:
        job, song = running.job, running.song
        await running.quiet()
        running.at(Stage("asking"))
        message = self._message(question, song.words, job.id)
        # Whoever answers at once waits until the job has been put aside.
        async with self._turn(job.id):
            noted = {**song.noted, PROGRESS_KEY: asdict(question)}
            await self._storage.jobs.save_progress(running.lease, noted)
            where = await running.chat.ask(song, message)
            await self._storage.jobs.save_progress(running.lease, {**noted, **(where or {})})
            await self._storage.jobs.release(running.lease, delay_seconds=max(0.0, question.until - time.time()))

    def _message(self, question: Question, words: Words, job_id: int) -> messages.Message:
        return messages.list_question(
            question,
            words,
            job_id,
            queued=self._settings.songs_per_person_queued,
            daily=self._settings.songs_per_person_daily,
        )

    async def _take_all(
        self, job: Job, items: tuple[PlaylistItem, ...], back: Back
    ) -> tuple[list[Job], TooManyQueued | TooManyToday | Closing | None]:
        """Write songs down until one is turned away; return their jobs, and why that was."""
        taken: list[Job] = []
        for number, item in enumerate(items, start=1):
            new = NewJob(
                platform=job.platform,
                chat=job.chat,
                person=job.person,
                message={
                    "language": job.message.get("language"),
                    "title": messages.clean_title(item.title),
                    "back": dict(await back(item)),
                },
                payload={"link": item.link, "item": item.item, "title": item.title, messages.FROM_LIST: True},
                source=LINK_SOURCE,
                # Pressed twice, perhaps after a crash in between, it is the same song.
                key=self._keys.message(job.platform, f"list:{job.id}:{number}"),
            )
            try:
                taken.append(
                    await self._queue().add(
                        new,
                        # The question itself holds a place until it is answered.
                        queued_limit=self._settings.songs_per_person_queued + 1,
                        daily_limit=self._settings.songs_per_person_daily,
                    )
                )
            except (TooManyQueued, TooManyToday, Closing) as refused:
                return taken, refused
        return taken, None

    async def _tell(self, job: Job, song: Song, ending: SongError) -> None:
        """Say in the question's place what became of it."""
        chat = self._queue().chat(job.platform)
        if chat is None:
            return
        try:
            await chat.refuse(song, ending)
        except (TryLater, Undeliverable) as reason:
            log.info("job %d: nobody could be told what became of the question: %s", job.id, reason)
        await chat.discard(song)

    def _turn(self, job_id: int) -> asyncio.Lock:
        return self._turns.setdefault(job_id, asyncio.Lock())


def _ending(taken: int, wanted: int) -> SongError:
    if not wanted:
        return ListDeclined()
    return ListTaken(count=taken) if taken == wanted else ListCutShort(count=taken, wanted=wanted)
