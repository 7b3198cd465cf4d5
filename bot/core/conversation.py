"""What is said and done in any chat: take a song, report progress, answer, take an opinion back or in, privacy.

Chats translate to and from this; a rule that two chats share stands here. Songs wait in ``bot.core.song_queue``.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.core import messages, timeline
from bot.core.bot_info import Housekeeping
from bot.core.chat import LINK_SOURCE, Song, Stage, Submission
from bot.core.errors import ButtonExpired, NotYours
from bot.core.localization import DEFAULT_LANGUAGE, Language, language_of
from bot.core.moderation import Moderation
from bot.core.playlist_prompt import Lists
from bot.core.vocabulary import Words
from bot.metrics import Metrics
from classifier.song_report import SongReport
from links import parse_link
from storage import CancelResult, ChatKey, LabelStatus, NewJob, RowNotFound, TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.core.identity import Keys, Person
    from bot.core.palette import Theme
    from bot.core.song_queue import Queue
    from bot.settings import Settings
    from storage import Consent, ErasureSummary, Job, Label, Reply, Storage

LABELS_LISTED = 25
LABELS_AT_ONCE = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that was given, as one person sees it.

    Attributes
    ----------
    reply
        What buttons hang on.
    report
        What was said.
    opinion
        What this person said of it; None if nothing yet.
    """

    reply: Reply
    report: SongReport
    opinion: messages.Opinion | None


@dataclass(frozen=True, slots=True)
class Said:
    """What comes back when somebody gives an opinion.

    Attributes
    ----------
    message
        The thanks.
    question
        The one question whether it may train the next release; None once it was asked.
    opinion
        The opinion as it now stands; None if it was taken back.
    """

    message: messages.Message
    question: messages.Message | None
    opinion: messages.Opinion | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A genre that can be chosen: its label's id and number, its name and a few words, whether it is only proposed."""

    label: str
    number: int
    name: str
    about: str
    proposed: bool


