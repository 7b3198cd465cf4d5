"""Moderation in any chat: review corrections one by one, count them, export them, cancel other people's songs.

Rights are checked at every call: the operator's MODERATORS act everywhere, administrators in their own chat.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.core import messages, retraining_state
from bot.core.callbacks import Action, ReviewCallback
from bot.core.chat import Button, OutgoingFile, OutgoingMessage
from bot.core.errors import (
    ButtonExpired,
    DateUnclear,
    ExportOptionUnknown,
    ExportTooLarge,
    FormatMissing,
    GenreUnknown,
    NotAModerator,
)
from bot.core.localization import percent
from bot.settings import Moderator
from common.community import Community
from common.units import MEBIBYTE
from storage import ChatKey, ExportFilter, ExportFormat, FormatUnavailable, LabelStatus, ReviewStatus, export_feedback

if TYPE_CHECKING:
    from bot.core.chat import Requester
    from bot.core.genre_names import GenreNames
    from bot.core.identity import IdHasher, Person
    from bot.core.localization import Localizer
    from bot.core.messages import Reviewers
    from bot.settings import Settings
    from storage import Correction, FeedbackStats, Job, Storage

PAGE: Final = "local"
GENRES_COUNTED = 15
PROPOSALS_COUNTED = 10
LABELS_DISPUTED = 5


@dataclass(frozen=True, slots=True)
class Review:
    """A correction for a moderator to rule on: its number, and the message that shows it."""

    correction_id: int
    message: OutgoingMessage


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export: the format, a period (UTC, ``until`` excluded), a genre by any of its names, a status."""

    form: ExportFormat = ExportFormat.CSV
    since: datetime | None = None
    until: datetime | None = None
    genre: str | None = None
    status: ReviewStatus | None = None


