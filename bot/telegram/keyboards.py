"""Finished messages as Telegram has them: text, and inline keyboards whose buttons carry callbacks."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.core.callbacks import (
    GENRES_PER_PAGE,
    Action,
    AnswerCallback,
    ForgetCallback,
    GenreCallback,
    GenreTarget,
    SettingCallback,
    decode_known,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from telegram import Message

    from bot.core.callbacks import Callback
    from bot.core.chat import Button, GenreMenu, OutgoingMessage

COLUMNS = 2
GENRE_COLUMNS = 3


def text_of(message: OutgoingMessage) -> str:
    """Return a message's text below its title, if it has one."""
    return f"{message.title}\n{message.text}" if message.title else message.text


def keyboard_of(message: OutgoingMessage) -> InlineKeyboardMarkup | None:
    """Return a message's buttons and its list of genres; None for none."""
    return _markup([*button_rows(message.buttons), *(() if message.menu is None else _menu_rows(message.menu))])


def keyboard(buttons: Iterable[Button]) -> InlineKeyboardMarkup | None:
    """Return buttons in rows; None for none."""
    return _markup(button_rows(buttons))


def button_rows(buttons: Iterable[Button]) -> list[list[InlineKeyboardButton]]:
    """Return buttons in rows: two in one, a setting's values together, long texts alone."""
    rows = []
    for _, group in groupby(buttons, key=lambda each: getattr(each.callback, "setting", None)):
        together = list(group)
        shown = [InlineKeyboardButton(button.text, callback_data=button.data) for button in together]
        columns = COLUMNS
        if isinstance(together[0].callback, SettingCallback):
            columns = len(shown)
        elif isinstance(together[0].callback, ForgetCallback):
            columns = 1
        rows += _rows(shown, columns)
    return rows


def genre_target(message: Message | None) -> GenreTarget | None:
    """Return what the list of genres below a message is for; None if there is no such list."""
    return next((each.target for each in _callbacks(message) if isinstance(each, GenreCallback)), None)


def answered_reply(message: Message | None) -> str | None:
    """Return the id of the reply that the buttons below a message refer to; None if there are none."""
    return next((each.reply_id for each in _callbacks(message) if isinstance(each, AnswerCallback)), None)


def _callbacks(message: Message | None) -> Iterator[Callback]:
    markup = None if message is None else message.reply_markup
    for row in () if markup is None else markup.inline_keyboard:
        for button in row:
            callback = decode_known(str(button.callback_data))
            if callback is not None:
                yield callback


def _menu_rows(menu: GenreMenu) -> list[list[InlineKeyboardButton]]:
    """Return a page of genres, and buttons for other pages where there are any."""
    picks = [
        InlineKeyboardButton(each.name, callback_data=str(GenreCallback(Action.PICK, menu.target, each.number)))
        for each in menu.choices
    ]
    pages = {"‹": menu.offset - GENRES_PER_PAGE, "›": menu.offset + GENRES_PER_PAGE}
    turns = [
        InlineKeyboardButton(text, callback_data=str(GenreCallback(Action.PAGE, menu.target, offset)))
        for text, offset in pages.items()
        if 0 <= offset < menu.total
    ]
    return [*_rows(picks, GENRE_COLUMNS), *([turns] if turns else [])]


def _rows(flat: Sequence[InlineKeyboardButton], columns: int) -> list[list[InlineKeyboardButton]]:
    return [list(flat[start : start + columns]) for start in range(0, len(flat), columns)]


def _markup(rows: list[list[InlineKeyboardButton]]) -> InlineKeyboardMarkup | None:
    return InlineKeyboardMarkup(rows) if rows else None
