"""Who deals with what comes in: songs go to the intake before anything else, each update to a task of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from telegram import Message

from bot.core import messages
from bot.core.errors import ButtonExpired, NotYours, OurFault, TryLater, Undeliverable
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.core.messages import Action
from bot.telegram import keyboards
from bot.telegram.api_client import NotThere
from bot.telegram.message_parsing import command_of, media_of
from bot.telegram.moderation import REVIEW_ACTIONS
from bot.telegram.request_context import PLATFORM
from bot.telegram.submissions import Asked, parts
from classifier.errors import NotAudio
from common.errors import UserError
from storage import CancelResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from typing import Any

    from telegram import CallbackQuery, Update

    from bot.core.conversation import Conversation
    from bot.telegram.api_client import Line
    from bot.telegram.commands import Commands
    from bot.telegram.feedback import Opinions
    from bot.telegram.moderation import Desk
    from bot.telegram.request_context import Ears, Voice
    from bot.telegram.status_message import Progress
    from bot.telegram.submissions import Intake, Taken

CLOSE_SECONDS = 3.0
TELL_ATTEMPTS = 3
UPDATE_ATTEMPTS = 3
OPINION_ACTIONS = frozenset({Action.RIGHT, Action.WRONG, Action.UNDO, Action.VOTES})

log = logging.getLogger(__name__)


class Dispatch:
    """Takes updates."""

    def __init__(
        self,
        line: Line,
        conversation: Conversation,
        ears: Ears,
        progress: Progress,
        *,
        intake: Intake,
        opinions: Opinions,
        desk: Desk,
        commands: Commands,
    ) -> None:
        self._line = line
        self._conversation = conversation
        self._ears = ears
        self._progress = progress
        self._intake = intake
        self._opinions = opinions
        self._desk = desk
        self._commands = commands
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: dict[int, int] = {}
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, batch: Sequence[Update]) -> None:
        """Write the songs of a batch down; the rest goes on in tasks of its own.

        Raises whatever the database raises: the batch then comes again, and what was written down is recognised.
        """
        for update in batch:
            try:
                await self._receive(update)
            except UnicodeError:
                log.info("a message that is no Unicode was passed over")
            except Exception:
                failures = self._failed.pop(update.update_id, 0) + 1
                if failures < UPDATE_ATTEMPTS:
                    self._failed[update.update_id] = failures
                    raise
                # One message that nobody can read must not stand in the way of all others for ever.
                log.exception("a message could not be taken")

    async def _receive(self, update: Update) -> None:
        if update.callback_query is not None:
            self._spawn(self._in_turn(update.callback_query.from_user.id, self._pressed(update.callback_query)))
            return
        message = update.message
        if message is None:
            return
        if message.migrate_to_chat_id is not None:
            await self._moved(message.chat.id, message.migrate_to_chat_id)
            return
        if message.from_user is not None and message.from_user.is_bot and message.sender_chat is None:
            return
        asked = await self._intake.asked(message)
        for song in self._intake.album(message, asked=asked is not None):
            await self._take(song, Asked(song, media_of(song), None))
            if song is message:
                return
        if asked is None:
            writer = message.chat.id if message.from_user is None else message.from_user.id
            self._spawn(self._in_turn(writer, self._written(message)))
        elif asked.media is None and asked.link is None:
            self._spawn(self._usage(message))
        else:
            await self._take(message, asked)

    async def _take(self, message: Message, asked: Asked) -> None:
        taken = await self._intake.take(message, asked)
        if taken is not None:
            self._spawn(self._answer(taken))

    async def close(self) -> None:
        """Give what is under way a moment, then end it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _in_turn(self, somebody: int, work: Coroutine[Any, Any, None]) -> None:
        """Do what one person says in the order in which they say it; nobody waits for anybody else."""
        turn = self._turns.setdefault(somebody, asyncio.Lock())
        async with turn:
            await work

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Songs

    async def _answer(self, taken: Taken) -> None:
        """Tell a person that their song was not taken, or where it stands in the queue."""
        voice = taken.voice
        if taken.error is not None:
            await self._tell(voice, messages.sentence(taken.error, voice.language))
        elif taken.job is not None and taken.card.message is None:
            await self._guarded(voice, self._tell_place(taken.job.id, taken), None)

    async def _tell_place(self, job_id: int, taken: Taken) -> None:
        stage = await self._conversation.stage(job_id)
        if stage is None:
            # It came a second time, and was dealt with the first.
            self._progress.forget_unsent(taken.key)
        elif stage.kind == "queued" and taken.job is not None and taken.card.message is None:
            noted = await self._progress.show(await self._conversation.song_of(taken.job), stage)
            if noted is not None and not await self._conversation.queue.note_waiting(job_id, noted):
                await self._progress.withdraw(taken.key)

    async def _usage(self, message: Message) -> None:
        voice = await self._ears.voice(message)
        if voice is not None:
            await self._tell(voice, voice.words.say("chat-genre-usage"))

    # Messages

    async def _written(self, message: Message) -> None:
        voice = await self._ears.voice(message)
        if voice is not None:
            await self._guarded(voice, self._deal_with(voice, message), None)

    async def _deal_with(self, voice: Voice, message: Message) -> None:
        command = command_of(message, self._line.bot.username)
        answered = message.reply_to_message
        reply_id, correction = keyboards.list_subject(answered), keyboards.correction_subject(answered)
        if command is not None:
            await self._commands.run(voice, message, *command)
        elif message.text and reply_id is not None:
            await self._opinions.name(voice, reply_id, message.text)
        elif message.text and correction is not None:
            await self._desk.pick(voice, None, correction, message.text, merging=False)
        elif voice.private and message.text:
            await self._commands.help(voice)
        elif voice.private and (message.document or message.photo or message.sticker or message.animation):
            raise NotAudio()

    async def _moved(self, old: int, new: int) -> None:
        """A group has become a supergroup: its settings, its corrections and its songs go along."""
        self._line.moved(old, new)
        await self._conversation.housekeeping.moved(PLATFORM, str(old), str(new))

    # Buttons

    async def _pressed(self, query: CallbackQuery) -> None:
        message = query.message
        if not isinstance(message, Message):
            # Telegram no longer tells what was below a message that is this old.
            language = language_of(query.from_user.language_code) or DEFAULT_LANGUAGE
            await self._line.toast(query.id, messages.sentence(ButtonExpired(), language), alert=True)
            return
        voice = await self._ears.voice(message, query.from_user)
        if voice is not None:
            await self._guarded(voice, self._press(voice, query.id, query.data or ""), query.id)

    async def _press(self, voice: Voice, query: str, data: str) -> None:
        button = messages.read_button(data)
        if button is None:
            await self._press_own(voice, query, data)
            return
        action, subject = button
        if action in OPINION_ACTIONS:
            await self._opinions.press(voice, query, action, subject)
        elif action in REVIEW_ACTIONS:
            await self._desk.press(voice, query, action, subject)
        elif action is Action.CANCEL:
            await self._cancel(voice, query, subject)
        elif action is Action.TAKE:
            await self._intake.take_list(voice, subject)
            await self._line.toast(query)
        else:
            await self._commands.consent(voice, query, allow=action is Action.ALLOW)

    async def _press_own(self, voice: Voice, query: str, data: str) -> None:
        """Take a button that only Telegram's chat has."""
        what, _, rest = data.partition(":")
        language = language_of(rest)
        lists: dict[str, Callable[[str, int], Awaitable[None]]] = {
            "list": lambda subject, page: self._opinions.turn(voice, query, subject, page),
            "pick": lambda subject, number: self._opinions.pick(voice, query, subject, number),
            "rules": lambda subject, page: self._desk.turn(voice, query, subject, page, merging=False),
            "fuses": lambda subject, page: self._desk.turn(voice, query, subject, page, merging=True),
            "rule": lambda subject, number: self._ruled(voice, query, subject, number, merging=False),
            "fuse": lambda subject, number: self._ruled(voice, query, subject, number, merging=True),
        }
        if what in lists:
            _, subject, number = parts(data)
            await lists[what](subject, number)
        elif what == "speak" and language is not None:
            await self._commands.speak(voice, query, language)
        elif what == "forget":
            sure, _, person = rest.partition(":")
            await self._commands.forget(voice, query, sure=sure == "yes", person=person)
        elif what == "set":
            setting, _, value = rest.partition(":")
            await self._desk.change(voice, query, setting, value)
        else:
            raise ButtonExpired()

    async def _ruled(self, voice: Voice, query: str, subject: str, number: int, *, merging: bool) -> None:
        label = await self._conversation.label_numbered(number)
        await self._desk.pick(voice, query, subject, label, merging=merging)

    async def _cancel(self, voice: Voice, query: str, subject: str) -> None:
        job_id = int(subject) if subject.isdigit() else 0
        try:
            done = await self._conversation.cancel(job_id, voice.person)
        except NotYours:
            await self._conversation.moderation.require_song(await self._ears.asker(voice), job_id)
            done = await self._conversation.cancel(job_id, voice.person, moderator=True)
        late = voice.words.say("chat-too-late") if done is CancelResult.TOO_LATE else None
        await self._line.toast(query, late)

    # What goes wrong

    async def _guarded(self, voice: Voice, work: Coroutine[Any, Any, None], query: str | None) -> None:
        """Do something, and tell the person in their language what went wrong."""
        try:
            await work
        except UserError as error:
            await self._tell(voice, messages.sentence(error, voice.language), query)
        except (Undeliverable, TryLater, NotThere) as error:
            log.info("not said: %s", error)
        except Exception:
            log.exception("a message or a button failed through a bug")
            await self._tell(voice, messages.sentence(OurFault(), voice.language), query)

    async def _tell(self, voice: Voice, text: str, query: str | None = None) -> None:
        """Say a sentence, in a window over the chat if a button was pressed; try again where Telegram fails."""
        for attempt in range(1, TELL_ATTEMPTS + 1):
            try:
                if query is not None:
                    await self._line.toast(query, text, alert=True)
                else:
                    await self._line.say(voice.where, text)
                return
            except TryLater as later:
                if attempt < TELL_ATTEMPTS:
                    await asyncio.sleep(later.seconds)
            except Undeliverable as reason:
                log.info("not said: %s", reason)
                return
        log.warning("Telegram could not be reached; a sentence was not said")
