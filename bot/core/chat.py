"""What the chats and the conversation exchange: a song that was sent, its stages, finished messages to post.

A chat implements ``Chat``: it parses what comes in, calls the conversation, and posts and edits what that returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.core.callbacks import Action, Callback, GenreTarget
    from bot.core.identity import Person
    from bot.core.localization import Language, Localizer
    from bot.core.palette import Theme
    from classifier.song_report import SongReport
    from common.errors import UserError
    from storage import Reply

LINK_SOURCE = "link"
"""``Submission.source`` of a link: its payload has what was pasted as ``link`` (or ``url``); no chat fetches it."""
FROM_PLAYLIST = "from-list"
"""Key in the payload of a song that was taken from a playlist."""

StageKind = Literal["queued", "fetching", "asking", "waiting", "decoding", "listening", "answering"]


@dataclass(frozen=True, slots=True)
class Submission:
    """A song that somebody sent.

    Attributes
    ----------
    person, language
        Who sent it, and the language to answer in unless they chose one.
    chat_id
        The platform's id of the chat whose administrators moderate it: a server, a group, a private chat.
    title
        File name or title as the platform gave it, not yet cleaned.
    source
        ``upload``, ``voice``, ``link`` or ``example``.
    message
        The way back to the chat message, as JSON; deleted when the song is answered.
    payload
        The way to the bytes, as JSON; deleted when the song is answered.
    key
        Identifies the very thing that was sent, so that a second delivery is not answered twice; None to skip this.
    named, shared
        Whether the answer must show the title, since several songs came together; whether others use its buttons, too.
    unasked
        Whether nobody asked: it was sent where every song is answered. Then only an answer is shown.
    alone
        Whether nobody but the sender sees the answer.
    size
        Bytes, as the platform states it; None where it does not.
    place
        As in ``Requester``.
    """

    person: Person
    language: Language
    chat_id: str
    title: str | None
    source: str
    message: Mapping[str, Any]
    payload: Mapping[str, Any]
    key: str | None = None
    named: bool = False
    shared: bool = False
    unasked: bool = False
    alone: bool = False
    size: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class PendingSong:
    """A song that is not answered yet, as its chat gets it back, perhaps after a restart.

    Attributes
    ----------
    job_id
        Number of its job, for the Cancel button.
    person
        Keyed hash of the sender.
    words
        Texts in the sender's language.
    title, message, payload, named, shared, unasked, alone
        As in ``Submission``; the title is cleaned.
    noted
        What ``Chat.show`` last returned, such as the id of the status message.
    """

    job_id: int
    person: str
    words: Localizer
    title: str | None
    message: Mapping[str, Any]
    payload: Mapping[str, Any]
    noted: Mapping[str, Any] = field(default_factory=dict)
    named: bool = False
    shared: bool = False
    unasked: bool = False
    alone: bool = False

    @property
    def from_playlist(self) -> bool:
        """Whether it is one of several songs behind a link, so that every message about it shows its title."""
        return bool(self.payload.get(FROM_PLAYLIST))


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a song has come.

    Attributes
    ----------
    kind
        ``queued`` → ``fetching`` → ``decoding`` → ``listening`` → ``answering``; ``asking`` where a link led to a
        playlist, until the person answers; ``waiting`` while no worker can be reached or has the time.
    place, minutes
        In the queue: 1 is next; about how long it will take, None where nobody can tell yet.
    segment, segments
        While listening, from 1.
    megabytes
        While a link is fetched: how much has arrived, whole megabytes.
    """

    kind: StageKind
    place: int = 0
    minutes: int | None = None
    segment: int = 0
    segments: int = 0
    megabytes: int = 0


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message: what it does, and its text."""

    callback: Callback
    text: str

    @property
    def action(self) -> Action:
        """What it does."""
        return self.callback.action

    @property
    def data(self) -> str:
        """What the platform sends back when it is pressed; see ``bot.core.callbacks``."""
        return str(self.callback)


@dataclass(frozen=True, slots=True)
class GenreChoice:
    """A genre that can be chosen.

    Attributes
    ----------
    label, number
        The label's id, and its number for platforms with short callbacks.
    name, about
        Its name and a short description in the person's language.
    proposed
        Whether no moderator has confirmed it yet.
    """

    label: str
    number: int
    name: str
    about: str
    proposed: bool


@dataclass(frozen=True, slots=True)
class GenreMenu:
    """One page of the genres that can be chosen for ``target``; ``offset`` is the first one's index among ``total``."""

    target: GenreTarget
    choices: tuple[GenreChoice, ...]
    offset: int
    total: int


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file to send."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A finished message for a chat to post.

    Attributes
    ----------
    text, buttons
        What it says, and the buttons below it.
    title
        The song that it is about, shown above the text; None where that is clear.
    picture, alt_text
        A PNG, and the same in words.
    menu, file
        A list of genres below it, and a file that comes with it.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    title: str | None = None
    picture: bytes | None = None
    alt_text: str = ""
    menu: GenreMenu | None = None
    file: OutgoingFile | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to post.

    Attributes
    ----------
    reply
        The stored reply, whose id the buttons carry.
    report
        The song's report.
    known
        Whether this very recording had been classified before.
    message
        The answer as a message.
    """

    reply: Reply
    report: SongReport
    known: bool
    message: OutgoingMessage


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """A platform's limits and looks, as data for whoever composes messages.

    Attributes
    ----------
    text_characters, caption_characters
        The longest message without and with a picture.
    picture_theme
        Colours of the timeline; None where the chat draws its own.
    genre_prompt
        Name of the message above a list of genres.
    genre_menu_keeps_text
        Whether a moderator's list of genres shows the correction above it.
    channel_format
        How a channel's id is shown, such as ``<#{}>``; None where a chat has no channels.
    help_private, help_group, help_commands_only
        Names of the messages that explain the bot to somebody alone with it, in a group, and in a group where only
        commands reach it (see ``Requester.addressed_as``).
    """

    text_characters: int
    caption_characters: int
    picture_theme: Theme | None
    genre_prompt: str = "genres-question"
    genre_menu_keeps_text: bool = False
    channel_format: str | None = None
    help_private: tuple[str, ...] = ()
    help_group: tuple[str, ...] = ()
    help_commands_only: tuple[str, ...] = ()


class Chat(Protocol):
    """A platform where people send songs. Every method but ``start`` may be called again for the same song."""

    @property
    def platform(self) -> str:
        """``discord``, ``telegram`` or ``local``."""

    @property
    def limits(self) -> ChatLimits:
        """The platform's limits."""

    @property
    def connected(self) -> bool:
        """Whether people can reach it just now; False before the start and after the end."""

    async def start(self) -> None:
        """Begin to take songs.

        Raises ``ChatCannotStart`` with a sentence for the operator, ``PlatformUnreachable`` if it may be called again.
        """

    async def stop_taking(self) -> None:
        """Take no more songs; those taken may still be answered."""

    async def close(self) -> None:
        """Disconnect for good."""

    async def fetch(self, song: PendingSong, folder: Path) -> Path:
        """Download the song's bytes; ``folder`` is the song's own and is deleted after it.

        Raises ``SongError`` for what the person can mend, ``TryLater`` for the platform's faults.
        """

    async def show(self, song: PendingSong, stage: Stage) -> Mapping[str, Any] | None:
        """Show progress, if the platform allows it now; return what to note for after a restart, None for nothing."""

    async def ask(self, song: PendingSong, question: OutgoingMessage) -> Mapping[str, Any] | None:
        """Put a question in the place of the progress; return what to note, as ``show`` does.

        Raises ``TryLater`` or ``Undeliverable``.
        """

    async def answer(self, song: PendingSong, answered: Answered) -> Mapping[str, Any]:
        """Put the answer in the place of the progress; return where the message is.

        Raises ``TryLater`` or ``Undeliverable``.
        """

    async def refuse(self, song: PendingSong, error: UserError) -> None:
        """Say why there is no answer. Raises ``TryLater`` or ``Undeliverable``."""

    async def stopped(self, song: PendingSong) -> None:
        """Say that the song was stopped, as its sender asked."""

    async def discard(self, song: PendingSong) -> None:
        """Forget the song, which has ended, and delete what is kept of its bytes."""

    def queue_moved(self) -> None:
        """Show those who wait their new places, soon; returns at once."""


class ChatCannotStart(Exception):
    """A chat cannot start; the message says why, and what the operator can do."""


class PlatformUnreachable(ChatCannotStart):
    """A chat cannot start yet, since its platform cannot be reached; ``Chat.start`` may be called again."""
