"""Finds the songs in Telegram messages and submits them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.chat import LINK_SOURCE, Submission
from bot.telegram.commands import english_name
from bot.telegram.limits import DOWNLOAD_BYTES, PLATFORM, TelegramTooLarge
from bot.telegram.message_parsing import command_of, is_addressed, is_private, link_of, mentions_bot, song_in

if TYPE_CHECKING:
    from telegram import Message

    from bot.core.conversation import Conversation
    from bot.telegram.api_client import TelegramClient
    from bot.telegram.message_parsing import SongFile
    from bot.telegram.request_context import RequestContext
    from storage import Job

ALBUMS_REMEMBERED = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SongRequest:
    """A request for a genre: the message with the song, and the song as a file or a link, or neither."""

    target: Message
    file: SongFile | None = None
    link: str | None = None


@dataclass(slots=True)
class Album:
    """Songs that were sent together: whether one of them was asked for, and those that came before it was."""

    is_requested: bool = False
    unrequested: list[Message] = field(default_factory=list)


class TelegramSubmissions:
    """Finds and submits songs.

    Parameters
    ----------
    client, conversation
        The connection, and where songs go.
    """

    def __init__(self, client: TelegramClient, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation
        self._albums: dict[tuple[int, str], Album] = {}

    async def request_in(self, message: Message) -> SongRequest | None:
        """Return what a message asks for; None if it does not ask for a genre."""
        bot = self._client.bot
        command = command_of(message, bot.username)
        if command is not None:
            if english_name(command[0]) != "genre":
                return None
            return _found(message) or SongRequest(message)
        if not is_private(message) and mentions_bot(message, bot.username):
            return _found(message)
        file = song_in(message)
        if file is not None and (is_addressed(message, bot.id, bot.username) or await self._answers_all(message)):
            return SongRequest(message, file)
        link = link_of(message) if is_private(message) and message.reply_to_message is None else None
        return None if link is None or file is not None else SongRequest(message, link=link)

    def album_songs(self, message: Message, *, requested: bool) -> list[Message]:
        """Return the songs of an album that are requested now: a request for one of its songs is for all of them.

        Telegram sends an album's files as separate messages, and only the first or the last has the caption.
        """
        if message.media_group_id is None or song_in(message) is None:
            return []
        key = message.chat.id, message.media_group_id
        album = self._albums.pop(key, Album())
        self._albums[key] = album
        if len(self._albums) > ALBUMS_REMEMBERED:
            del self._albums[next(iter(self._albums))]
        if requested:
            album.is_requested = True
            others, album.unrequested = album.unrequested, []
            return others
        if album.is_requested:
            return [message]
        album.unrequested.append(message)
        return []

    async def submit(self, message: Message, request: SongRequest, context: RequestContext) -> Job:
        """Store a song; raises ``UserError`` with a sentence for the person."""
        file, requester = request.file, context.requester
        size = None if file is None else file.size
        if self._client.official and size is not None and size > DOWNLOAD_BYTES:
            raise TelegramTooLarge()
        location = {**context.location.as_json(), "message": request.target.message_id}
        return await self._conversation.submit(
            Submission(
                person=requester.person,
                language=requester.language,
                chat_id=requester.chat_id,
                title=None if file is None else file.title,
                source=LINK_SOURCE if file is None else file.source,
                message=location,
                payload={"link": request.link} if file is None else {"file": file.file_id},
                key=f"{message.chat.id}:{message.message_id}",
                shared=not requester.private,
                size=size,
                seconds=None if file is None else file.seconds,
            )
        )

    async def _answers_all(self, message: Message) -> bool:
        chat = str(message.chat.id)
        return chat in (await self._conversation.info.chat(PLATFORM, chat)).listening


def _found(message: Message) -> SongRequest | None:
    """Return the song, or else the link, in a message or in the one that it replies to."""
    targets = [each for each in (message, message.reply_to_message) if each is not None]
    for target in targets:
        if (file := song_in(target)) is not None:
            return SongRequest(target, file)
    for target in targets:
        if (link := link_of(target)) is not None:
            return SongRequest(target, link=link)
    return None
