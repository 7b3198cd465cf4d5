"""Moderators in Telegram: corrections one by one, counts, files, and how a chat is set up.

Whether somebody may is asked of Telegram and of ``bot.core.moderation`` at every command and every press of a button.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.core.errors import ButtonExpired
from bot.core.localization import LANGUAGES, OWN_NAMES, language_of
from bot.core.messages import Action
from bot.core.moderation import Asker, Wish
from bot.telegram import keyboards
from storage import ExportFormat, ReviewStatus, RowNotFound

if TYPE_CHECKING:
    from typing import Literal

    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.telegram.api_client import Line
    from bot.telegram.request_context import Ears, Voice

REVIEW_ACTIONS = frozenset({Action.ACCEPT, Action.REJECT, Action.RELABEL, Action.MERGE, Action.SKIP})


class BadWish(Exception):
    """What somebody asked to export cannot be read."""


class Desk:
    """What moderators do."""

    def __init__(self, line: Line, conversation: Conversation, ears: Ears) -> None:
        self._line = line
        self._conversation = conversation
        self._moderation = conversation.moderation
        self._ears = ears
        self._setting_up = asyncio.Lock()

    async def feedback(self, voice: Voice, said: str) -> None:
        """Take ``/feedback review``, ``stats`` or ``export …``."""
        asker = await self._ears.asker(voice)
        self._moderation.require(asker)
        what, _, rest = said.partition(" ")
        if what == "review":
            await self._next(voice, asker, after=0)
        elif what == "stats":
            await self._line.say(voice.where, await self._moderation.stats(asker))
        elif what == "export":
            await self._export(voice, asker, rest)
        else:
            await self._line.say(voice.where, voice.words.say("chat-feedback-usage"))

    async def press(self, voice: Voice, query: str, action: Action, subject: str) -> None:
        """Take a button below a correction."""
        asker = await self._ears.asker(voice)
        self._moderation.require(asker)
        number = _number(subject)
        if action in {Action.RELABEL, Action.MERGE}:
            await self._line.toast(query)
            await self._offer(voice, asker, number, 0, merging=action is Action.MERGE, fresh=True)
            return
        text = None
        if action is not Action.SKIP:
            status = ReviewStatus.ACCEPTED if action is Action.ACCEPT else ReviewStatus.REJECTED
            try:
                text = await self._moderation.rule(asker, number, status)
            except RowNotFound:
                raise ButtonExpired() from None
        await self._line.toast(query, text)
        await self._next(voice, asker, after=number, instead=True, done=text)

    async def turn(self, voice: Voice, query: str, subject: str, page: int, *, merging: bool) -> None:
        """Show another page of the genres to choose from."""
        asker = await self._ears.asker(voice)
        self._moderation.require(asker)
        await self._line.toast(query)
        await self._offer(voice, asker, _number(subject), page, merging=merging, fresh=False)

    async def pick(self, voice: Voice, query: str | None, subject: str, label: str | None, *, merging: bool) -> None:
        """Take the genre that a moderator chose or wrote."""
        asker = await self._ears.asker(voice)
        self._moderation.require(asker)
        if label is None:
            raise ButtonExpired()
        number = _number(subject)
        try:
            if merging:
                text = await self._moderation.merge(asker, number, label)
            else:
                text = await self._moderation.rule(asker, number, ReviewStatus.RELABELLED, label)
        except RowNotFound:
            raise ButtonExpired() from None
        if query is not None:
            await self._line.toast(query, text)
        await self._next(voice, asker, after=number - 1 if merging else number, instead=query is not None, done=text)

    async def settings(self, voice: Voice) -> None:
        """Show how this chat is set up, with buttons to change it."""
        asker = await self._owner(voice)
        text = await self._conversation.housekeeping.settings(
            asker, channel_name=lambda _: voice.words.say("chat-here")
        )
        await self._line.say(voice.where, text, _settings_buttons(voice))

    async def change(self, voice: Voice, query: str, what: str, value: str) -> None:
        """Set this chat up, and show it."""
        asker = await self._owner(voice)
        language: Language | Literal["each"] | None = None
        if what == "language":
            language = "each" if value == "each" else language_of(value)
        # Settings are read, changed and kept: two administrators at once must not undo each other's choices.
        async with self._setting_up:
            text = await self._conversation.housekeeping.change(
                asker,
                language=language,
                picture=value == "on" if what == "picture" else None,
                listen=voice.chat_id if (what, value) == ("listen", "on") else None,
                ignore=voice.chat_id if (what, value) == ("listen", "off") else None,
                channel_name=lambda _: voice.words.say("chat-here"),
            )
        await self._line.toast(query)
        if voice.where.message is not None:
            await self._line.change(voice.where.chat, voice.where.message, text, _settings_buttons(voice))

    async def _owner(self, voice: Voice) -> Asker:
        """Return who sets a chat up: alone with the bot everybody may, for themselves."""
        if voice.private:
            return Asker(voice.person, voice.language, voice.chat_id, administers=True)
        return await self._ears.asker(voice)

    async def _next(
        self, voice: Voice, asker: Asker, *, after: int, instead: bool = False, done: str | None = None
    ) -> None:
        """Show the next correction, in place of the one before (``instead``), below what was ruled on it."""
        review = await self._moderation.review(asker, after=after)
        text = voice.words.say("review-none") if review is None else review.message.text
        text = text if done is None else f"{done}\n\n{text}"
        buttons = None if review is None else keyboards.keyboard(review.message.buttons)
        if instead and voice.where.message is not None:
            await self._line.change(voice.where.chat, voice.where.message, text, buttons)
        else:
            await self._line.say(voice.where, text, buttons)

    async def _offer(self, voice: Voice, asker: Asker, number: int, page: int, *, merging: bool, fresh: bool) -> None:
        try:
            review = await self._moderation.reviewed(asker, number)
        except RowNotFound:
            raise ButtonExpired() from None
        offset = page * keyboards.GENRES_PER_PAGE
        choices, total = await self._conversation.choices("", voice.language, offset=offset)
        pick, turn = ("fuse", "fuses") if merging else ("rule", "rules")
        if merging:
            choices = [choice for choice in choices if not choice.proposed]
        shown = keyboards.genres(choices, total, page, str(number), pick=pick, turn=turn)
        if voice.where.message is None:
            return
        if fresh:
            text = f"{review.message.text}\n\n{voice.words.say('chat-choose-genre')}"
            await self._line.change(voice.where.chat, voice.where.message, text, shown)
        else:
            await self._line.change_buttons(voice.where.chat, voice.where.message, shown)

    async def _export(self, voice: Voice, asker: Asker, said: str) -> None:
        try:
            wish = read_wish(said)
        except BadWish:
            await self._line.say(voice.where, voice.words.say("chat-feedback-usage"))
            return
        with tempfile.TemporaryDirectory() as folder:
            export = await self._moderation.export(asker, wish, Path(folder))
            await self._line.document(voice.where, export.path, export.text)


def read_wish(said: str) -> Wish:
    """Read what to export: a format, a period ``2026-01-01..2026-03-31`` (both days included), a status, a genre.

    Raises
    ------
    BadWish
        If a period is none.
    """
    form, status, since, until, genre = ExportFormat.CSV, None, None, None, []
    for word in said.split():
        if word.lower() in set(ExportFormat):
            form = ExportFormat(word.lower())
        elif word.lower() in set(ReviewStatus):
            status = ReviewStatus(word.lower())
        elif ".." in word:
            first, _, last = word.partition("..")
            since, until = _day(first), _day(last)
        else:
            genre.append(word)
    try:
        after = None if until is None else until + timedelta(days=1)
    except OverflowError:
        raise BadWish(said) from None
    return Wish(form, since, after, " ".join(genre) or None, status)


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadWish(text) from None


def _number(subject: str) -> int:
    return int(subject) if subject.isascii() and subject.isdigit() and len(subject) < 19 else 0


def _settings_buttons(voice: Voice) -> InlineKeyboardMarkup:
    words = voice.words
    each = InlineKeyboardButton(words.say("chat-each-language"), callback_data="set:language:each")
    speak = [InlineKeyboardButton(OWN_NAMES[one], callback_data=f"set:language:{one}") for one in LANGUAGES]
    rows = [[each, *speak], _on_off(words.say("chat-picture-on"), words.say("chat-picture-off"), "picture")]
    if not voice.private:
        rows.append(_on_off(words.say("chat-listen-on"), words.say("chat-listen-off"), "listen"))
    return InlineKeyboardMarkup(rows)


def _on_off(on: str, off: str, what: str) -> list[InlineKeyboardButton]:
    return [
        InlineKeyboardButton(on, callback_data=f"set:{what}:on"),
        InlineKeyboardButton(off, callback_data=f"set:{what}:off"),
    ]
