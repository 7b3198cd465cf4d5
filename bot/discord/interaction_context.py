"""An acknowledged Discord interaction: who made it, and how to respond to it in time."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord

from bot.core.chat import OutgoingMessage
from bot.core.errors import OurFault
from bot.core.identity import Person
from bot.core.localization import language_of
from bot.core.messages import sentence
from bot.core.request import Placement, Requester
from bot.discord.components import files_of, text_of, view_of
from bot.discord.limits import PLATFORM, TOKEN_SECONDS
from bot.discord.message_port import ReplyTarget
from common.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.core.chat import Button
    from bot.core.conversation import Conversation
    from bot.core.request import Response

log = logging.getLogger(__name__)


def chat_id_of(guild_id: int | None, channel_id: int | None) -> str:
    """Return the id of the chat whose administrators moderate it: a server, or a direct or group conversation."""
    return str(guild_id or channel_id or 0)


def is_visitor(interaction: discord.Interaction[Any]) -> bool:
    """Return whether the bot is there only as somebody's own app, so that it can speak only through interactions."""
    at_home = interaction.is_guild_integration() or interaction.context.dm_channel
    return interaction.is_user_integration() and not at_home


def reply_target(interaction: discord.Interaction[Any], **more: Any) -> ReplyTarget:
    """Return the way back for songs that are taken through an interaction."""
    pressed = None if interaction.message is None else interaction.message.reference
    return ReplyTarget(
        channel=interaction.channel_id or 0,
        song=interaction.id,
        reply_to=None if pressed is None else pressed.message_id,
        token=interaction.token,
        until=time.time() + TOKEN_SECONDS,
        **more,
    )


@dataclass(frozen=True, slots=True)
class InteractionContext:
    """An interaction that has been acknowledged, and who made it."""

    interaction: discord.Interaction[Any]
    requester: Requester

    async def respond(self, response: Response) -> None:
        """Show a response to the requester alone, except what is for everybody there."""
        message = response.message
        if message is None and response.notice is not None:
            message = OutgoingMessage(response.notice)
        if message is not None and response.placement is Placement.REPLACE:
            await self._replace(message)
        elif message is not None:
            await self.show(message)
        if response.buttons is not None:
            await self._change_buttons(response)
        if response.withdrawn:
            await self.interaction.delete_original_response()
        if response.question is not None:
            await self._follow_up(response.question)
        if response.invitation is not None:
            await self._follow_up(response.invitation, ephemeral=False)

    async def _replace(self, message: OutgoingMessage) -> None:
        view = view_of(message, self.requester.words)
        await self.interaction.edit_original_response(
            content=text_of(message), view=view, attachments=files_of(message)
        )

    async def show(self, message: OutgoingMessage) -> None:
        """Show a message to the requester alone, in the place of the pressed message if only they see that."""
        if _answers_in_place(self.interaction):
            await self._replace(message)
        else:
            await self._follow_up(message)

    async def _change_buttons(self, response: Response) -> None:
        """Change the buttons of a message in a private chat, which only the bot itself can do, without a token."""
        number, interaction = response.buttons_of or self.requester.message_id, self.interaction
        if number is None or not self.requester.private:
            return
        await change_buttons(interaction.client, interaction.channel_id or 0, number, response.buttons or ())

    async def excuse(self, error: Exception) -> None:
        """Say what went wrong; a bug is logged with its traceback."""
        if not isinstance(error, UserError):
            log.error("an interaction failed because of a bug", exc_info=error)
            error = OurFault()
        try:
            await self.show(OutgoingMessage(sentence(error, self.requester.language)))
        except discord.HTTPException as reason:
            log.warning("an error could not be shown: %s", reason)

    async def _follow_up(self, message: OutgoingMessage, *, ephemeral: bool = True) -> None:
        view = view_of(message, self.requester.words) or discord.utils.MISSING
        await self.interaction.followup.send(text_of(message), files=files_of(message), view=view, ephemeral=ephemeral)


async def open_context(
    conversation: Conversation, interaction: discord.Interaction[Any], *, with_private_chats: bool = False
) -> InteractionContext:
    """Return the context of an interaction that was acknowledged before, since this reads the database.

    Parameters
    ----------
    with_private_chats
        Whether the request concerns the requester's own data.
    """
    person = Person(PLATFORM, str(interaction.user.id))
    chat_id = chat_id_of(interaction.guild_id, interaction.channel_id)
    language = await conversation.language_for(person, chat_id, language_of(str(interaction.locale)))
    requester = Requester(
        person=person,
        words=conversation.words(language),
        chat_id=chat_id,
        place=str(interaction.channel_id),
        administers=interaction.guild_id is not None and interaction.permissions.administrator,
        private=interaction.guild_id is None and isinstance(interaction.channel, discord.DMChannel),
        message_id=None if interaction.message is None else interaction.message.id,
        reply_target=reply_target(interaction).as_json(),
        private_chats=await _private_chats(interaction) if with_private_chats else (),
        upload_bytes=interaction.filesize_limit,
    )
    return InteractionContext(interaction, requester)


async def respond(
    conversation: Conversation,
    interaction: discord.Interaction[Any],
    request: Callable[[Requester], Awaitable[Response]],
    *,
    with_private_chats: bool = False,
) -> None:
    """Acknowledge an interaction, carry a request out, and show its response or what went wrong."""
    if interaction.type is discord.InteractionType.application_command:
        await interaction.response.defer(ephemeral=True, thinking=True)
    else:
        await interaction.response.defer()
    context = await open_context(conversation, interaction, with_private_chats=with_private_chats)
    try:
        await context.respond(await request(context.requester))
    except Exception as error:
        await context.excuse(error)


async def change_buttons(client: discord.Client, channel: int, message: int, buttons: tuple[Button, ...]) -> None:
    """Change the buttons below a message of the bot; log it if that cannot be done."""
    try:
        there = client.get_partial_messageable(channel).get_partial_message(message)
        await there.edit(view=view_of(OutgoingMessage("", buttons)))
    except discord.HTTPException as reason:
        log.info("the buttons of an answer could not be changed: %s", reason)


def _answers_in_place(interaction: discord.Interaction[Any]) -> bool:
    if interaction.type is discord.InteractionType.application_command:
        return True
    return interaction.message is not None and interaction.message.flags.ephemeral


async def _private_chats(interaction: discord.Interaction[Any]) -> tuple[str, ...]:
    """Return the ids of conversations that are the person's alone."""
    try:
        return (str((await interaction.user.create_dm()).id),)
    except discord.HTTPException:
        log.warning("Discord does not tell which conversation is a person's own", exc_info=True)
        return ()
