"""The connection to Telegram: posts and edits messages, downloads files, and translates Telegram's errors."""

from __future__ import annotations

import asyncio
import logging
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from httpx import create_ssl_context
from telegram import InputMediaPhoto, LinkPreviewOptions, ReplyParameters
from telegram.constants import CallbackQueryLimit, ChatMemberStatus, MessageLimit
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.core.chat import ChatCannotStart, PlatformUnreachable
from bot.core.errors import FileGone, TryLater, Undeliverable
from bot.core.size_limits import max_bytes, save
from bot.telegram.keyboards import keyboard, keyboard_of, text_of
from bot.telegram.limits import DOWNLOAD_BYTES, TelegramTooLarge
from bot.telegram.rate_limit import TelegramRateLimiter, seconds_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    from bot.core.chat import Button, OutgoingMessage
    from bot.settings import Settings

OFFICIAL_API = "https://api.telegram.org"
CONNECTIONS = 64
START_ATTEMPTS = 3
NETWORK_SECONDS = 3.0
REVOKED_SECONDS = 300.0
CONNECT_SECONDS = 30.0
SILENCE_SECONDS = 30.0
CHUNK_BYTES = 1 << 16
CHATS_REMEMBERED = 512
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MessageLocation:
    """A place on Telegram.

    Attributes
    ----------
    chat, message, thread
        The chat, the message to reply to, and the topic if the chat is a forum.
    sender
        Whoever asked, to be written to where the bot may not write in the chat; None if that is not known.
    """

    chat: int
    message: int | None = None
    thread: int | None = None
    sender: int | None = None

    def as_json(self) -> dict[str, int | None]:
        """Return it as JSON data; ``from_json`` reads it."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> MessageLocation:
        """Read what ``as_json`` wrote; other keys, such as those of earlier versions, are ignored."""
        return MessageLocation(data["chat"], data.get("message"), data.get("thread"), data.get("sender"))


class MessageGone(Exception):
    """The message to be edited is gone, or cannot be edited in this way."""


@cache
def _certificates() -> ssl.SSLContext:
    """Load the certificate authorities once for all connections, which takes the time of several requests."""
    return create_ssl_context()


class TelegramClient:
    """The bot's connection.

    Its methods raise ``TryLater`` or ``Undeliverable`` where Telegram refuses or cannot be reached.

    Parameters
    ----------
    settings
        The token, the server's address, limits.
    """

    def __init__(self, settings: Settings) -> None:
        root = settings.telegram_api_url
        token = settings.tokens["telegram"].get_secret_value()
        self._rate_limiter = TelegramRateLimiter()
        self.bot = ExtBot(
            token,
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=HTTPXRequest(
                connection_pool_size=CONNECTIONS,
                pool_timeout=60,
                read_timeout=20,
                media_write_timeout=60,
                httpx_kwargs={"verify": _certificates()},
            ),
            get_updates_request=HTTPXRequest(
                connection_pool_size=2, read_timeout=20, httpx_kwargs={"verify": _certificates()}
            ),
            rate_limiter=self._rate_limiter,
        )
        self.official = root == OFFICIAL_API
        self._max_bytes = max_bytes(settings)
        self._downloads: aiohttp.ClientSession | None = None
        self._moved: dict[int, int] = {}
        self._newest: dict[int, int] = {}

    async def open(self) -> None:
        """Connect; raises ``ChatCannotStart``."""
        for attempt in range(START_ATTEMPTS):
            try:
                with starting():
                    await self.bot.initialize()
                break
            except ChatCannotStart as reason:
                if not isinstance(reason, PlatformUnreachable) or attempt == START_ATTEMPTS - 1:
                    # The bot itself shuts nothing down before it has started.
                    await self.bot.request.shutdown()
                    raise
                await asyncio.sleep(2**attempt)
        # However long it takes: how slowly the bytes may come is checked while they do.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        self._downloads = aiohttp.ClientSession(timeout=timeout)

    async def close(self) -> None:
        """Disconnect."""
        if self._downloads is not None:
            await self._downloads.close()
        await self.bot.shutdown()

    def largest_file(self) -> int:
        """Return how many bytes a song's file may have."""
        return min(DOWNLOAD_BYTES, self._max_bytes) if self.official else self._max_bytes

    def moved(self, old: int, new: int) -> None:
        """Remember that a group has become a supergroup with another id."""
        self._moved[old] = new

    def has_room(self, chat: int, requests: int) -> bool:
        """Return whether a chat takes so many messages or edits at once."""
        return self._rate_limiter.has_room(self._moved.get(chat, chat), requests)

    def saw(self, chat: int, message_id: int) -> None:
        """Note the number of a message, whoever wrote it; private chats share one count."""
        count = min(chat, 0)
        if message_id > self._newest.get(count, 0):
            self._newest.pop(count, None)
            self._newest[count] = message_id
            if len(self._newest) > CHATS_REMEMBERED:
                del self._newest[next(iter(self._newest))]

    async def post_noted(self, location: MessageLocation, message: OutgoingMessage, note: Callable[[int], None]) -> int:
        """Post a message like ``post``; ``note`` is called directly before, with the newest message's number."""
        chat = self._moved.get(location.chat, location.chat)
        async with self._rate_limiter.admitted(chat):
            note(max(self._newest.get(min(chat, 0), 0), location.message or 0))
            return await self.post(location, message)

    async def has_button(self, chat: int, message_id: int, button: Button) -> bool:
        """Return whether a message is ours and has just this button, which bots can find out only by editing it."""
        try:
            with delivering():
                await self.bot.edit_message_reply_markup(chat, message_id, reply_markup=keyboard([button]))
                # It was another message of ours: take the button away again.
                await self.bot.edit_message_reply_markup(chat, message_id, reply_markup=None)
        except Undeliverable as refused:
            return "not modified" in str(refused).lower()
        return False

    async def post(self, location: MessageLocation, message: OutgoingMessage) -> int:
        """Post a message as a reply to ``location.message``; return its id."""
        chat = self._moved.get(location.chat, location.chat)
        with delivering():
            try:
                return await self._post(chat, location, message)
            except ChatMigrated as migrated:
                self.moved(location.chat, migrated.new_chat_id)
                return await self._post(migrated.new_chat_id, location, message)

    async def _post(self, chat: int, location: MessageLocation, message: OutgoingMessage) -> int:
        # Messages have other ids in a supergroup that was a group.
        is_moved = chat != location.chat or location.message is None
        options: dict[str, Any] = {
            "reply_markup": keyboard_of(message),
            "reply_parameters": None
            if is_moved or location.message is None
            else ReplyParameters(location.message, allow_sending_without_reply=True),
            "message_thread_id": location.thread,
        }
        text = text_of(message)
        if message.file is not None:
            caption = shortened(text, MessageLimit.CAPTION_LENGTH)
            content, name = message.file.content, message.file.name
            sent = await self.bot.send_document(chat, content, filename=name, caption=caption, **options)
        else:
            short = shortened(text, MessageLimit.MAX_TEXT_LENGTH)
            sent = await self.bot.send_message(chat, short, link_preview_options=NO_PREVIEW, **options)
        self.saw(chat, sent.message_id)
        return sent.message_id

    async def edit(self, chat: int, message_id: int, message: OutgoingMessage) -> None:
        """Replace a message of the bot, once or repeatedly; raises ``MessageGone`` if it cannot be done."""
        chat, keyboard = self._moved.get(chat, chat), keyboard_of(message)
        with delivering(), editing():
            if message.picture is not None:
                caption = shortened(text_of(message), MessageLimit.CAPTION_LENGTH)
                media = InputMediaPhoto(message.picture, caption=caption)
                await self.bot.edit_message_media(media, chat, message_id, reply_markup=keyboard)
            else:
                text = shortened(text_of(message), MessageLimit.MAX_TEXT_LENGTH)
                await self.bot.edit_message_text(
                    text, chat, message_id, reply_markup=keyboard, link_preview_options=NO_PREVIEW
                )

    async def edit_buttons(self, chat: int, message_id: int, buttons: Iterable[Button]) -> None:
        """Replace the buttons below a message of the bot; raises ``MessageGone`` if it cannot be done."""
        with delivering(), editing():
            await self.bot.edit_message_reply_markup(chat, message_id, reply_markup=keyboard(buttons))

    async def delete(self, chat: int, message_id: int) -> None:
        """Delete a message of the bot."""
        with delivering():
            await self.bot.delete_message(self._moved.get(chat, chat), message_id)

    async def react(self, location: MessageLocation, emoji: str | None) -> None:
        """React to a message, instead of as before; None takes the reaction back."""
        if location.message is None:
            raise Undeliverable("there is no message to react to")
        with delivering():
            chat = self._moved.get(location.chat, location.chat)
            await self.bot.set_message_reaction(chat, location.message, [] if emoji is None else emoji)

    async def toast(self, query_id: str, text: str | None = None, *, alert: bool = False) -> None:
        """Answer the press of a button; one that is too old needs no answer any more."""
        short = None if text is None else shortened(text, CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH)
        try:
            with delivering():
                await self.bot.answer_callback_query(query_id, short, show_alert=alert)
        except Undeliverable as error:
            log.info("a button press could not be answered: %s", error)

    async def administers(self, chat: int, user: int) -> bool:
        """Return whether somebody is an administrator of a group at this moment."""
        try:
            member = await self.bot.get_chat_member(chat, user)
        except TelegramError as error:
            log.info("a group's administrators could not be read: %s", error)
            return False
        return member.status in {ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER}

    async def addressed_as(self, chat: int) -> str | None:
        """Return what commands must end with in a group whose other messages Telegram hides from the bot; else None.

        A bot in privacy mode that is no administrator sees only commands, and replies to itself.
        """
        if self.bot.bot.can_read_all_group_messages or await self.administers(chat, self.bot.id):
            return None
        return f"@{self.bot.username}"

    async def download(self, file_id: str, target: Path) -> Path:
        """Download a file to ``target``; raises ``SongError`` or ``TryLater``."""
        with delivering():
            try:
                file = await self.bot.get_file(file_id)
            except BadRequest as error:
                raise (TelegramTooLarge() if "too big" in str(error).lower() else FileGone()) from error
        if file.file_path is None:
            raise FileGone()
        local = Path(file.file_path)
        if not self.official and local.is_absolute() and await asyncio.to_thread(local.is_file):
            await asyncio.to_thread(shutil.copyfile, local, target)
            return target
        await save(self._chunks(file.file_path), target, self._max_bytes)
        return target

    async def _chunks(self, url: str) -> AsyncIterator[bytes]:
        if self._downloads is None:
            raise RuntimeError("the connection to Telegram is not open")
        try:
            async with self._downloads.get(url) as response:
                if response.status == 404:
                    raise FileGone()
                if response.status != 200:
                    log.warning("a file could not be fetched: status %d", response.status)
                    raise TryLater(NETWORK_SECONDS)
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("a file could not be fetched: %s", type(error).__name__)
            raise TryLater(NETWORK_SECONDS) from error


