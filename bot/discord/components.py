"""Buttons, lists and text boxes as Discord has them; all are known by their ids alone, and so outlive a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import discord

from bot.core.messages import Action

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

    from bot.core.conversation import Choice
    from bot.core.messages import Button
    from bot.core.vocabulary import Words

OPTION_CHARACTERS = 100
PAGE_OPTIONS = 25
NAME_CHARACTERS = 60
NAME_FIELD = "name"

_STYLES = {
    Action.RIGHT: discord.ButtonStyle.success,
    Action.ALLOW: discord.ButtonStyle.success,
    Action.TAKE: discord.ButtonStyle.primary,
    Action.CANCEL: discord.ButtonStyle.danger,
}
_ACTIONS = "|".join(Action)
# What a genre is chosen for, and for which one: a person's word on a reply, or a moderator's on a correction.
_AIM = r"(?:song|rule|join)\.[A-Za-z0-9_-]{1,24}"


class Press(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"(?:{_ACTIONS}):[A-Za-z0-9_-]{{0,24}}|turn:{_AIM}:\d{{1,6}}|sort:{_AIM}|wipe:(?:yes|no)",
):
    """A button of ours; the client gets its custom id."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: discord.ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Take up a button that was sent before, perhaps by an earlier process."""
        return cls(_as(discord.ui.Button, item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press over."""
        await interaction.client.pressed(interaction, self.custom_id, ())


class Pick(discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=rf"pick:{_AIM}"):
    """A list of ours; the client gets its custom id and what was picked."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: discord.ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Take up a list that was sent before, perhaps by an earlier process."""
        return cls(_as(discord.ui.Select, item))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand over what was picked."""
        await interaction.client.pressed(interaction, self.custom_id, tuple(self.item.values))


def _as(kind: type[Any], item: discord.ui.Item[Any]) -> Any:
    if not isinstance(item, kind):
        raise TypeError(f"{type(item).__name__} has the custom id of a {kind.__name__}")
    return item


def view_of(buttons: Iterable[Button]) -> discord.ui.View | None:
    """Return buttons as Discord takes them; None for none."""
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(_button(button.data, button.text, _STYLES.get(button.action, discord.ButtonStyle.secondary)))
    return view if view.children else None


def forget_view(words: Words) -> discord.ui.View:
    """Return the two buttons below the question whether to delete everything."""
    view = discord.ui.View(timeout=None)
    view.add_item(_button("wipe:yes", words.say("page-forget-confirm"), discord.ButtonStyle.danger))
    view.add_item(_button("wipe:no", words.say("page-forget-keep")))
    return view


def genre_list(aim: str, choices: list[Choice], total: int, offset: int, words: Words) -> discord.ui.View:
    """Return a page of the list of genres, with the ways to the other pages and to a new name."""
    view = discord.ui.View(timeout=None)
    if choices:
        options = [
            discord.SelectOption(
                label=choice.name[:OPTION_CHARACTERS],
                value=choice.label[:OPTION_CHARACTERS],
                description=choice.about[:OPTION_CHARACTERS] or None,
            )
            for choice in choices
        ]
        select: discord.ui.Select[discord.ui.View] = discord.ui.Select(
            custom_id=f"pick:{aim}", placeholder=words.say("genres-choose"), options=options
        )
        view.add_item(Pick(select))
    if offset > 0:
        before = max(0, offset - PAGE_OPTIONS)
        view.add_item(_button(f"turn:{aim}:{before}", words.say("genres-previous")))
    if offset + len(choices) < total:
        view.add_item(_button(f"turn:{aim}:{offset + len(choices)}", words.say("genres-next")))
    view.add_item(_button(f"sort:{aim}", words.say("genres-other")))
    return view


def name_box(aim: str, words: Words) -> discord.ui.Modal:
    """Return the text box for a genre that no list has; what comes back is read by ``typed_name``."""
    modal = discord.ui.Modal(title=words.say("genres-other-title")[:45], custom_id=f"name:{aim}", timeout=None)
    field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        label=words.say("genres-other-field")[:45], custom_id=NAME_FIELD, max_length=NAME_CHARACTERS
    )
    # It is answered by its custom id, also after a restart: nobody need remember it here.
    modal.add_item(field)
    return modal


def typed_name(data: Any) -> str:
    """Return what was typed into ``name_box``, from a modal's interaction data."""
    fields = (part for part in _parts(data) if part.get("custom_id") == NAME_FIELD and "value" in part)
    return next((str(field["value"]) for field in fields), "")


def custom_ids(message: discord.Message) -> set[str]:
    """Return the custom ids of all that can be pressed below a message."""
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


def _button(custom_id: str, text: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary) -> Press:
    return Press(discord.ui.Button(label=text[:80], custom_id=custom_id, style=style))
