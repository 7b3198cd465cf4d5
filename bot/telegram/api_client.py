"""The line to Telegram: messages out, files in, and Telegram's errors as what the queue understands.

Limits are kept here: lengths, paces, sizes. What is said is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from telegram import InputMediaPhoto, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatMemberStatus
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

from bot.core.chat import CannotStart
from bot.core.errors import FileGone, TryLater, Undeliverable
from bot.telegram.limits import TelegramTooLarge
from bot.telegram.rate_limit import Pace
from common.errors import TooLarge
from common.units import MEBIBYTE, MEGABYTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from telegram import File, InlineKeyboardMarkup

    from bot.settings import Settings

OFFICIAL_API = "https://api.telegram.org"
DOWNLOAD_BYTES = 20 * MEBIBYTE
"""What Telegram's own servers hand to bots (Bot API, getFile); self-hosted ones have no such limit."""
TEXT_CHARACTERS = 4096
CAPTION_CHARACTERS = 1024
TOAST_CHARACTERS = 200
CONNECTIONS = 64
START_ATTEMPTS = 3
NETWORK_SECONDS = 3.0
REVOKED_SECONDS = 300.0
DOWNLOAD_SECONDS = 600.0
CHUNK_BYTES = 1 << 16
PLAIN = LinkPreviewOptions(is_disabled=True)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Where:
    """A place in Telegram: the chat, the message to answer, and the topic of a forum if it is in one."""

    chat: int
    message: int | None = None
    thread: int | None = None

    def as_json(self) -> dict[str, int | None]:
        """Return it as plain data; ``from_json`` reads it."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Where:
        """Read what ``as_json`` wrote; other keys are left alone."""
        return Where(data["chat"], data.get("message"), data.get("thread"))


class NotThere(Exception):
    """The message to be changed is gone, or cannot be changed in this way."""


class Line:
    """The bot's connection.

    Parameters
    ----------
    settings
        Token, where the server is, limits.
    """

    def __init__(self, settings: Settings) -> None:
        root = settings.telegram_api_url
        token = settings.tokens["telegram"].get_secret_value()
        self._pace = Pace()
        self.bot = ExtBot(
            token,
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=HTTPXRequest(
                connection_pool_size=CONNECTIONS, pool_timeout=60, read_timeout=20, media_write_timeout=60
            ),
            get_updates_request=HTTPXRequest(connection_pool_size=2, read_timeout=20),
            rate_limiter=self._pace,
        )
        self.official = root == OFFICIAL_API
        self._max_bytes = round(settings.max_megabytes * MEGABYTE)
        self._downloads: aiohttp.ClientSession | None = None
        self._moved: dict[int, int] = {}

    async def open(self) -> None:
        """Connect; raises ``CannotStart``."""
        for attempt in range(START_ATTEMPTS):
            try:
                await self.bot.initialize()
                break
            except InvalidToken:
                raise CannotStart("TELEGRAM_TOKEN was refused: ask @BotFather for a new one") from None
            except TelegramError as error:
                if attempt == START_ATTEMPTS - 1:
                    raise CannotStart(f"Telegram cannot be reached: {error}") from error
                await asyncio.sleep(2**attempt)
        self._downloads = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DOWNLOAD_SECONDS, sock_read=30))

    async def close(self) -> None:
        """Disconnect."""
        if self._downloads is not None:
            await self._downloads.close()
        await self.bot.shutdown()

    def most_bytes(self) -> int:
        """Return how large a file may be."""
        return min(DOWNLOAD_BYTES, self._max_bytes) if self.official else self._max_bytes

    def moved(self, old: int, new: int) -> None:
        """Remember that a group has become a supergroup with another id."""
        self._moved[old] = new

    def has_room(self, chat: int, requests: int) -> bool:
        """Whether a chat takes so many messages or changes just now."""
        return self._pace.has_room(self._moved.get(chat, chat), requests)

    async def say(self, where: Where, text: str, keyboard: InlineKeyboardMarkup | None = None) -> int:
        """Send a text as an answer to ``where.message``; return the new message's id."""
        chat = self._moved.get(where.chat, where.chat)
        with told():
            try:
                return await self._send(chat, where, text, keyboard)
            except ChatMigrated as migrated:
                self.moved(where.chat, migrated.new_chat_id)
                return await self._send(migrated.new_chat_id, where, text, keyboard)

    async def _send(self, chat: int, where: Where, text: str, keyboard: InlineKeyboardMarkup | None) -> int:
        sent = await self.bot.send_message(
            chat,
            shortened(text, TEXT_CHARACTERS),
            reply_markup=keyboard,
            link_preview_options=PLAIN,
            # In a supergroup that was a group, messages have other numbers.
            reply_parameters=None if chat != where.chat else _answering(where.message),
            message_thread_id=where.thread,
        )
        return sent.message_id

    async def document(self, where: Where, path: Path, caption: str) -> None:
        """Send a file as an answer."""
        with told():
            await self.bot.send_document(
                where.chat,
                await asyncio.to_thread(path.read_bytes),
                filename=path.name,
                caption=shortened(caption, CAPTION_CHARACTERS),
                reply_parameters=_answering(where.message),
                message_thread_id=where.thread,
            )

    async def change(
        self, chat: int, message: int, text: str, keyboard: InlineKeyboardMarkup | None, picture: bytes | None = None
    ) -> None:
        """Make a message of ours say something else, once or many times over; raises ``NotThere`` if it cannot."""
        chat = self._moved.get(chat, chat)
        with told(), changing():
            if picture is not None:
                media = InputMediaPhoto(picture, caption=shortened(text, CAPTION_CHARACTERS))
                await self.bot.edit_message_media(media, chat, message, reply_markup=keyboard)
            else:
                short = shortened(text, TEXT_CHARACTERS)
                await self.bot.edit_message_text(
                    short, chat, message, reply_markup=keyboard, link_preview_options=PLAIN
                )

    async def change_buttons(self, chat: int, message: int, keyboard: InlineKeyboardMarkup | None) -> None:
        """Put other buttons below a message of ours; raises ``NotThere`` if it is gone."""
        with told(), changing():
            await self.bot.edit_message_reply_markup(chat, message, reply_markup=keyboard)

    async def delete(self, chat: int, message: int) -> None:
        """Delete a message of ours, if it is still there; raises ``TryLater`` or ``Undeliverable``."""
        with told():
            await self.bot.delete_message(self._moved.get(chat, chat), message)

    async def toast(self, query_id: str, text: str | None = None, *, alert: bool = False) -> None:
        """Answer the press of a button; one that is too old needs no answer any more."""
        short = None if text is None else shortened(text, TOAST_CHARACTERS)
        try:
            with told():
                await self.bot.answer_callback_query(query_id, short, show_alert=alert)
        except Undeliverable as error:
            log.info("a button's press could not be answered: %s", error)

    async def administers(self, chat: int, user: int) -> bool:
        """Whether somebody is an administrator of a group, as Telegram says this moment."""
        try:
            member = await self.bot.get_chat_member(chat, user)
        except TelegramError as error:
            log.info("nobody could say who administers a group: %s", error)
            return False
        return member.status in {ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER}

    async def download(self, file_id: str, target: Path) -> Path:
        """Bring a file here; raises ``SongError`` or ``TryLater``."""
        with told():
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
        await self._save(file, target)
        return target

    async def _save(self, file: File, target: Path) -> None:
        with target.open("wb") as out:
            written = 0
            async for chunk in self._chunks(str(file.file_path)):
                written += len(chunk)
                if written > self._max_bytes:
                    raise TooLarge(megabytes=self._max_bytes / MEGABYTE)
                await asyncio.to_thread(out.write, chunk)

    async def _chunks(self, url: str) -> AsyncIterator[bytes]:
        if self._downloads is None:
            raise RuntimeError("the line to Telegram is not open")
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
def told() -> Iterator[None]:
    """Turn Telegram's errors into what the queue understands: ``TryLater`` or ``Undeliverable``."""
    try:
        yield
    except RetryAfter as error:
        wait = error.retry_after
        raise TryLater(wait.total_seconds() if isinstance(wait, timedelta) else wait) from error
    except (Forbidden, BadRequest) as error:
        raise Undeliverable(str(error)) from error
    except InvalidToken as error:
        raise TryLater(REVOKED_SECONDS) from error
    except NetworkError as error:
        raise TryLater(NETWORK_SECONDS) from error
    except TelegramError as error:
        raise Undeliverable(str(error)) from error


@contextmanager
def changing() -> Iterator[None]:
    """Let a change that was made already pass; raise ``NotThere`` for one that cannot be made."""
    try:
        yield
    except (BadRequest, ChatMigrated) as error:
        if "not modified" not in str(error).lower():
            raise NotThere(str(error)) from error


def shortened(text: str, characters: int) -> str:
    """Cut a text to a length as Telegram counts it: in UTF-16 units, no character cut in two."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * characters:
        return text
    return units[: 2 * (characters - 1)].decode("utf-16-le", "ignore") + "…"


def _answering(message: int | None) -> ReplyParameters | None:
    return None if message is None else ReplyParameters(message, allow_sending_without_reply=True)
