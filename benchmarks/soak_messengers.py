"""Simulated people of the soak test on Telegram and Discord, that is, on the tests' servers for them.

A ``Follower`` keeps what the bot's messages about each song say now, so that nobody has to search all messages.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from benchmarks.soak_people import SONG_SECONDS, TAKEN_BACK, UNHEARD, Habits, Ledger, Music
from bot.core.localization import LANGUAGES, translate
from tests.bot.discord import Somebody as Discordian
from tests.bot.discord.world import custom_ids
from tests.bot.telegram.people import Somebody as Telegrammer
from tests.bot.telegram.people import buttons

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from tests.bot.discord import FakeDiscord
    from tests.bot.telegram.server import TelegramServer

    Message = dict[str, Any]

LOOK_SECONDS = 0.05
PRESS_SECONDS = 15.0
PRESSES = 4
UNHEARD_SECONDS = 30.0
"""Whoever sees nothing of a song for so long after the bot was killed sends another one."""
MOST_KEPT = 300
"""So many posts, edits, pictures and interactions are kept by the tests' Discord; a press is answered before that."""
CLOSING = {translate(language, "error-closing") for language in LANGUAGES}
STOPPED = {translate(language, "progress-cancelled") for language in LANGUAGES}


class Follower:
    """Follows what a platform shows.

    Parameters
    ----------
    changes
        Every change of a message of the bot, with its time; taken out as it is read.
    song_of, data_of
        Return which song a message is about, if any, and what its buttons carry.
    exists
        Tells whether a message has not been deleted.

    Attributes
    ----------
    messages
        Song → the bot's messages about it by their number, as they are now.
    """

    def __init__(
        self,
        changes: list[tuple[float, Message]],
        song_of: Callable[[Message], Hashable],
        data_of: Callable[[Message], list[str]],
        exists: Callable[[Message], bool],
    ) -> None:
        self._changes, self.song_of, self.data_of, self._exists = changes, song_of, data_of, exists
        self._news: dict[Hashable, asyncio.Event] = {}
        self.messages: dict[Hashable, dict[Hashable, Message]] = defaultdict(dict)

    async def go_on(self) -> None:
        """Follow until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Take what has changed."""
        changes, self._changes[:] = list(self._changes), []
        for _, message in changes:
            song = self.song_of(message)
            if song is None:
                continue
            message.pop("picture", None)
            self.messages[song][message.get("message_id") or message["id"]] = message
            if song in self._news:
                self._news[song].set()

    def strays(self) -> list[str]:
        """List the messages that still offer to stop a song, and those beyond a song's first one."""
        found = []
        for song, said in self.messages.items():
            there = [message for message in said.values() if self._exists(message)]
            waiting = [each for each in there if any(data.startswith("cancel:") for data in self.data_of(each))]
            found += [f"{song}: {len(waiting)} that wait, {len(there)} in all"] if waiting or len(there) > 1 else []
        return found

    async def until(self, song: Hashable, what: Callable[[Message], bool]) -> Message:
        """Wait until a message about a song is so; return it."""
        news = self._news.setdefault(song, asyncio.Event())
        while True:
            news.clear()
            found = next((message for message in self.messages[song].values() if what(message)), None)
            if found is not None:
                return found
            await news.wait()


class Messenger(Habits):
    """A person on a platform with messages and buttons.

    Attributes
    ----------
    loses_messages
        Whether a bot that is down never hears of what is sent meanwhile.
    """

    loses_messages = False

    def __init__(self, number: int, music: Music, ledger: Ledger, follower: Follower) -> None:
        super().__init__(number, music, ledger)
        self._follower = follower

    @abstractmethod
    def text(self, message: Message) -> str:
        """Return what a message says."""

    @abstractmethod
    async def press(self, message: Message, data: str) -> None:
        """Press a button."""

    async def cancel(self) -> None:
        for message in list(self._follower.messages[self.song].values()):
            if (button := self._button(message, "cancel:")) is not None:
                await self.press(message, button)

    async def ending(self) -> str:
        kills = self.ledger.kills
        ended = asyncio.create_task(
            self._follower.until(self.song, lambda message: self._button(message, "cancel:") is None)
        )
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=UNHEARD_SECONDS)
                if not self._follower.messages[self.song] and self.ledger.kills == kills and kills:
                    return UNHEARD
                kills = self.ledger.kills
            shown = await ended
        finally:
            ended.cancel()
        if self._button(shown, "right:") is not None or self._button(shown, "is:") is not None:
            return "answered"
        if self.text(shown) in CLOSING:
            return UNHEARD
        return "stopped" if self.text(shown) in STOPPED else "failed"

    async def look_back(self) -> None:
        for song in self.late:
            said = self._follower.messages[song].values()
            if not said and self.loses_messages:
                self.ledger.unheard += 1
                self.ledger.late -= 1
            elif all(self._button(message, "cancel:") is not None for message in said):
                self.ledger.lost.append(f"{self.name}: {song}")

    async def speak(self) -> None:
        about = (self.name, self.what)
        agreed = await self._press_until(("right:", "is:"), "undo:")
        if agreed is None:
            return
        self.ledger.said["agreed"] += bool(agreed)
        self.ledger.corrections[about] = True if agreed else None
        if agreed and self.random.random() < TAKEN_BACK:
            undone = await self._press_until(("undo:",), "right:", "is:")
            self.ledger.said["taken back"] += bool(undone)
            self.ledger.corrections[about] = False if undone else None

    async def _press_until(self, presses: tuple[str, ...], *shows: str) -> bool | None:
        """Press a button until another one is shown; return whether it came to that, None if there is none to press."""
        pressed = None
        for _ in range(PRESSES):
            for message in list(self._follower.messages[self.song].values()):
                button = next((found for each in presses if (found := self._button(message, each))), None)
                if button is not None:
                    pressed = False
                    await self.press(message, button)
            if pressed is None:
                return None
            with suppress(TimeoutError):
                async with asyncio.timeout(PRESS_SECONDS):
                    await self._follower.until(
                        self.song, lambda message: any(self._button(message, each) for each in shows)
                    )
                    return True
        return pressed

    def _button(self, message: Message, prefix: str) -> str | None:
        return next((each for each in self._follower.data_of(message) if each.startswith(prefix)), None)


