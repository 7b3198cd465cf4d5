"""What comes in from Telegram: songs are written down at once, everything else is handed to whom it concerns."""

from __future__ import annotations

import itertools
import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.chat import LINK_SOURCE, Submission
from bot.core.errors import ButtonExpired
from bot.telegram.api_client import DOWNLOAD_BYTES, Where
from bot.telegram.commands import english
from bot.telegram.limits import TelegramTooLarge
from bot.telegram.message_parsing import command_of, is_asked, is_named, is_private, link_of, media_of
from bot.telegram.request_context import PLATFORM
from common.errors import TooLarge, TooLong, UserError
from common.units import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from telegram import Message

    from bot.core.conversation import Conversation
    from bot.settings import Settings
    from bot.telegram.api_client import Line
    from bot.telegram.message_parsing import Media
    from bot.telegram.request_context import Ears, Voice
    from bot.telegram.status_message import Card, Progress
    from links import PlaylistItem
    from storage import Job

ALBUMS_REMEMBERED = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a genre: the message with the song in it, and the song, as a file or as a link; neither is none."""

    target: Message
    media: Media | None
    link: str | None


@dataclass(slots=True)
class Album:
    """Songs that came together: whether one of them was asked for, and those that came before it was."""

    is_asked: bool = False
    unasked: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request, whose chat and number are its key: a job with its card, or why there is none."""

    key: tuple[int, int]
    voice: Voice
    card: Card
    job: Job | None
    error: UserError | None


class Intake:
    """Finds the songs in messages and writes them down."""

    def __init__(
        self, line: Line, conversation: Conversation, settings: Settings, ears: Ears, progress: Progress
    ) -> None:
        self._line = line
        self._conversation = conversation
        self._settings = settings
        self._ears = ears
        self._progress = progress
        self._albums: dict[tuple[int, str], Album] = {}

    async def asked(self, message: Message) -> Asked | None:
        """Return what a message asks for; None if it does not ask for a genre."""
        bot = self._line.bot
        command = command_of(message, bot.username)
        if command is not None:
            if english(command[0]) != "genre":
                return None
            return _found(message) or Asked(message, None, None)
        if not is_private(message) and is_named(message, bot.username):
            return _found(message)
        media = media_of(message)
        if media is not None and (is_asked(message, bot.id, bot.username) or await self._listens(message)):
            return Asked(message, media, None)
        link = link_of(message) if is_private(message) and message.reply_to_message is None else None
        return None if link is None or media is not None else Asked(message, None, link)

    def album(self, message: Message, *, asked: bool) -> list[Message]:
        """Return the songs of an album that are asked for now: whoever asks for one song of it means them all.

        Telegram brings an album's files as messages of their own, of which one bears the caption, be it the first or
        the last.
        """
        if message.media_group_id is None or media_of(message) is None:
            return []
        key = message.chat.id, message.media_group_id
        seen = self._albums.pop(key, Album())
        self._albums[key] = seen
        if len(self._albums) > ALBUMS_REMEMBERED:
            del self._albums[next(iter(self._albums))]
        if asked:
            seen.is_asked = True
            others, seen.unasked = seen.unasked, []
            return others
        if seen.is_asked:
            return [message]
        seen.unasked.append(message)
        return []

    async def take(self, message: Message, asked: Asked) -> Taken | None:
        """Write a song down, or say why not; None where nobody asks."""
        voice = await self._ears.voice(message)
        if voice is None:
            return None
        where = Where(message.chat.id, asked.target.message_id, voice.where.thread)
        key = (message.chat.id, message.message_id)
        card = self._progress.open(key, where)
        try:
            if asked.media is not None:
                self._check(asked.media)
            job = await self._conversation.submit(self._submission(message, asked, voice, where))
        except UserError as error:
            self._progress.forget_unsent(key)
            return Taken(key, voice, card, None, error)
        return Taken(key, voice, card, job, None)

    async def take_list(self, voice: Voice, subject: str) -> None:
        """Take songs of a list, as the button below the question about it says."""
        numbers = itertools.count(1)

        async def back(_: PlaylistItem) -> Mapping[str, Any]:
            place = {"asked": voice.where.message, "number": next(numbers), "private": voice.private}
            return {**voice.where.as_json(), **place}

        await self._conversation.lists.answer(subject, voice.person, back)

    def _submission(self, message: Message, asked: Asked, voice: Voice, where: Where) -> Submission:
        media = asked.media
        payload: Mapping[str, str | None] = {"link": asked.link} if media is None else {"file": media.file_id}
        return Submission(
            person=voice.person,
            language=voice.language,
            chat_id=voice.chat_id,
            title=None if media is None else media.title,
            source=LINK_SOURCE if media is None else media.source,
            message={**where.as_json(), "asked": message.message_id, "private": voice.private},
            payload=payload,
            key=f"{message.chat.id}:{message.message_id}",
        )

    def _check(self, media: Media) -> None:
        """Say what is too large or too long before a byte of it is fetched."""
        if media.size is not None and media.size > self._settings.max_megabytes * MEGABYTE:
            raise TooLarge(megabytes=self._settings.max_megabytes)
        if self._line.official and media.size is not None and media.size > DOWNLOAD_BYTES:
            raise TelegramTooLarge()
        if media.seconds is not None and media.seconds > 60 * self._settings.max_minutes:
            raise TooLong(minutes=self._settings.max_minutes)

    async def _listens(self, message: Message) -> bool:
        chat = str(message.chat.id)
        return chat in (await self._conversation.housekeeping.chat(PLATFORM, chat)).listening


def _found(message: Message) -> Asked | None:
    """Return the song, or else the link, that a message has or answers."""
    targets = [each for each in (message, message.reply_to_message) if each is not None]
    for target in targets:
        if media_of(target) is not None:
            return Asked(target, media_of(target), None)
    for target in targets:
        if link_of(target) is not None:
            return Asked(target, None, link_of(target))
    return None


def parts(data: str | None) -> tuple[str, str, int]:
    """Read the data of a button of ours with three parts: what, about what, which; raises ``ButtonExpired``."""
    what, subject, number, *_ = [*(data or "").split(":"), "", "", ""]
    if re.fullmatch(r"[A-Za-z0-9_-]{1,24}", subject) is None or re.fullmatch(r"[0-9]{1,9}", number) is None:
        raise ButtonExpired()
    return what, subject, int(number)
