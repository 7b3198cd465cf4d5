"""Takes the songs in Discord messages and commands: stores all of them, then shows where they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.core.chat import OutgoingMessage, Submission
from bot.core.errors import Closing, NoSongThere, TooManyAtOnce
from bot.core.identity import Person
from bot.core.localization import language_of
from bot.core.messages import sentence
from bot.discord.interaction_context import chat_id_of, is_visitor, open_context, reply_target
from bot.discord.limits import PLATFORM, VISITOR_MESSAGES
from bot.discord.message_parsing import (
    attachment_source,
    attachments_of,
    is_addressed,
    is_listened_to,
    link_source,
    links_in,
    songs_in,
)
from bot.discord.message_port import ReplyTarget
from classifier.errors import NotAudio
from common.errors import UserError
from storage import TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Sequence

    import discord

    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.core.request_handler import RequestHandler
    from bot.core.status_message import StatusMessageChat
    from bot.discord.client import DiscordClient
    from bot.discord.message_parsing import SongSource
    from storage import ChatSettings, Job


class DiscordSubmissions:
    """Finds the songs in what people send, and submits them.

    Parameters
    ----------
    conversation, requests
        Where songs and requests go.
    client
        The connection.
    status
        Shows the songs' progress.
    """

    def __init__(
        self, conversation: Conversation, requests: RequestHandler, client: DiscordClient, status: StatusMessageChat
    ) -> None:
        self._conversation = conversation
        self._requests = requests
        self._client = client
        self._status = status
        self._is_open = True
        self._chats: dict[str, ChatSettings] = {}

    def close(self) -> None:
        """Take no more songs."""
        self._is_open = False

    def settings_changed(self, chat_id: str) -> None:
        """Read a chat's settings again the next time."""
        self._chats.pop(chat_id, None)

    async def from_message(self, message: discord.Message) -> None:
        """Take the songs of a message that is addressed to the bot, or written where it answers every song."""
        me = self._client.user
        if me is None:
            return
        chat_id = chat_id_of(None if message.guild is None else message.guild.id, message.channel.id)
        addressed = is_addressed(message, me)
        if not addressed:
            if not is_listened_to(message, (await self._chat_settings(chat_id)).listening):
                return
            message = await self._client.with_attachments(message)
        songs = songs_in(message)
        if addressed and not songs:
            songs = [link_source(link) for link in links_in(message.content)]
        person = Person(PLATFORM, str(message.author.id))
        locale = language_of(str(getattr(message.guild, "preferred_locale", "")))
        # Discord does not send a person's own language with a message.
        spoken = self._client.languages.get(message.author.id) or locale
        language = await self._conversation.language_for(person, chat_id, spoken)
        target = ReplyTarget(message.channel.id, message.id, reply_to=message.id)
        if songs:
            await self._submit_all(person, language, chat_id, songs, target)
        elif addressed:
            help_text = self._requests.help_text(self._conversation.words(language), private=message.guild is None)
            text = sentence(NotAudio(), language) if attachments_of(message) else help_text
            await self._status.remark(target.as_json(), text)

    async def from_command(
        self, interaction: discord.Interaction[Any], files: Sequence[discord.Attachment], text: str
    ) -> None:
        """Take the file or the links that ``/genre`` was given."""
        links = links_in(text) or ([text.strip()] if text.strip() else [])
        songs = [attachment_source(file, None) for file in files] + [link_source(link) for link in links]
        await self._from_interaction(interaction, songs)

    async def from_context_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Take the songs, or else the links, of a message that somebody chose."""
        songs = songs_in(message) or [link_source(link) for link in links_in(message.content)]
        await self._from_interaction(interaction, songs)

    async def _chat_settings(self, chat_id: str) -> ChatSettings:
        # This is asked for every message that the bot sees.
        if chat_id not in self._chats:
            self._chats[chat_id] = await self._conversation.info.chat(PLATFORM, chat_id)
        return self._chats[chat_id]

    async def _from_interaction(self, interaction: discord.Interaction[Any], songs: list[SongSource]) -> None:
        acknowledged = await interaction.response.defer(thinking=True)
        context = await open_context(self._conversation, interaction)
        requester = context.requester
        if not songs:
            await context.show(OutgoingMessage(sentence(NoSongThere(), requester.language)))
            return
        if len(songs) > 1:
            # The next message of an interaction replaces "thinking…", whichever song it is about.
            await interaction.edit_original_response(content=requester.words.say("progress-fetching"))
        target = reply_target(interaction, slot=None if acknowledged is None else acknowledged.message_id)
        taken = songs
        if is_visitor(interaction) and len(songs) > VISITOR_MESSAGES:
            taken = songs[: VISITOR_MESSAGES - 1]
        await self._submit_all(requester.person, requester.language, requester.chat_id, taken, target)
        if taken != songs:
            text = sentence(TooManyAtOnce(limit=len(taken)), requester.language)
            await self._status.remark(replace(target, slot=None).as_json(), text, len(taken))

    async def _submit_all(
        self, person: Person, language: Language, chat_id: str, songs: list[SongSource], target: ReplyTarget
    ) -> None:
        """Submit songs that came together; each gets its own answer, and one refusal is enough for all that follow."""
        jobs: list[Job] = []
        for number, song in enumerate(songs):
            own = target if number == 0 else replace(target, slot=None)
            submission = Submission(
                person=person,
                language=language,
                chat_id=chat_id,
                title=song.title,
                source=song.source,
                message=own.as_json(),
                payload=song.payload,
                key=f"{target.song}:{song.name}",
                named=len(songs) > 1,
                size=song.size,
            )
            try:
                if not self._is_open:
                    raise Closing()
                jobs.append(await self._conversation.submit(submission))
            except UserError as error:
                await self._status.remark(own.as_json(), sentence(error, language), number)
                if isinstance(error, (TooManyQueued, TooManyToday, Closing)):
                    break
        # Every song is stored by now, before anything is shown.
        await self._status.show_places(jobs)