class Texter(Messenger):
    """A person on Telegram, which keeps what is sent until the bot has it."""

    platform = "telegram"

    def __init__(self, number: int, music: Music, ledger: Ledger, follower: Follower, server: TelegramServer) -> None:
        super().__init__(number, music, ledger, follower)
        self._server = server
        self._somebody = Telegrammer(server, 1000 + number, self.random.choice(("en", "vi")))
        self._sent: Message = {}

    async def send_file(self, path: Path) -> None:
        self._is(await self._somebody.sends(path, self.random.choice(("audio", "document"))))

    async def send_link(self, link: str) -> None:
        self._is(await self._somebody.writes(link))

    async def ending(self) -> str:
        how = await super().ending()
        # The tests' server would keep every file that was ever sent to it.
        for media in (self._sent.get("audio"), self._sent.get("document")):
            self._server.files.pop((media or {}).get("file_id", ""), None)
        self._server.history.clear()
        return how

    async def press(self, message: Message, data: str) -> None:
        await self._somebody.presses_data(message, data)

    def text(self, message: Message) -> str:
        return str(message.get("text"))

    def _is(self, sent: Message) -> None:
        self._sent, self.song = sent, (sent["chat"]["id"], sent["message_id"])


class Chatter(Messenger):
    """A person on Discord, which tells a bot only what happens while it is connected."""

    platform = "discord"
    loses_messages = True

    def __init__(self, number: int, music: Music, ledger: Ledger, follower: Follower, discord: FakeDiscord) -> None:
        super().__init__(number, music, ledger, follower)
        self._discord = discord
        self._sent: Message = {}
        self._somebody = Discordian(discord, self.random.choice(("en-US", "vi")))

    async def send_file(self, path: Path) -> None:
        await self._connected()
        self._sent = await self._somebody.says(self._somebody.direct, "", path)
        self.song = self._sent["id"]

    async def send_link(self, link: str) -> None:
        await self._connected()
        self._sent = await self._somebody.says(self._somebody.direct, link)
        self.song = self._sent["id"]

    async def ending(self) -> str:
        how = await super().ending()
        world = self._discord.world
        for attached in self._sent["attachments"]:
            world.files.pop(attached["id"], None)
        for listed in (world.posts, world.edits):
            del listed[:-MOST_KEPT]
        for kept in (world.pictures, world.interactions, world.callbacks):
            for number in list(kept)[:-MOST_KEPT]:
                del kept[number]
        return how

    async def press(self, message: Message, data: str) -> None:
        await self._connected()
        await self._somebody.presses(message, data)

    def text(self, message: Message) -> str:
        return str(message["content"])

    async def _connected(self) -> None:
        await self._discord.world.until(lambda: self._discord.gateway.is_connected, SONG_SECONDS)


def follow_telegram(server: TelegramServer) -> Follower:
    """Follow the tests' Telegram."""
    return Follower(
        server.changes,
        lambda message: (message["chat"]["id"], message["answers"]) if "answers" in message else None,
        lambda message: [each["callback_data"] for each in buttons(message)],
        lambda message: (message["chat"]["id"], message["message_id"]) in server.messages,
    )


def follow_discord(discord: FakeDiscord) -> Follower:
    """Follow the tests' Discord."""
    return Follower(
        discord.world.changes,
        lambda message: str(message["message_reference"]["message_id"]) if message.get("message_reference") else None,
        custom_ids,
        lambda message: message["id"] in discord.world.messages,
    )
