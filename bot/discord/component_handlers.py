"""What happens when somebody presses a button, picks from a list or fills a text box below a message of the bot's."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any

import discord

from bot.core import messages
from bot.core.errors import ButtonExpired, NotYours
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.core.messages import Action, read_button
from bot.discord.components import genre_list, name_box, typed_name, view_of
from bot.discord.interaction_context import PLATFORM, acknowledge, welcome
from bot.discord.status_message import TOKEN_SECONDS, Spot
from storage import ReviewStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.conversation import Conversation, Said
    from bot.discord.interaction_context import Guest
    from links import PlaylistItem

log = logging.getLogger(__name__)


class Presses:
    """Carries presses to the conversation.

    Parameters
    ----------
    conversation
        What is said.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def take(self, interaction: discord.Interaction[Any], custom_id: str, values: Sequence[str]) -> None:
        """Answer one press or pick."""
        kind, _, rest = custom_id.partition(":")
        if kind == "sort":
            # A text box must be the very first answer, within three seconds: no time for a look at the database.
            language = language_of(str(interaction.locale)) or DEFAULT_LANGUAGE
            await interaction.response.send_modal(name_box(rest, self._conversation.words(language)))
            return
        await acknowledge(interaction)
        guest = await welcome(self._conversation, interaction)
        try:
            await self._do(guest, custom_id, values)
        except Exception as error:
            await guest.excuse(error)

    async def take_text(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a filled text box, whichever process had shown it."""
        data: Any = interaction.data
        kind, _, aim = str(data.get("custom_id", "")).partition(":")
        if kind != "name":
            return
        await acknowledge(interaction)
        guest = await welcome(self._conversation, interaction)
        try:
            await self._choose(guest, aim, typed_name(data))
        except Exception as error:
            await guest.excuse(error)

    async def _do(self, guest: Guest, custom_id: str, values: Sequence[str]) -> None:
        kind, _, rest = custom_id.partition(":")
        if kind == "turn":
            aim, _, offset = rest.rpartition(":")
            await self._offer(guest, aim, int(offset))
        elif kind == "pick":
            await self._choose(guest, rest, values[0])
        elif kind == "wipe":
            await self._wipe(guest, really=rest == "yes")
        else:
            button = read_button(custom_id)
            if button is not None:
                await self._press(guest, *button)

    async def _press(self, guest: Guest, action: Action, subject: str) -> None:
        conversation, person, language = self._conversation, guest.person, guest.language
        match action:
            case Action.RIGHT:
                await self._thank(guest, await conversation.agree(subject, person, language))
            case Action.WRONG:
                await conversation.given(subject, person, language)
                await self._offer(guest, f"song.{subject}", 0)
            case Action.UNDO:
                await self._thank(guest, await conversation.undo(subject, person, language))
            case Action.VOTES:
                given = await conversation.given(subject, person, language)
                await guest.tell(messages.votes(given.report, guest.words))
            case Action.CANCEL:
                await self._cancel(guest, _number(subject))
            case Action.TAKE:
                await self._take(guest, subject)
            case Action.ALLOW | Action.REFUSE:
                await guest.say(await conversation.set_consent(person, language, allow=action is Action.ALLOW))
            case Action.RELABEL | Action.MERGE:
                conversation.moderation.require(guest.asker)
                await self._offer(guest, f"{'rule' if action is Action.RELABEL else 'join'}.{subject}", 0)
            case Action.ACCEPT | Action.REJECT:
                status = ReviewStatus.ACCEPTED if action is Action.ACCEPT else ReviewStatus.REJECTED
                number = _number(subject)
                await self.review(guest, number, await conversation.moderation.rule(guest.asker, number, status))
            case Action.SKIP:
                await self.review(guest, _number(subject))

    async def _cancel(self, guest: Guest, job_id: int) -> None:
        try:
            await self._conversation.cancel(job_id, guest.person)
        except NotYours:
            await self._conversation.moderation.require_song(guest.asker, job_id)
            await self._conversation.cancel(job_id, guest.person, moderator=True)

    async def _take(self, guest: Guest, subject: str) -> None:
        """Take songs of a list; each gets a message of its own, below the one that was pressed."""
        setup = await self._conversation.housekeeping.chat(PLATFORM, guest.chat_id)
        pressed = guest.interaction
        asked = None if pressed.message is None else pressed.message.reference
        spot = Spot(
            channel=pressed.channel_id or 0,
            song=pressed.id,
            reply_to=None if asked is None else asked.message_id,
            token=pressed.token,
            until=time.time() + TOKEN_SECONDS,
            named=True,
            picture=setup.picture,
        )

        async def back(_: PlaylistItem) -> Mapping[str, Any]:
            return spot.as_json()

        await self._conversation.lists.answer(subject, guest.person, back)

    async def _offer(self, guest: Guest, aim: str, offset: int) -> None:
        choices, total = await self._conversation.choices("", guest.language, offset=offset)
        view = genre_list(aim, choices, total, offset, guest.words)
        await guest.tell(guest.words.say("genres-question"), view)

    async def _choose(self, guest: Guest, aim: str, label: str) -> None:
        """Take a genre for what it was chosen for."""
        purpose, _, subject = aim.partition(".")
        moderation = self._conversation.moderation
        if purpose == "song":
            said = await self._conversation.correct(subject, guest.person, guest.language, label)
            await self._thank(guest, said)
        elif purpose == "rule":
            number = _number(subject)
            await self.review(guest, number, await moderation.rule(guest.asker, number, ReviewStatus.RELABELLED, label))
        elif purpose == "join":
            number = _number(subject)
            await self.review(guest, number, await moderation.merge(guest.asker, number, label))

    async def _thank(self, guest: Guest, said: Said) -> None:
        await guest.say(said.message)
        await guest.ask(said.question)

    async def review(self, guest: Guest, after: int = 0, first: str = "") -> None:
        """Show a moderator the next correction, below a sentence on the one before."""
        found = await self._conversation.moderation.review(guest.asker, after=after)
        text = guest.words.say("review-none") if found is None else found.message.text
        view = None if found is None else view_of(found.message.buttons)
        await guest.tell("\n\n".join(filter(None, (first, text))), view)

    async def _wipe(self, guest: Guest, *, really: bool) -> None:
        if not really:
            await guest.tell(guest.words.say("forget-kept"))
            return
        done = await self._conversation.forget(guest.person, await private_chats(guest.interaction))
        await guest.tell(guest.words.say("forget-done", songs=done.replies, corrections=done.corrections))


def _number(subject: str) -> int:
    """Return the number that a button of ours carries; one that was made up has expired."""
    if re.fullmatch(r"[0-9]{1,18}", subject) is None:
        raise ButtonExpired()
    return int(subject)


async def private_chats(interaction: discord.Interaction[Any]) -> list[str]:
    """Return the ids of conversations that are one person's alone."""
    try:
        return [str((await interaction.user.create_dm()).id)]
    except discord.HTTPException:
        log.warning("Discord does not say which conversation is a person's own", exc_info=True)
        return []
