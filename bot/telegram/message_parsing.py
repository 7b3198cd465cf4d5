"""What in a Telegram message is a song, and whether the message asks for its genre. Asks nothing of the network."""

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
class Media:
    """A file with sound.

    Attributes
    ----------
    file_id
        What Telegram gives the bytes for.
    source
        ``upload`` or ``voice``.
    title
        As the sender's device named it, unclean.
    size, seconds
        Bytes and length as Telegram says; None where it does not.
    """

    file_id: str
    source: str
    title: str | None
    size: int | None
    seconds: float | None


def media_of(message: Message) -> Media | None:
    """Return the song in a message; None if there is none."""
    for found in (message.audio, message.voice, message.video, message.video_note):
        if found is not None:
            return _media(found)
    if message.document is not None and is_music(message.document.file_name, message.document.mime_type):
        return _media(message.document)
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
    """Whether a message was written to the bot alone."""
    return message.chat.type == ChatType.PRIVATE


def command_of(message: Message, username: str) -> tuple[str, str] | None:
    """Return the command that a text or caption begins with, if it is meant for this bot, and what follows it."""
    entities = message.parse_entities([MessageEntity.BOT_COMMAND])
    entities |= message.parse_caption_entities([MessageEntity.BOT_COMMAND])
    for entity, said in entities.items():
        name, _, addressee = said[1:].partition("@")
        if entity.offset == 0 and addressee.lower() in {"", username.lower()}:
            rest = (message.text or message.caption or "")[len(said) :]
            return name.lower(), rest.strip()
    return None


def is_asked(message: Message, bot_id: int, username: str) -> bool:
    """Whether a message with a song is meant for the bot: written to it alone, answering it, or naming it."""
    answered = message.reply_to_message
    if is_private(message) or (
        answered is not None and answered.from_user is not None and answered.from_user.id == bot_id
    ):
        return True
    return is_named(message, username)


def is_named(message: Message, username: str) -> bool:
    """Whether a text or caption names the bot."""
    return any(name.lower() == f"@{username.lower()}" for name in _mentions(message))


def _mentions(message: Message) -> Iterator[str]:
    yield from message.parse_entities([MessageEntity.MENTION]).values()
    yield from message.parse_caption_entities([MessageEntity.MENTION]).values()


def _media(found: Audio | Voice | Video | VideoNote | Document) -> Media:
    title = getattr(found, "title", None)
    performer = getattr(found, "performer", None)
    named = f"{performer} – {title}" if performer and title else title
    length = getattr(found, "duration", None)
    return Media(
        file_id=found.file_id,
        source="voice" if isinstance(found, Voice | VideoNote) else "upload",
        title=named or getattr(found, "file_name", None),
        size=found.file_size,
        seconds=length.total_seconds() if isinstance(length, timedelta) else length,
    )
