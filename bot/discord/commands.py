"""Discord's slash commands and context menu: their names, options and where they may be used.

The library reads annotations at run time, so what they name is imported for real.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.core.callbacks import AnswerCallback, decode_known
from bot.core.chat import OutgoingMessage
from bot.core.errors import NothingToCorrect
from bot.core.export_request import export_filter
from bot.core.localization import DEFAULT_LANGUAGE, OWN_NAMES, language_of
from bot.core.request import Placement, Requester, Response
from bot.discord.client import described, named
from bot.discord.components import custom_ids
from bot.discord.interaction_context import respond
from bot.discord.limits import LIMITS, OPTION_CHARACTERS
from storage import ExportFormat, ReviewStatus

if TYPE_CHECKING:
    from bot.core.conversation import Conversation
    from bot.core.request_handler import RequestHandler
    from bot.discord.client import DiscordClient
    from bot.discord.corrections import DiscordCorrections
    from bot.discord.submissions import DiscordSubmissions

Interaction = discord.Interaction[Any]
ANSWERS_SEARCHED = 50
# Commands without options, by the names that the request handler has for them.
PLAIN_COMMANDS = ("help", "privacy", "mydata", "forgetme", "about", "stats")
OWN_DATA_COMMANDS = frozenset({"mydata"})

log = logging.getLogger(__name__)

LANGUAGE_CHOICES = [app_commands.Choice(name=name, value=language) for language, name in OWN_NAMES.items()]
SWITCH_CHOICES = [app_commands.Choice(name=named(f"choice-{value}"), value=value) for value in ("on", "off")]
STATUS_CHOICES = [
    app_commands.Choice(name=named(f"choice-{status}"), value=status.value)
    for status in (ReviewStatus.PENDING, ReviewStatus.ACCEPTED, ReviewStatus.REJECTED, ReviewStatus.RELABELLED)
]


def add_commands(
    client: DiscordClient,
    conversation: Conversation,
    requests: RequestHandler,
    submissions: DiscordSubmissions,
    corrections: DiscordCorrections,
    *,
    has_moderators: bool,
) -> None:
    """Give the client all its commands.

    Parameters
    ----------
    has_moderators
        Whether the operator named people who moderate everywhere. Discord has no menus for single people outside of
        servers, so only for their sake is ``/feedback`` offered to everybody there.
    """
    _add_song_commands(client, submissions)
    _add_correct(client, conversation, requests, corrections)
    _add_teach(client, conversation, requests)
    for name in PLAIN_COMMANDS:
        client.tree.add_command(_plain(f"slash-{name}", name, conversation, requests))
    _add_language(client, conversation, requests)
    _add_settings(client, conversation, submissions)
    feedback = app_commands.Group(
        name=named("slash-feedback"),
        description=described("slash-feedback"),
        default_permissions=discord.Permissions(administrator=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=has_moderators, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=has_moderators),
    )
    feedback.add_command(_plain("slash-review", "review", conversation, requests))
    feedback.add_command(_plain("slash-counts", "counts", conversation, requests))
    _add_export(feedback, conversation, requests)
    client.tree.add_command(feedback)


def _plain(
    key: str, name: str, conversation: Conversation, requests: RequestHandler
) -> app_commands.Command[Any, [], None]:
    """Return a command without options."""

    async def run(interaction: Interaction) -> None:
        async def request(requester: Requester) -> Response:
            return await requests.command(name, requester)

        await respond(conversation, interaction, request, with_private_chats=name in OWN_DATA_COMMANDS)

    return app_commands.Command(name=named(key), description=described(key), callback=run)


def _add_song_commands(client: DiscordClient, submissions: DiscordSubmissions) -> None:
    @client.tree.command(name=named("slash-genre"), description=described("slash-genre"))
    @app_commands.rename(file=named("option-file"), link=named("option-link"))
    @app_commands.describe(file=described("option-file"), link=described("option-link"))
    async def genre(interaction: Interaction, file: discord.Attachment | None = None, link: str | None = None) -> None:
        await submissions.from_command(interaction, [] if file is None else [file], link or "")

    @client.tree.context_menu(name=named("menu-genre"))
    async def what_genre(interaction: Interaction, message: discord.Message) -> None:
        await submissions.from_context_menu(interaction, message)


def _add_correct(
    client: DiscordClient, conversation: Conversation, requests: RequestHandler, corrections: DiscordCorrections
) -> None:
    @client.tree.context_menu(name=named("menu-correct"))
    async def correct_the_genre(interaction: Interaction, message: discord.Message) -> None:
        await corrections.from_context_menu(interaction, message)

    @client.tree.command(name=named("slash-correct"), description=described("slash-correct"))
    @app_commands.rename(genre=named("option-genre"))
    @app_commands.describe(genre=described("option-genre"))
    async def correct(interaction: Interaction, genre: app_commands.Range[str, 1, 100]) -> None:
        async def request(requester: Requester) -> Response:
            reply_id = await latest_answer(client, interaction)
            return await requests.corrections.choose(requester, reply_id, genre, Placement.BELOW)

        await respond(conversation, interaction, request)

    @correct.autocomplete("genre")
    async def choices(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await _genre_choices(conversation, interaction, current)


async def latest_answer(client: DiscordClient, interaction: Interaction) -> str:
    """Return the id of the bot's latest reply in a channel; raise ``NothingToCorrect`` if none can be seen."""
    channel = client.get_partial_messageable(interaction.channel_id or 0)
    try:
        async for message in channel.history(limit=ANSWERS_SEARCHED):
            for custom_id in (
                custom_ids(message) if client.user is not None and message.author.id == client.user.id else ()
            ):
                callback = decode_known(custom_id)
                if isinstance(callback, AnswerCallback):
                    return callback.reply_id
    except discord.HTTPException as error:
        log.info("the channel's messages cannot be read: %s", error)
    raise NothingToCorrect()


