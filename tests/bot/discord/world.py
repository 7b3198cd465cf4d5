"""What there is in the Discord for tests: channels, messages, interactions; and what was done to them, in order."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.bot.load_rates import Bucket, Limit, Rates

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "a-token-that-only-the-fake-knows.for.tests"
EPOCH_MILLISECONDS = 1_420_070_400_000
BOT = {"id": "1000", "username": "genre", "discriminator": "0", "avatar": None, "bot": True, "global_name": None}
GUILD, DM = 0, 1
EPHEMERAL = 64
LOADING = 128
VOICE = 1 << 13
MESSAGE_CONTENT_LIMITED = 1 << 19
ADMINISTRATOR = 1 << 3
ORDINARY = (1 << 10) | (1 << 11) | (1 << 16)

# As Discord tells bots of them in its responses' headers.
MESSAGES, EDITS = Limit("messages to one channel", 5, 5), Limit("edits in one channel", 5, 5)
OVER_ALL = Limit("requests over Discord", 50, 1)

Event = dict[str, Any]


@dataclass
class Fault:
    """What a request meets instead of its answer: so many times, after it was done or before."""

    method: str
    path: str
    status: int
    code: int = 0
    times: int = 1
    after: bool = False
    retry_after: float = 0.05

    def meets(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and re.search(self.path, path) is not None


@dataclass
class Spoken:
    """An interaction's state: where its messages go, and whether its token lives."""

    channel: str
    user: str
    source: str | None
    kind: int
    original: str | None = None
    began: int = 0
    edits_before: int = 0
    alive: bool = True
    visiting: bool = False
    follow_ups: int = 0
    acknowledged: list[dict[str, Any]] = field(default_factory=list)


class World:
    """Channels, messages and interactions.

    Attributes
    ----------
    posts, edits
        Messages of the bot as they were when made, and at each change.
    faults
        What goes wrong, first one first.
    held
        Beginning of a method and path → what the answers to such requests wait for, once they have taken effect.
    commands
        What the bot registered.
    rates
        How often the bot asks for anything; what is too often is in its ``breaches``.
    changes
        When (monotonic seconds) each message of the bot came to say what.
    callbacks
        What was answered to each interaction, by its id, with the seconds it took.
    """

    def __init__(self) -> None:
        self.channels: dict[str, Event] = {}
        self.messages: dict[str, Event] = {}
        self.files: dict[str, bytes] = {}
        self.pictures: dict[str, bytes] = {}
        self.interactions: dict[str, Spoken] = {}
        self.posts: list[Event] = []
        self.edits: list[Event] = []
        self.rates = Rates()
        self.changes: list[tuple[float, Event]] = []
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.faults: list[Fault] = []
        self.held: dict[str, asyncio.Event] = {}
        self.commands: list[Event] = []
        self.callbacks: dict[str, tuple[float, Event]] = {}
        self.asked_at: dict[str, float] = {}
        self.guilds: dict[str, Event] = {}
        self.nonces: dict[tuple[str, str], str] = {}
        self.reads_along = False
        self.application_id = BOT["id"]
        self.forbidden: set[str] = set()
        self.no_files: set[str] = set()
        self.no_messages: set[str] = set()
        self.no_reactions: set[str] = set()
        self.reactions: list[tuple[str, str]] = []
        self._numbers = itertools.count()
        self._news = asyncio.Condition()

    def snowflake(self) -> str:
        milliseconds = int(time.time() * 1000) - EPOCH_MILLISECONDS
        return str((milliseconds << 22) + next(self._numbers) % (1 << 22))

    def bucket(self, method: str, place: str) -> Bucket | None:
        """Return the limit on writing somewhere; None for what only reads."""
        limit = {"POST": MESSAGES, "PATCH": EDITS}.get(method)
        return None if limit is None else self._buckets.setdefault((method, place), Bucket(limit))

    async def tell(self) -> None:
        """Say that something has happened."""
        async with self._news:
            self._news.notify_all()

    async def until(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        """Wait until something is so, and return it."""
        async with self._news:
            try:
                async with asyncio.timeout(seconds):
                    return await self._news.wait_for(what)
            except TimeoutError:
                said = [(m["id"], m["content"], m["flags"]) for m in self.of_bot()]
                raise AssertionError(f"it never came to that; the bot had said {said}") from None

    def add_channel(self, kind: int = GUILD, guild: str | None = None, **more: Any) -> str:
        number = self.snowflake()
        channel: Event = {"id": number, "type": kind, "name": f"room-{number}", "position": 0, **more}
        if guild is not None:
            channel |= {"guild_id": guild, "permission_overwrites": [], "nsfw": False}
        self.channels[number] = channel
        return number

    def add_message(self, channel: str, author: Event, **more: Any) -> Event:
        number = self.snowflake()
        message: Event = {
            "id": number,
            "channel_id": channel,
            "author": author,
            "content": "",
            "timestamp": "2026-11-01T12:00:00.000000+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            **more,
        }
        guild = self.channels[channel].get("guild_id")
        if guild is not None:
            message["guild_id"] = guild
        self.messages[number] = message
        return message

    def of_bot(self, channel: str | None = None) -> list[Event]:
        """Return what the bot's messages say now, oldest first."""
        return [
            message
            for message in self.messages.values()
            if message["author"]["id"] == BOT["id"] and channel in {None, message["channel_id"]}
        ]

    def visible(self, message: Event) -> Event:
        """Return a message as Discord shows it to a bot that may not read along, over REST."""
        return message if self.reads_along else hidden(message, self.channels[message["channel_id"]])


def hidden(message: Event, channel: Event) -> Event:
    """Return a message as an event shows it to a bot without the message content intent."""
    replied = message.get("referenced_message")
    if replied is not None:
        message = {**message, "referenced_message": hidden(replied, channel)}
    concerns = channel["type"] != GUILD or message["author"]["id"] == BOT["id"]
    if concerns or any(user["id"] == BOT["id"] for user in message["mentions"]):
        return message
    return {**message, "content": "", "attachments": [], "embeds": [], "components": []}


def custom_ids(message: Event) -> list[str]:
    """Return the custom ids of what can be pressed below a message, in order."""
    return [part["custom_id"] for row in message["components"] for part in row["components"] if "custom_id" in part]
