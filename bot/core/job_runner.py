"""Runs one job: fetches a song, looks its answer up or classifies it, stores the answer and has the chat post it.

``bot.core.song_queue`` decides which job is next, and what happens to one that is stopped or fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bot.core import messages, timeline
from bot.core.background_inference import BackgroundInference
from bot.core.chat import LINK_SOURCE, Answered, Stage
from bot.core.errors import FetchLater, LinksNotSupported, OurFault, TryLater, Undeliverable
from bot.core.fair_slots import FairSlots
from bot.core.messages import clean_title
from bot.core.playlist_question import PlaylistQuestion
from classifier.errors import WorkerLost
from classifier.song_report import SongReport
from common.errors import StorageUnavailable, UserError
from common.units import MEGABYTE
from links import PlaylistFound
from storage import MAX_ATTEMPTS, JobCancelled, NewReply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.active_job import ActiveJob
    from bot.core.chat import OutgoingMessage
    from bot.core.playlist_prompt import PlaylistPrompts
    from bot.core.teaching import Teaching
    from bot.core.teaching_questions import TeachingQuestions
    from classifier.inference.executor import SongExecutor
    from classifier.song_report import Classification, Progress
    from links import Fetcher
    from storage import Answer, Reply, Storage

TITLE_MARKUP_CHARACTERS = 8

log = logging.getLogger(__name__)


class JobRunner:
    """Takes songs through all their stages.

    Parameters
    ----------
    storage, executor
        Where answers are kept, and where songs are classified.
    prompts
        Asks about links that lead to many songs.
    folder
        For the files of songs in progress; emptied by ``sweep``.
    slots
        How many songs are classified at a time; others may be fetched meanwhile.
    links
        Fetches links; None where links are not supported.
    teaching
        Takes songs that are sent to teach as corrections.
    questions
        Asks about songs that would teach most.

    Attributes
    ----------
    background
        Classifies files that are not in the queue.
    """

    def __init__(
        self,
        storage: Storage,
        executor: SongExecutor,
        prompts: PlaylistPrompts,
        folder: Path,
        *,
        slots: int,
        teaching: Teaching,
        questions: TeachingQuestions,
        links: Fetcher | None = None,
    ) -> None:
        self._teaching = teaching
        self._questions = questions
        self._links = links
        self._storage = storage
        self._executor = executor
        self._prompts = prompts
        self._folder = folder
        self._slots = FairSlots(slots)
        self.background = BackgroundInference(executor, self._slots, slots)

    async def run(self, running: ActiveJob) -> str | None:
        """Take a song to its end and return the outcome: ``answered``, ``failed``, ``cancelled``, ``undeliverable``.

        None is returned for a link that led to a playlist: its job was put aside until the person says how many of
        its songs they want.

        Raises
        ------
        LeaseLost, JobStopped, TryLater, StorageUnavailable, WorkerLost
            If another process has the song now, it was stopped, the platform or the disk is at fault, or the worker
            that was hearing it died; the song has not ended.
        Exception
            Anything else is a bug.
        """
        job = running.job
        try:
            return await self._run(running)
        except StorageUnavailable:
            raise
        except UserError as error:
            if isinstance(error, WorkerLost) and job.attempts + 1 < MAX_ATTEMPTS:
                log.warning("job %d: its worker died for the %d. time", job.id, job.attempts + 1)
                raise
            log.info("job %d: %s", job.id, error)
            return await self.refuse(running, error)
        except JobCancelled:
            await running.quiet()
            await running.chat.stopped(running.song)
            return "cancelled"
        except Undeliverable as reason:
            log.info("job %d: undeliverable: %s", job.id, reason)
            return "undeliverable"

    async def _run(self, running: ActiveJob) -> str | None:
        job = running.job
        if job.reply_id is not None:
            return await self._send_again(running, job.reply_id)
        if job.cancel_requested:
            raise JobCancelled()
        if job.exhausted:
            return await self.refuse(running, WorkerLost())
        if job.ends_its_process:
            return await self.refuse(running, OurFault())
        question = PlaylistQuestion.of(job)
        if question is not None:
            return await self._prompts.resume(running, question)
        try:
            answer, known = await self._answer(running)
        except PlaylistFound as many:
            await self._prompts.ask(running, many)
            return None
        running.at(Stage("answering"))
        new = NewReply(answer.id, platform=job.platform, chat=job.chat, requester=job.person)
        reply = await running.until_stored(lambda: self._storage.jobs.answer(running.lease, new))
        await self._send(running, reply, answer, known=known)
        return "answered"

    def sweep(self) -> None:
        """Delete the files that a killed process left behind."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def refuse(self, running: ActiveJob, error: UserError) -> str:
        """Tell a person why their song has no answer; return the outcome."""
        await running.quiet()
        if running.song.unasked:
            return "failed"
        try:
            await running.chat.refuse(running.song, error)
        except Undeliverable as reason:
            log.info("job %d: undeliverable: %s", running.job.id, reason)
            return "undeliverable"
        return "failed"

    async def _answer(self, running: ActiveJob) -> tuple[Answer, bool]:
        """Return the stored answer for a song's bytes, and whether it was known before."""
        async with self._job_folder(running.job.id) as folder:
            running.at(Stage("fetching"))
            with running.stoppable():
                path = await self._fetch(running, folder)
                content_hash = await asyncio.to_thread(_sha256, path)
            known = await self._storage.songs.find_answer(content_hash, self._executor.release)
            # Without its features a corrected song could not be used for training: classify it again.
            if known is not None and known.has_features:
                return known, True
            classification = await self._classify(running, path)
            save = partial(
                self._storage.songs.save_answer,
                content_hash,
                classification.report.as_dict(),
                classification.features,
                platform=running.chat.platform,
                title=clean_title(running.song.title),
            )
            answer = await running.until_stored(save)
            return answer, False

    async def _fetch(self, running: ActiveJob, folder: Path) -> Path:
        """Download a song through its chat, or by its link, which then also names it."""
        if running.job.source != LINK_SOURCE:
            try:
                return await running.chat.fetch(running.song, folder)
            except TryLater as later:
                raise FetchLater(later.seconds) from later
        if self._links is None:
            raise LinksNotSupported()

        def report(received: int) -> None:
            stage = Stage("fetching", megabytes=received // MEGABYTE)
            if stage != running.stage:
                running.at(stage)

        payload = running.song.payload
        fetched = await self._links.fetch(payload["link"], folder, item=payload.get("item"), on_bytes=report)
        # The person was shown the titles of the playlist; a single file has only its file name.
        running.song = replace(running.song, title=clean_title(payload.get("title") or fetched.name))
        return fetched.path

    @property
    def waiting(self) -> list[int]:
        """The songs that wait for a worker with their bytes at hand, the one that is next first."""
        return self._slots.order()

    async def _classify(self, running: ActiveJob, path: Path) -> Classification:
        if self._slots.is_full:
            running.at(Stage("queued", place=len(self.waiting) + 1))
        with running.stoppable():
            # What dies again where nothing else runs has itself to blame.
            is_last_try = running.job.attempts == MAX_ATTEMPTS - 1
            async with self._slots.hold_all() if is_last_try else self._slots.hold(running.job.person, running.job.id):
                running.at(Stage("decoding"))
                return await self._executor.classify(path, on_progress=lambda step: running.at(_stage_of(step)))

    async def _send_again(self, running: ActiveJob, reply_id: str) -> str:
        """Send an answer that was stored, but perhaps not delivered, before the process ended."""
        reply = await self._storage.replies.find(reply_id)
        answer = None if reply is None else await self._storage.songs.answer(reply.answer_id)
        if reply is None or answer is None:
            raise OurFault()
        if reply.message is None:
            await self._send(running, reply, answer, known=False)
        return "answered"

    async def _send(self, running: ActiveJob, reply: Reply, answer: Answer, *, known: bool) -> None:
        await running.quiet()
        report = SongReport.from_dict(answer.report)
        if running.song.unasked and report.genre is None:
            # Whoever posts a voice message where every song is answered did not ask what it is.
            await self._storage.replies.mark_sent(reply.id, {})
            return
        correction = await running.until_stored(lambda: self._teaching.note(running.job, running.song, answer.id))
        if correction is not None:
            message = messages.taught(report, correction, running.song, reply.id)
            told = partial(self._teaching.thanks.lines, running.job.person, self._executor.release, running.song.words)
            thanks = await running.until_stored(told)
            message = replace(message, text="\n\n".join([message.text, *thanks]))
        else:
            message = await self._compose(running, reply, answer, report, known=known)
        where = await running.chat.answer(running.song, Answered(reply, report, known, message))
        await running.until_stored(lambda: self._storage.replies.mark_sent(reply.id, where))

    async def _compose(
        self, running: ActiveJob, reply: Reply, answer: Answer, report: SongReport, *, known: bool
    ) -> OutgoingMessage:
        """Return the whole answer, with the timeline where the chat wants it."""
        job, song, limits = running.job, running.song, running.chat.limits
        settings = await self._storage.chat_settings.settings(job.platform, job.chat)
        picture = None
        if settings.picture and limits.picture_theme is not None:
            picture = await asyncio.to_thread(timeline.render, report, song.words, limits.picture_theme)
        title = song.title if song.named or song.from_playlist else None
        room = limits.text_characters if picture is None else limits.caption_characters
        # Markup may double a title's characters, and some platforms count rare ones twice.
        room -= 0 if title is None else 2 * len(title) + TITLE_MARKUP_CHARACTERS
        question = None
        if song.alone:
            question = await self._questions.ask(reply, answer, report, self._executor.genres)
        message = messages.answer(
            report, song.words, reply.id, known=known, shared=song.shared, question=question, characters=room
        )
        return replace(message, title=title, picture=picture, alt_text=timeline.alt_text(report, song.words))

    @asynccontextmanager
    async def _job_folder(self, job_id: int) -> AsyncIterator[Path]:
        folder = self._folder / str(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stage_of(progress: Progress) -> Stage:
    if progress.stage == "listening":
        return Stage("listening", segment=progress.segment, segments=progress.segments)
    return Stage("waiting" if progress.stage == "waiting" else "decoding")
