"""Slash commands and the context menu: their names, options and places; what they do is asked of others.

Annotations are read at run time by the library, so what they name is imported for real.
"""

from __future__ import annotations

import json
import logging
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.core.errors import DateUnclear, ExportTooLarge, NothingToCorrect
from bot.core.localization import DEFAULT_LANGUAGE, OWN_NAMES, language_of
from bot.core.moderation import Wish
from bot.discord.client import described, named
from bot.discord.component_handlers import private_chats
from bot.discord.components import PAGE_OPTIONS, custom_ids, forget_view
from bot.discord.interaction_context import PLATFORM, Guest, acknowledge, welcome
from common.units import MEBIBYTE
from storage import ExportFormat, ReviewStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.chat import DiscordChat

Interaction = discord.Interaction[Any]
CHOICE_CHARACTERS = 100
ANSWERS_SEARCHED = 50

log = logging.getLogger(__name__)

LANGUAGE_CHOICES = [app_commands.Choice(name=name, value=language) for language, name in OWN_NAMES.items()]
SWITCH_CHOICES = [
    app_commands.Choice(name=named("choice-on"), value="on"),
    app_commands.Choice(name=named("choice-off"), value="off"),
]
STATUS_CHOICES = [
    app_commands.Choice(name=named("choice-pending"), value=ReviewStatus.PENDING.value),
    app_commands.Choice(name=named("choice-accepted"), value=ReviewStatus.ACCEPTED.value),
    app_commands.Choice(name=named("choice-rejected"), value=ReviewStatus.REJECTED.value),
    app_commands.Choice(name=named("choice-relabelled"), value=ReviewStatus.RELABELLED.value),
]


def add_commands(chat: DiscordChat) -> None:
    """Give the chat's client all its commands."""
    _add_songs(chat)
    _add_own(chat)
    _add_words(chat)
    _add_settings(chat)
    chat.client.tree.add_command(_Feedback(chat))


async def answered(chat: DiscordChat, interaction: Interaction, do: Callable[[Guest], Awaitable[None]]) -> None:
    """Acknowledge a command, do it, and say so if it cannot be done."""
    await acknowledge(interaction)
    guest = await welcome(chat.conversation, interaction)
    try:
        await do(guest)
    except Exception as error:
        await guest.excuse(error)


def _command(chat: DiscordChat, key: str) -> Callable[[Any], Any]:
    return chat.client.tree.command(name=named(key), description=described(key))


