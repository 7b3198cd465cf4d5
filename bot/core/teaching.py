"""Teaching a genre song by song: after ``/teach zouk``, every song that a person sends there is a correction."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from bot.core.messages import CorrectionView
from storage import LabelStatus, RowNotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.chat import PendingSong
    from bot.core.genre_names import GenreNames
    from bot.core.identity import Person
    from bot.metrics import Metrics
    from bot.settings import Settings
    from storage import Job, Storage

TAUGHT = "taught"
"""Key in the payload of a song that is sent to teach: the id of the label."""
IDLE_SECONDS = 30 * 60.0
"""So long after the last song nobody expects the next one to be taught, too."""
LESSONS_REMEMBERED = 10_000

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