@contextmanager
def starting() -> Iterator[None]:
    """Turn Telegram's errors into ``ChatCannotStart``, or ``PlatformUnreachable`` where it is worth trying again."""
    try:
        yield
    except InvalidToken:
        raise ChatCannotStart("TELEGRAM_TOKEN was refused: ask @BotFather for a new one") from None
    except (Forbidden, BadRequest) as error:
        raise ChatCannotStart(f"Telegram refuses to start: {error}") from error
    except TelegramError as error:
        raise PlatformUnreachable(f"Telegram cannot be reached: {error}") from error


@contextmanager
def delivering() -> Iterator[None]:
    """Turn Telegram's errors into ``TryLater`` or ``Undeliverable``."""
    try:
        yield
    except RetryAfter as error:
        raise TryLater(seconds_of(error)) from error
    except (Forbidden, BadRequest) as error:
        raise Undeliverable(str(error)) from error
    except InvalidToken as error:
        raise TryLater(REVOKED_SECONDS) from error
    except NetworkError as error:
        raise TryLater(NETWORK_SECONDS) from error
    except TelegramError as error:
        raise Undeliverable(str(error)) from error


@contextmanager
def editing() -> Iterator[None]:
    """Accept an edit that was made already; raise ``MessageGone`` for one that cannot be made."""
    try:
        yield
    except (BadRequest, ChatMigrated) as error:
        if "not modified" not in str(error).lower():
            raise MessageGone(str(error)) from error


def shortened(text: str, characters: int) -> str:
    """Shorten a text to a length as Telegram counts it, in UTF-16 units, without splitting a character."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * characters:
        return text
    return units[: 2 * (characters - 1)].decode("utf-16-le", "ignore") + "…"
