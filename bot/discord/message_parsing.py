"""Finds songs and links in Discord messages, and whether a message is addressed to the bot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.core.chat import LINK_SOURCE
from common.media_types import is_music

if TYPE_CHECKING:
    import discord

LINKS_AT_ONCE = 5
_LINK = re.compile(r"https?://[^\s<>|\"]+")


@dataclass(frozen=True, slots=True)
class SongSource:
    """A song in a Discord message or command.

    Attributes
    ----------
    title, size
        File name, and bytes; None for links.
    source
        ``upload``, ``voice``, ``link``.
    name
        Distinguishes it from the message's other songs.
    payload
        The way to its bytes, as it is stored with the job.
    """

    title: str | None
    size: int | None
    source: str
    name: str
    payload: dict[str, Any]


def attachments_of(message: discord.Message) -> list[discord.Attachment]:
    """Return a message's attachments, including those of forwarded messages."""
    forwarded = [attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments]
    return [*message.attachments, *forwarded]


def attachment_source(attachment: discord.Attachment, message: discord.Message | None) -> SongSource:
    """Return an attachment as a song; in ``message`` it can be found again when its address has expired."""
    is_voice = message is not None and message.flags.voice
    payload: dict[str, Any] = {"url": attachment.url, "attachment": attachment.id}
    if message is not None:
        payload |= {"channel": message.channel.id, "message": message.id}
    return SongSource(
        title=None if is_voice else attachment.title or attachment.filename,
        size=attachment.size,
        source="voice" if is_voice else "upload",
        name=str(attachment.id),
        payload=payload,
    )


def link_source(link: str) -> SongSource:
    """Return a link as a song."""
    return SongSource(title=None, size=None, source=LINK_SOURCE, name=link, payload={"link": link})


def songs_in(message: discord.Message) -> list[SongSource]:
    """Return the songs attached to a message."""
    return [
        attachment_source(attachment, message)
        for attachment in attachments_of(message)
        if is_music(attachment.filename, attachment.content_type)
    ]


def links_in(text: str) -> list[str]:
    """Return the web addresses in a text, each once, without the punctuation behind them."""
    found = [link.rstrip(".,;:!?)]}'") for link in _LINK.findall(text)]
    return list(dict.fromkeys(found))[:LINKS_AT_ONCE]


def is_addressed(message: discord.Message, me: discord.ClientUser) -> bool:
    """Return whether a message is addressed to the bot: sent to it alone, mentioning it, or in reply to it."""
    if message.guild is None or any(user.id == me.id for user in message.mentions):
        return True
    replied = message.reference.resolved if message.reference is not None else None
    return getattr(getattr(replied, "author", None), "id", None) == me.id


def is_listened_to(message: discord.Message, channels: frozenset[str]) -> bool:
    """Return whether a message was written in one of these channels; a thread belongs to its channel."""
    return bool(channels & {str(message.channel.id), str(getattr(message.channel, "parent_id", None))})
