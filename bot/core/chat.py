"""What every chat and the conversation say to each other: a song sent, its way through the stages, its answer.

A chat module implements ``Chat``: it translates between its platform and these types, and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.core.identity import Person
    from bot.core.localization import Language
    from bot.core.messages import Message
    from bot.core.vocabulary import Words
    from classifier.song_report import SongReport
    from common.errors import UserError
    from storage import Reply

LINK_SOURCE = "link"
"""``Submission.source`` of a link: its payload has what was pasted as ``link`` (or ``url``); no chat fetches it."""

StageKind = Literal["queued", "fetching", "asking", "waiting", "decoding", "listening", "answering"]


@dataclass(frozen=True, slots=True)
class Submission:
    """A song that somebody sent.

    Attributes
    ----------
    person, language
        Who, and the language that their platform says they read.
    chat_id
        The platform's id of the place whose administrators moderate it: a server, a group, a private chat.
    title
        File name or title as the platform gave it, unclean; None if there is none.
    source
        What kind of thing: ``upload``, ``voice``, ``link``, ``example``.
    message
        The way back to the chat message, as JSON; forgotten when the song is answered.
    payload
        The way to the bytes, as JSON; forgotten when the song is answered.
    key
        Names the very thing sent, so that a second delivery is not answered twice; None if there are none.
    """

    person: Person
    language: Language
    chat_id: str
    title: str | None
    source: str
    message: Mapping[str, Any]
    payload: Mapping[str, Any]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Song:
    """A song on its way, as its chat gets it back, perhaps after a restart.

    Attributes
    ----------
    job_id
        For the Cancel button.
    person
        Keyed hash of who sent it.
    words
        In whose language to speak.
    title, message, payload
        As in ``Submission``.
    noted
        What ``Chat.show`` last returned, such as where the progress message is.
    """

    job_id: int
    person: str
    words: Words
    title: str | None
    message: Mapping[str, Any]
    payload: Mapping[str, Any]
    noted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a song has come.

    Attributes
    ----------
    kind
        ``queued`` → ``fetching`` → ``decoding`` → ``listening`` → ``answering``; ``asking`` where a link led to a list,
        until the person answers; ``waiting`` while no machine that listens can be reached or has the time.
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
class Heard:
    """An answer on its way to its chat.

    Attributes
    ----------
    reply
        What buttons hang on.
    report
        What to say.
    known
        Whether this very recording had been heard before.
    """

    reply: Reply
    report: SongReport
    known: bool


class Chat(Protocol):
    """A place where people send songs. Every method but ``start`` may be called again for the same song."""

    @property
    def platform(self) -> str:
        """``discord``, ``telegram`` or ``local``."""

    @property
    def connected(self) -> bool:
        """Whether people can reach it just now; False before the start and after the end."""

    async def start(self) -> None:
        """Begin to take songs; raises ``CannotStart`` with a sentence for the operator."""

    async def stop_taking(self) -> None:
        """Take no more songs; those taken may still be answered."""

    async def close(self) -> None:
        """End for good."""

    async def fetch(self, song: Song, folder: Path) -> Path:
        """Bring the song's bytes here; ``folder`` is the song's own and is deleted after it.

        Raises ``SongError`` for what the person can mend, ``TryLater`` for the platform's faults.
        """

    async def show(self, song: Song, stage: Stage) -> Mapping[str, Any] | None:
        """Show progress, if the platform allows it now; return what to note for after a restart, None for nothing."""

    async def ask(self, song: Song, question: Message) -> Mapping[str, Any] | None:
        """Put a question and its buttons in the place of the progress; return what to note, as ``show`` does.

        Raises ``TryLater`` or ``Undeliverable``.
        """

    async def answer(self, song: Song, heard: Heard) -> Mapping[str, Any]:
        """Give the answer, in the place of the progress; return where the message is.

        Raises ``TryLater`` or ``Undeliverable``.
        """

    async def refuse(self, song: Song, error: UserError) -> None:
        """Say why there is no answer. Raises ``TryLater`` or ``Undeliverable``."""

    async def stopped(self, song: Song) -> None:
        """Say that the song was stopped, as its sender asked."""

    async def discard(self, song: Song) -> None:
        """The song has ended: delete what is kept of its bytes."""

    def queue_moved(self) -> None:
        """The queue moved on, so that whoever waits may be shown their new place; returns at once."""


class CannotStart(Exception):
    """A chat cannot start; the message says why, and what the operator can do."""
