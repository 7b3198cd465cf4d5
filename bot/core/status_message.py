"""One message per song that shows its progress and becomes its answer, in every chat with editable messages.

``StatusMessage`` is the state machine of one message: queued → fetching → listening → answer. ``StatusMessageChat``
keeps the messages of all songs. A platform adds a ``MessagePort``, which posts and edits, and its limits as data.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.core import messages
from bot.core.callbacks import CancelCallback
from bot.core.chat import OutgoingMessage, PendingSong, Stage
from bot.core.errors import TryLater, Undeliverable
from bot.core.priority import Priority, prioritised
from bot.core.progress_pace import ProgressPace
from bot.core.silence_notices import SilenceNotices
from bot.core.work_reactions import WorkReactions
from common.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from bot.core.chat import Answered
    from bot.core.conversation import Conversation
    from bot.core.localization import Localizer
    from bot.core.message_port import MessagePort
    from common.errors import UserError
    from storage import Job

ENDED_REMEMBERED = 1000
NO_ROOM_SECONDS = 0.5
"""If a place has no room for progress, it is tried again after this time."""

log = logging.getLogger(__name__)


class StatusMessage:
    """The message of one song.

    Parameters
    ----------
    port
        Posts and edits it.
    job_id
        The song's job.
    pace
        When places were shown progress; shared by all messages.
    message_id
        The message; None until it is posted.
    is_noted
        Whether other processes know of it.

    Attributes
    ----------
    ended
        Whether no more progress is shown.
    """

    def __init__(
        self, port: MessagePort, job_id: int, pace: ProgressPace, message_id: int | None, *, is_noted: bool
    ) -> None:
        self.message_id = message_id
        self.is_noted = is_noted
        self.ended = False
        self.port = port
        self._job_id = job_id
        self._pace = pace
        self._lock = asyncio.Lock()
        self._latest: OutgoingMessage | None = None
        self._shown = ""
        self._next_edit = 0.0
        self._is_shut_out = False
        self._is_sought = message_id is None
        self._later: asyncio.Task[None] | None = None
        self._sender: asyncio.Task[Any] | None = None

    async def show(self, message: OutgoingMessage) -> None:
        """Show progress: at once if the platform allows it now, else the latest of it as soon as it does."""
        self._latest = message
        if self._wait() <= 0 and await self._show_latest():
            return
        if self._later is None or self._later.done():
            self._later = asyncio.create_task(self._show_later())

    async def finish(self, message: OutgoingMessage, placeholder: OutgoingMessage) -> int:
        """Turn the message into its final form; return its id. Raises ``TryLater`` or ``Undeliverable``.

        Parameters
        ----------
        placeholder
            What is posted first if a new message is needed and the platform might post it twice.
        """
        await self.quiet()
        async with self._lock:
            await self._seek(message)
            if self.message_id is not None and await self._edit(message):
                return self.message_id
            if self.port.limits.posts_once:
                self.message_id = await self.port.post(message)
            else:
                # A placeholder that is posted twice is a stray line; an answer posted twice would be two answers.
                self.message_id = await self.port.post(placeholder)
                if not await self._edit(message):
                    raise Undeliverable("the new message cannot be edited")
            return self.message_id

    async def quiet(self) -> None:
        """Show no more progress, and wait for what is being sent, so that it cannot overtake the answer."""
        self.ended = True
        if self._later is not None:
            if self._later is not self._sender:
                self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)

    async def withdraw(self) -> None:
        """Delete the message, since another process posts one of its own about the song."""
        async with self._lock:
            if self.message_id is not None:
                await self.port.withdraw(self.message_id)

    def cancel(self) -> None:
        """Drop progress that waits for its time."""
        if self._later is not None:
            self._later.cancel()

    async def _show_later(self) -> None:
        while not self.ended:
            # Other songs may take their turn in this place during a pause.
            if (wait := self._wait()) > 0:
                await asyncio.sleep(wait)
            elif await self._show_latest():
                return

    def _wait(self) -> float:
        """Return the seconds until progress may be shown; the first message of a song does not wait."""
        wait = self._next_edit - time.monotonic()
        if self.message_id is not None:
            wait = max(wait, self._pace.wait(self.port.place), 0.0 if self.port.has_room() else NO_ROOM_SECONDS)
        return wait

    async def _show_latest(self) -> bool:
        """Show the latest progress; return False if it must be tried again."""
        async with self._lock:
            message = self._latest
            if self.ended or self._is_shut_out or message is None or message.text == self._shown:
                return True
            # Another call may have shown progress while this one waited for the lock.
            if self._wait() > 0:
                return False
            limits, delay = self.port.limits, 0.0
            if self.message_id is not None:
                self._pace.shown(self.port.place, limits.place_seconds)
            self._sender = asyncio.current_task()
            try:
                with prioritised(Priority.RECEIPT if self.message_id is None else Priority.PROGRESS):
                    await self._seek(message)
                    if self.message_id is None:
                        self.message_id = await self.port.post(message)
                    elif not await self._edit(message):
                        raise Undeliverable("the message is gone")
                self._shown = message.text
            except TryLater as later:
                delay = later.seconds
                return False
            except Undeliverable as reason:
                # Whoever deleted the message, or blocked the bot, sees no more progress; the answer is tried anyway.
                self._is_shut_out = True
                log.info("job %d: progress is not shown: %s", self._job_id, reason)
            finally:
                self._sender = None
                self._next_edit = time.monotonic() + max(delay, limits.message_seconds)
            return True

    async def _seek(self, message: OutgoingMessage) -> None:
        """Find the message that a process may have posted just before it ended."""
        if self._is_sought and self.message_id is None:
            marks = {str(CancelCallback(self._job_id)), *(button.data for button in message.buttons)}
            self.message_id = await self.port.find(marks)
        self._is_sought = False

    async def _edit(self, message: OutgoingMessage) -> bool:
        if self.message_id is None:
            return False
        if await self.port.edit(self.message_id, message):
            return True
        # Some places forbid pictures; the words may still be welcome.
        return message.picture is not None and await self.port.edit(self.message_id, replace(message, picture=None))


class StatusMessageChat(ABC):
    """The part of a chat that shows songs' progress and answers; see ``bot.core.chat.Chat`` for its methods.

    Parameters
    ----------
    conversation
        Knows how far each song has come.
    queue_seconds
        Places in the queue are shown anew at most once in this time.
    """

    def __init__(self, conversation: Conversation, queue_seconds: float) -> None:
        self._conversation = conversation
        self._queue_seconds = queue_seconds
        self._pace = ProgressPace()
        self._messages: dict[int, StatusMessage] = {}
        self._waiting: dict[int, PendingSong] = {}
        self._ended: deque[int] = deque(maxlen=ENDED_REMEMBERED)
        self._silence_notices = SilenceNotices()
        self._reactions = WorkReactions()
        self._queue_news: asyncio.Task[None] | None = None

    @abstractmethod
    def open_port(self, job_id: int, target: Mapping[str, Any]) -> tuple[MessagePort, int | None]:
        """Return what posts a song's message, and the message's id if the target has one already.

        Parameters
        ----------
        target
            The way back, as ``Submission.message``.
        """

    async def show_places(self, jobs: Sequence[Job]) -> None:
        """Show songs that were just taken where they stand in the queue."""
        songs = [await self._conversation.song_of(job) for job in jobs]
        await asyncio.gather(*(self._show_place(song) for song in songs))

    async def remark(
        self, target: Mapping[str, Any], text: str, words: Localizer, number: int = 0, *, title: str | None = None
    ) -> None:
        """Post a text that belongs to no job; ``number`` distinguishes several texts for one target."""
        port, message_id = self.open_port(-1 - number, target)
        message = OutgoingMessage(text, title=title)
        try:
            if message_id is None or not await port.edit(message_id, message):
                await port.post(message)
        except TryLater as reason:
            log.info("a remark could not be posted: %s", reason)
        except Undeliverable as reason:
            log.info("a remark could not be posted: %s", reason)
            await self._silence_notices.explain(port, words)

    async def explain_silence(self, target: Mapping[str, Any], words: Localizer) -> None:
        """Let somebody know that the bot may not write where they asked."""
        port, _ = self.open_port(0, target)
        await self._silence_notices.explain(port, words)

    async def show(self, song: PendingSong, stage: Stage) -> Mapping[str, Any] | None:
        """Show progress in the song's message."""
        if stage.kind == "queued":
            self._waiting[song.job_id] = song
        else:
            self._waiting.pop(song.job_id, None)
        if song.unasked:
            return None
        message = self._message(song)
        if stage.kind != "asking":
            self._reactions.begin(song.job_id, message.port)
        await message.show(_progress(song, stage))
        return None if message.message_id is None else {"message": message.message_id}

    async def ask(self, song: PendingSong, question: OutgoingMessage) -> Mapping[str, Any]:
        """Turn the song's message into a question."""
        self._end_reaction(song)
        return {"message": await self._finish(song, question)}

    async def answer(self, song: PendingSong, answered: Answered) -> Mapping[str, Any]:
        """Turn the song's message into its answer."""
        message_id = await self._finish(song, answered.message)
        link = self._message(song).port.link(message_id)
        return {"message": message_id} | ({} if link is None else {"link": link})

    async def refuse(self, song: PendingSong, error: UserError) -> None:
        """Turn the song's message into the reason why there is no answer."""
        title = song.title if song.named or song.from_playlist else None
        await self._finish(song, OutgoingMessage(messages.sentence(error, song.words.language), title=title))

    async def stopped(self, song: PendingSong) -> None:
        """Say in the song's message that it was stopped; raises ``TryLater``."""
        if song.unasked:
            return
        try:
            await self._finish(song, OutgoingMessage(song.words.translate("progress-cancelled")))
        except Undeliverable as reason:
            log.info("job %d: its cancellation could not be shown: %s", song.job_id, reason)

    async def discard(self, song: PendingSong) -> None:
        """Forget the song, which has ended."""
        self._ended.append(song.job_id)
        self._waiting.pop(song.job_id, None)
        self._end_reaction(song)
        message = self._messages.pop(song.job_id, None)
        if message is not None:
            await message.quiet()

    def queue_moved(self) -> None:
        """Show those who wait their new places, soon."""
        if self._waiting and (self._queue_news is None or self._queue_news.done()):
            self._queue_news = asyncio.create_task(self._show_all_places())

    async def close_messages(self) -> None:
        """Show no more progress."""
        if self._queue_news is not None:
            self._queue_news.cancel()
        for message in self._messages.values():
            message.cancel()
        await self._reactions.close()

    async def _finish(self, song: PendingSong, message: OutgoingMessage) -> int:
        # With its button it can be found again after a crash.
        placeholder = messages.progress_message(Stage("answering"), song.words, song.job_id)
        try:
            with prioritised(Priority.ANSWER):
                return await self._message(song).finish(message, placeholder)
        except Undeliverable:
            if not song.unasked:
                # On Telegram a bot has one reaction to a message, which must not be removed afterwards.
                if (removal := self._end_reaction(song)) is not None:
                    await removal
                await self.explain_silence(song.message, song.words)
            raise

    def _end_reaction(self, song: PendingSong) -> asyncio.Task[None] | None:
        return self._reactions.end(song.job_id, self._message(song).port, earlier=bool(song.noted))

    def _message(self, song: PendingSong) -> StatusMessage:
        """Return a song's message, from what was noted if this process does not know it."""
        if song.job_id not in self._messages:
            port, existing = self.open_port(song.job_id, song.message)
            # The version before noted a Discord message as its slot.
            noted = song.noted.get("message", song.noted.get("slot"))
            message = StatusMessage(port, song.job_id, self._pace, noted or existing, is_noted=noted is not None)
            self._messages[song.job_id] = message
        return self._messages[song.job_id]

    async def _show_all_places(self) -> None:
        await asyncio.sleep(self._queue_seconds)
        places: defaultdict[Hashable, list[PendingSong]] = defaultdict(list)
        for song in self._waiting.values():
            places[self._message(song).port.place].append(song)
        # A place that takes no more for a while holds no other one up.
        await asyncio.gather(*(self._show_one_by_one(songs) for songs in places.values()))

    async def _show_one_by_one(self, songs: Sequence[PendingSong]) -> None:
        for song in songs:
            await self._show_place(song)

    async def _show_place(self, song: PendingSong) -> None:
        """Show a song that waits, or has just been taken, where it stands; leave it if another process has it."""
        job_id = song.job_id
        try:
            stage = await self._conversation.stage(job_id)
            if job_id in self._ended:
                return
            if stage is None:
                await self._leave(job_id)
                return
            message = self._message(song)
            await self.show(song, stage)
            if message.message_id is None or stage.kind != "queued":
                return
            if await self._conversation.queue.note_waiting(job_id, {"message": message.message_id}):
                message.is_noted = True
            elif not message.ended:
                await self._leave(job_id)
        except (TryLater, Undeliverable, StorageUnavailable) as reason:
            log.info("job %d: its place could not be shown: %s", job_id, reason)

    async def _leave(self, job_id: int) -> None:
        """Leave a song to the process that has taken it, which knows of our message only if that was noted."""
        self._waiting.pop(job_id, None)
        message = self._messages.pop(job_id, None)
        if message is not None:
            self._reactions.leave(job_id, message.port)
            await message.quiet()
            if not message.is_noted:
                await message.withdraw()


def _progress(song: PendingSong, stage: Stage) -> OutgoingMessage:
    message = messages.progress_message(stage, song.words, song.job_id)
    return replace(message, title=song.title) if song.from_playlist else message
