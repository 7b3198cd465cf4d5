"""Finds the songs in Telegram messages and submits them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.core.chat import LINK_SOURCE, Submission
from bot.core.identity import Person
from bot.core.messages import clean_title
from bot.core.song_selection import LINKS_AT_ONCE, requested_songs
from bot.telegram.commands import english_name
from bot.telegram.limits import DOWNLOAD_BYTES, PLATFORM, TelegramTooLarge
from bot.telegram.message_parsing import (
    command_of,
    content_of,
    described,
    external_content,
    files_in,
    is_addressed,
    is_from,
    mentions_bot,
)
from bot.telegram.request_context import place_of
from common.errors import StorageUnavailable, UserError
from common.media_types import is_surely_audio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Message

    from bot.core.conversation import Conversation
    from bot.core.song_selection import MessageContent
    from bot.telegram.api_client import TelegramClient
    from bot.telegram.message_parsing import SongFile
    from bot.telegram.request_context import RequestContext
    from storage import Job

ALBUMS_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class SongRequest:
    """A request for a genre: the message with the songs, and the songs as a file or as links; neither if none is there.

    ``unasked`` says that nobody asked: every song is answered in this chat.
    """

    target: Message
    files: Sequence[SongFile] = ()
    links: Sequence[str] = ()
    unasked: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is no song in it."""
        return not self.files and not self.links


@dataclass(slots=True)
class Submitted:
    """What became of a request: the jobs that were stored, and the other songs with why they were refused.

    A song is named only where several came together.
    """

    jobs: list[Job] = field(default_factory=list)
    refused: list[tuple[str | None, UserError]] = field(default_factory=list)


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
        self._is_outage = False

    def begin_batch(self) -> None:
        """Try to store songs again; once one of a batch could not be, the others are refused at once."""
        self._is_outage = False

    async def request_in(self, message: Message) -> SongRequest | None:
        """Return what a message asks for; None if it does not ask for a genre."""
        bot = self._client.bot
        command = command_of(message, bot.username)
        if command is not None:
            if english_name(command[0]) != "genre":
                return None
            return self._referred(message) or SongRequest(message)
        if mentions_bot(message, bot.username):
            return self._referred(message)
        if is_addressed(message, bot.id, bot.username):
            return _requested([content_of(message), external_content(message)])
        if self._is_taught(message) and (files := files_in(message)):
            return SongRequest(message, files)
        songs = [file for file in files_in(message) if is_surely_audio(*described(file))]
        if songs and await self._answers_all(message):
            return SongRequest(message, songs, unasked=True)
        return None

    def _referred(self, message: Message) -> SongRequest | None:
        """Return the songs in a message, or else in the one that it replies to, here or in another chat."""
        contents = [content_of(message)]
        replied = message.reply_to_message
        if replied is not None and not is_from(replied, self._client.bot.id):
            contents.append(content_of(replied))
        return _requested([*contents, external_content(message)])

    def album_songs(self, message: Message, *, requested: bool) -> list[Message]:
        """Return the songs of an album that are requested now: a request for one of its songs is for all of them.

        Telegram sends an album's files as separate messages, and only the first or the last has the caption.
        """
        if message.media_group_id is None or not files_in(message):
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

    async def submit(self, message: Message, request: SongRequest, context: RequestContext) -> Submitted:
        """Store the songs of a request; each is answered below the message that it came in."""
        location = {**context.location.as_json(), "message": request.target.message_id}
        submission = Submission(
            person=context.requester.person,
            language=context.requester.language,
            chat_id=context.requester.chat_id,
            title=None,
            source=LINK_SOURCE,
            message=location,
            payload={},
            shared=not context.requester.private,
            unasked=request.unasked,
            alone=context.requester.private,
            place=context.requester.place,
        )
        key = f"{message.chat.id}:{message.message_id}"
        done = Submitted()
        for file in request.files:
            await self._submit(
                replace(
                    submission,
                    title=file.title,
                    source=file.source,
                    payload={"file": file.file_id},
                    key=key,
                    size=file.size,
                ),
                done,
            )
        links = request.links[:LINKS_AT_ONCE]
        for number, link in enumerate(links):
            key_of_link = key if number == 0 else f"{key}:{link}"
            payload = {"link": link}
            await self._submit(replace(submission, payload=payload, key=key_of_link, named=len(links) > 1), done)
        return done

    async def _submit(self, submission: Submission, done: Submitted) -> None:
        try:
            if self._client.official and submission.size is not None and submission.size > DOWNLOAD_BYTES:
                raise TelegramTooLarge()
            if self._is_outage:
                raise StorageUnavailable()
            done.jobs.append(await self._conversation.submit(submission))
        except UserError as error:
            self._is_outage |= isinstance(error, StorageUnavailable)
            title = clean_title(submission.payload.get("link")) if submission.named else None
            done.refused.append((title, error))

    def _is_taught(self, message: Message) -> bool:
        """Return whether somebody is teaching a genre where a message was written."""
        if message.from_user is None or message.sender_chat is not None:
            return False
        person = Person(PLATFORM, str(message.from_user.id))
        return self._conversation.teaching.label_for(person, place_of(message)) is not None

    async def _answers_all(self, message: Message) -> bool:
        chat = str(message.chat.id)
        try:
            return chat in (await self._conversation.info.chat(PLATFORM, chat)).listening
        except StorageUnavailable:
            return False  # whoever asks the bot by name is told


def _requested(contents: Sequence[MessageContent[Message, SongFile]]) -> SongRequest | None:
    chosen = requested_songs(contents, described)
    return None if chosen is None else SongRequest(chosen.message, chosen.files, chosen.links)
