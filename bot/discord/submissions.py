"""Takes the songs in Discord messages and commands: stores all of them, then shows where they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.core.chat import OutgoingMessage, Submission
from bot.core.errors import Closing, NoSongThere, TooManyAtOnce
from bot.core.identity import Person
from bot.core.localization import language_of
from bot.core.messages import refusal, sentence
from bot.core.song_selection import LINKS_AT_ONCE, links_in, links_left_out
from bot.discord.interaction_context import chat_id_of, is_visitor, open_context, reply_target
from bot.discord.limits import PLATFORM, VISITOR_MESSAGES
from bot.discord.message_parsing import (
    attachment_source,
    is_addressed,
    is_from,
    is_listened_to,
    link_source,
    mentions_bot,
    songs_asked_for,
    unasked_songs,
)
from bot.discord.message_port import ReplyTarget
from common.errors import StorageUnavailable, UserError
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
        if is_addressed(message, me):
            await self._from_addressed(message, me, chat_id)
        elif self._is_taught(message):
            songs = unasked_songs(await self._client.with_attachments(message))
            target = ReplyTarget(message.channel.id, message.id, reply_to=message.id)
            requester = await self._writer(message, chat_id)
            await self._submit_all(*requester, chat_id, songs, target)
        elif await self._answers_all(message, chat_id):
            songs = unasked_songs(await self._client.with_attachments(message))
            target = ReplyTarget(message.channel.id, message.id, reply_to=message.id, sender=message.author.id)
            requester = await self._writer(message, chat_id)
            await self._submit_all(*requester, chat_id, songs, target, unasked=True)

    async def _from_addressed(self, message: discord.Message, me: discord.ClientUser, chat_id: str) -> None:
        """Take the songs of a message, or of the one that it replies to while it mentions the bot."""
        # Discord hides what is in a message that mentions only the bot's role.
        messages = [await self._client.with_attachments(message)]
        is_reply = message.reference is not None and mentions_bot(message, me)
        replied = await self._client.replied_message(message) if is_reply else None
        if replied is not None and not is_from(replied, me):
            messages.append(replied)
        files, links = songs_asked_for(messages)
        person, language = await self._writer(message, chat_id)
        target = ReplyTarget(message.channel.id, message.id, reply_to=message.id, sender=message.author.id)
        if files or links:
            alone = message.guild is None
            await self._submit_all(person, language, chat_id, [*files, *_taken(links)], target, alone=alone)
            await self._name_left_out(links, language, target)
            return
        words = self._conversation.words(language)
        if len(messages) > 1 and not self._client.may_read_messages:
            text = words.translate("discord-cannot-see", menu=words.translate("menu-genre"))
        else:
            text = self._requests.help_text(words, private=message.guild is None)
        await self._status.remark(target.as_json(), text, words)

    async def from_command(
        self, interaction: discord.Interaction[Any], files: Sequence[discord.Attachment], text: str
    ) -> None:
        """Take the file or the links that ``/genre`` was given."""
        links = links_in(text) or ([text.strip()] if text.strip() else [])
        await self._from_interaction(interaction, [attachment_source(file, None) for file in files], links, named=True)

    async def from_context_menu(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Take the songs, or else the links, of a message that somebody chose."""
        files, links = songs_asked_for([message])
        await self._from_interaction(interaction, files, links)

    def _is_taught(self, message: discord.Message) -> bool:
        """Return whether somebody is teaching a genre where a message was written."""
        person = Person(PLATFORM, str(message.author.id))
        return self._conversation.teaching.label_for(person, str(message.channel.id)) is not None

    async def _answers_all(self, message: discord.Message, chat_id: str) -> bool:
        try:
            return is_listened_to(message, (await self._chat_settings(chat_id)).listening)
        except StorageUnavailable:
            return False  # whoever asks the bot by name is told

    async def _chat_settings(self, chat_id: str) -> ChatSettings:
        # This is asked for every message that the bot sees.
        if chat_id not in self._chats:
            self._chats[chat_id] = await self._conversation.info.chat(PLATFORM, chat_id)
        return self._chats[chat_id]

    async def _writer(self, message: discord.Message, chat_id: str) -> tuple[Person, Language]:
        """Return who wrote a message, and the language to answer in."""
        person = Person(PLATFORM, str(message.author.id))
        locale = language_of(str(getattr(message.guild, "preferred_locale", "")))
        # Discord does not send a person's own language with a message.
        spoken = self._client.languages.get(message.author.id) or locale
        return person, await self._conversation.language_for(person, chat_id, spoken)

    async def _from_interaction(
        self, interaction: discord.Interaction[Any], files: list[SongSource], links: list[str], *, named: bool = False
    ) -> None:
        """Take songs through an interaction; ``named`` says whether even a single answer must show its song's title."""
        songs = [*files, *_taken(links)]
        # What is shown first decides whether others see it: that there is no song concerns only whoever asked.
        acknowledged = await interaction.response.defer(thinking=True, ephemeral=not songs)
        context = await open_context(self._conversation, interaction)
        requester = context.requester
        if not songs:
            await context.show(OutgoingMessage(sentence(NoSongThere(), requester.language)))
            return
        if len(songs) > 1:
            # The next message of an interaction replaces "thinking…", whichever song it is about.
            await interaction.edit_original_response(content=requester.words.translate("progress-fetching"))
        target = reply_target(interaction, slot=None if acknowledged is None else acknowledged.message_id)
        taken = songs
        if is_visitor(interaction) and len(songs) > VISITOR_MESSAGES:
            taken = songs[: VISITOR_MESSAGES - 1]
        person, language = requester.person, requester.language
        await self._submit_all(person, language, requester.chat_id, taken, target, named=named, alone=requester.private)
        rest = replace(target, slot=None)
        if taken != songs:
            text = sentence(TooManyAtOnce(limit=len(taken)), language)
            await self._status.remark(rest.as_json(), text, requester.words, len(taken))
        await self._name_left_out(links, language, rest)

    async def _name_left_out(self, links: list[str], language: Language, target: ReplyTarget) -> None:
        if len(links) > LINKS_AT_ONCE:
            words = self._conversation.words(language)
            text = links_left_out(links[LINKS_AT_ONCE:], words)
            await self._status.remark(target.as_json(), text, words, len(links))

    async def _submit_all(
        self,
        person: Person,
        language: Language,
        chat_id: str,
        songs: list[SongSource],
        target: ReplyTarget,
        *,
        named: bool = False,
        unasked: bool = False,
        alone: bool = False,
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
                named=named or len(songs) > 1,
                unasked=unasked,
                alone=alone,
                place=str(target.channel),
                size=song.size,
            )
            try:
                if not self._is_open:
                    raise Closing()
                jobs.append(await self._conversation.submit(submission))
            except UserError as error:
                is_last = isinstance(error, (TooManyQueued, TooManyToday, Closing, StorageUnavailable))
                if not unasked:
                    refused = len(songs) - number if is_last else 1
                    title = song.shown_name if submission.named and not is_last else None
                    text = refusal(error, language, refused)
                    words = self._conversation.words(language)
                    await self._status.remark(own.as_json(), text, words, number, title=title)
                if is_last:
                    break
        # Every song is stored by now, before anything is shown.
        await self._status.show_places(jobs)


def _taken(links: list[str]) -> list[SongSource]:
    return [link_source(link) for link in links[:LINKS_AT_ONCE]]
