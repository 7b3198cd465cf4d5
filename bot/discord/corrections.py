"""Corrections on Discord that need no button below the answer: typed names, reactions, and a message's context menu."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import discord

from bot.core.callbacks import AnswerCallback, ChoicePurpose, GenreTarget, decode_known
from bot.core.chat import OutgoingMessage
from bot.core.correction_requests import opinion_of
from bot.core.errors import NothingToCorrect, TryLater, Undeliverable
from bot.core.identity import Person
from bot.core.localization import language_of
from bot.core.messages import sentence
from bot.core.request import Requester
from bot.core.song_selection import links_in
from bot.discord.components import custom_ids, text_of, view_of
from bot.discord.interaction_context import change_buttons, chat_id_of, respond
from bot.discord.limits import PLATFORM
from bot.discord.message_parsing import attachments_of, is_addressed, is_from
from bot.discord.message_port import delivering
from common.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.core.conversation import Conversation
    from bot.core.request import Response
    from bot.core.request_handler import RequestHandler
    from bot.discord.client import DiscordClient
    from bot.discord.rate_limit import DiscordRateLimiter

_MENTION = re.compile(r"<@[!&]?[0-9]+>")

log = logging.getLogger(__name__)


class DiscordCorrections:
    """Takes such corrections and shows what comes back.

    Parameters
    ----------
    conversation, requests
        Where corrections go.
    client, rate_limiter
        The connection, and how fast a channel may be written to.
    """

    def __init__(
        self,
        conversation: Conversation,
        requests: RequestHandler,
        client: DiscordClient,
        rate_limiter: DiscordRateLimiter,
    ) -> None:
        self._conversation = conversation
        self._corrections = requests.corrections
        self._client = client
        self._rate_limiter = rate_limiter

    async def from_message(self, message: discord.Message) -> bool:
        """Take the genre that a message names; return False if it is about something else."""
        me = self._client.user
        is_reply = me is not None and message.reference is not None and is_addressed(message, me)
        replied = await self._client.replied_message(message) if is_reply else None
        reply_id = answered_reply(replied) if self._is_ours(replied) else None
        person, place = Person(PLATFORM, str(message.author.id)), str(message.channel.id)
        if reply_id is None and not self._corrections.awaits(person, place):
            return False
        message = await self._client.with_attachments(message)
        text = _MENTION.sub("", message.content).strip()
        if not text or attachments_of(message) or links_in(text):
            return False
        requester = await self._requester(message.author.id, message.guild, message.channel.id)
        work = self._corrections.typed(requester, text, reply_id)
        return await self._respond(requester, work, message.id)

    async def from_reaction(self, payload: discord.RawReactionActionEvent, *, withdrawn: bool) -> None:
        """Take a reaction to an answer as an opinion on it."""
        me, agrees = self._client.user, opinion_of(payload.emoji.name or "")
        is_bot = payload.member is not None and payload.member.bot
        if agrees is None or is_bot or (me is not None and payload.user_id == me.id):
            return
        chat_id = chat_id_of(payload.guild_id, payload.channel_id)
        reply_id = await self._conversation.answer_shown(PLATFORM, chat_id, payload.message_id)
        if reply_id is None:
            return
        guild = None if payload.guild_id is None else self._client.get_guild(payload.guild_id)
        requester = await self._requester(payload.user_id, guild, payload.channel_id, private=payload.guild_id is None)
        work = self._corrections.react(requester, reply_id, agrees=agrees, withdrawn=withdrawn)
        await self._respond(requester, work, payload.message_id)

    async def from_context_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Offer the genres for the answer that somebody chose."""

        async def request(requester: Requester) -> Response:
            reply_id = answered_reply(message) if self._is_ours(message) else None
            if reply_id is None:
                raise NothingToCorrect()
            return await self._corrections.offer(requester, GenreTarget(ChoicePurpose.CORRECT, reply_id))

        await respond(self._conversation, interaction, request)

    def _is_ours(self, message: discord.Message | None) -> bool:
        return self._client.user is not None and is_from(message, self._client.user)

    async def _requester(
        self, user: int, guild: discord.Guild | None, channel: int, *, private: bool | None = None
    ) -> Requester:
        person, chat_id = Person(PLATFORM, str(user)), chat_id_of(None if guild is None else guild.id, channel)
        # Discord does not send a person's own language with messages and reactions.
        spoken = self._client.languages.get(user) or language_of(str(getattr(guild, "preferred_locale", "")))
        language = await self._conversation.language_for(person, chat_id, spoken)
        return Requester(
            person=person,
            words=self._conversation.words(language),
            chat_id=chat_id,
            place=str(channel),
            private=guild is None if private is None else private,
        )

    async def _respond(self, requester: Requester, work: Awaitable[Response | None], reply_to: int) -> bool:
        """Carry a request out, and show its response or what went wrong; return False if there was nothing to do."""
        channel = int(requester.place)
        try:
            try:
                response = await work
            except UserError as error:
                await self._post(channel, OutgoingMessage(sentence(error, requester.language)), requester, reply_to)
                return True
            if response is None:
                return False
            if response.message is not None:
                await self._post(channel, response.message, requester, reply_to)
            if response.buttons is not None and response.buttons_of is not None:
                await change_buttons(self._client, channel, response.buttons_of, response.buttons)
            if response.question is not None:
                await self._ask(channel, response.question, requester, reply_to)
        except (TryLater, Undeliverable) as reason:
            log.info("a response to a correction could not be shown: %s", reason)
        return True

    async def _ask(self, channel: int, question: OutgoingMessage, requester: Requester, reply_to: int) -> None:
        """Ask somebody alone if their private messages are open, else where they are."""
        if not requester.private:
            try:
                direct = await self._client.create_dm(discord.Object(int(requester.person.id)))
                await self._post(direct.id, question, requester, None)
            except (Undeliverable, discord.HTTPException) as reason:
                log.info("somebody cannot be asked privately: %s", reason)
            else:
                return
        await self._post(channel, question, requester, reply_to)

    async def _post(self, channel: int, message: OutgoingMessage, requester: Requester, reply_to: int | None) -> None:
        options: dict[str, Any] = {"view": view_of(message, requester.words) or discord.utils.MISSING}
        if reply_to is not None:
            options["reference"] = discord.MessageReference(
                message_id=reply_to, channel_id=channel, fail_if_not_exists=False
            )
        async with delivering(), self._rate_limiter.request("message", channel):
            await self._client.get_partial_messageable(channel).send(text_of(message), **options)


def answered_reply(message: Any) -> str | None:
    """Return the id of the reply that the buttons below a message, or its list of genres, refer to; None for none."""
    if not isinstance(message, discord.Message):
        return None
    for custom_id in custom_ids(message):
        callback = decode_known(custom_id)
        if isinstance(callback, AnswerCallback):
            return callback.reply_id
        target = getattr(callback, "target", None)
        if isinstance(target, GenreTarget) and target.purpose is ChoicePurpose.CORRECT:
            return target.subject
    return None
