"""What people say of an answer in Telegram: right, wrong, another genre from a list or in words, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import messages
from bot.core.errors import ButtonExpired, TryLater, Undeliverable
from bot.core.messages import Action
from bot.telegram import keyboards
from bot.telegram.api_client import CAPTION_CHARACTERS, TEXT_CHARACTERS, NotThere, Where

if TYPE_CHECKING:
    from bot.core.conversation import Conversation, Said
    from bot.telegram.api_client import Line
    from bot.telegram.request_context import Voice


class Opinions:
    """Buttons below answers, and the lists of genres that they open."""

    def __init__(self, line: Line, conversation: Conversation) -> None:
        self._line = line
        self._conversation = conversation

    async def press(self, voice: Voice, query: str, action: Action, reply_id: str) -> None:
        """Take a button below an answer."""
        if action is Action.RIGHT:
            await self._said(
                voice, query, reply_id, await self._conversation.agree(reply_id, voice.person, voice.language)
            )
        elif action is Action.UNDO:
            await self._said(
                voice, query, reply_id, await self._conversation.undo(reply_id, voice.person, voice.language)
            )
        elif action is Action.WRONG:
            await self._conversation.given(reply_id, voice.person, voice.language)
            await self._line.toast(query)
            await self.offer(voice, reply_id)
        else:
            await self._votes(voice, query, reply_id)

    async def offer(self, voice: Voice, reply_id: str) -> None:
        """Open a list of genres; a text that answers it is a genre's name, too."""
        choices, total = await self._conversation.choices("", voice.language)
        page = keyboards.genres(choices, total, 0, reply_id)
        await self._line.say(voice.where, voice.words.say("chat-choose-genre"), page)

    async def turn(self, voice: Voice, query: str, reply_id: str, page: int) -> None:
        """Show another page of the list."""
        offset = page * keyboards.GENRES_PER_PAGE
        choices, total = await self._conversation.choices("", voice.language, offset=offset)
        await self._line.toast(query)
        if choices and voice.where.message is not None:
            shown = keyboards.genres(choices, total, page, reply_id)
            await self._line.change_buttons(voice.where.chat, voice.where.message, shown)

    async def pick(self, voice: Voice, query: str, reply_id: str, number: int) -> None:
        """Take a genre from the list; the list becomes the thanks."""
        label = await self._conversation.label_numbered(number)
        if label is None:
            raise ButtonExpired()
        said = await self._conversation.correct(reply_id, voice.person, voice.language, label)
        await self._line.toast(query)
        if voice.where.message is not None:
            buttons = keyboards.keyboard(said.message.buttons)
            await self._line.change(voice.where.chat, voice.where.message, said.message.text, buttons)
        await self._ask(voice, said)

    async def name(self, voice: Voice, reply_id: str, text: str) -> None:
        """Take a genre that somebody wrote."""
        said = await self._conversation.correct(reply_id, voice.person, voice.language, text)
        await self._line.say(voice.where, said.message.text, keyboards.keyboard(said.message.buttons))
        await self._ask(voice, said)

    async def _said(self, voice: Voice, query: str, reply_id: str, said: Said) -> None:
        await self._line.toast(query, said.message.text)
        message = voice.where.message
        if message is not None and not await self._is_answer(voice, reply_id):
            shown = keyboards.keyboard(said.message.buttons)
            await self._line.change(voice.where.chat, message, said.message.text, shown)
        elif voice.private and message is not None:
            votes = messages.Button(Action.VOTES, reply_id, voice.words.say("button-votes"))
            shown = keyboards.keyboard((*said.message.buttons, votes))
            await self._line.change_buttons(voice.where.chat, message, shown)
        await self._ask(voice, said)

    async def _is_answer(self, voice: Voice, reply_id: str) -> bool:
        """Whether the button was below the answer itself, not below thanks for an opinion of it."""
        given = await self._conversation.given(reply_id, voice.person, voice.language)
        there = given.reply.message
        return there is None or there.get("message") == voice.where.message

    async def _ask(self, voice: Voice, said: Said) -> None:
        """Ask the one question: alone with the person if they ever wrote to the bot, else where they are."""
        if said.question is None:
            return
        buttons = keyboards.keyboard(said.question.buttons)
        if not voice.private and voice.user is not None:
            try:
                await self._line.say(Where(voice.user), said.question.text, buttons)
                return
            except (Undeliverable, TryLater):
                pass
        await self._line.say(voice.where, said.question.text, buttons)

    async def _votes(self, voice: Voice, query: str, reply_id: str) -> None:
        given = await self._conversation.given(reply_id, voice.person, voice.language)
        await self._line.toast(query)
        text = messages.votes(given.report, voice.words)
        # Where the answer had no room for every part, they are here.
        whole = messages.answer(given.report, voice.words, reply_id, characters=TEXT_CHARACTERS).text
        if len(whole) > CAPTION_CHARACTERS:
            room = TEXT_CHARACTERS - len(text) - 2
            text = "\n".join([text, "", *messages.breakdown(given.report, voice.words, characters=room)])
        await self._line.say(voice.where, text)
        if voice.where.message is not None:
            # Shown once, they are there for everybody to see.
            buttons = messages.opinion_buttons(voice.words, reply_id, given.opinion if voice.private else None)
            shown = keyboards.below_answer(buttons, voice.words, reply_id, private=voice.private)
            try:
                await self._line.change_buttons(voice.where.chat, voice.where.message, shown)
            except NotThere:
                return