def _add_songs(chat: DiscordChat) -> None:
    tree = chat.client.tree

    @_command(chat, "slash-genre")
    @app_commands.rename(file=named("option-file"), link=named("option-link"))
    @app_commands.describe(file=described("option-file"), link=described("option-link"))
    async def genre(interaction: Interaction, file: discord.Attachment | None = None, link: str | None = None) -> None:
        await chat.asked(interaction, [] if file is None else [file], link or "")

    @tree.context_menu(name=named("menu-genre"))
    async def what_genre(interaction: Interaction, message: discord.Message) -> None:
        await chat.asked_about(interaction, message)

    @_command(chat, "slash-correct")
    @app_commands.rename(genre=named("option-genre"))
    @app_commands.describe(genre=described("option-genre"))
    async def correct(interaction: Interaction, genre: app_commands.Range[str, 1, 100]) -> None:
        async def do(guest: Guest) -> None:
            reply = await latest_answer(chat, interaction)
            if reply is None:
                raise NothingToCorrect()
            said = await chat.conversation.correct(reply, guest.person, guest.language, genre)
            await guest.say(said.message)
            await guest.ask(said.question)

        await answered(chat, interaction, do)

    @correct.autocomplete("genre")  # type: ignore[untyped-decorator]
    async def choices(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await genre_choices(chat, interaction, current)


async def latest_answer(chat: DiscordChat, interaction: Interaction) -> str | None:
    """Return the id of the latest reply that the bot gave in a channel; None if it cannot be seen."""
    channel = chat.client.get_partial_messageable(interaction.channel_id or 0)
    try:
        async for message in channel.history(limit=ANSWERS_SEARCHED):
            for custom_id in custom_ids(message) if message.author.id == interaction.application_id else ():
                if custom_id.startswith("votes:"):
                    return custom_id.partition(":")[2]
    except discord.HTTPException as error:
        log.info("the channel's messages cannot be read: %s", error)
    return None


async def genre_choices(chat: DiscordChat, interaction: Interaction, text: str) -> list[app_commands.Choice[str]]:
    """Return the genres that fit what was typed so far."""
    language = language_of(str(interaction.locale)) or DEFAULT_LANGUAGE
    found, _ = await chat.conversation.choices(text, language)
    return [
        app_commands.Choice(name=choice.name[:CHOICE_CHARACTERS], value=choice.label[:CHOICE_CHARACTERS])
        for choice in found[:PAGE_OPTIONS]
    ]


def _add_own(chat: DiscordChat) -> None:
    """Commands about what is kept of whoever asks."""
    conversation = chat.conversation

    @_command(chat, "slash-privacy")
    async def privacy(interaction: Interaction) -> None:
        async def do(guest: Guest) -> None:
            await guest.say(await conversation.privacy(guest.person, guest.language))

        await answered(chat, interaction, do)

    @_command(chat, "slash-mydata")
    async def mydata(interaction: Interaction) -> None:
        async def do(guest: Guest) -> None:
            kept = await conversation.my_data(guest.person, await private_chats(interaction))
            content = json.dumps(kept, indent=2, ensure_ascii=False).encode()
            await guest.tell(guest.words.say("mydata-here"), files=[(guest.words.say("mydata-name"), content)])

        await answered(chat, interaction, do)

    @_command(chat, "slash-forgetme")
    async def forgetme(interaction: Interaction) -> None:
        async def do(guest: Guest) -> None:
            await guest.tell(guest.words.say("forget-question"), forget_view(guest.words))

        await answered(chat, interaction, do)

    @_command(chat, "slash-language")
    @app_commands.rename(language=named("option-language"))
    @app_commands.describe(language=described("option-language"))
    @app_commands.choices(language=LANGUAGE_CHOICES)
    async def language(interaction: Interaction, language: str) -> None:
        async def do(guest: Guest) -> None:
            chosen = language_of(language) or DEFAULT_LANGUAGE
            await conversation.set_language(guest.person, chosen)
            await guest.tell(conversation.words(chosen).say("language-chosen"))

        await answered(chat, interaction, do)


def _add_words(chat: DiscordChat) -> None:
    """Commands that only say something."""
    housekeeping = chat.conversation.housekeeping

    @_command(chat, "slash-help")
    async def help_(interaction: Interaction) -> None:
        async def do(guest: Guest) -> None:
            await guest.tell(chat.help_text(guest.words))

        await answered(chat, interaction, do)

    @_command(chat, "slash-about")
    async def about(interaction: Interaction) -> None:
        async def do(guest: Guest) -> None:
            await guest.tell(await housekeeping.about(guest.language))

        await answered(chat, interaction, do)

    @_command(chat, "slash-stats")
    async def stats(interaction: Interaction) -> None:
        async def do(guest: Guest) -> None:
            await guest.tell(await housekeeping.stats(PLATFORM, guest.chat_id, guest.language))

        await answered(chat, interaction, do)


def _add_settings(chat: DiscordChat) -> None:
    @_command(chat, "slash-settings")
    @app_commands.default_permissions(administrator=True)
    @app_commands.rename(
        language=named("option-language"),
        picture=named("option-picture"),
        listen=named("option-listen"),
        ignore=named("option-ignore"),
    )
    @app_commands.describe(
        language=described("option-here"),
        picture=described("option-picture"),
        listen=described("option-listen"),
        ignore=described("option-ignore"),
    )
    @app_commands.choices(
        language=[*LANGUAGE_CHOICES, app_commands.Choice(name=named("choice-each"), value="each")],
        picture=SWITCH_CHOICES,
    )
    async def settings(
        interaction: Interaction,
        language: str | None = None,
        picture: str | None = None,
        listen: discord.abc.GuildChannel | None = None,
        ignore: discord.abc.GuildChannel | None = None,
    ) -> None:
        async def do(guest: Guest) -> None:
            told = await chat.conversation.housekeeping.change(
                guest.asker,
                language="each" if language == "each" else language_of(language),
                picture=None if picture is None else picture == "on",
                listen=None if listen is None else str(listen.id),
                ignore=None if ignore is None else str(ignore.id),
                channel_name=lambda channel: f"<#{channel}>",
            )
            chat.settings_changed(guest.chat_id)
            if listen is not None and not chat.client.may_read_along:
                told += "\n\n" + guest.words.say("settings-cannot-read")
            await guest.tell(told)

        await answered(chat, interaction, do)


class _Feedback(app_commands.Group):
    """``/feedback``: what moderators do with corrections."""

    def __init__(self, chat: DiscordChat) -> None:
        super().__init__(
            name=named("slash-feedback"),
            description=described("slash-feedback"),
            default_permissions=discord.Permissions(administrator=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self._chat = chat

    @app_commands.command(name=named("slash-review"), description=described("slash-review"))
    async def review(self, interaction: Interaction) -> None:
        """Show the first correction that waits."""
        await answered(self._chat, interaction, self._chat.presses.review)

    @app_commands.command(name=named("slash-counts"), description=described("slash-counts"))
    async def counts(self, interaction: Interaction) -> None:
        """Show how corrections stand."""

        async def do(guest: Guest) -> None:
            await guest.tell(await self._chat.conversation.moderation.stats(guest.asker))

        await answered(self._chat, interaction, do)

    @app_commands.command(name=named("slash-export"), description=described("slash-export"))
    @app_commands.rename(
        form=named("option-form"),
        since=named("option-since"),
        until=named("option-until"),
        genre=named("option-genre"),
        status=named("option-status"),
    )
    @app_commands.describe(
        form=described("option-form"),
        since=described("option-since"),
        until=described("option-until"),
        genre=described("option-wanted"),
        status=described("option-status"),
    )
    @app_commands.choices(
        form=[app_commands.Choice(name=form.value, value=form.value) for form in ExportFormat], status=STATUS_CHOICES
    )
    async def export(
        self,
        interaction: Interaction,
        form: str = ExportFormat.CSV.value,
        since: str | None = None,
        until: str | None = None,
        genre: str | None = None,
        status: str | None = None,
    ) -> None:
        """Send corrections as a file."""

        async def do(guest: Guest) -> None:
            wish = Wish(
                form=ExportFormat(form),
                since=None if since is None else _day(since),
                until=None if until is None else _day(until, days=1),
                genre=genre,
                status=None if status is None else ReviewStatus(status),
            )
            with tempfile.TemporaryDirectory() as folder:
                made = await self._chat.conversation.moderation.export(guest.asker, wish, Path(folder))
                limit = interaction.filesize_limit
                if made.path.stat().st_size > limit:
                    raise ExportTooLarge(megabytes=limit // MEBIBYTE)
                await guest.tell(made.text, files=[(made.path.name, made.path.read_bytes())])

        await answered(self._chat, interaction, do)


def _day(text: str, *, days: int = 0) -> datetime:
    """Return the day that a text names, or so many days after it."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise DateUnclear() from None