class Moderation:
    """What moderators do; every method raises ``NotAModerator`` for anybody else.

    Parameters
    ----------
    storage, keys, settings
        As the conversation's.
    names
        Names of genres.
    """

    def __init__(self, storage: Storage, keys: IdHasher, settings: Settings, names: GenreNames) -> None:
        self._storage = storage
        self._keys = keys
        self._everywhere = settings.moderators
        self._used_by = settings.used_by
        self._settings = settings
        self._genres: tuple[str, ...] = ()
        self._failures_told: set[tuple[str, str]] = set()
        self._names = names

    def everywhere(self, person: Person) -> bool:
        """Return whether this person moderates everything: named in MODERATORS, or alone with a bot of their own."""
        own = self._used_by is Community.PRIVATE and person.platform == PAGE
        return own or Moderator(person.platform, person.id) in self._everywhere

    def serves(self, genres: tuple[str, ...]) -> None:
        """Note the genres of the serving release."""
        self._genres = genres

    @property
    def reviewers(self) -> Reviewers:
        """Who decides on a label that somebody proposed."""
        if self._used_by is Community.PRIVATE:
            return "oneself"
        return "moderators" if self._everywhere else "others"

    def require(self, requester: Requester) -> None:
        """Raise ``NotAModerator`` for anybody who is neither in MODERATORS nor an administrator of this chat."""
        self._scope(requester)

    def moderates_song(self, requester: Requester, job: Job) -> bool:
        """Return whether somebody moderates the chat that a song was sent in."""
        here = self._keys.chat(requester.person.platform, requester.chat_id)
        own = requester.administers and (job.platform, job.chat) == (requester.person.platform, here)
        return own or self.everywhere(requester.person)

    async def review(self, requester: Requester, *, after: int = 0) -> Review | None:
        """Return the next correction that waits for a ruling, disputed songs first; None if ``after`` was the last."""
        place = self._scope(requester)
        waiting = await self._storage.feedback.next_to_review(chat=place, after=after)
        if waiting is None:
            return None
        shown = await self._shown(requester, waiting)
        failure = await self._failure_once(requester) if place is None else None
        if failure is None:
            return shown
        return replace(shown, message=replace(shown.message, text=f"{failure}\n\n{shown.message.text}"))

    async def _failure_once(self, requester: Requester) -> str | None:
        """Return that retraining failed, to each moderator once."""
        state = await retraining_state.load_state(self._storage)
        told = (state.at, self._keys.person(requester.person))
        if state.outcome != "failed" or told in self._failures_told:
            return None
        self._failures_told.add(told)
        return retraining_state.run_line(state, self._settings, requester.words)

    async def reviewed(self, requester: Requester, correction_id: int) -> Review:
        """Return one correction by number; raises ``ButtonExpired`` if the requester moderates no such correction."""
        return await self._shown(requester, await self._correction(correction_id, self._scope(requester)))

    async def rule(
        self, requester: Requester, correction_id: int, status: ReviewStatus, label: str | None = None
    ) -> str:
        """Accept, reject or relabel a correction; return a sentence on it.

        Parameters
        ----------
        label
            For ``RELABELLED``: a known label by id, name or alias, or a new name.

        Raises
        ------
        ButtonExpired
            If the requester moderates no such correction.
        BadLabel
            If the text cannot be a genre's name.
        """
        place, words = self._scope(requester), requester.words
        moderator = self._keys.person(requester.person)
        await self._correction(correction_id, place)
        chosen = None if label is None else (await self._storage.labels.propose(label, moderator)).id
        ruled = await self._storage.feedback.moderate(
            correction_id, status, moderator=moderator, label=chosen, chat=place
        )
        return words.say(f"review-{ruled.status}", label=words.genre(ruled.verdict))

    async def merge(self, requester: Requester, correction_id: int, target: str) -> str:
        """Merge the proposed label of a correction into a known one, for all who used it; return a sentence on it.

        A label belongs to every chat, so this is for the operator's moderators alone. The correction still waits for a
        ruling afterwards.

        Raises
        ------
        ButtonExpired, GenreUnknown, MergeRefused
            If there is no such correction, no genre of that name, or the labels cannot be merged.
        """
        if not self.everywhere(requester.person):
            raise NotAModerator()
        correction = await self._correction(correction_id, None)
        known = await self._storage.labels.find(target)
        if known is None:
            raise GenreUnknown()
        words = requester.words
        source = words.genre(correction.label)
        merged = await self._storage.labels.merge(correction.label, known.id)
        return words.say(
            "review-merged", source=source, target=words.genre(merged.label.id), corrections=merged.corrections
        )

    async def stats(self, requester: Requester) -> str:
        """Return the counts over the corrections that the requester moderates: in all, per genre, proposed labels."""
        place, words = self._scope(requester), requester.words
        counted = await self._storage.feedback.stats(chat=place)
        if not counted.corrections:
            return words.say("feedback-none")
        lines = [*_totals(counted, words), "", *_per_genre(counted, words), *_proposals(counted, words)]
        if place is None:
            lines += ["", *await retraining_state.report(self._storage, self._settings, self._genres, words)]
        return "\n".join(lines)

    async def export(self, requester: Requester, wanted: ExportRequest) -> OutgoingMessage:
        """Return the corrections that the requester moderates, and that may leave, as a file.

        Raises
        ------
        ExportOptionUnknown
            If no genre has the name that was asked for.
        FormatMissing
            If this installation cannot write the format.
        ExportTooLarge
            If the chat does not accept a file of this size.
        """
        place, words = self._scope(requester), requester.words
        label = None if wanted.genre is None else await self._storage.labels.find(wanted.genre)
        if wanted.genre is not None and label is None:
            raise ExportOptionUnknown(option=wanted.genre, formats=", ".join(ExportFormat))
        selection = ExportFilter(
            since=wanted.since,
            until=wanted.until,
            genre=None if label is None else label.id,
            statuses=None if wanted.status is None else [wanted.status],
            chat=place,
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"feedback.{wanted.form}"
            try:
                done = await export_feedback(self._storage, path, wanted.form, selection)
            except FormatUnavailable:
                raise FormatMissing() from None
            if not done.rows:
                return OutgoingMessage(words.say("feedback-export-empty"))
            limit = requester.upload_bytes
            if limit is not None and path.stat().st_size > limit:
                raise ExportTooLarge(megabytes=limit // MEBIBYTE)
            content = await asyncio.to_thread(path.read_bytes)
        text = words.say("feedback-exported", rows=done.rows, songs=done.songs)
        return OutgoingMessage(text, file=OutgoingFile(path.name, content))

    def _scope(self, requester: Requester) -> ChatKey | None:
        """Return the chat whose corrections somebody moderates; None for all."""
        if self.everywhere(requester.person):
            return None
        if not requester.administers:
            raise NotAModerator()
        return ChatKey(requester.person.platform, self._keys.chat(requester.person.platform, requester.chat_id))

    async def _shown(self, requester: Requester, correction: Correction) -> Review:
        words = requester.words
        label = await self._storage.labels.get(correction.label)
        proposed = label is not None and label.status is LabelStatus.PROPOSED
        counted = await self._storage.feedback.stats(chat=self._scope(requester))
        confidence = percent(correction.confidence)
        answered, corrected = words.genre(correction.predicted), words.genre(correction.label)
        said = (
            words.say(
                "review-said-sure" if correction.sure else "review-said-unsure", genre=answered, confidence=confidence
            )
            if correction.predicted
            else words.say("review-said-not-music")
        )
        title = messages.clean_title(correction.title)
        lines = [
            words.say("review-heading", number=correction.id, waiting=counted.statuses.get(ReviewStatus.PENDING, 0)),
            *([words.say("review-title", title=title)] if title else []),
            said,
            words.say("review-agreed" if correction.agrees else "review-given", label=corrected),
            *([words.say("review-proposed")] if proposed else []),
            *await self._dispute(correction, words),
        ]
        buttons = _buttons(words, correction.id, may_merge=proposed and self.everywhere(requester.person))
        return Review(correction.id, OutgoingMessage("\n".join(lines), buttons))

    async def _correction(self, correction_id: int, place: ChatKey | None) -> Correction:
        correction = await self._storage.feedback.get(correction_id, chat=place)
        if correction is None:
            raise ButtonExpired()
        return correction

    async def _dispute(self, correction: Correction, words: Localizer) -> list[str]:
        """Return a line with the different genres that people gave for a disputed song."""
        votes = await self._storage.feedback.votes(correction.content_hash)
        if len(votes) < 2:
            return []
        counted = [
            words.say("review-disputed-count", label=words.genre(label), people=people)
            for label, people in list(votes.items())[:LABELS_DISPUTED]
        ]
        return [words.say("review-disputed", labels=", ".join(counted))]


def _buttons(words: Localizer, correction_id: int, *, may_merge: bool) -> tuple[Button, ...]:
    merge = (Button(ReviewCallback(Action.MERGE, correction_id), words.say("button-merge")),) if may_merge else ()
    return (
        Button(ReviewCallback(Action.ACCEPT, correction_id), words.say("button-accept")),
        Button(ReviewCallback(Action.REJECT, correction_id), words.say("button-reject")),
        Button(ReviewCallback(Action.RELABEL, correction_id), words.say("button-relabel")),
        *merge,
        Button(ReviewCallback(Action.SKIP, correction_id), words.say("button-skip")),
    )


def _totals(counted: FeedbackStats, words: Localizer) -> list[str]:
    return [
        words.say("feedback-totals", corrections=counted.corrections, people=counted.people, songs=counted.songs),
        words.say("feedback-agreement", percent=round(100 * counted.agreeing / counted.corrections)),
        words.say("feedback-waiting", waiting=counted.statuses.get(ReviewStatus.PENDING, 0)),
        words.say("feedback-trainable", trainable=counted.trainable),
    ]


def _per_genre(counted: FeedbackStats, words: Localizer) -> list[str]:
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


def _proposals(counted: FeedbackStats, words: Localizer) -> list[str]:
    if not counted.proposed:
        return []
    listed = ", ".join(
        words.say("feedback-proposed-count", label=words.genre(label), count=count)
        for label, count in list(counted.proposed.items())[:PROPOSALS_COUNTED]
    )
    return ["", words.say("feedback-proposed", labels=listed)]


def export_filter(
    form: str = ExportFormat.CSV,
    since: str | None = None,
    until: str | None = None,
    genre: str | None = None,
    status: str | None = None,
) -> ExportRequest:
    """Return the filter that these texts mean; days like ``2026-11-30``, both included.

    Raises
    ------
    DateUnclear
        If a text is no day.
    """
    return ExportRequest(
        form=ExportFormat(form),
        since=_day(since) if since else None,
        until=_day(until, later=timedelta(days=1)) if until else None,
        genre=genre,
        status=None if status is None else ReviewStatus(status),
    )


def read_export_filter(text: str) -> ExportRequest:
    """Read a format, a period such as ``2026-01-01..2026-03-31``, a status and a genre, in any order.

    Raises
    ------
    DateUnclear
        If a period has no day where one should be.
    """
    options: dict[str, str] = {}
    genre = []
    for word in text.split():
        if word.lower() in set(ExportFormat):
            options["form"] = word.lower()
        elif word.lower() in set(ReviewStatus):
            options["status"] = word.lower()
        elif ".." in word:
            options["since"], _, options["until"] = word.partition("..")
        else:
            genre.append(word)
    return export_filter(**options, genre=" ".join(genre) or None)


def _day(text: str, later: timedelta = timedelta()) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC) + later
    except (ValueError, OverflowError):
        raise DateUnclear() from None
