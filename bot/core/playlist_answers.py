"""Takes people's answers to the question how many songs of a playlist they want."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.core.errors import (
    ButtonExpired,
    Closing,
    NotYours,
    PlaylistCutShort,
    PlaylistDeclined,
    PlaylistTaken,
    TryLater,
    Undeliverable,
)
from bot.core.playlist_question import PlaylistQuestion
from bot.core.retries import with_retries
from storage import TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.core.callbacks import PlaylistCallback
    from bot.core.chat import PendingSong
    from bot.core.identity import IdHasher, Person
    from bot.core.pending_songs import PendingSongs
    from bot.core.playlist_prompt import PlaylistPrompts
    from bot.core.song_queue import SongQueue
    from bot.settings import Settings
    from common.errors import SongError
    from links import PlaylistItem
    from storage import Job, Storage

    ReplyTargetFor = Callable[[PlaylistItem], Awaitable[Mapping[str, Any]]]

log = logging.getLogger(__name__)


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
        keys: IdHasher,
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
            await with_retries(partial(chat.refuse, song, outcome))
        except (TryLater, Undeliverable) as reason:
            log.info("job %d: the answer to the playlist question could not be shown: %s", job.id, reason)
        await chat.discard(song)


def _outcome(taken: int, wanted: int) -> SongError:
    if not wanted:
        return PlaylistDeclined()
    return PlaylistTaken(count=taken) if taken == wanted else PlaylistCutShort(count=taken, wanted=wanted)
