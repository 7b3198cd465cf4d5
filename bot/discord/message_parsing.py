"""Finds songs and links in Discord messages, and whether a message is addressed to the bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from discord import DeletedReferencedMessage

from bot.core.chat import LINK_SOURCE
from bot.core.messages import clean_title
from bot.core.song_selection import MessageContent, links_in, requested_songs
from common.media_types import is_surely_audio

if TYPE_CHECKING:
    from collections.abc import Sequence

    import discord


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

    @property
    def shown_name(self) -> str | None:
        """What tells a person which of several songs it is."""
        return clean_title(self.title or self.payload.get("link"))


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


def songs_asked_for(messages: Sequence[discord.Message]) -> tuple[list[SongSource], list[str]]:
    """Return the files and the links to take of a message that asks for a genre and of the one that it replies to."""
    contents = [MessageContent(each, attachments_of(each), links_in(each.content)) for each in messages]
    chosen = requested_songs(contents, _described)
    if chosen is None:
        return [], []
    return [attachment_source(file, chosen.message) for file in chosen.files], list(chosen.links)


def unasked_songs(message: discord.Message) -> list[SongSource]:
    """Return the songs of a message that was written where every song is answered."""
    return [
        attachment_source(attachment, message)
        for attachment in attachments_of(message)
        if is_surely_audio(*_described(attachment))
    ]


def is_addressed(message: discord.Message, me: discord.ClientUser) -> bool:
    """Return whether a message is addressed to the bot: sent to it alone, mentioning it, or in reply to it."""
    if message.guild is None or mentions_bot(message, me):
        return True
    return is_from(replied_message(message), me)


def mentions_bot(message: discord.Message, me: discord.ClientUser) -> bool:
    """Return whether a message mentions the bot, or the role that Discord made for it, which looks the same."""
    own_role = None if message.guild is None else message.guild.self_role
    return any(user.id == me.id for user in message.mentions) or own_role in message.role_mentions


def replied_message(message: discord.Message) -> discord.Message | None:
    """Return the message that a message replies to, as far as Discord sent it along."""
    resolved = None if message.reference is None else message.reference.resolved
    return None if isinstance(resolved, DeletedReferencedMessage) else resolved


def is_from(message: discord.Message | None, me: discord.ClientUser) -> bool:
    """Return whether the bot wrote a message."""
    return message is not None and message.author.id == me.id


def is_listened_to(message: discord.Message, channels: frozenset[str]) -> bool:
    """Return whether a message was written in one of these channels; a thread belongs to its channel."""
    return bool(channels & {str(message.channel.id), str(getattr(message.channel, "parent_id", None))})


def _described(attachment: discord.Attachment) -> tuple[str, str | None]:
    return attachment.filename, attachment.content_type