class Conversation:
    """The bot as every chat meets it.

    Parameters
    ----------
    storage, keys, settings
        Where things are kept, what people are called there, and the limits.
    metrics
        Told of opinions.
    """

    def __init__(self, storage: Storage, keys: Keys, settings: Settings, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self._storage = storage
        self._keys = keys
        self._settings = settings
        self._queue: Queue | None = None
        self._learned: dict[Language, dict[str, str]] = {"en": {}, "vi": {}}
        self.moderation = Moderation(storage, keys, settings, self.words)
        self.housekeeping = Housekeeping(storage, keys, settings, self.words, self.moderation.require)
        self.lists = Lists(storage, keys, settings, self.song_of, lambda: self.queue)

    def work_through(self, queue: Queue) -> None:
        """Give songs to this queue from now on."""
        self._queue = queue
        queue.ask_through(self.lists)

    @property
    def queue(self) -> Queue:
        """The queue of songs."""
        if self._queue is None:
            raise RuntimeError("the conversation has no queue yet")
        return self._queue

    async def know_genres(self, genres: Iterable[str]) -> None:
        """Make the genres of the serving release choosable, whoever trained it, and learn what genres are called."""
        for genre in genres:
            await self._storage.labels.ensure_known(genre)
        page, listed = await self._storage.labels.search(limit=LABELS_AT_ONCE), 0
        while page.labels:
            for label in page.labels:
                self._learn(label)
            listed += len(page.labels)
            page = await self._storage.labels.search(limit=LABELS_AT_ONCE, offset=listed)

    def key_of(self, person: Person) -> str:
        """Return what storage knows a person by."""
        return self._keys.person(person)

    # Songs

    async def submit(self, submission: Submission) -> Job:
        """Take a song: write it down, and work on it when its turn comes.

        Raises
        ------
        TooManyQueued, TooManyToday, Closing, LinkError
            With a sentence for the person.
        """
        if submission.source == LINK_SOURCE:
            submission = self._with_link_read(submission)
        return await self.queue.add(
            self._job_for(submission),
            queued_limit=self._settings.songs_per_person_queued,
            daily_limit=self._settings.songs_per_person_daily,
        )

    async def check_limits(self, person: Person) -> None:
        """Say before a person sends many bytes whether they would be turned away; raises as ``submit`` does."""
        self.queue.check_open()
        load = await self._storage.jobs.person_load(self._keys.person(person))
        if load.queued + load.running >= self._settings.songs_per_person_queued:
            raise TooManyQueued(limit=self._settings.songs_per_person_queued)
        if load.today >= self._settings.songs_per_person_daily:
            raise TooManyToday(limit=self._settings.songs_per_person_daily)

    async def song_of(self, job: Job) -> Song:
        """Return a job as the song that its chat knows."""
        hint = language_of(job.message.get("language")) or DEFAULT_LANGUAGE
        language = await self._chosen_language(job.person) or hint
        return Song(
            job_id=job.id,
            person=job.person,
            words=self.words(language),
            title=job.message.get("title"),
            message=job.message.get("back", {}),
            payload=job.payload,
            noted=job.progress,
        )

    async def cancel(self, job_id: int, person: Person, *, moderator: bool = False) -> CancelResult:
        """Stop a song; only its sender (or a moderator) may.

        Raises
        ------
        NotYours
            If somebody else sent it.
        """
        job = await self._storage.jobs.get(job_id)
        if job is None:
            return CancelResult.TOO_LATE
        if job.person != self._keys.person(person) and not moderator:
            raise NotYours()
        return await self.queue.cancel(job_id)

    async def stage(self, job_id: int) -> Stage | None:
        """Return how far a song has come; None if it ended."""
        return await self.queue.stage(job_id)

    # Answers and opinions of them

    async def given(self, reply_id: str, person: Person, language: Language) -> Given:
        """Return an answer as a person sees it.

        Raises
        ------
        ButtonExpired
            If it is no longer kept.
        """
        reply, report = await self._answered(reply_id)
        return Given(reply, report, await self._opinion(reply, person, self.words(language)))

    async def agree(self, reply_id: str, person: Person, language: Language) -> Said:
        """Take "right"."""
        _, report = await self._answered(reply_id)
        return await self.correct(reply_id, person, language, report.genre)

    async def correct(self, reply_id: str, person: Person, language: Language, label: str) -> Said:
        """Take a person's word for the genre of a song: a known label by id, name or alias, or a new name.

        A second word of theirs on the same song replaces the first.

        Raises
        ------
        ButtonExpired
            If the answer is no longer kept.
        BadLabel
            If the text cannot be a genre's name; with a sentence.
        """
        reply, _ = await self._answered(reply_id)
        somebody = self._keys.person(person)
        found = await self._storage.labels.propose(label, somebody)
        self._learn(found)
        try:
            given = await self._storage.feedback.correct(
                person=somebody,
                answer_id=reply.answer_id,
                label=found.id,
                platform=reply.platform,
                chat=reply.chat,
                may_train=reply.platform in self._settings.training_sources,
            )
        except RowNotFound:
            raise ButtonExpired() from None
        self._metrics.corrected(reply.platform, agrees=given.correction.agrees)
        words = self.words(language)
        opinion = self._opinion_on(found, words, agrees=given.correction.agrees)
        thanks = messages.thanks(opinion, words, reply_id)
        asked = await self._storage.people.ask_once(somebody)
        return Said(thanks, messages.consent_question(words) if asked else None, opinion)

    async def undo(self, reply_id: str, person: Person, language: Language) -> Said:
        """Take back what a person said of a song."""
        reply, _ = await self._answered(reply_id)
        gone = await self._storage.feedback.withdraw(self._keys.person(person), reply.content_hash)
        words = self.words(language)
        text = words.say("correction-nothing" if gone is None else "correction-undone")
        return Said(messages.Message(text, messages.opinion_buttons(words, reply_id, None)), None, None)

    async def choices(self, text: str, language: Language, *, offset: int = 0) -> tuple[list[Choice], int]:
        """Return the genres that a text finds, best first, and how many there are in all; all genres for no text."""
        page = await self._storage.labels.search(text, limit=LABELS_LISTED, offset=offset)
        words = self.words(language)
        for label in page.labels:
            self._learn(label)
        listed = [
            Choice(
                label=label.id,
                number=label.number,
                name=words.genre_title(label.id),
                about=words.genre_about(label.id),
                proposed=label.status is LabelStatus.PROPOSED,
            )
            for label in page.labels
        ]
        return listed, page.total

    async def label_numbered(self, number: int) -> str | None:
        """Return the id of the genre that a button's number stands for; None if it is gone."""
        label = await self._storage.labels.get_by_number(number)
        return None if label is None else label.id

    async def picture(self, report: SongReport, words: Words, theme: Theme) -> bytes:
        """Draw an answer's timeline, off the event loop."""
        return await asyncio.to_thread(timeline.render, report, words, theme)

    # What is kept of a person

    async def language(self, person: Person) -> Language | None:
        """Return the language that a person chose; None if they never did."""
        return await self._chosen_language(self._keys.person(person))

    async def set_language(self, person: Person, language: Language) -> None:
        """Speak this language with a person from now on, whatever their platform says."""
        await self._storage.people.set_language(self._keys.person(person), language)

    async def consent(self, person: Person) -> Consent:
        """Return whether a person's corrections may train the next release."""
        return await self._storage.people.consent(self._keys.person(person))

    async def open_question(self, person: Person, language: Language) -> messages.Message | None:
        """Return the question for consent where it was asked but not answered yet."""
        consent = await self.consent(person)
        is_open = consent.asked is not None and consent.may_train is None
        return messages.consent_question(self.words(language)) if is_open else None

    async def set_consent(self, person: Person, language: Language, *, allow: bool) -> messages.Message:
        """Write a person's choice down; it holds for what they already gave."""
        before = await self.consent(person)
        await self._storage.people.set_consent(self._keys.person(person), allow)
        kind = "allowed" if allow else "withdrawn" if before.may_train else "refused"
        return messages.Message(self.words(language).say(f"consent-{kind}"))

    async def privacy(self, person: Person, language: Language) -> messages.Message:
        """Say what is kept, for how long and why, and show the person's choice with the button to change it."""
        consent, words = await self.consent(person), self.words(language)
        state = "unasked" if consent.may_train is None else "yes" if consent.may_train else "no"
        change = (
            messages.Button(messages.Action.REFUSE, "", words.say("button-withdraw"))
            if consent.may_train
            else messages.Button(messages.Action.ALLOW, "", words.say("button-allow"))
        )
        return messages.Message(f"{words.say('privacy')}\n\n{words.say(f'privacy-consent-{state}')}", (change,))

    async def my_data(self, person: Person, private_chats: Sequence[str] = ()) -> dict[str, Any]:
        """Return everything that is kept of a person, as JSON data; ``private_chats`` are theirs alone, by id."""
        places = [self._place(person.platform, chat) for chat in private_chats]
        return await self._storage.people.export_data(self._keys.person(person), places)

    async def forget(self, person: Person, private_chats: Sequence[str] = ()) -> ErasureSummary:
        """Delete everything that is kept of a person, songs under way included; say how much it was."""
        somebody = self._keys.person(person)
        tell_chats = await self.queue.drop_person(somebody)
        places = [self._place(person.platform, chat) for chat in private_chats]
        forgotten = await self._storage.people.erase(somebody, places)
        await tell_chats()
        return forgotten

    def words(self, language: Language) -> Words:
        """Return a language with the names of all genres that were learned meanwhile."""
        return Words(language, self._learned[language])

    async def _chosen_language(self, somebody: str) -> Language | None:
        return language_of(await self._storage.people.language(somebody))

    def _job_for(self, submission: Submission) -> NewJob:
        person = submission.person
        key = None if submission.key is None else self._keys.message(person.platform, submission.key)
        return NewJob(
            platform=person.platform,
            chat=self._keys.chat(person.platform, submission.chat_id),
            person=self._keys.person(person),
            message={
                "language": submission.language,
                "title": messages.clean_title(submission.title),
                "back": dict(submission.message),
            },
            payload=submission.payload,
            source=submission.source,
            key=key,
        )

    def _with_link_read(self, submission: Submission) -> Submission:
        """Return a link's submission with the link as it may be fetched; the rest of a payload is its chat's own."""
        pasted = submission.payload.get("link") or submission.payload.get("url") or ""
        link = parse_link(pasted, self._settings.link_hosts)
        return replace(submission, payload={**submission.payload, "link": link})

    def _place(self, platform: str, chat_id: str) -> ChatKey:
        return ChatKey(platform, self._keys.chat(platform, chat_id))

    async def _answered(self, reply_id: str) -> tuple[Reply, SongReport]:
        reply = await self._storage.replies.find(reply_id)
        answer = None if reply is None else await self._storage.songs.answer(reply.answer_id)
        if reply is None or answer is None:
            raise ButtonExpired()
        return reply, SongReport.from_dict(answer.report)

    async def _opinion(self, reply: Reply, person: Person, words: Words) -> messages.Opinion | None:
        correction = await self._storage.feedback.find(self._keys.person(person), reply.content_hash)
        label = None if correction is None else await self._storage.labels.get(correction.label)
        if correction is None or label is None:
            return None
        self._learn(label)
        return self._opinion_on(label, words, agrees=correction.agrees)

    @staticmethod
    def _opinion_on(label: Label, words: Words, *, agrees: bool) -> messages.Opinion:
        proposed = label.status is LabelStatus.PROPOSED
        return messages.Opinion(label.id, words.genre(label.id), agrees=agrees, proposed=proposed)

    def _learn(self, label: Label) -> None:
        for language, learned in self._learned.items():
            learned[label.id] = label.name(language)
