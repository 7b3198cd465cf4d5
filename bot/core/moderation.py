"""What moderators do in any chat: review corrections one by one, see the counts, take the data home, stop songs.

Who moderates is asked again at every call: the operator's MODERATORS everywhere, administrators in their own place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core import messages
from bot.core.errors import FormatMissing, GenreUnknown, NotAModerator, NotYours
from bot.core.localization import percent
from bot.core.messages import Action, Button, Message
from bot.settings import Moderator
from storage import (
    ChatKey,
    ExportFilter,
    ExportFormat,
    FormatUnavailable,
    LabelStatus,
    ReviewStatus,
    RowNotFound,
    export_feedback,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from bot.core.identity import Keys, Person
    from bot.core.localization import Language
    from bot.core.vocabulary import Words
    from bot.settings import Settings
    from storage import Correction, FeedbackStats, Storage

GENRES_COUNTED = 15
PROPOSALS_COUNTED = 10
LABELS_DISPUTED = 5


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks for what moderators may do.

    Attributes
    ----------
    person, language
        Who, and how to speak to them.
    chat_id
        The platform's id of the server, group or private chat in which they ask.
    administers
        Whether the platform said just now that they are an administrator of that very place.
    """

    person: Person
    language: Language
    chat_id: str
    administers: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """A correction to rule on: its number, what to show, and whether its label is only proposed."""

    correction_id: int
    message: Message
    proposed: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What to export: the format, a period (UTC, ``until`` excluded), a genre by any of its names, a status."""

    form: ExportFormat = ExportFormat.CSV
    since: datetime | None = None
    until: datetime | None = None
    genre: str | None = None
    status: ReviewStatus | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A file with corrections, and a sentence on what it holds."""

    path: Path
    text: str


