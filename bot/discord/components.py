"""Finished messages as Discord has them: text, files, and buttons, menus and text boxes that carry callbacks.

A component is known by its custom id alone, so it works after a restart; the library keeps no views.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import discord

from bot.core.callbacks import GENRES_PER_PAGE, Action, GenreCallback
from bot.discord.limits import BUTTON_CHARACTERS, MESSAGE_CHARACTERS, MODAL_CHARACTERS, OPTION_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.core.chat import GenreMenu, OutgoingMessage
    from bot.core.localization import Localizer

NAME_CHARACTERS = 60
NAME_FIELD = "name"
PICTURE_NAME = "timeline.png"

_STYLES = {
    Action.RIGHT: discord.ButtonStyle.success,
    Action.ALLOW: discord.ButtonStyle.success,
    Action.TAKE: discord.ButtonStyle.primary,
    Action.CANCEL: discord.ButtonStyle.danger,
}


def text_of(message: OutgoingMessage) -> str:
    """Return a message's text below its title, if it has one."""
    title = f"**{discord.utils.escape_markdown(message.title)}**\n" if message.title else ""
    return (title + message.text)[:MESSAGE_CHARACTERS]


def files_of(message: OutgoingMessage) -> list[discord.File]:
    """Return a message's picture and file, to be sent once."""
    files = []
    if message.picture is not None:
        files.append(discord.File(io.BytesIO(message.picture), PICTURE_NAME, description=message.alt_text))
    if message.file is not None:
        files.append(discord.File(io.BytesIO(message.file.content), message.file.name))
    return files


def view_of(message: OutgoingMessage, words: Localizer | None = None) -> discord.ui.View | None:
    """Return a message's buttons and its list of genres, worded by ``words``; None for none."""
    view = discord.ui.View(timeout=None)
    for button in message.buttons:
        _add_button(view, button.data, button.text, _STYLES.get(button.action, discord.ButtonStyle.secondary))
    if message.menu is not None and words is not None:
        _add_menu(view, message.menu, words)
    # A stopped view is not kept by the library, which would otherwise remember every message.
    view.stop()
    return view if view.children else None


def _add_menu(view: discord.ui.View, menu: GenreMenu, words: Localizer) -> None:
    """Add a page of the list of genres, with the buttons for other pages and for a new name."""
    if menu.choices:
        options = [
            discord.SelectOption(
                label=choice.name[:OPTION_CHARACTERS],
                value=choice.label[:OPTION_CHARACTERS],
                description=choice.about[:OPTION_CHARACTERS] or None,
            )
            for choice in menu.choices
        ]
        pick = GenreCallback(Action.PICK, menu.target)
        view.add_item(
            discord.ui.Select(custom_id=str(pick), placeholder=words.translate("genres-choose"), options=options)
        )
    following = menu.offset + len(menu.choices)
    if menu.offset > 0:
        previous = GenreCallback(Action.PAGE, menu.target, max(0, menu.offset - GENRES_PER_PAGE))
        _add_button(view, str(previous), words.translate("genres-previous"))
    if following < menu.total:
        _add_button(view, str(GenreCallback(Action.PAGE, menu.target, following)), words.translate("genres-next"))
    _add_button(view, str(GenreCallback(Action.NAME, menu.target)), words.translate("genres-other"))


def name_box(callback: GenreCallback, words: Localizer) -> discord.ui.Modal:
    """Return the text box for a genre that no list has; ``typed_name`` reads what comes back."""
    title = words.translate("genres-other-title")[:MODAL_CHARACTERS]
    modal = discord.ui.Modal(title=title, custom_id=str(callback), timeout=None)
    field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        label=words.translate("genres-other-field")[:MODAL_CHARACTERS], custom_id=NAME_FIELD, max_length=NAME_CHARACTERS
    )
    modal.add_item(field)
    # As in ``view_of``.
    modal.stop()
    return modal


def typed_name(data: Any) -> str:
    """Return what was typed into ``name_box``, from a modal's interaction data."""
    fields = (part for part in _parts(data) if part.get("custom_id") == NAME_FIELD and "value" in part)
    return next((str(field["value"]) for field in fields), "")


def custom_ids(message: discord.Message) -> set[str]:
    """Return the custom ids of all components of a message."""
    return {
        str(part["custom_id"]) for row in message.components for part in _parts(row.to_dict()) if "custom_id" in part
    }


def _parts(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        yield data
        for key in ("components", "component"):
            yield from _parts(data.get(key))
    elif isinstance(data, list):
        for part in data:
            yield from _parts(part)


def _add_button(
    view: discord.ui.View,
    custom_id: str,
    text: str,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
) -> None:
    view.add_item(discord.ui.Button(label=text[:BUTTON_CHARACTERS], custom_id=custom_id, style=style))
