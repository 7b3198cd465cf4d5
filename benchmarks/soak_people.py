"""Simulated people for the soak test: they send songs and links, wait, cancel, and confirm or correct answers.

Some use the page like a browser, the others Telegram (the tests' fake server).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp

from bot.core.localization import LANGUAGES, say
from tests.bot.telegram.people import Somebody, buttons

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.telegram.server import TelegramServer

THINKING_SECONDS = 40.0
SONG_SECONDS = 900.0
LINKS, EXAMPLES, KNOWN = 0.15, 0.1, 0.15
CANCELS = 0.1
OPINIONS = 0.5
TAKEN_BACK = 0.15
ACCEPTED = 201
STOPPED = {say(language, "progress-cancelled") for language in LANGUAGES}


@dataclass(frozen=True)
class Music:
    """Things to send: files, links, and things that are not songs.

    Attributes
    ----------
    fresh
        Returns a file that was never sent before.
    known
        Files that are sent again and again.
    links
        Addresses of songs.
    broken
        A file and a link without music.
    """

    fresh: Callable[[], Path]
    known: list[Path]
    links: list[str]
    broken: tuple[Path, str]


@dataclass
class Ledger:
    """A record of what was sent and how it ended.

    Attributes
    ----------
    sent
        Kind (``song``, ``link``, ``example``) → how many were accepted.
    ended
        How they ended, as their sender saw it.
    waits
        Seconds from sending to the answer, for those answered.
    said
        Number of corrections by kind.
    lost
        Songs that were never finished.
    """

    sent: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    def end(self, how: str, seconds: float) -> None:
        """Record how a song ended."""
        self.ended[how] += 1
        if how == "answered":
            self.waits.append(seconds)


class Habits(ABC):
    """The behaviour of both kinds of people; how each sends, cancels and waits is its chat's."""

    def __init__(self, number: int, music: Music, ledger: Ledger) -> None:
        self.name = f"{type(self).__name__} {number}"
        self.random = random.Random(number)  # noqa: S311 - habits, not secrets
        self.music, self.ledger = music, ledger

    async def live(self, over: asyncio.Event) -> None:
        """Send songs and give feedback, one after the other, until the time is up."""
        await self.arrive()
        await self._think(over, THINKING_SECONDS * self.random.random())
        while not over.is_set():
            began = time.monotonic()
            try:
                async with asyncio.timeout(SONG_SECONDS):
                    how = await self._one_song()
            except TimeoutError:
                self.ledger.lost.append(f"{self.name}, sent {time.strftime('%H:%M:%S')}")
            else:
                self.ledger.end(how, time.monotonic() - began)
                if how == "answered" and self.random.random() < OPINIONS:
                    await self.speak()
            await self._think(over, self.random.expovariate(1 / THINKING_SECONDS))
        await self.leave()

    async def _think(self, over: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await over.wait()
        except TimeoutError:
            pass

    async def _one_song(self) -> str:
        """Send something, perhaps cancel it, and return how it ended."""
        dice = self.random.random()
        broken = self.random.random() < 0.05
        if dice < LINKS:
            await self.send_link(self.music.broken[1] if broken else self.random.choice(self.music.links))
            self.ledger.sent["link"] += 1
        else:
            known = dice < LINKS + KNOWN
            path = self.random.choice(self.music.known) if known else self.music.fresh()
            await self.send_file(self.music.broken[0] if broken else path)
            self.ledger.sent["known song" if known else "song"] += 1
        if self.random.random() < CANCELS:
            await asyncio.sleep(self.random.random() * 3)
            await self.cancel()
        return await self.ending()

    async def arrive(self) -> None:  # noqa: B027 - only a page has to be opened
        """Open the chat."""

    async def leave(self) -> None:  # noqa: B027 - and closed
        """Close the chat."""

    @abstractmethod
    async def send_file(self, path: Path) -> None:
        """Send a file."""

    @abstractmethod
    async def send_link(self, link: str) -> None:
        """Send a link."""

    @abstractmethod
    async def cancel(self) -> None:
        """Press Cancel if the button is still there."""

    @abstractmethod
    async def ending(self) -> str:
        """Wait until the song has ended; return how."""

    @abstractmethod
    async def speak(self) -> None:
        """Confirm, correct or undo the answer."""


class Browser(Habits):
    """A person with the page open, reading its event stream."""

    def __init__(self, number: int, music: Music, ledger: Ledger, page: str) -> None:
        super().__init__(number, music, ledger)
        manners = {"Origin": page, "Sec-Fetch-Site": "same-origin", "Accept-Language": self.random.choice(("en", "vi"))}
        self._http = aiohttp.ClientSession(
            page,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers=manners,
            timeout=aiohttp.ClientTimeout(total=None, sock_read=120),
        )
        self._entries: dict[int, dict[str, Any]] = {}
        self._news = asyncio.Condition()
        self._song = 0
        self._listening: asyncio.Task[None] | None = None

    async def arrive(self) -> None:
        async with self._http.post("/hello") as response:
            await response.read()
        self._listening = asyncio.create_task(self._listen())

    async def leave(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._http.close()

    async def send_file(self, path: Path) -> None:
        content = await asyncio.to_thread(path.read_bytes)
        async with self._http.post("/songs", data=content, headers={"X-File-Name": quote(path.name)}) as response:
            await self._taken(response)

    async def send_link(self, link: str) -> None:
        async with self._http.post("/links", json={"link": link}) as response:
            await self._taken(response)

    async def cancel(self) -> None:
        async with self._http.delete(f"/songs/{self._song}") as response:
            await response.read()

    async def ending(self) -> str:
        async with self._news:
            await self._news.wait_for(lambda: self._entries[self._song]["state"] != "waiting")
        entry = self._entries[self._song]
        if entry["state"] == "answered":
            # A browser loads the picture at once.
            async with self._http.get("/" + entry["picture"]["light"]) as response:
                await response.read()
        return str(entry["state"])

    async def speak(self) -> None:
        where = f"/songs/{self._song}/opinion"
        genre = self.random.choice((None, "jazz", "rock", "cailuong", "lo-fi"))
        async with self._http.post(where, json={} if genre is None else {"genre": genre}) as response:
            await response.read()
            self.ledger.said["agreed" if genre is None else "corrected"] += response.ok
        if self.random.random() < TAKEN_BACK:
            async with self._http.delete(where) as response:
                self.ledger.said["taken back"] += response.ok

    async def _taken(self, response: aiohttp.ClientResponse) -> None:
        if response.status != ACCEPTED:
            raise RuntimeError(f"{self.name}: {response.status} {await response.text()}")
        entry = await response.json()
        self._song = entry["id"]
        await self._note(entry)

    async def _note(self, entry: dict[str, Any]) -> None:
        known = self._entries.get(entry["id"])
        if known is None or known["seen"] <= entry["seen"]:
            async with self._news:
                self._entries[entry["id"]] = entry
                self._news.notify_all()

    async def _listen(self) -> None:
        """Read the event stream; when it breaks off, reload everything and reopen it, as the page does."""
        while True:
            try:
                async with self._http.get("/events") as stream:
                    async with self._http.post("/hello") as response:
                        for entry in (await response.json())["entries"]:
                            await self._note(entry)
                    async for line in stream.content:
                        if line.startswith(b"data: "):
                            await self._note(json.loads(line[6:]))
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(1)


class Texter(Habits):
    """A person on Telegram."""

    def __init__(self, number: int, music: Music, ledger: Ledger, server: TelegramServer) -> None:
        super().__init__(number, music, ledger)
        self._server = server
        self._somebody = Somebody(server, 1000 + number, self.random.choice(("en", "vi")))
        self._song: dict[str, Any] = {}

    async def send_file(self, path: Path) -> None:
        self._song = await self._somebody.sends(path, self.random.choice(("audio", "document")))

    async def send_link(self, link: str) -> None:
        self._song = await self._somebody.writes(link)

    async def cancel(self) -> None:
        shown = self._shown()
        button = None if shown is None else _button(shown, "cancel:")
        if shown is not None and button is not None:
            await self._somebody.presses_data(shown, button)

    async def ending(self) -> str:
        shown = await self._server.until(self._ended, SONG_SECONDS)
        # The tests' server would keep every file that was ever sent to it.
        for media in (self._song.get("audio"), self._song.get("document")):
            self._server.files.pop((media or {}).get("file_id", ""), None)
        # An unsure answer has a button for each genre that it names instead of "Right".
        if _button(shown, "right:") is not None or _button(shown, "is:") is not None:
            return "answered"
        return "stopped" if shown["text"] in STOPPED else "failed"

    async def speak(self) -> None:
        shown = self._shown()
        right = None if shown is None else _button(shown, "right:")
        if shown is not None and right is not None:
            await self._somebody.presses_data(shown, right)
            self.ledger.said["agreed"] += 1

    def _shown(self) -> dict[str, Any] | None:
        """Return the bot's message about the song."""
        chat, number = self._somebody.chat["id"], self._song["message_id"]
        said = reversed(self._server.said(chat))
        return next((message for message in said if message.get("answers") == number), None)

    def _ended(self) -> dict[str, Any] | None:
        shown = self._shown()
        return None if shown is None or _button(shown, "cancel:") is not None else shown


def _button(message: dict[str, Any], prefix: str) -> str | None:
    return next((each["callback_data"] for each in buttons(message) if each["callback_data"].startswith(prefix)), None)
