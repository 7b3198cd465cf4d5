"""Discord as a chat among chats: messages and commands become songs, and what happens to a song becomes one message.

The door to ``bot.discord``, where the connection, the commands and the buttons are.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.core import messages, timeline
from bot.core.chat import CannotStart, Submission
from bot.core.errors import Closing, NoSongThere, TooManyHere, TryLater, Undeliverable
from bot.core.identity import Person
from bot.core.localization import DEFAULT_LANGUAGE, language_of
from bot.discord import discord
from bot.discord.client import Client
from bot.discord.commands import add_commands
from bot.discord.component_handlers import Presses
from bot.discord.components import view_of
from bot.discord.download import fetch
from bot.discord.interaction_context import MESSAGE_CHARACTERS, PLATFORM, help_text, is_visitor, place_of, welcome
from bot.discord.message_parsing import (
    attachments_of,
    is_addressed,
    is_listened_to,
    link_parcel,
    links_in,
    parcel_of,
    songs_in,
)
from bot.discord.message_registry import Board
from bot.discord.status_message import TOKEN_SECONDS, VISITORS_MESSAGES, Saying, Spot, progress_saying, titled
from classifier.errors import NotAudio
from common.errors import TooLarge, UserError
from common.units import MEGABYTE
from storage import TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.chat import Heard, Song, Stage
    from bot.core.conversation import Conversation
    from bot.core.localization import Language
    from bot.core.vocabulary import Words
    from bot.discord.message_parsing import Parcel
    from bot.settings import Settings
    from storage import ChatSettings

START_SECONDS = 30.0
CLOSE_SECONDS = 5.0

log = logging.getLogger(__name__)


def open_chat(settings: Settings, conversation: Conversation) -> DiscordChat:
    """Make the chat; it has not started yet."""
    return DiscordChat(settings, conversation)


class DiscordChat:
    """Discord.

    Parameters
    ----------
    settings, conversation
        The token and the limits, and what is said.
    """

    platform = PLATFORM

    def __init__(self, settings: Settings, conversation: Conversation) -> None:
        self.conversation = conversation
        self.presses = Presses(conversation)
        self.client = Client(settings, self)
        add_commands(self)
        self._settings = settings
        self._taking = True
        self._connection: asyncio.Task[None] | None = None
        self._board = Board(self.client, conversation)
        self._setups: dict[str, ChatSettings] = {}

    # The life of the connection

    @property
    def connected(self) -> bool:
        """Whether every connection to the gateway stands; one that does not may come back by itself."""
        if self.client.is_closed() or not self.client.is_ready():
            return False
        return not any(shard.is_closed() for shard in self.client.shards.values())

    async def start(self) -> None:
        """Log in and connect; reconnecting later is the library's work."""
        token = self._settings.discord_token
        if token is None:
            raise CannotStart("there is no DISCORD_TOKEN")
        try:
            await self.client.login(token.get_secret_value())
        except discord.LoginFailure:
            await self.client.close()
            raise CannotStart("Discord does not know this token: make a new one and set DISCORD_TOKEN") from None
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            await self.client.close()
            raise CannotStart(f"{self._settings.discord_api_url} cannot be reached: {error}") from error
        self._connection = asyncio.create_task(self.client.connect(), name="discord")
        ready = asyncio.create_task(self.client.wait_until_ready())
        await asyncio.wait({ready, self._connection}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._connection.done():
            reason = self._connection.exception()
            await self.client.close()
            raise CannotStart(f"Discord ended the connection: {reason}")
        if not self.client.is_ready():
            log.warning("Discord is not ready yet; the bot goes on trying")

    async def stop_taking(self) -> None:
        """Take no more songs; buttons and answers go on working."""
        self._taking = False

    async def close(self) -> None:
        """End the connection."""
        self._board.close()
        await self.client.close()
        if self._connection is not None:
            await asyncio.wait({self._connection}, timeout=CLOSE_SECONDS)

    # What people do

    async def heard(self, message: discord.Message) -> None:
        """Take the songs in a message that is meant for the bot, or that was written where it listens."""
        me = self.client.user
        if me is None:
            return
        chat_id = place_of(None if message.guild is None else message.guild.id, message.channel.id)
        setup = await self._setup(chat_id)
        is_meant = is_addressed(message, me)
        if not is_meant:
            if not is_listened_to(message, setup.listening):
                return
            message = await self.client.read_along(message)
        parcels = songs_in(message)
        if is_meant and not parcels:
            parcels = [link_parcel(link) for link in links_in(message.content)]
        spoken, locale = self.client.spoken.get(message.author.id), getattr(message.guild, "preferred_locale", "")
        language = language_of(setup.language) or spoken or language_of(str(locale)) or DEFAULT_LANGUAGE
        spot = Spot(message.channel.id, message.id, reply_to=message.id, picture=setup.picture)
        person = Person(PLATFORM, str(message.author.id))
        if parcels:
            await self._take_all(person, language, chat_id, parcels, spot)
        elif is_meant:
            spoken = await self.conversation.language(person) or language
            words = self.conversation.words(spoken)
            text = messages.sentence(NotAudio(), spoken) if attachments_of(message) else self.help_text(words)
            await self._board.remark(spot, text)

    async def asked(
        self, interaction: discord.Interaction[Any], files: Sequence[discord.Attachment], text: str
    ) -> None:
        """Take what ``/genre`` was given."""
        links = links_in(text) or ([text.strip()] if text.strip() else [])
        parcels = [parcel_of(file, None) for file in files] + [link_parcel(link) for link in links]
        await self._take_asked(interaction, parcels)

    async def asked_about(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Take the songs, or else the links, of a message that somebody points at."""
        parcels = songs_in(message) or [link_parcel(link) for link in links_in(message.content)]
        await self._take_asked(interaction, parcels)

    async def pressed(self, interaction: discord.Interaction[Any], custom_id: str, values: Sequence[str]) -> None:
        """Answer a press or a pick."""
        await self.presses.take(interaction, custom_id, values)

    async def typed(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a filled text box."""
        await self.presses.take_text(interaction)

    def help_text(self, words: Words) -> str:
        """Return what the bot can do here, and within which limits."""
        return help_text(self._settings, words)

    def settings_changed(self, chat_id: str) -> None:
        """Read a place's settings anew the next time."""
        self._setups.pop(chat_id, None)

    async def _setup(self, chat_id: str) -> ChatSettings:
        if chat_id not in self._setups:
            self._setups[chat_id] = await self.conversation.housekeeping.chat(PLATFORM, chat_id)
        return self._setups[chat_id]

    async def _take_asked(self, interaction: discord.Interaction[Any], parcels: list[Parcel]) -> None:
        acknowledged = await interaction.response.defer(thinking=True)
        guest = await welcome(self.conversation, interaction)
        if not parcels:
            await guest.excuse(NoSongThere())
            return
        if len(parcels) > 1:
            # The next message of an interaction takes the place of "thinking…", whichever song it is about.
            await interaction.edit_original_response(content=guest.words.say("progress-fetching"))
        setup = await self._setup(guest.chat_id)
        spot = Spot(
            channel=interaction.channel_id or 0,
            song=interaction.id,
            token=interaction.token,
            until=time.time() + TOKEN_SECONDS,
            slot=None if acknowledged is None else acknowledged.message_id,
            picture=setup.picture,
        )
        language = language_of(setup.language) or language_of(str(interaction.locale)) or DEFAULT_LANGUAGE
        taken = parcels
        if is_visitor(interaction) and len(parcels) > VISITORS_MESSAGES:
            taken = parcels[: VISITORS_MESSAGES - 1]
        await self._take_all(guest.person, language, guest.chat_id, taken, spot)
        if taken != parcels:
            sentence = messages.sentence(TooManyHere(limit=len(taken)), guest.language)
            await self._board.remark(replace(spot, slot=None), sentence, len(taken))

    async def _take_all(
        self, person: Person, language: Language, chat_id: str, parcels: list[Parcel], spot: Spot
    ) -> None:
        """Take songs that came together: each gets its own answer, and one refusal is enough for all that follow."""
        spots = [
            Spot(**spot.as_json() | {"named": len(parcels) > 1, "slot": spot.slot if number == 0 else None})
            for number in range(len(parcels))
        ]
        shown = []
        for number, (parcel, place) in enumerate(zip(parcels, spots, strict=True)):
            try:
                shown.append(await self._take(person, language, chat_id, parcel, place))
            except UserError as error:
                spoken = await self.conversation.language(person) or language
                await self._board.remark(place, messages.sentence(error, spoken), number)
                if isinstance(error, (TooManyQueued, TooManyToday, Closing)):
                    break
        # Written down is every song by now; only then is anything said of them.
        await asyncio.gather(*(self._board.show_place(job_id, words) for job_id, words in shown))

    async def _take(
        self, person: Person, language: Language, chat_id: str, parcel: Parcel, spot: Spot
    ) -> tuple[int, Words]:
        if not self._taking:
            raise Closing()
        if parcel.size > self._settings.max_megabytes * MEGABYTE:
            raise TooLarge(megabytes=self._settings.max_megabytes)
        submission = Submission(
            person=person,
            language=language,
            chat_id=chat_id,
            title=parcel.title,
            source=parcel.source,
            message=spot.as_json(),
            payload=parcel.payload,
            key=f"{spot.song}:{parcel.name}",
        )
        job = await self.conversation.submit(submission)
        spoken = await self.conversation.language(person) or language
        words = self.conversation.words(spoken)
        self._board.opened(job.id, spot, words)
        return job.id, words

    # What the queue tells (see ``bot.core.chat.Chat``)

    async def fetch(self, song: Song, folder: Path) -> Path:
        """Download the song from Discord."""
        suffix = PurePath(song.title or "").suffix
        target = folder / f"song{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
        await fetch(self.client, song.payload, target, megabytes=self._settings.max_megabytes)
        return target

    async def show(self, song: Song, stage: Stage) -> Mapping[str, Any] | None:
        """Show progress in the song's message."""
        self._board.waits(song, still=stage.kind == "queued")
        line = self._board.line(song)
        saying = progress_saying(stage, song.words, song.job_id)
        await line.show(titled(saying, song) if messages.is_from_list(song) else saying)
        return None if line.slot is None else {"slot": line.slot}

    async def ask(self, song: Song, question: messages.Message) -> Mapping[str, Any]:
        """Make the song's message a question."""
        marks = tuple(button.data for button in question.buttons)
        return {"slot": await self._board.line(song).end(Saying(question.text, view_of(question.buttons)), marks=marks)}

    async def answer(self, song: Song, heard: Heard) -> Mapping[str, Any]:
        """Make the song's message its answer."""
        spot = Spot(**song.message)
        title = len(titled(Saying(""), song).text) if spot.named else 0
        said = messages.answer(
            heard.report, song.words, heard.reply.id, known=heard.known, characters=MESSAGE_CHARACTERS - title
        )
        picture = await self.conversation.picture(heard.report, song.words, "dark") if spot.picture else None
        saying = Saying(
            text=said.text,
            view=view_of(said.buttons),
            picture=picture,
            description=timeline.alt_text(heard.report, song.words),
        )
        saying = titled(saying, song) if spot.named else saying
        slot = await self._board.line(song).end(saying, marks=(f"votes:{heard.reply.id}",))
        return {"channel": spot.channel, "message": slot}

    async def refuse(self, song: Song, error: UserError) -> None:
        """Make the song's message the reason why there is no answer."""
        saying = Saying(messages.sentence(error, song.words.language))
        is_named = Spot(**song.message).named or messages.is_from_list(song)
        await self._board.line(song).end(titled(saying, song) if is_named else saying)

    async def stopped(self, song: Song) -> None:
        """Say in the song's message that it was stopped."""
        try:
            await self._board.line(song).end(Saying(song.words.say("progress-cancelled")))
        except (TryLater, Undeliverable) as reason:
            log.info("job %d: nobody could be told that it was stopped: %s", song.job_id, reason)

    async def discard(self, song: Song) -> None:
        """The song has ended: nothing more is said of it."""
        await self._board.ended(song.job_id)

    def queue_moved(self) -> None:
        """Show whoever waits their new place, soon."""
        self._board.queue_moved()
