"""Teaching a genre song by song: after ``/teach zouk``, every song that a person sends there is a correction."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.callbacks import TEACHER_DIGITS, SecondCallback
from bot.core.errors import ButtonExpired, LessonEmpty, OwnLesson
from bot.core.messages import CorrectionView
from bot.core.teaching_thanks import TeachingThanks
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
"""What a person taught of a genre in a chat so long before and after others are invited to agree is one lesson."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What others are invited to agree with: the button, and how many songs it is; None while some are in the queue."""

    button: SecondCallback
    songs: int | None


class Teaching:
    """Who teaches what where; kept in memory, so that after a restart ``/teach`` is sent again.

    Parameters
    ----------
    storage, settings, names, metrics
        Where corrections are kept, from which platforms they may train, names of genres, and the count of corrections.
    clock
        Monotonic seconds.

    Attributes
    ----------
    thanks
        Tells people what was learnt from their songs.
    """

    def __init__(
        self,
        storage: Storage,
        settings: Settings,
        names: GenreNames,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.thanks = TeachingThanks(storage, settings)
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
        """Stop that, if it has not ended by itself; return what was taught, None if nothing was."""
        label = self.taught_last(person, place)
        self._lessons.pop((person, place), None)
        return label

    def taught_last(self, person: Person, place: str) -> str | None:
        """Return the label of somebody's lesson in a place, even if it has ended by itself; None if there was none."""
        return self._lessons.get((person, place), (0.0, None))[1]

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

    async def invite(self, person: str, chat: ChatKey, label_id: str) -> Invitation | None:
        """Return the invitation to agree with what somebody (keyed hash) taught in a chat; None if there is nothing.

        Songs that are still in the queue are part of it: whoever presses the button later agrees with them, too.
        """
        label, now = await self._storage.labels.get(label_id), self._storage.database.now()
        if label is None:
            return None
        pressed = SecondCallback(label.number, person[:TEACHER_DIGITS], int(now.timestamp()) // 60)
        songs = len(await self._lesson(pressed, label, chat))
        queued = any(
            (job.platform, job.chat, job.payload.get(TAUGHT)) == (chat.platform, chat.chat, label_id)
            for job in await self._storage.jobs.of_person(person)
        )
        return Invitation(pressed, None if queued else songs) if songs or queued else None

    async def _lesson(self, invited: SecondCallback, label: Label, chat: ChatKey) -> list[Correction]:
        """Return what the teacher taught of a label in a chat, within ``LESSON_TIME`` of the invitation."""
        then = datetime.fromtimestamp(60 * invited.minute, UTC)
        given = await self._storage.feedback.given(
            label.id, chat=chat, since=then - LESSON_TIME, until=then + LESSON_TIME
        )
        return [each for each in given if each.person.startswith(invited.teacher)]

    async def second(self, person: str, chat: ChatKey, invited: SecondCallback) -> tuple[Label, int]:
        """Give the songs of a lesson the label that was taught, except where this person gave one before.

        Parameters
        ----------
        person
            Keyed hash of whoever agrees.

        Returns
        -------
            The label, and how many songs got it.

        Raises
        ------
        ButtonExpired
            If there is no such label any more.
        OwnLesson
            If they taught it themselves.
        LessonEmpty
            If no song of it is noted now.
        """
        label = await self._storage.labels.get_by_number(invited.label)
        if label is None:
            raise ButtonExpired()
        if person.startswith(invited.teacher):
            raise OwnLesson()
        lesson = await self._lesson(invited, label, chat)
        if not lesson:
            raise LessonEmpty()
        feedback, count = self._storage.feedback, 0
        for taught in lesson:
            if await feedback.find(person, taught.content_hash) is not None:
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
