"""Finds songs, links and commands in Telegram messages, and whether a message is addressed to the bot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import Animation, Audio, Document, MessageEntity, Video, VideoNote, Voice
from telegram.constants import ChatMemberStatus, ChatType

from bot.core import song_selection
from bot.core.song_selection import MessageContent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telegram import ChatMemberUpdated, ExternalReplyInfo, Message

# What a message shows as a song or a film is one, whatever type the sender's device states.
AUDIO, VIDEO = "audio/mpeg", "video/mp4"


@dataclass(frozen=True, slots=True)
class SongFile:
    """A file in a message that may be a song.

    Attributes
    ----------
    file_id
        Telegram's id, with which the bytes are downloaded.
    source
        ``upload`` or ``voice``.
    title
        As the sender's device named it, not yet cleaned.
    size
        Bytes; None where Telegram does not say.
    name, mime_type
        As the sender's device states them, None where it states none; songs and films have at least a type.
    """

    file_id: str
    source: str
    title: str | None
    size: int | None
    name: str | None = None
    mime_type: str | None = None


def files_in(message: Message | ExternalReplyInfo) -> list[SongFile]:
    """Return the file in a message, in a list that is empty if there is none; photos and stickers are no files."""
    media = (message.audio, message.voice, message.video, message.video_note, message.document, message.animation)
    found = next((each for each in media if each is not None), None)
    return [] if found is None else [_song_file(found)]


def content_of(message: Message) -> MessageContent[Message, SongFile]:
    """Return the file and the links in a message."""
    return MessageContent(message, files_in(message), links_in(message))


def external_content(message: Message) -> MessageContent[Message, SongFile]:
    """Return the file and the link in a message of another chat that a message replies to."""
    there = message.external_reply
    if there is None:
        return MessageContent(message)
    preview = there.link_preview_options
    links = [str(preview.url)] if preview is not None and preview.url else []
    return MessageContent(message, files_in(there), links)


def described(file: SongFile) -> tuple[str | None, str | None]:
    """Return a file's name and MIME type."""
    return file.name, file.mime_type


def links_in(message: Message) -> list[str]:
    """Return the web addresses in a message's text or caption, each once."""
    kinds: list[str | None] = [MessageEntity.URL, MessageEntity.TEXT_LINK, MessageEntity.CODE, MessageEntity.PRE]
    entities = message.parse_entities(kinds) | message.parse_caption_entities(kinds)
    found: list[str] = []
    for entity in sorted(entities, key=lambda each: each.offset):
        if entity.type in {MessageEntity.CODE, MessageEntity.PRE}:
            found += song_selection.links_in(entities[entity])
            continue
        address = entity.url if entity.type == MessageEntity.TEXT_LINK else entities[entity]
        if address:
            found.append(address if re.match(r"[a-z]+://", address, re.IGNORECASE) else f"https://{address}")
    return list(dict.fromkeys(found))


def is_private(message: Message) -> bool:
    """Return whether a message was written to the bot alone."""
    return message.chat.type == ChatType.PRIVATE


def is_something_else(message: Message) -> bool:
    """Return whether a message holds what a person wrote or chose, but neither words nor a file: a photo, a dice."""
    found = (message.photo, message.sticker, message.contact, message.location, message.venue, message.dice)
    return any(found) or any((message.poll, message.game, message.story, message.checklist, message.paid_media))


def is_added_to_group(change: ChatMemberUpdated) -> bool:
    """Return whether the bot has just become a member of a group."""
    absent = {ChatMemberStatus.LEFT, ChatMemberStatus.BANNED}
    was_absent, is_absent = (each.status in absent for each in (change.old_chat_member, change.new_chat_member))
    return change.chat.type in {ChatType.GROUP, ChatType.SUPERGROUP} and was_absent and not is_absent


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
    return is_private(message) or is_from(message.reply_to_message, bot_id) or mentions_bot(message, username)


def is_from(message: Message | None, bot_id: int) -> bool:
    """Return whether the bot wrote a message."""
    return message is not None and message.from_user is not None and message.from_user.id == bot_id


def without_mention(text: str, username: str) -> str:
    """Return a text without mentions of the bot."""
    return re.sub(rf"@{re.escape(username)}\b", "", text, flags=re.IGNORECASE).strip()


def mentions_bot(message: Message, username: str) -> bool:
    """Return whether a text or caption mentions the bot."""
    return any(name.lower() == f"@{username.lower()}" for name in _mentions(message))


def _mentions(message: Message) -> Iterator[str]:
    yield from message.parse_entities([MessageEntity.MENTION]).values()
    yield from message.parse_caption_entities([MessageEntity.MENTION]).values()


def _song_file(found: Audio | Voice | Video | VideoNote | Document | Animation) -> SongFile:
    title = getattr(found, "title", None)
    performer = getattr(found, "performer", None)
    named = f"{performer} – {title}" if performer and title else title
    name: str | None = getattr(found, "file_name", None)
    stated: str | None = getattr(found, "mime_type", None)
    return SongFile(
        file_id=found.file_id,
        source="voice" if isinstance(found, Voice | VideoNote) else "upload",
        title=named or name,
        size=found.file_size,
        name=name,
        mime_type=stated if isinstance(found, Document) else AUDIO if isinstance(found, Audio | Voice) else VIDEO,
    )
