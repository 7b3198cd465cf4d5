"""The conversation that every chat calls: take a song, answer, take and undo corrections, and a person's own data.

Songs wait in ``bot.core.song_queue``; commands and buttons come through ``bot.core.request_handler``.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import messages, questions, similar_songs, timeline
from bot.core.answer_view import AnswerView, CorrectionResult
from bot.core.bot_info import BotInfo
from bot.core.chat import LINK_SOURCE, OutgoingMessage, Submission
from bot.core.errors import ButtonExpired, NotYours
from bot.core.genre_search import GenreSearch
from bot.core.localization import DEFAULT_LANGUAGE, Language, language_of
from bot.core.moderation import Moderation
from bot.core.playlist_answers import PlaylistAnswers
from bot.core.privacy import Privacy
from bot.core.review_desk import ReviewDesk
from bot.core.size_limits import check_size
from bot.core.teaching import TAUGHT
from bot.core.unsent_songs import UnsentSongs
from classifier.song_report import SongReport
from common.errors import StorageUnavailable
from links import parse_link
from storage import CancelResult, ChatKey, LabelStatus, RowNotFound, TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.callbacks import SecondCallback
    from bot.core.chat import PendingSong, Stage
    from bot.core.genre_names import GenreNames
    from bot.core.identity import IdHasher, Person
    from bot.core.localization import Localizer
    from bot.core.messages import CorrectionView
    from bot.core.palette import Theme
    from bot.core.pending_songs import PendingSongs
    from bot.core.playlist_prompt import PlaylistPrompts
    from bot.core.request import Requester
    from bot.core.song_queue import SongQueue
    from bot.core.teaching import Invitation, Teaching
    from bot.metrics import Metrics
    from bot.settings import Settings
    from storage import Job, Label, Reply, SegmentVectors, Storage

LANGUAGE_SECONDS = 2.0


class Conversation:
    """The bot as every chat calls it.

    Parameters
    ----------
    storage, keys, settings
        Where things are stored, the keyed hashes of people, and the limits.
    names
        Names of genres.
    songs
        Translates between submissions, jobs and pending songs.
    queue
        Where songs wait.
    prompts
        Asks about playlists.
    metrics
        Counts corrections.
    teaching
        Who teaches a genre song by song.

    Attributes
    ----------
    genres, moderation, desk, info, privacy, playlists, unsent
        Genres that people may mean, what moderators do in chats and on their page, what the bot tells about itself, a
        person's own data, answers to playlist questions, corrections of songs that were not answered one by one.
    """

    def __init__(
        self,
        storage: Storage,
        keys: IdHasher,
        settings: Settings,
        names: GenreNames,
        songs: PendingSongs,
        queue: SongQueue,
        prompts: PlaylistPrompts,
        metrics: Metrics,
        teaching: Teaching,
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._settings = settings
        self._names = names
        self._songs = songs
        self._prompts = prompts
        self._metrics = metrics
        self.queue = queue
        self.teaching = teaching
        self.genres = GenreSearch(storage, names)
        self.moderation = Moderation(storage, keys, settings, names)
        self.desk = ReviewDesk(storage, keys, settings, names)
        self.info = BotInfo(storage, keys, settings, names, self.moderation)
        self.privacy = Privacy(storage, keys, names, queue, self.moderation)
        self.playlists = PlaylistAnswers(storage, keys, settings, songs, prompts, queue)
        self.unsent = UnsentSongs(storage, keys)

    def key_of(self, person: Person) -> str:
        """Return the keyed hash under which storage knows a person."""
        return self._keys.person(person)

    # Languages

    def words(self, language: Language) -> Localizer:
        """Return the texts of a language with the names of all genres."""
        return self._names.localizer(language)

    async def chosen_language(self, person: Person) -> Language | None:
        """Return the language that a person chose; None if they never did."""
        return await self._songs.chosen_language(self._keys.person(person))

    async def set_language(self, person: Person, language: Language) -> None:
        """Speak this language with a person from now on, whatever their platform says."""
        await self._storage.people.set_language(self._keys.person(person), language)

    async def language_for(self, person: Person, chat_id: str, platform_language: Language | None) -> Language:
        """Return the language to speak: the person's choice, else the chat's setting, else their platform's.

        A database that does not answer in time keeps nobody waiting for help: their platform's language will do.
        """
        looking = asyncio.ensure_future(self._stored_language(person, chat_id))
        await asyncio.wait({looking}, timeout=LANGUAGE_SECONDS)
        stored = looking.result() if looking.done() else None
        return stored or platform_language or DEFAULT_LANGUAGE

    async def _stored_language(self, person: Person, chat_id: str) -> Language | None:
        try:
            chosen = await self.chosen_language(person)
            if chosen is not None:
                return chosen
            return language_of((await self.info.chat(person.platform, chat_id)).language)
        except StorageUnavailable:
            return None

    # Songs

    async def submit(self, submission: Submission) -> Job:
        """Store a song, to be worked on when its turn comes.

        Raises
        ------
        TooLarge, TooManyQueued, TooManyToday, Closing, LinkError
            With a sentence for the person.
        """
        check_size(self._settings, submission.size)
        taught = self.teaching.label_for(submission.person, submission.place)
        if taught is not None:
            self.teaching.begin(submission.person, submission.place, taught)
            submission = replace(submission, payload={**submission.payload, TAUGHT: taught})
        if submission.source == LINK_SOURCE:
            submission = self._with_link_read(submission)
        return await self.queue.add(
            self._songs.job_for(submission),
            queued_limit=self._settings.songs_per_person_queued,
            daily_limit=self._settings.songs_per_person_daily,
        )

    async def check_limits(self, person: Person) -> None:
        """Raise what ``submit`` would raise, before a person sends many bytes."""
        self.queue.check_open()
        load = await self._storage.jobs.person_load(self._keys.person(person))
        if load.queued + load.running >= self._settings.songs_per_person_queued:
            raise TooManyQueued(limit=self._settings.songs_per_person_queued)
        if load.today >= self._settings.songs_per_person_daily:
            raise TooManyToday(limit=self._settings.songs_per_person_daily)

    async def song_of(self, job: Job) -> PendingSong:
        """Return a job as the song that its chat knows."""
        return await self._songs.of(job)

    async def cancel(self, job_id: int, requester: Requester) -> CancelResult:
        """CancelResult a song.

        Raises
        ------
        NotYours
            If the requester neither sent it nor moderates the chat that it was sent in.
        """
        job = await self._storage.jobs.get(job_id)
        if job is None:
            return CancelResult.TOO_LATE
        is_sender = job.person == self._keys.person(requester.person)
        if not is_sender and not self.moderation.moderates_song(requester, job):
            raise NotYours()
        return await self.queue.cancel(job_id)

    async def is_left_behind(self, job_id: int, message_id: int | None) -> bool:
        """Return whether a message shows a song's progress although the song is answered in another message.

        A process that was killed just after it had posted its message leaves it behind.
        """
        job = await self._storage.jobs.get(job_id)
        reply = None if job is None or job.reply_id is None else await self._storage.replies.find(job.reply_id)
        there = None if reply is None or reply.message is None else reply.message.get("message")
        return there is not None and there != message_id

    async def stage(self, job_id: int) -> Stage | None:
        """Return how far a song has come; None if it has ended or another process has it."""
        return await self.queue.stage(job_id)

    async def playlist_question(self, job_id: int, words: Localizer) -> OutgoingMessage | None:
        """Return the question about a playlist that a job waits for the answer to; None if there is none."""
        return await self._prompts.question(job_id, words)

    # Answers and corrections

    async def answer_view(self, reply_id: str, person: Person, language: Language) -> AnswerView:
        """Return an answer as a person sees it.

        Raises
        ------
        ButtonExpired
            If it is no longer stored.
        """
        reply, report = await self._answered(reply_id)
        asked = await self._storage.asking.state(self._keys.person(person))
        question = asked.question if asked.reply == reply_id else None
        return AnswerView(reply, report, await self._correction(reply, person, self.words(language)), question)

    async def answer_shown(self, platform: str, chat_id: str, message_id: int) -> str | None:
        """Return the id of the reply that a message of a chat shows; None if it shows none that is still kept."""
        reply = await self._storage.replies.find_sent(platform, self._keys.chat(platform, chat_id), message_id)
        return None if reply is None else reply.id

    async def closest(self, reply_id: str, others: Sequence[str]) -> list[str]:
        """Return those of a person's other answers whose songs sound most like that of one answer."""
        vectors: dict[str, Sequence[SegmentVectors]] = {}
        known: set[str] = set()
        for one in (reply_id, *others):
            reply = await self._storage.replies.find(one)
            # The same recording, sent twice, says nothing.
            if reply is not None and reply.content_hash not in known:
                known.add(reply.content_hash)
                vectors[one] = await self._storage.songs.features(reply.answer_id)
        return await asyncio.to_thread(similar_songs.closest, reply_id, vectors) if reply_id in vectors else []

    async def agree(self, reply_id: str, person: Person, language: Language) -> CorrectionResult:
        """Note that a person finds the answer right; an answer that is not music has no genre to confirm.

        Another genre that the person gave before is kept, and they are asked which of both is right.
        """
        reply, report = await self._answered(reply_id)
        if report.genre is None:
            raise ButtonExpired()
        words = self.words(language)
        given = await self._correction(reply, person, words)
        if given is not None and not given.agrees:
            question = messages.correction_kept(given, report, words, reply_id)
            return CorrectionResult(reply, report, question, None, given, kept=True)
        return await self.correct(reply_id, person, language, report.genre)

    async def correct(self, reply_id: str, person: Person, language: Language, label: str) -> CorrectionResult:
        """Note the genre that a person gives for a song: a known label by id, name or alias, or a new name.

        A person's second correction of the same song replaces the first.

        Raises
        ------
        ButtonExpired
            If the answer is no longer stored.
        BadLabel
            If the text cannot be a genre's name; with a sentence.
        """
        reply, report = await self._answered(reply_id)
        key = self._keys.person(person)
        found = await self._storage.labels.propose(label, key)
        self._names.learn(found)
        try:
            stored = await self._storage.feedback.correct(
                person=key,
                answer_id=reply.answer_id,
                label=found.id,
                platform=reply.platform,
                chat=reply.chat,
                may_train=reply.platform in self._settings.training_sources,
            )
        except RowNotFound:
            raise ButtonExpired() from None
        self._metrics.corrected(reply.platform, agrees=stored.correction.agrees)
        words = self.words(language)
        correction = await self._view(found, words, report.genre, reply.platform, agrees=stored.correction.agrees)
        asked = await self._ask_once(key, reply.platform)
        question = questions.consent_question(words) if asked else None
        thanks = messages.thanks(correction, words, reply_id)
        return CorrectionResult(reply, report, thanks, question, correction)

    async def thanks_for_teaching(self, requester: Requester) -> list[str]:
        """Return what somebody is told once, where it is shown: what was learnt from their songs."""
        key = self._keys.person(requester.person)
        return await self.teaching.thanks.lines(key, self.info.release, requester.words)

    async def teach(
        self, person: Person, place: str, language: Language, name: str
    ) -> tuple[Label, OutgoingMessage | None]:
        """Count the songs that a person sends in a place as songs of this genre from now on.

        Returns the label, and the question for consent if it was not asked before.
        """
        key = self._keys.person(person)
        label = await self._storage.labels.propose(name, key)
        self._names.learn(label)
        self.teaching.begin(person, place, label.id)
        words = self.words(language)
        asked = await self._ask_once(key, person.platform)
        return label, questions.consent_question(words) if asked else None

    async def invite(self, requester: Requester, label: str) -> Invitation | None:
        """Return the invitation to agree with what somebody taught of a label where they are; None for nothing."""
        return await self.teaching.invite(self._keys.person(requester.person), self._chat_of(requester), label)

    async def second(self, requester: Requester, invited: SecondCallback) -> tuple[Label, int, OutgoingMessage | None]:
        """Agree with all songs of a lesson; see ``Teaching.second``.

        Returns the label, how many songs got it, and the question for consent if it was not asked before.
        """
        key = self._keys.person(requester.person)
        label, count = await self.teaching.second(key, self._chat_of(requester), invited)
        asked = await self._ask_once(key, requester.person.platform)
        return label, count, questions.consent_question(requester.words) if asked else None

    def _chat_of(self, requester: Requester) -> ChatKey:
        platform = requester.person.platform
        return ChatKey(platform, self._keys.chat(platform, requester.chat_id))

    async def _ask_once(self, person: str, platform: str) -> bool:
        """Return whether to ask for consent now: once, and only where it would change anything."""
        try:
            return self.moderation.learns_from(platform) and await self._storage.people.ask_once(person)
        except StorageUnavailable:
            return False  # the correction is stored; the question comes with the next one

    async def undo(self, reply_id: str, person: Person, language: Language) -> CorrectionResult:
        """Take back a person's correction of a song."""
        reply, report = await self._answered(reply_id)
        gone = await self._storage.feedback.withdraw(self._keys.person(person), reply.content_hash)
        words = self.words(language)
        text = words.translate("correction-nothing" if gone is None else "correction-undone")
        buttons = messages.answer_buttons(words, reply_id, report)
        message = OutgoingMessage(text, buttons)
        return CorrectionResult(reply, report, message, None, None)

    async def picture(self, report: SongReport, words: Localizer, theme: Theme) -> bytes:
        """Draw an answer's timeline (PNG) in a thread."""
        return await asyncio.to_thread(timeline.render, report, words, theme)

    def _with_link_read(self, submission: Submission) -> Submission:
        """Return a link's submission with the normalised link in its payload."""
        pasted = submission.payload.get("link") or submission.payload.get("url") or ""
        link = parse_link(pasted, self._settings.link_hosts)
        return replace(submission, payload={**submission.payload, "link": link})

    async def _answered(self, reply_id: str) -> tuple[Reply, SongReport]:
        reply = await self._storage.replies.find(reply_id)
        answer = None if reply is None else await self._storage.songs.answer(reply.answer_id)
        if reply is None or answer is None:
            raise ButtonExpired()
        return reply, SongReport.from_dict(answer.report)

    async def _correction(self, reply: Reply, person: Person, words: Localizer) -> CorrectionView | None:
        correction = await self._storage.feedback.find(self._keys.person(person), reply.content_hash)
        label = None if correction is None else await self._storage.labels.get(correction.label)
        if correction is None or label is None:
            return None
        self._names.learn(label)
        return await self._view(label, words, correction.predicted, reply.platform, agrees=correction.agrees)

    async def _view(
        self, label: Label, words: Localizer, answer: str | None, platform: str, *, agrees: bool
    ) -> CorrectionView:
        return messages.CorrectionView(
            label.id,
            words.genre(label.id),
            agrees=agrees,
            proposed=label.status is LabelStatus.PROPOSED,
            style=words.genre(answer) if answer and agrees and answer != label.id else None,
            reviewers=await self.moderation.reviewers(platform, label.id),
        )
