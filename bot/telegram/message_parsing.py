"""Finds songs, links and commands in Telegram messages, and whether a message is addressed to the bot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from telegram import Audio, Document, MessageEntity, Video, VideoNote, Voice
from telegram.constants import ChatType

from common.media_types import is_music

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telegram import Message


@dataclass(frozen=True, slots=True)
class SongFile:
    """A file with sound in a message.

    Attributes
    ----------
    file_id
        Telegram's id, with which the bytes are downloaded.
    source
        ``upload`` or ``voice``.
    title
        As the sender's device named it, not yet cleaned.
    size, seconds
        Bytes and length as Telegram says; None where it does not.
    """

    file_id: str
    source: str
    title: str | None
    size: int | None
    seconds: float | None


def song_in(message: Message) -> SongFile | None:
    """Return the song in a message; None if there is none."""
    for found in (message.audio, message.voice, message.video, message.video_note):
        if found is not None:
            return _song_file(found)
    document = message.document
    if document is not None and is_music(document.file_name, document.mime_type):
        return _song_file(document)
    return None


def link_of(message: Message) -> str | None:
    """Return the first link in a message's text or caption."""
    entities = message.parse_entities([MessageEntity.URL, MessageEntity.TEXT_LINK])
    entities |= message.parse_caption_entities([MessageEntity.URL, MessageEntity.TEXT_LINK])
    for entity in sorted(entities, key=lambda each: each.offset):
        address = entity.url if entity.type == MessageEntity.TEXT_LINK else entities[entity]
        if address:
            return address if re.match(r"[a-z]+://", address, re.IGNORECASE) else f"https://{address}"
    return None


def is_private(message: Message) -> bool:
    """Return whether a message was written to the bot alone."""
    return message.chat.type == ChatType.PRIVATE


def command_of(message: Message, username: str) -> tuple[str, str] | None:
    """Return the command that a text or caption begins with, if it is meant for this bot, and what follows it."""
    entities = message.parse_entities([MessageEntity.BOT_COMMAND])
    entities |= message.parse_caption_entities([MessageEntity.BOT_COMMAND])
    for entity, command in entities.items():
        name, _, addressee = command[1:].partition("@")
        if entity.offset == 0 and addressee.lower() in {"", username.lower()}:
            rest = (message.text or message.caption or "")[len(command) :]
            return name.lower(), rest.strip()
    return None


def is_addressed(message: Message, bot_id: int, username: str) -> bool:
    """Return whether a message is addressed to the bot: sent to it alone, in reply to it, or mentioning it."""
    answered = message.reply_to_message
    if is_private(message) or (
        answered is not None and answered.from_user is not None and answered.from_user.id == bot_id
    ):
        return True
    return mentions_bot(message, username)


def mentions_bot(message: Message, username: str) -> bool:
    """Return whether a text or caption mentions the bot."""
    return any(name.lower() == f"@{username.lower()}" for name in _mentions(message))


def _mentions(message: Message) -> Iterator[str]:
    yield from message.parse_entities([MessageEntity.MENTION]).values()
    yield from message.parse_caption_entities([MessageEntity.MENTION]).values()


def _song_file(found: Audio | Voice | Video | VideoNote | Document) -> SongFile:
    title = getattr(found, "title", None)
    performer = getattr(found, "performer", None)
    named = f"{performer} – {title}" if performer and title else title
    length = getattr(found, "duration", None)
    return SongFile(
        file_id=found.file_id,
        source="voice" if isinstance(found, Voice | VideoNote) else "upload",
        title=named or getattr(found, "file_name", None),
        size=found.file_size,
        seconds=length.total_seconds() if isinstance(length, timedelta) else length,
    )
