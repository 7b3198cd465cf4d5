"""Routes Telegram updates: songs are stored before an update is acknowledged, everything else runs in tasks."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from telegram import Message, ReactionTypeEmoji

from bot.core.callbacks import ChoicePurpose, needs_administrator
from bot.core.chat import OutgoingMessage
from bot.core.correction_requests import opinion_of
from bot.core.errors import ButtonExpired, OurFault, TryLater, Undeliverable
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.core.messages import sentence
from bot.core.request import Response
from bot.core.retries import with_retries
from bot.core.song_selection import LINKS_AT_ONCE, links_left_out
from bot.telegram.api_client import MessageGone
from bot.telegram.commands import NEED_ADMINISTRATOR, english_name
from bot.telegram.keyboards import answered_reply, genre_target
from bot.telegram.limits import PLATFORM
from bot.telegram.message_parsing import (
    command_of,
    files_in,
    is_added_to_group,
    is_something_else,
    without_mention,
)
from bot.telegram.refusals import Refusals
from bot.telegram.submissions import SongRequest
from common.errors import StorageUnavailable, UserError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Sequence
    from typing import Any

    from telegram import CallbackQuery, ChatMemberUpdated, MessageReactionUpdated, ReactionType, Update

    from bot.core.callbacks import GenreTarget
    from bot.core.conversation import Conversation
    from bot.core.request_handler import RequestHandler
    from bot.core.status_message import StatusMessageChat
    from bot.telegram.api_client import TelegramClient
    from bot.telegram.commands import Commands
    from bot.telegram.request_context import RequestContext, RequestContexts
    from bot.telegram.submissions import TelegramSubmissions

CLOSE_SECONDS = 3.0
UPDATE_ATTEMPTS = 3

log = logging.getLogger(__name__)


class Router:
    """Routes updates, one at a time per person, and shows what comes back.

    Parameters
    ----------
    client, conversation
        The connection, and the conversation.
    contexts
        Finds out who makes a request.
    requests, submissions, commands
        Where buttons, songs and commands go.
    status
        Shows the songs' progress.
    """

    def __init__(
        self,
        client: TelegramClient,
        conversation: Conversation,
        contexts: RequestContexts,
        *,
        requests: RequestHandler,
        submissions: TelegramSubmissions,
        commands: Commands,
        status: StatusMessageChat,
    ) -> None:
        self._client = client
        self._conversation = conversation
        self._contexts = contexts
        self._requests = requests
        self._submissions = submissions
        self._commands = commands
        self._status = status
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: dict[int, int] = {}
        self._refusals = Refusals(client, self._show_error)
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, batch: Sequence[Update]) -> None:
        """Start tasks for the buttons and commands of a batch, then store its songs.

        Raises whatever the database raises: the batch then comes again, and songs that were stored are recognised.
        """
        self._submissions.begin_batch()
        for update in sorted(batch, key=self._may_bring_song):
            try:
                await self._receive(update)
            except UnicodeError:
                log.info("a message that is not valid Unicode was ignored")
            except Exception:
                failures = self._failures.pop(update.update_id, 0) + 1
                if failures < UPDATE_ATTEMPTS:
                    self._failures[update.update_id] = failures
                    raise
                # One message that cannot be handled must not block all others for ever.
                log.exception("a message could not be handled")

    async def close(self) -> None:
        """Give tasks in progress a moment, then cancel them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _may_bring_song(self, update: Update) -> bool:
        """Return whether an update may bring a song, which takes a moment to be stored; nobody waits behind those."""
        if update.message is None or update.message.migrate_to_chat_id is not None:
            return False
        try:
            command = command_of(update.message, self._client.bot.username)
        except UnicodeError:
            return True  # it is ignored when its turn comes
        return command is None or english_name(command[0]) == "genre"

    async def _receive(self, update: Update) -> None:
        query, message = update.callback_query, update.message or update.channel_post
        if update.my_chat_member is not None and is_added_to_group(update.my_chat_member):
            self._spawn(self._greet(update.my_chat_member))
            return
        if query is not None:
            self._spawn(self._in_turn(query.from_user.id, self._pressed(query)))
            return
        reaction = update.message_reaction
        if reaction is not None and reaction.user is not None and not reaction.user.is_bot:
            self._spawn(self._in_turn(reaction.user.id, self._reacted(reaction)))
            return
        if message is None:
            return
        self._client.saw(message.chat.id, message.message_id)
        if message.migrate_to_chat_id is not None:
            await self._moved(message.chat.id, message.migrate_to_chat_id)
            return
        if message.from_user is not None and message.from_user.is_bot and message.sender_chat is None:
            return
        request = await self._submissions.request_in(message)
        is_asked = request is not None and not request.unasked
        for song in self._submissions.album_songs(message, requested=is_asked):
            await self._submit(song, SongRequest(song, files_in(song)))
            if song is message:
                return
        if request is None:
            writer = message.chat.id if message.from_user is None else message.from_user.id
            self._spawn(self._in_turn(writer, self._written(message)))
        elif request.is_empty:
            self._spawn(self._show_usage(message))
        else:
            await self._submit(message, request)

    async def _in_turn(self, person: int, work: Coroutine[Any, Any, None]) -> None:
        """Handle what one person does in order; nobody waits for anybody else."""
        async with self._locks.setdefault(person, asyncio.Lock()):
            await work

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit(self, message: Message, request: SongRequest) -> None:
        context = await self._contexts.open(message)
        if context is None:
            return
        submitted = await self._submissions.submit(message, request, context)
        if request.unasked:
            return
        self._spawn(self._status.show_places(submitted.jobs))
        for title, error in submitted.refused:
            self._spawn(self._refusals.add(context, error, title))
        if len(request.links) > LINKS_AT_ONCE:
            text = links_left_out(request.links[LINKS_AT_ONCE:], context.requester.words)
            self._spawn(self._respond(context, _shown(text)))

    async def _greet(self, added: ChatMemberUpdated) -> None:
        context = await self._contexts.of_group(added.chat, added.from_user)
        await self._respond(context, self._requests.command("greeting", context.requester))

    async def _show_usage(self, message: Message) -> None:
        context = await self._contexts.open(message, needs_reach=True)
        if context is not None:
            bot = context.requester.addressed_as
            name = "chat-genre-usage" if bot is None else "chat-genre-usage-commands-only"
            await self._respond(context, _shown(context.requester.words.translate(name, bot=bot or "")))

    async def _written(self, message: Message) -> None:
        command = command_of(message, self._client.bot.username)
        target = genre_target(message.reply_to_message)
        needed = command is not None and english_name(command[0]) in NEED_ADMINISTRATOR
        needed |= target is not None and target.purpose is not ChoicePurpose.CORRECT
        is_help = command is not None and english_name(command[0]) in {"help", "start"}
        context = await self._contexts.open(message, needs_administrator=needed, needs_reach=is_help)
        if context is not None:
            await self._respond(context, self._answer_message(context, message, command, target))

    async def _answer_message(
        self, context: RequestContext, message: Message, command: tuple[str, str] | None, target: GenreTarget | None
    ) -> Response | None:
        private = context.requester.private
        if command is not None:
            return await self._commands.run(context, message, *command)
        if message.text and target is not None:
            return await self._requests.choose_genre(context.requester, target, message.text)
        if message.text:
            reply_id = answered_reply(message.reply_to_message)
            text = without_mention(message.text, self._client.bot.username)
            corrected = await self._requests.corrections.typed(context.requester, text, reply_id)
            if corrected is not None:
                return corrected
        if private and message.text:
            return await self._requests.command("help", context.requester)
        if private and is_something_else(message):
            return await _shown(context.requester.words.translate("chat-not-a-song"))
        return None

    async def _reacted(self, reaction: MessageReactionUpdated) -> None:
        """Take a reaction to an answer as an opinion on it."""
        before, after = _opinions(reaction.old_reaction), _opinions(reaction.new_reaction)
        if before == after:
            return
        chat = str(reaction.chat.id)
        reply_id = await self._conversation.answer_shown(PLATFORM, chat, reaction.message_id)
        # Telegram sends no more of the answer than its number.
        answer = Message(reaction.message_id, reaction.date, reaction.chat, from_user=reaction.user)
        context = None if reply_id is None else await self._contexts.open(answer)
        if reply_id is None or context is None:
            return
        corrections = self._requests.corrections
        for agrees in before - after:
            await self._respond(context, corrections.react(context.requester, reply_id, agrees=agrees, withdrawn=True))
        for agrees in after - before:
            await self._respond(context, corrections.react(context.requester, reply_id, agrees=agrees, withdrawn=False))

    async def _moved(self, old: int, new: int) -> None:
        """A group has become a supergroup: move its settings, corrections and songs."""
        self._client.moved(old, new)
        await self._conversation.info.moved(PLATFORM, str(old), str(new))

    async def _pressed(self, query: CallbackQuery) -> None:
        message = query.message
        if not isinstance(message, Message):
            # Telegram no longer sends a message that is this old.
            language = language_of(query.from_user.language_code) or DEFAULT_LANGUAGE
            await self._client.toast(query.id, sentence(ButtonExpired(), language), alert=True)
            return
        data = query.data or ""
        needed = needs_administrator(data)
        context = await self._contexts.open(message, query.from_user, query.id, needs_administrator=needed)
        if context is not None:
            await self._respond(context, self._requests.press(context.requester, data))

    async def _respond(self, context: RequestContext, work: Awaitable[Response | None]) -> None:
        """Carry a request out, and show its response or what went wrong."""
        try:
            response = await work
            if response is not None:
                await self._contexts.respond(context, response)
        except UserError as error:
            await self._show_error(context, error)
        except (TryLater, MessageGone) as error:
            log.info("a response could not be shown: %s", error)
        except Undeliverable as error:
            log.info("a response could not be shown: %s", error)
            await self._explain_silence(context)
        except Exception:
            log.exception("a message or a button failed because of a bug")
            await self._show_error(context, OurFault())

    async def _show_error(self, context: RequestContext, error: UserError, title: str | None = None) -> None:
        """Show an error, above the chat if a button was pressed."""
        text = sentence(error, context.requester.language)
        try:
            if context.query is not None:
                await with_retries(partial(self._client.toast, context.query, text, alert=True))
            else:
                await with_retries(partial(self._client.post, context.location, OutgoingMessage(text, title=title)))
        except TryLater:
            log.warning("Telegram could not be reached; an error was not shown")
        except Undeliverable as reason:
            log.info("an error could not be shown: %s", reason)
            await self._explain_silence(context)

    async def _explain_silence(self, context: RequestContext) -> None:
        if context.query is None and not context.requester.private:
            await self._status.explain_silence(context.location.as_json(), context.requester.words)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Do something that nobody waits for; what goes wrong is logged."""
    try:
        await work
    except StorageUnavailable:
        log.warning("an update was dropped: nothing can be stored or looked up at the moment")
    except Exception:
        log.exception("an update could not be handled because of a bug")


def _opinions(reactions: Sequence[ReactionType]) -> set[bool]:
    """Return what reactions say of an answer: that it is right, wrong, or both."""
    said = (opinion_of(each.emoji) for each in reactions if isinstance(each, ReactionTypeEmoji))
    return {agrees for agrees in said if agrees is not None}


async def _shown(text: str) -> Response:
    return Response(OutgoingMessage(text))
