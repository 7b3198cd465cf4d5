"""Teaching a genre song by song: after ``/teach zouk``, every song that a person sends there is a correction."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.errors import ButtonExpired, OwnLesson
from bot.core.messages import CorrectionView
from storage import LabelStatus, RowNotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.chat import PendingSong
    from bot.core.genre_names import GenreNames
    from bot.core.identity import Person
    from bot.metrics import Metrics
    from bot.settings import Settings
    from storage import ChatKey, Correction, Job, Label, Storage

TAUGHT = "taught"
"""Key in the payload of a song that is sent to teach: the id of the label."""
IDLE_SECONDS = 30 * 60.0
"""So long after the last song nobody expects the next one to be taught, too."""
LESSONS_REMEMBERED = 10_000
LESSON_TIME = timedelta(days=1)
"""What a person taught of a genre within this time is one lesson, with which others agree at once."""

log = logging.getLogger(__name__)


class Teaching:
    """Who teaches what where; kept in memory, so that after a restart ``/teach`` is sent again.

    Parameters
    ----------
    storage, settings, names, metrics
        Where corrections are kept, from which platforms they may train, names of genres, and the count of corrections.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        storage: Storage,
        settings: Settings,
        names: GenreNames,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._sources = settings.training_sources
        self._names = names
        self._metrics = metrics
        self._clock = clock
        self._lessons: dict[tuple[Person, str], tuple[float, str]] = {}

    def begin(self, person: Person, place: str, label: str) -> None:
        """Count what somebody sends in a place as songs of a label from now on."""
        self._lessons.pop((person, place), None)
        self._lessons[person, place] = self._clock() + IDLE_SECONDS, label
        if len(self._lessons) > LESSONS_REMEMBERED:
            del self._lessons[next(iter(self._lessons))]

    def end(self, person: Person, place: str) -> str | None:
        """Stop that; return the label, None if nothing was taught."""
        label = self.label_for(person, place)
        self._lessons.pop((person, place), None)
        return label

    def label_for(self, person: Person, place: str) -> str | None:
        """Return the label that somebody teaches in a place; None if they teach nothing there."""
        until, label = self._lessons.get((person, place), (0.0, ""))
        return label if self._clock() < until else None

    async def note(self, job: Job, song: PendingSong, answer_id: int) -> CorrectionView | None:
        """Store the correction of a song that was sent to teach; return it, None for any other song."""
        label = song.payload.get(TAUGHT)
        found = None if label is None else await self._storage.labels.get(label)
        if found is None:
            return None
        try:
            stored = await self._storage.feedback.correct(
                person=job.person,
                answer_id=answer_id,
                label=found.id,
                platform=job.platform,
                chat=job.chat,
                may_train=job.platform in self._sources,
            )
        except RowNotFound:
            log.warning("job %d: its label vanished before it could be taught", job.id)
            return None
        agrees = stored.correction.agrees
        self._metrics.corrected(job.platform, agrees=agrees)
        self._names.learn(found)
        return CorrectionView(
            found.id, song.words.genre(found.id), agrees=agrees, proposed=found.status is LabelStatus.PROPOSED
        )

    async def lesson(self, person: str, chat: ChatKey, label: str) -> list[Correction]:
        """Return what somebody (keyed hash) taught of a label in a chat, oldest first."""
        return await self._storage.feedback.given(person, label, chat=chat, within=LESSON_TIME)

    async def second(self, person: str, chat: ChatKey, correction_id: int) -> tuple[Label, int]:
        """Give the songs of a lesson the label that its teacher gave them, except where this person gave one before.

        Parameters
        ----------
        person
            Keyed hash of whoever agrees.
        correction_id
            The last one of the lesson.

        Returns
        -------
            The label, and how many songs got it.

        Raises
        ------
        ButtonExpired
            If there is no such correction in this chat any more.
        OwnLesson
            If it is their own.
        """
        feedback = self._storage.feedback
        last = await feedback.get(correction_id, chat=chat)
        label = None if last is None else await self._storage.labels.get(last.label)
        if last is None or label is None:
            raise ButtonExpired()
        if last.person == person:
            raise OwnLesson()
        count = 0
        for taught in await feedback.given(last.person, label.id, chat=chat, within=LESSON_TIME, until=last.updated):
            if taught.id > last.id or await feedback.find(person, taught.content_hash) is not None:
                continue
            stored = await feedback.correct(
                person=person,
                answer_id=taught.answer_id,
                label=label.id,
                platform=chat.platform,
                chat=chat.chat,
                may_train=chat.platform in self._sources,
            )
            self._metrics.corrected(chat.platform, agrees=stored.correction.agrees)
            count += 1
        return label, count
