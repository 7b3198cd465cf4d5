"""The messages of all songs that this process knows on Discord: which song has which, who waits, whose are others'.

One message's life is ``lines``'s; what a message says about an answer is decided by the chat.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

import discord

from bot.core.errors import TryLater, Undeliverable
from bot.discord.rate_limit import Pace
from bot.discord.status_message import Line, Saying, Spot, progress_saying, slot_noted

if TYPE_CHECKING:
    from bot.core.chat import Song
    from bot.core.conversation import Conversation
    from bot.core.vocabulary import Words

# Places in the queue are shown anew at most this often.
QUEUE_NEWS_SECONDS = 5.0
ENDED_REMEMBERED = 1000

log = logging.getLogger(__name__)


class Board:
    """All songs' messages.

    Parameters
    ----------
    client
        Discord's.
    conversation
        Knows how far each song has come.
    """

    def __init__(self, client: discord.Client, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation
        self._began = discord.utils.time_snowflake(discord.utils.utcnow())
        self._pace = Pace()
        self._lines: dict[int, Line] = {}
        self._ended: deque[int] = deque(maxlen=ENDED_REMEMBERED)
        self._waiting: dict[int, Words] = {}
        self._queue_news: asyncio.Task[None] | None = None

    def opened(self, job_id: int, spot: Spot, words: Words) -> None:
        """A song was written down; it may have ended before this is heard."""
        if job_id not in self._ended:
            self._waiting[job_id] = words
            self._lines.setdefault(job_id, Line(self._client, job_id, spot, pace=self._pace))

    def line(self, song: Song) -> Line:
        """Return a song's message, as it was noted if this process knows it not."""
        line = self._lines.get(song.job_id)
        if line is None:
            spot, slot = Spot(**song.message), slot_noted(song.noted)
            is_old = spot.song < self._began
            line = Line(self._client, song.job_id, spot, slot=slot, is_old=is_old, pace=self._pace)
            self._lines[song.job_id] = line
        return line

    def waits(self, song: Song, *, still: bool) -> None:
        """Note whether a song still waits for its turn."""
        if still:
            self._waiting[song.job_id] = song.words
        else:
            self._waiting.pop(song.job_id, None)

    async def ended(self, job_id: int) -> None:
        """Nothing more is said of a song."""
        self._ended.append(job_id)
        self._waiting.pop(job_id, None)
        line = self._lines.pop(job_id, None)
        if line is not None:
            await line.quiet()

    async def remark(self, spot: Spot, text: str, number: int = 0) -> None:
        """Say something that no song's work stands behind; ``number`` tells such messages of one gesture apart."""
        try:
            # Numbers below zero name no job.
            await Line(self._client, -1 - number, spot, pace=self._pace).end(Saying(text))
        except (TryLater, Undeliverable) as reason:
            log.info("a remark could not be made: %s", reason)

    async def show_place(self, job_id: int, words: Words) -> None:
        """Show a song that has just been taken, or that waits, where it stands."""
        line, stage = self._lines.get(job_id), await self._conversation.stage(job_id)
        if line is None or line.ended:
            return
        try:
            if stage is None:
                await self._leave(job_id, line)
                return
            await line.show(progress_saying(stage, words, job_id))
            if line.slot is not None and stage.kind == "queued":
                is_ours = await self._conversation.queue.note_waiting(job_id, {"slot": line.slot})
                if is_ours:
                    line.is_noted = True
                elif not line.ended:
                    await self._leave(job_id, line)
        except (TryLater, Undeliverable) as reason:
            log.info("job %d: progress could not be shown: %s", job_id, reason)

    def queue_moved(self) -> None:
        """Show whoever waits their new place, soon."""
        if self._waiting and (self._queue_news is None or self._queue_news.done()):
            self._queue_news = asyncio.create_task(self._tell_places())

    def close(self) -> None:
        """Show nothing more."""
        for task in (self._queue_news, *(line.later for line in self._lines.values())):
            if task is not None:
                task.cancel()

    async def _tell_places(self) -> None:
        await asyncio.sleep(QUEUE_NEWS_SECONDS)
        for job_id, words in list(self._waiting.items()):
            await self.show_place(job_id, words)

    async def _leave(self, job_id: int, line: Line) -> None:
        """Leave a song to the process that has taken it, which knows of our message only if that was noted."""
        self._waiting.pop(job_id, None)
        self._lines.pop(job_id, None)
        await line.quiet()
        if not line.is_noted:
            await line.withdraw()
