"""Moderation in any chat: review songs one by one, count corrections, export them, cancel other people's songs.

Rights are checked at every call: the operator's MODERATORS act everywhere, administrators in their own chat.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.core import retraining_state, review_message
from bot.core.chat import OutgoingFile, OutgoingMessage
from bot.core.errors import (
    ButtonExpired,
    ExportOptionUnknown,
    ExportTooLarge,
    FormatMissing,
    GenreUnknown,
    NotAModerator,
)
from bot.setting_values import Moderator
from common.community import Community
from common.units import MEBIBYTE
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
    from bot.core.export_request import ExportRequest
    from bot.core.genre_names import GenreNames
    from bot.core.identity import IdHasher, Person
    from bot.core.localization import Localizer
    from bot.core.messages import Reviewers
    from bot.core.request import Requester
    from bot.settings import Settings
    from storage import Correction, FeedbackStats, Job, Storage

PAGE: Final = "local"
GENRES_COUNTED = 15
PROPOSALS_COUNTED = 10


@dataclass(frozen=True, slots=True)
class Review:
    """A song for a moderator to rule on: the number of its first correction, and the message that shows it."""

    correction_id: int
    message: OutgoingMessage


@dataclass(frozen=True, slots=True)
class RulingMade:
    """What came of a ruling.

    Attributes
    ----------
    text
        A sentence on it.
    after
        The number after which the review goes on.
    number
        A correction by which the ruling can be undone.
    """

    text: str
    after: int
    number: int


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

    def learns_from(self, platform: str) -> bool:
        """Return whether what people say on a platform may train."""
        return platform in self._settings.training_sources

    async def reviewers(self, platform: str, label: str) -> Reviewers:
        """Return on whom it depends whether songs of a label are learnt, by the rules under which they count.

        ``nowhere`` if nothing is learnt from the platform; ``moderators`` if one of them has to confirm the label
        first, ``nobody`` if there are none; else ``oneself`` or ``others``.
        """
        rules = retraining_state.rules_of(self._settings)
        if not self.learns_from(platform):
            return "nowhere"
        if rules.confirms_new and await self._is_unconfirmed(label):
            has_page = self._settings.moderation_password is not None and self._settings.local_address is not None
            return "moderators" if self._everywhere or has_page else "nobody"
        return "oneself" if rules.agreement == 1 else "others"

    async def _is_unconfirmed(self, label: str) -> bool:
        found = await self._storage.labels.get(label)
        proposed = found is not None and found.status is LabelStatus.PROPOSED
        return proposed and not await self._storage.label_aggregation.is_confirmed(label)

    def require(self, requester: Requester) -> None:
        """Raise ``NotAModerator`` for anybody who is neither in MODERATORS nor an administrator of this chat."""
        self._scope(requester)

    def moderates_song(self, requester: Requester, job: Job) -> bool:
        """Return whether somebody moderates the chat that a song was sent in."""
        here = self._keys.chat(requester.person.platform, requester.chat_id)
        own = requester.administers and (job.platform, job.chat) == (requester.person.platform, here)
        return own or self.everywhere(requester.person)

    async def review(self, requester: Requester, *, after: int = 0) -> Review | None:
        """Return the next song that waits for a ruling, disputed ones first; None if ``after`` was of the last one."""
        place = self._scope(requester)
        waiting = await self._storage.reviews.next(chat=place, after=after)
        if waiting is None:
            return None
        shown = await self._shown(requester, waiting)
        text = "\n\n".join([*await self.news(requester), shown.message.text])
        return replace(shown, message=replace(shown.message, text=text))

    async def news(self, requester: Requester) -> list[str]:
        """Return what each moderator is told once: rulings of theirs that others contradicted, failed retraining."""
        key, words = self._keys.person(requester.person), requester.words
        told = review_message.overruled_by_others(await self._storage.reviews.take_overruled(key), words)
        if self._scope(requester) is None:
            state = await retraining_state.load_state(self._storage)
            if state.outcome == "failed" and (state.at, key) not in self._failures_told:
                self._failures_told.add((state.at, key))
                told.append(retraining_state.run_line(state, self._settings, words))
        return told

    async def reviewed(self, requester: Requester, correction_id: int) -> Review:
        """Return the song of a correction; raises ``ButtonExpired`` if the requester moderates no such correction."""
        return await self._shown(requester, await self._correction(correction_id, self._scope(requester)))

    async def rule(
        self, requester: Requester, correction_id: int, status: ReviewStatus, label: str | None = None
    ) -> RulingMade:
        """Decide on the song of a correction: accept this one's label, reject all opinions, or give another label.

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
        correction = await self._correction(correction_id, place)
        after = await self._anchor(correction, place)
        chosen = correction.label if status is ReviewStatus.ACCEPTED else None
        if label is not None:
            chosen = (await self._storage.labels.propose(label, moderator)).id
        ruling = await self._storage.reviews.rule_song(correction_id, chosen, moderator=moderator, chat=place)
        text = words.translate(f"review-{status}", label=words.genre(chosen or correction.label))
        lines = [text, *review_message.overruled_by_me(ruling.overruled, words)]
        return RulingMade("\n".join(lines), after, ruling.numbers[0])

    async def accept_all(self, requester: Requester, correction_id: int) -> RulingMade:
        """Accept all of a correction's label that people who agree gave and nobody disputes.

        Raises
        ------
        ButtonExpired
            If the requester moderates no such correction, or nothing of that kind waits any more.
        """
        place, words = self._scope(requester), requester.words
        correction = await self._correction(correction_id, place)
        ruling = await self._storage.reviews.accept_agreed(
            correction.label, moderator=self._keys.person(requester.person), chat=place
        )
        if not ruling.numbers:
            raise ButtonExpired()
        text = words.translate("review-accepted-all", label=words.genre(correction.label), count=len(ruling.numbers))
        return RulingMade(text, correction_id, ruling.numbers[0])

    async def undo(self, requester: Requester, correction_id: int) -> str:
        """Put back for review what the requester ruled together with a correction; return a sentence on it.

        Raises
        ------
        ButtonExpired
            If they did not rule on it, or somebody has ruled otherwise since.
        """
        place, moderator = self._scope(requester), self._keys.person(requester.person)
        try:
            undone = await self._storage.reviews.undo(correction_id, moderator=moderator, chat=place)
        except RowNotFound:
            raise ButtonExpired() from None
        return requester.words.translate("review-undone", count=len(undone.numbers))

    async def _anchor(self, correction: Correction, place: ChatKey | None) -> int:
        """Return the number of the first opinion that waits on the song of a correction."""
        review = await self._storage.reviews.song(correction.content_hash, chat=place)
        return min((each.id for each in review.pending), default=correction.id)

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
        return words.translate(
            "review-merged", source=source, target=words.genre(merged.label.id), corrections=merged.corrections
        )

    async def stats(self, requester: Requester) -> str:
        """Return the counts over the corrections that the requester moderates: in all, per genre, proposed labels."""
        place, words = self._scope(requester), requester.words
        counted = await self._storage.feedback.stats(chat=place)
        if not counted.corrections:
            return words.translate("feedback-none")
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
                return OutgoingMessage(words.translate("feedback-export-empty"))
            limit = requester.upload_bytes
            if limit is not None and path.stat().st_size > limit:
                raise ExportTooLarge(megabytes=limit // MEBIBYTE)
            content = await asyncio.to_thread(path.read_bytes)
        text = words.translate("feedback-exported", rows=done.rows, songs=done.songs)
        return OutgoingMessage(text, file=OutgoingFile(path.name, content))

    def _scope(self, requester: Requester) -> ChatKey | None:
        """Return the chat whose corrections somebody moderates; None for all."""
        if self.everywhere(requester.person):
            return None
        if not requester.administers:
            raise NotAModerator()
        return ChatKey(requester.person.platform, self._keys.chat(requester.person.platform, requester.chat_id))

    async def _shown(self, requester: Requester, correction: Correction) -> Review:
        place, reviews = self._scope(requester), self._storage.reviews
        review = await reviews.song(correction.content_hash, chat=place)
        opinions = review.pending or review.opinions
        labels = [await self._storage.labels.get(label) for label in {each.label for each in opinions}]
        agreed = await reviews.agreed(correction.label, chat=place) if len(labels) == 1 else []
        message = review_message.review_message(
            review,
            requester.words,
            waiting=await reviews.waiting(chat=place),
            votes=await self._storage.feedback.votes(correction.content_hash),
            proposed={label.id for label in labels if label is not None and label.status is LabelStatus.PROPOSED},
            may_merge=self.everywhere(requester.person),
            # One press for this song alone is below "Accept" already.
            agreed=len(agreed) if set(agreed) - {each.id for each in opinions} else 0,
        )
        return Review(opinions[0].id, message)

    async def _correction(self, correction_id: int, place: ChatKey | None) -> Correction:
        correction = await self._storage.feedback.get(correction_id, chat=place)
        if correction is None:
            raise ButtonExpired()
        return correction


def _totals(counted: FeedbackStats, words: Localizer) -> list[str]:
    return [
        words.translate("feedback-totals", corrections=counted.corrections, people=counted.people, songs=counted.songs),
        words.translate("feedback-agreement", percent=round(100 * counted.agreeing / counted.corrections)),
        words.translate("feedback-waiting", waiting=counted.statuses.get(ReviewStatus.PENDING, 0)),
        words.translate("feedback-trainable", trainable=counted.trainable),
    ]


def _per_genre(counted: FeedbackStats, words: Localizer) -> list[str]:
    return [
        words.translate(
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
        words.translate("feedback-proposed-count", label=words.genre(label), count=count)
        for label, count in list(counted.proposed.items())[:PROPOSALS_COUNTED]
    )
    return ["", words.translate("feedback-proposed", labels=listed)]