class Moderation:
    """Moderators' part of the conversation; every method raises ``NotAModerator`` for anybody else.

    Parameters
    ----------
    storage, keys, settings
        As the conversation's.
    words
        A language with the names of all genres.
    """

    def __init__(self, storage: Storage, keys: Keys, settings: Settings, words: Callable[[Language], Words]) -> None:
        self._storage = storage
        self._keys = keys
        self._everywhere = settings.moderators
        self._words = words

    def everywhere(self, person: Person) -> bool:
        """Whether the operator named this person in MODERATORS."""
        return Moderator(person.platform, person.id) in self._everywhere

    def require(self, asker: Asker) -> None:
        """Raise ``NotAModerator`` for whoever is neither named by the operator nor administrator of this place."""
        self._scope(asker)

    async def require_song(self, asker: Asker, job_id: int) -> None:
        """Raise ``NotYours`` unless somebody moderates the place that a song was sent in."""
        job = await self._storage.jobs.get(job_id)
        here = self._keys.chat(asker.person.platform, asker.chat_id)
        own = asker.administers and job is not None and (job.platform, job.chat) == (asker.person.platform, here)
        if not own and not self.everywhere(asker.person):
            raise NotYours()

    async def review(self, asker: Asker, *, after: int = 0) -> Review | None:
        """Return the next correction that waits for a ruling, disputed songs first; None if ``after`` was the last."""
        place = self._scope(asker)
        waiting = await self._storage.feedback.next_to_review(chat=place, after=after)
        return None if waiting is None else await self._shown(asker, waiting)

    async def reviewed(self, asker: Asker, correction_id: int) -> Review:
        """Return one correction by number; raises ``RowNotFound`` where the asker has none such."""
        correction = await self._storage.feedback.get(correction_id, chat=self._scope(asker))
        if correction is None:
            raise RowNotFound(f"There is no correction {correction_id} here.")
        return await self._shown(asker, correction)

    async def rule(self, asker: Asker, correction_id: int, status: ReviewStatus, label: str | None = None) -> str:
        """Accept, reject or relabel a correction; return a sentence on it.

        Parameters
        ----------
        label
            For ``RELABELLED``: a known label by id, name or alias, or a new name.

        Raises
        ------
        RowNotFound
            If there is no such correction in the asker's place.
        BadLabel
            If the text cannot be a genre's name.
        """
        place, words = self._scope(asker), self._words(asker.language)
        moderator = self._keys.person(asker.person)
        if await self._storage.feedback.get(correction_id, chat=place) is None:
            raise RowNotFound(f"There is no correction {correction_id} here.")
        chosen = None if label is None else (await self._storage.labels.propose(label, moderator)).id
        ruled = await self._storage.feedback.moderate(
            correction_id, status, moderator=moderator, label=chosen, chat=place
        )
        return words.say(f"review-{ruled.status}", label=words.genre(ruled.verdict))

    async def merge(self, asker: Asker, correction_id: int, target: str) -> str:
        """Merge the proposed label of a correction into a known one, for all who used it; return a sentence on it.

        A label belongs to every place, so this is for the operator's moderators alone.

        Raises
        ------
        RowNotFound, GenreUnknown, MergeRefused
            If there is no such correction, no genre of that name, or the labels cannot be merged.
        """
        if not self.everywhere(asker.person):
            raise NotAModerator()
        correction = await self._storage.feedback.get(correction_id)
        if correction is None:
            raise RowNotFound(f"There is no correction {correction_id}.")
        known = await self._storage.labels.find(target)
        if known is None:
            raise GenreUnknown()
        words = self._words(asker.language)
        source = words.genre(correction.label)
        merged = await self._storage.labels.merge(correction.label, known.id)
        return words.say(
            "review-merged", source=source, target=words.genre(merged.label.id), corrections=merged.corrections
        )

    async def stats(self, asker: Asker) -> str:
        """Return the counts over the corrections that the asker moderates: in all, per genre, proposed labels."""
        counted = await self._storage.feedback.stats(chat=self._scope(asker))
        words = self._words(asker.language)
        if not counted.corrections:
            return words.say("feedback-none")
        return "\n".join([*_totals(counted, words), "", *_per_genre(counted, words), *_proposals(counted, words)])

    async def export(self, asker: Asker, wish: Wish, folder: Path) -> Export:
        """Write the corrections that the asker moderates, and that may leave, to a file in ``folder``.

        Raises
        ------
        GenreUnknown
            If no genre has the name that was asked for.
        FormatMissing
            If this installation cannot write the format.
        """
        place, words = self._scope(asker), self._words(asker.language)
        label = None if wish.genre is None else await self._storage.labels.find(wish.genre)
        if wish.genre is not None and label is None:
            raise GenreUnknown()
        selection = ExportFilter(
            since=wish.since,
            until=wish.until,
            genre=None if label is None else label.id,
            statuses=None if wish.status is None else [wish.status],
            chat=place,
        )
        path = folder / f"feedback.{wish.form}"
        try:
            done = await export_feedback(self._storage, path, wish.form, selection)
        except FormatUnavailable:
            raise FormatMissing() from None
        return Export(path, words.say("feedback-exported", rows=done.rows, songs=done.songs))

    def _scope(self, asker: Asker) -> ChatKey | None:
        """Return the place whose rows somebody moderates; None for all."""
        if self.everywhere(asker.person):
            return None
        if not asker.administers:
            raise NotAModerator()
        return ChatKey(asker.person.platform, self._keys.chat(asker.person.platform, asker.chat_id))

    async def _shown(self, asker: Asker, correction: Correction) -> Review:
        words = self._words(asker.language)
        label = await self._storage.labels.get(correction.label)
        proposed = label is not None and label.status is LabelStatus.PROPOSED
        counted = await self._storage.feedback.stats(chat=self._scope(asker))
        confidence = percent(correction.confidence)
        said, given = words.genre(correction.predicted), words.genre(correction.label)
        title = messages.clean_title(correction.title)
        lines = [
            words.say("review-heading", number=correction.id, waiting=counted.statuses.get(ReviewStatus.PENDING, 0)),
            *([words.say("review-title", title=title)] if title else []),
            words.say(
                "review-said-sure" if correction.sure else "review-said-unsure", genre=said, confidence=confidence
            ),
            words.say("review-agreed" if correction.agrees else "review-given", label=given),
            *([words.say("review-proposed")] if proposed else []),
            *await self._dispute(correction, words),
        ]
        buttons = _buttons(words, str(correction.id), may_merge=proposed and self.everywhere(asker.person))
        return Review(correction.id, Message("\n".join(lines), buttons), proposed)

    async def _dispute(self, correction: Correction, words: Words) -> list[str]:
        """Say what people call a song of which they say different things."""
        votes = await self._storage.feedback.votes(correction.content_hash)
        if len(votes) < 2:
            return []
        counted = [
            words.say("review-disputed-count", label=words.genre(label), people=people)
            for label, people in list(votes.items())[:LABELS_DISPUTED]
        ]
        return [words.say("review-disputed", labels=", ".join(counted))]


def _buttons(words: Words, subject: str, *, may_merge: bool) -> tuple[Button, ...]:
    merge = (Button(Action.MERGE, subject, words.say("button-merge")),) if may_merge else ()
    return (
        Button(Action.ACCEPT, subject, words.say("button-accept")),
        Button(Action.REJECT, subject, words.say("button-reject")),
        Button(Action.RELABEL, subject, words.say("button-relabel")),
        *merge,
        Button(Action.SKIP, subject, words.say("button-skip")),
    )


def _totals(counted: FeedbackStats, words: Words) -> list[str]:
    return [
        words.say("feedback-totals", corrections=counted.corrections, people=counted.people, songs=counted.songs),
        words.say("feedback-agreement", percent=round(100 * counted.agreeing / counted.corrections)),
        words.say("feedback-waiting", waiting=counted.statuses.get(ReviewStatus.PENDING, 0)),
        words.say("feedback-trainable", trainable=counted.trainable),
    ]


def _per_genre(counted: FeedbackStats, words: Words) -> list[str]:
    return [
        words.say(
            "feedback-genre",
            genre=words.genre_title(genre),
            said=count.predicted,
            right=count.right,
            given=count.labelled,
        )
        for genre, count in list(counted.genres.items())[:GENRES_COUNTED]
    ]


def _proposals(counted: FeedbackStats, words: Words) -> list[str]:
    if not counted.proposed:
        return []
    listed = ", ".join(
        words.say("feedback-proposed-count", label=words.genre(label), count=count)
        for label, count in list(counted.proposed.items())[:PROPOSALS_COUNTED]
    )
    return ["", words.say("feedback-proposed", labels=listed)]