def _add_teach(client: DiscordClient, conversation: Conversation, requests: RequestHandler) -> None:
    @client.tree.command(name=named("slash-teach"), description=described("slash-teach"))
    @app_commands.rename(genre=named("option-genre"))
    @app_commands.describe(genre=described("option-taught"))
    async def teach(interaction: Interaction, genre: app_commands.Range[str, 1, 100] | None = None) -> None:
        async def request(requester: Requester) -> Response:
            return await requests.corrections.teach(requester, genre or "")

        await respond(conversation, interaction, request)

    @teach.autocomplete("genre")
    async def choices(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await _genre_choices(conversation, interaction, current)


async def _genre_choices(
    conversation: Conversation, interaction: Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Return the genres that are offered while somebody types."""
    language = language_of(str(interaction.locale)) or DEFAULT_LANGUAGE
    found, _ = await conversation.genres.choices(current, language)
    found = found or list(await conversation.genres.suggestions(current, language))
    return [
        app_commands.Choice(name=choice.name[:OPTION_CHARACTERS], value=choice.label[:OPTION_CHARACTERS])
        for choice in found
    ]


def _add_language(client: DiscordClient, conversation: Conversation, requests: RequestHandler) -> None:
    @client.tree.command(name=named("slash-language"), description=described("slash-language"))
    @app_commands.rename(language=named("option-language"))
    @app_commands.describe(language=described("option-language"))
    @app_commands.choices(language=LANGUAGE_CHOICES)
    async def language(interaction: Interaction, language: str) -> None:
        async def request(requester: Requester) -> Response:
            return await requests.set_language(requester, language_of(language) or DEFAULT_LANGUAGE)

        await respond(conversation, interaction, request)


def _add_settings(client: DiscordClient, conversation: Conversation, submissions: DiscordSubmissions) -> None:
    options = ("language", "picture", "listen", "ignore")
    descriptions = {name: described(f"option-{name}") for name in options} | {"language": described("option-here")}

    @client.tree.command(name=named("slash-settings"), description=described("slash-settings"))
    @app_commands.default_permissions(administrator=True)
    @app_commands.rename(**{name: named(f"option-{name}") for name in options})
    @app_commands.describe(**descriptions)
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
        async def request(requester: Requester) -> Response:
            text = await conversation.info.change(
                requester,
                language="each" if language == "each" else language_of(language),
                picture=None if picture is None else picture == "on",
                listen=None if listen is None else str(listen.id),
                ignore=None if ignore is None else str(ignore.id),
                channel_format=LIMITS.channel_format,
            )
            submissions.settings_changed(requester.chat_id)
            if listen is not None and not client.may_read_messages:
                text += "\n\n" + requester.words.translate("settings-cannot-read")
            return Response(OutgoingMessage(text))

        await respond(conversation, interaction, request)


def _add_export(feedback: app_commands.Group, conversation: Conversation, requests: RequestHandler) -> None:
    options = ("form", "since", "until", "genre", "status")
    descriptions = {name: described(f"option-{name}") for name in options} | {"genre": described("option-wanted")}

    @feedback.command(name=named("slash-export"), description=described("slash-export"))
    @app_commands.rename(**{name: named(f"option-{name}") for name in options})
    @app_commands.describe(**descriptions)
    @app_commands.choices(
        form=[app_commands.Choice(name=form.value, value=form.value) for form in ExportFormat], status=STATUS_CHOICES
    )
    async def export(
        interaction: Interaction,
        form: str = ExportFormat.CSV.value,
        since: str | None = None,
        until: str | None = None,
        genre: str | None = None,
        status: str | None = None,
    ) -> None:
        async def request(requester: Requester) -> Response:
            return await requests.export(requester, export_filter(form, since, until, genre, status))

        await respond(conversation, interaction, request)
