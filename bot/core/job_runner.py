"""One song's way from its bytes to its sent answer: fetch, recognise or classify, keep, answer.

``bot.core.song_queue`` decides whose turn it is and what happens to a song that is stopped or fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.background_inference import Aside
from bot.core.chat import LINK_SOURCE, Heard, Stage
from bot.core.errors import LinksNotTaken, OurFault, Undeliverable
from bot.core.messages import clean_title
from bot.core.playlist_prompt import Question
from classifier.errors import WorkerLost
from classifier.song_report import SongReport
from common.errors import UserError
from common.units import MEGABYTE
from links import PlaylistFound
from storage import JobCancelled, NewReply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.core.active_job import UnderWay
    from bot.core.playlist_prompt import Lists
    from classifier.inference.executor import SongExecutor
    from classifier.song_report import Classification, Progress
    from links import Fetcher
    from storage import Answer, Reply, Storage

log = logging.getLogger(__name__)


class Hearing:
    """Takes songs through all their stages.

    Parameters
    ----------
    storage, executor
        Where answers are kept, and where songs are classified.
    folder
        For the files of songs under way; emptied here.
    seats
        How many songs are classified at a time; others may be fetched meanwhile.
    links
        What fetches links; None where none are taken.

    Attributes
    ----------
    lists
        Who asks about links that lead to many songs; None where nobody does.
    """

    def __init__(
        self, storage: Storage, executor: SongExecutor, folder: Path, *, seats: int, links: Fetcher | None = None
    ) -> None:
        self.lists: Lists | None = None
        self._links = links
        self._storage = storage
        self._executor = executor
        self._folder = folder
        self._seats = asyncio.Semaphore(seats)
        self.aside = Aside(executor, self._seats, seats)

    async def hear(self, running: UnderWay) -> str | None:
        """Take a song to its end and return the outcome: ``answered``, ``failed``, ``cancelled``, ``undeliverable``.

        None is returned for a link that led to a list: its job was put aside until the person says how many songs
        of it they want.

        Raises
        ------
        LeaseLost, Stopped, TryLater
            The song is somebody else's now, was stopped, or met the platform's fault: no end yet.
        Exception
            Anything else is a bug.
        """
        job = running.job
        try:
            return await self._hear(running)
        except UserError as error:
            log.info("job %d: %s", job.id, error)
            return await self._refuse(running, error)
        except JobCancelled:
            await running.quiet()
            await running.chat.stopped(running.song)
            return "cancelled"
        except Undeliverable as reason:
            log.info("job %d: undeliverable: %s", job.id, reason)
            return "undeliverable"

    async def _hear(self, running: UnderWay) -> str | None:
        job = running.job
        if job.reply_id is not None:
            return await self._send_again(running, job.reply_id)
        if job.exhausted:
            raise WorkerLost()
        question = Question.of(job)
        if self.lists is not None and question is not None:
            return await self.lists.resume(running, question)
        try:
            answer, known = await self._listen(running)
        except PlaylistFound as many:
            if self.lists is None:
                raise
            await self.lists.ask(running, many)
            return None
        running.at(Stage("answering"))
        reply = await self._storage.jobs.answer(
            running.lease, NewReply(answer.id, platform=job.platform, chat=job.chat, requester=job.person)
        )
        await self._send(running, reply, answer, known=known)
        return "answered"

    async def give_up(self, running: UnderWay) -> str:
        """Tell a person that their song failed through no fault of theirs; return the outcome."""
        return await self._refuse(running, OurFault())

    def sweep(self) -> None:
        """Delete what a process that was killed left behind."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _refuse(self, running: UnderWay, error: UserError) -> str:
        await running.quiet()
        try:
            await running.chat.refuse(running.song, error)
        except Undeliverable as reason:
            log.info("job %d: undeliverable: %s", running.job.id, reason)
            return "undeliverable"
        return "failed"

    async def _listen(self, running: UnderWay) -> tuple[Answer, bool]:
        """Return the answer to a song's bytes, and whether it was known already."""
        async with self._own_folder(running.job.id) as folder:
            running.at(Stage("fetching"))
            with running.stoppable():
                path = await self._fetch(running, folder)
                content_hash = await asyncio.to_thread(_sha256, path)
            known = await self._storage.songs.find_answer(content_hash, self._executor.release)
            # Without its features a song could not teach anything when it is corrected: hear it again.
            if known is not None and known.has_features:
                return known, True
            classification = await self._classify(running, path)
            answer = await self._storage.songs.save_answer(
                content_hash,
                classification.report.as_dict(),
                classification.features,
                platform=running.chat.platform,
                title=clean_title(running.song.title),
            )
            return answer, False

    async def _fetch(self, running: UnderWay, folder: Path) -> Path:
        """Bring a song's bytes here: through its chat, or by its link, which then also gives it its name."""
        if running.job.source != LINK_SOURCE:
            return await running.chat.fetch(running.song, folder)
        if self._links is None:
            raise LinksNotTaken()

        def tell(received: int) -> None:
            stage = Stage("fetching", megabytes=received // MEGABYTE)
            if stage != running.stage:
                running.at(stage)

        payload = running.song.payload
        fetched = await self._links.fetch(payload["link"], folder, item=payload.get("item"), on_bytes=tell)
        # What a list calls its songs is what the person was told; a bare file has but its file name.
        running.song = replace(running.song, title=clean_title(payload.get("title") or fetched.name))
        return fetched.path

    async def _classify(self, running: UnderWay, path: Path) -> Classification:
        if self._seats.locked():
            running.at(Stage("queued", place=1))
        with running.stoppable():
            async with self._seats:
                running.at(Stage("decoding"))
                return await self._executor.classify(path, on_progress=lambda step: running.at(_stage_of(step)))

    async def _send_again(self, running: UnderWay, reply_id: str) -> str:
        """Finish what was cut off between writing the answer down and its arrival."""
        reply = await self._storage.replies.find(reply_id)
        answer = None if reply is None else await self._storage.songs.answer(reply.answer_id)
        if reply is None or answer is None:
            raise OurFault()
        if reply.message is None:
            await self._send(running, reply, answer, known=False)
        return "answered"

    async def _send(self, running: UnderWay, reply: Reply, answer: Answer, *, known: bool) -> None:
        await running.quiet()
        report = SongReport.from_dict(answer.report)
        message = await running.chat.answer(running.song, Heard(reply, report, known))
        await self._storage.replies.mark_sent(reply.id, message)

    @asynccontextmanager
    async def _own_folder(self, job_id: int) -> AsyncIterator[Path]:
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
