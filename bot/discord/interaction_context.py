"""Somebody who pressed, chose or typed something on Discord, and the way to answer them in time."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord

from bot.core.errors import ButtonExpired, OurFault
from bot.core.identity import Person
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.core.messages import sentence
from bot.core.moderation import Asker
from bot.discord.components import view_of
from common.errors import UserError
from storage import RowNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.core.messages import Message
    from bot.core.vocabulary import Words
    from bot.settings import Settings

PLATFORM = "discord"
MESSAGE_CHARACTERS = 2000

log = logging.getLogger(__name__)


def place_of(guild_id: int | None, channel_id: int | None) -> str:
    """Return the id of the place whose administrators moderate it: a server, or a direct or group conversation."""
    return str(guild_id or channel_id or 0)


def help_text(settings: Settings, words: Words) -> str:
    """Return what the bot can do on Discord, and within which limits."""
    limits = words.say(
        "help-limits",
        minutes=round(settings.max_minutes),
        megabytes=round(settings.max_megabytes),
        queued=settings.songs_per_person_queued,
        daily=settings.songs_per_person_daily,
    )
    return f"{words.say('discord-help')}\n\n{limits}"


def is_visitor(interaction: discord.Interaction[Any]) -> bool:
    """Whether the bot is only there because a person brought it along: it has no way to speak but the interaction."""
    at_home = interaction.is_guild_integration() or interaction.context.dm_channel
    return interaction.is_user_integration() and not at_home


@dataclass(frozen=True, slots=True)
class Guest:
    """Who asks for something through an interaction that has been acknowledged.

    Attributes
    ----------
    person, words
        Who, and how to speak to them.
    chat_id
        The place they ask in.
    administers
        Whether Discord said with this very interaction that they are an administrator there.
    """

    interaction: discord.Interaction[Any]
    person: Person
    words: Words
    chat_id: str
    administers: bool

    @property
    def language(self) -> Language:
        """The language to speak to them."""
        return self.words.language

    @property
    def asker(self) -> Asker:
        """Them, as moderation knows them."""
        return Asker(self.person, self.language, self.chat_id, administers=self.administers)

    async def tell(
        self, text: str, view: discord.ui.View | None = None, files: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Answer what they asked, to them alone: in the place of what they pressed if that was theirs alone, too."""
        shown = text[:MESSAGE_CHARACTERS]
        attached = [discord.File(io.BytesIO(content), name) for name, content in files]
        if _answers_in_place(self.interaction):
            await self.interaction.edit_original_response(content=shown, view=view, attachments=attached)
        else:
            more: dict[str, Any] = {} if view is None else {"view": view}
            await self.interaction.followup.send(shown, files=attached, ephemeral=True, **more)

    async def say(self, message: Message) -> None:
        """Answer with a message of the conversation's."""
        await self.tell(message.text, view_of(message.buttons))

    async def ask(self, message: Message | None) -> None:
        """Put a question of its own beneath the answer, if there is one."""
        if message is not None:
            view = view_of(message.buttons) or discord.utils.MISSING
            await self.interaction.followup.send(message.text, view=view, ephemeral=True)

    async def excuse(self, error: Exception) -> None:
        """Say what went wrong; what nobody can have caused is logged and admitted."""
        if isinstance(error, RowNotFound):
            error = ButtonExpired()
        if not isinstance(error, UserError):
            log.error("an interaction failed through a bug", exc_info=error)
            error = OurFault()
        try:
            await self.tell(sentence(error, self.language))
        except discord.HTTPException as reason:
            log.warning("nobody could be told what went wrong: %s", reason)


async def welcome(conversation: Conversation, interaction: discord.Interaction[Any]) -> Guest:
    """Return who stands behind an interaction; acknowledge it before: this asks the database."""
    person = Person(PLATFORM, str(interaction.user.id))
    language = await conversation.language(person) or language_of(str(interaction.locale)) or DEFAULT_LANGUAGE
    # In a conversation with the bot alone there is nobody else whose place it could be.
    alone = interaction.guild_id is None and isinstance(interaction.channel, discord.DMChannel)
    return Guest(
        interaction=interaction,
        person=person,
        words=conversation.words(language),
        chat_id=place_of(interaction.guild_id, interaction.channel_id),
        administers=alone or (interaction.guild_id is not None and interaction.permissions.administrator),
    )


async def acknowledge(interaction: discord.Interaction[Any]) -> None:
    """Tell Discord within its three seconds that the interaction will be answered, to that person alone."""
    if interaction.type is discord.InteractionType.application_command:
        await interaction.response.defer(ephemeral=True, thinking=True)
    else:
        await interaction.response.defer()


def _answers_in_place(interaction: discord.Interaction[Any]) -> bool:
    if interaction.type is discord.InteractionType.application_command:
        return True
    return interaction.message is not None and interaction.message.flags.ephemeral
