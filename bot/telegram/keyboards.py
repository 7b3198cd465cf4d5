"""Buttons as Telegram has them: every button's data fits into 64 bytes and says all that its press needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.core.localization import LANGUAGES, OWN_NAMES
from bot.core.messages import Action, Button

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telegram import Message

    from bot.core.conversation import Choice
    from bot.core.vocabulary import Words

COLUMNS = 2
GENRE_COLUMNS = 3
GENRES_PER_PAGE = 25
DATA_BYTES = 64
_SUBJECT = re.compile(r"(?:pick|list):([A-Za-z0-9_-]{11}):")
_CORRECTION = re.compile(r"(?:rule|rules):(\d{1,18}):")
_ANSWER = re.compile(r"(?:right|wrong|undo|votes):([A-Za-z0-9_-]{11})")


def keyboard(buttons: Iterable[Button], columns: int = COLUMNS) -> InlineKeyboardMarkup | None:
    """Return buttons in rows; None if there are none."""
    flat = [InlineKeyboardButton(button.text, callback_data=button.data) for button in buttons]
    return _rows(flat, columns) if flat else None


def below_answer(buttons: Sequence[Button], words: Words, reply_id: str, *, private: bool) -> InlineKeyboardMarkup:
    """Return the buttons below an answer; in a group everybody shares them, so that they can always undo."""
    shown = list(buttons)
    if not private and all(button.action is not Action.UNDO for button in shown):
        shown.append(Button(Action.UNDO, reply_id, words.say("button-undo")))
    return _rows([InlineKeyboardButton(each.text, callback_data=each.data) for each in shown], COLUMNS)


def genres(
    choices: Sequence[Choice], total: int, page: int, subject: str, *, pick: str = "pick", turn: str = "list"
) -> InlineKeyboardMarkup:
    """Return a page of genres to choose from, with buttons that turn the page where there are more."""
    flat = [InlineKeyboardButton(choice.name, callback_data=f"{pick}:{subject}:{choice.number}") for choice in choices]
    rows = [flat[start : start + GENRE_COLUMNS] for start in range(0, len(flat), GENRE_COLUMNS)]
    turns = []
    if page > 0:
        turns.append(InlineKeyboardButton("‹", callback_data=f"{turn}:{subject}:{page - 1}"))
    if (page + 1) * GENRES_PER_PAGE < total:
        turns.append(InlineKeyboardButton("›", callback_data=f"{turn}:{subject}:{page + 1}"))
    return InlineKeyboardMarkup([*rows, *([turns] if turns else [])])


def languages() -> InlineKeyboardMarkup:
    """Return a button for each language, in that language."""
    flat = [InlineKeyboardButton(OWN_NAMES[language], callback_data=f"speak:{language}") for language in LANGUAGES]
    return _rows(flat, COLUMNS)


def forgetting(words: Words, person: str) -> InlineKeyboardMarkup:
    """Return the choice whether to forget a person for good; it is theirs alone."""
    yes = InlineKeyboardButton(words.say("page-forget-confirm"), callback_data=f"forget:yes:{person}")
    no = InlineKeyboardButton(words.say("page-forget-keep"), callback_data=f"forget:no:{person}")
    return _rows([yes, no], 1)


def list_subject(message: Message | None) -> str | None:
    """Return which answer a list of genres below a message is about; None if there is no such list."""
    return _first(message, _SUBJECT)


def correction_subject(message: Message | None) -> str | None:
    """Return which correction a moderator's list of genres is about; None if there is no such list."""
    return _first(message, _CORRECTION)


def answer_subject(message: Message | None) -> str | None:
    """Return which answer a message gives; None if it gives none."""
    return _first(message, _ANSWER)


def _first(message: Message | None, pattern: re.Pattern[str]) -> str | None:
    if message is None or message.reply_markup is None:
        return None
    for row in message.reply_markup.inline_keyboard:
        for button in row:
            found = pattern.match(button.callback_data) if isinstance(button.callback_data, str) else None
            if found:
                return found[1]
    return None


def _rows(flat: list[InlineKeyboardButton], columns: int) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([flat[start : start + columns] for start in range(0, len(flat), columns)])
