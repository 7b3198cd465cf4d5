"""One message per song that shows how far it has come and in the end becomes its answer.

An answer is never sent but always such a message changed: a change made twice, after a crash or a timeout, is one.
"""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core import messages
from bot.core.chat import Stage
from bot.core.errors import TryLater, Undeliverable
from bot.telegram.api_client import NotThere, Where
from bot.telegram.keyboards import keyboard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from telegram import InlineKeyboardMarkup

    from bot.core.chat import Song
    from bot.telegram.api_client import Line

PRIVATE_SECONDS = 5.0
GROUP_SECONDS = 10.0
"""A progress message is changed at most this often; those of a group all together, whose limit is 20 a minute."""
# Progress is shown anew only where an answer could follow at once: answers come first.
ROOM_FOR_PROGRESS = 2

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Card:
    """A song's message: where, its id once sent, what it says, whether nothing can be shown, whether the song ended."""

    where: Where
    message: int | None = None
    text: str = ""
    song: Song | None = None
    waits: bool = False
    shut_out: bool = False
    ended: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Progress:
    """The messages of all songs under way."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._cards: dict[tuple[int, ...], Card] = {}
        self._shown: dict[int, float] = {}
        self._places: asyncio.Task[None] | None = None

    def open(self, key: tuple[int, ...], where: Where) -> Card:
        """Return the card of the song that a message asks for; ``key`` is that message's chat and id (see ``_key``)."""
        return self._cards.setdefault(key, Card(where))

    def card(self, song: Song) -> Card:
        """Return a song's card, as it was noted if this process knows it not."""
        card = self.open(_key(song), Where.from_json(song.message))
        if card.message is None:
            card.message = song.noted.get("message")
        return card

    async def show(self, song: Song, stage: Stage) -> Mapping[str, Any] | None:
        """Show a stage if it is time to; return where, None while nothing is shown."""
        card = self.card(song)
        async with card.lock:
            if card.ended or card.shut_out:
                return None
            card.song, card.waits = song, stage.kind == "queued"
            message = messages.progress_message(stage, song.words, song.job_id)
            try:
                await self._write(card, titled(message.text, song), keyboard(message.buttons))
            except (NotThere, TryLater, Undeliverable) as error:
                card.shut_out = not isinstance(error, TryLater)
                log.info("job %d: progress is not shown: %s", song.job_id, error)
        return None if card.message is None else {"message": card.message}

    async def _write(self, card: Card, text: str, buttons: InlineKeyboardMarkup | None) -> None:
        if card.message is None:
            card.message, card.text = await self._line.say(card.where, text, buttons), text
        elif text != card.text and self._may_change(card):
            card.text = text
            await self._line.change(card.where.chat, card.message, text, buttons)
        else:
            return
        self._shown[self._pace(card)] = asyncio.get_running_loop().time()

    def _may_change(self, card: Card) -> bool:
        since = self._shown.get(self._pace(card), -math.inf) + self._seconds(card)
        is_time = asyncio.get_running_loop().time() >= since
        return is_time and self._line.has_room(card.where.chat, ROOM_FOR_PROGRESS)

    async def finish(
        self, song: Song, text: str, buttons: InlineKeyboardMarkup | None = None, *, picture: bytes | None = None
    ) -> int:
        """Make the song's message its answer; return the message's id. Raises ``TryLater`` or ``Undeliverable``.

        Parameters
        ----------
        text
            What to say; below a picture it is cut shorter by Telegram.
        """
        card = self.card(song)
        async with card.lock:
            card.ended = True
            if card.message is not None:
                try:
                    return await self._become(card.where.chat, card.message, text, buttons, picture)
                except NotThere as error:
                    log.info("job %d: its message is gone: %s", song.job_id, error)
            # Sent twice by mishap, this is a stray line; an answer sent twice would be two answers.
            card.message = await self._line.say(card.where, messages.progress(Stage("answering"), song.words))
            try:
                return await self._become(card.where.chat, card.message, text, buttons, picture)
            except NotThere as error:
                raise Undeliverable(str(error)) from error

    async def _become(
        self, chat: int, message: int, text: str, buttons: InlineKeyboardMarkup | None, picture: bytes | None
    ) -> int:
        if picture is not None:
            try:
                await self._line.change(chat, message, text, buttons, picture)
                return message
            except NotThere as error:
                # A group may forbid its members pictures; an old server may not put one into a text.
                log.info("no picture: %s", error)
        await self._line.change(chat, message, text, buttons)
        return message

    def forget(self, song: Song) -> None:
        """The song has ended."""
        card = self._cards.get(_key(song))
        if card is not None:
            self._leave(_key(song), card)

    def forget_unsent(self, key: tuple[int, int]) -> None:
        """The song was turned away before it was one."""
        self._cards.pop(key, None)

    async def withdraw(self, key: tuple[int, ...]) -> None:
        """Leave a song to the process that has taken it, and take back what was said of it here.

        Raises ``TryLater`` or ``Undeliverable``.
        """
        card = self._cards.get(key)
        if card is None:
            return
        async with card.lock:
            if card.ended:
                return
            self._leave(key, card)
            if card.message is not None:
                await self._line.delete(card.where.chat, card.message)

    def _leave(self, key: tuple[int, ...], card: Card) -> None:
        card.ended = True
        self._cards.pop(key, None)
        self._shown.pop(id(card), None)

    def queue_moved(self, place_of: Callable[[int], Awaitable[Stage | None]]) -> None:
        """Show those who wait their new places, in a while and all at once."""
        if self._places is None or self._places.done():
            self._places = asyncio.create_task(self._show_places(place_of))

    async def _show_places(self, place_of: Callable[[int], Awaitable[Stage | None]]) -> None:
        await asyncio.sleep(PRIVATE_SECONDS)
        for key, card in list(self._cards.items()):
            # What is being said just now, perhaps slowly, keeps nobody else from seeing their place.
            if card.waits and not card.ended and card.song is not None and not card.lock.locked():
                stage = await place_of(card.song.job_id)
                if stage is None:
                    # Its message was noted, and is another process's by now.
                    self._leave(key, card)
                elif stage.kind == "queued":
                    await self.show(card.song, stage)

    async def close(self) -> None:
        """Show nothing more."""
        if self._places is not None:
            self._places.cancel()
            await asyncio.gather(self._places, return_exceptions=True)

    def _pace(self, card: Card) -> int:
        """Return what a change counts against: the message, or the group it is in."""
        return card.where.chat if card.where.chat < 0 else id(card)

    @staticmethod
    def _seconds(card: Card) -> float:
        return GROUP_SECONDS if card.where.chat < 0 else PRIVATE_SECONDS


def titled(text: str, song: Song) -> str:
    """Return what is said of a song, below its title if it is one of several behind a link."""
    return f"{song.title}\n{text}" if song.title and messages.is_from_list(song) else text


def _key(song: Song) -> tuple[int, ...]:
    """Return what a song's card is known by: the message that asked for it, its number where that asked for several."""
    number = song.message.get("number")
    asked = song.message["chat"], song.message["asked"]
    return asked if number is None else (*asked, number)
