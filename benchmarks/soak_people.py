"""Simulated people for the soak test: they send songs and links, wait, cancel, and confirm or correct answers.

Here are the habits of all of them, and those who use the page like a browser; ``soak_messengers`` has the others.
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

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

THINKING_SECONDS = 40.0
SONG_SECONDS = 300.0
KNOWN = 0.15
CANCELS = 0.1
OPINIONS = 0.5
TAKEN_BACK = 0.15
ACCEPTED, BAD_REQUEST, OUTAGE = 201, 400, 503
AGAIN_SECONDS = 0.3
BROKEN_FILE, BROKEN_LINK = "file that is none", "link without music"
UNHEARD = "unheard"
"""How a song ended that the bot never had."""


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
    share_of_links
        How many of the songs are sent as links.
    """

    fresh: Callable[[], Path]
    known: list[Path]
    links: list[str]
    broken: tuple[Path, str]
    share_of_links: float = 0.15


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
    late
        How many songs took longer than their sender waited.
    lost
        Songs that have not ended when everybody is gone.
    unheard
        Songs that never reached the bot, since it was killed before it had them.
    kills
        How often the bot was killed or restarted.
    corrections
        (Person, song) → whether there has to be a correction; None where the bot was killed before it could say.
    """

    sent: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    late: int = 0
    lost: list[str] = field(default_factory=list)
    unheard: int = 0
    kills: int = 0
    corrections: dict[tuple[str, str], bool | None] = field(default_factory=dict)

    def end(self, how: str, seconds: float) -> None:
        """Record how a song ended."""
        self.ended[how] += 1
        if how.endswith("answered"):
            self.waits.append(seconds)


class Habits(ABC):
    """The behaviour of all people; how each sends, cancels and waits is its chat's.

    Attributes
    ----------
    what
        What was sent last: one file or link is one song to correct.
    song, late
        The last song as the chat knows it, and all that took too long.
    """

    platform = ""

    def __init__(self, number: int, music: Music, ledger: Ledger) -> None:
        self.name = f"{type(self).__name__} {number}"
        self.random = random.Random(number)  # noqa: S311 - habits, not secrets
        self.music, self.ledger = music, ledger
        self.what = ""
        self.song: Any = None
        self.late: list[Any] = []

    async def live(self, over: asyncio.Event, thinking_seconds: float = THINKING_SECONDS) -> None:
        """Send songs and give feedback, one after the other, until the time is up."""
        await self.arrive()
        await self._think(over, thinking_seconds * self.random.random())
        while not over.is_set():
            began = time.monotonic()
            try:
                async with asyncio.timeout(SONG_SECONDS):
                    how = await self._one_song()
            except TimeoutError:
                self.ledger.late += 1
                self.late.append(self.song)
            else:
                if how == UNHEARD:
                    self.ledger.unheard += 1
                    continue
                self.ledger.end(f"{self.platform}: {how}", time.monotonic() - began)
                if how == "answered" and self.random.random() < OPINIONS:
                    await self.speak()
            await self._think(over, self.random.expovariate(1 / thinking_seconds))

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
        links = self.music.share_of_links
        if dice < links:
            self.what = self.music.broken[1] if broken else self.random.choice(self.music.links)
            self.ledger.sent[BROKEN_LINK if broken else "link"] += 1
            await self.send_link(self.what)
        else:
            known = dice < links + KNOWN
            path = self.random.choice(self.music.known) if known else self.music.fresh()
            self.what = path.name
            self.ledger.sent[BROKEN_FILE if broken else "known song" if known else "song"] += 1
            await self.send_file(self.music.broken[0] if broken else path)
            if not known:
                path.unlink()
        if self.random.random() < CANCELS:
            await asyncio.sleep(self.random.random() * 3)
            await self.cancel()
        return await self.ending()

    async def arrive(self) -> None:  # noqa: B027 - only a page has to be opened
        """Open the chat."""

    async def leave(self) -> None:  # noqa: B027 - and closed
        """Close the chat."""

    @abstractmethod
    async def look_back(self) -> None:
        """Note in the ledger which of the songs that took too long have not ended even now, or never came there."""

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
    """A person with the page open, reading its event stream; whatever meets a bot that is down is sent again."""

    platform = "local"

    def __init__(self, number: int, music: Music, ledger: Ledger, page: str) -> None:
        super().__init__(number, music, ledger)
        manners = {"Origin": page, "Sec-Fetch-Site": "same-origin", "Accept-Language": self.random.choice(("en", "vi"))}
        self._http = aiohttp.ClientSession(
            page,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers=manners,
            # A connection that the bot closed while nobody used it would be taken for a song that was cut off.
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=None, sock_read=120),
        )
        self._entries: dict[int, dict[str, Any]] = {}
        self._news = asyncio.Condition()
        self.song = 0
        self._listening: asyncio.Task[None] | None = None

    async def arrive(self) -> None:
        await self._ask("POST", "/hello")
        self._listening = asyncio.create_task(self._listen())

    async def leave(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._http.close()

    async def send_file(self, path: Path) -> None:
        content = await asyncio.to_thread(path.read_bytes)
        await self._send("/songs", data=content, headers={"X-File-Name": quote(path.name)})

    async def send_link(self, link: str) -> None:
        await self._send("/links", json={"link": link})

    async def cancel(self) -> None:
        if self.song:
            await self._ask("DELETE", f"/songs/{self.song}")

    async def ending(self) -> str:
        if not self.song:
            return UNHEARD
        async with self._news:
            await self._news.wait_for(lambda: self._entries[self.song]["state"] != "waiting")
        entry = self._entries.pop(self.song)
        if entry["state"] == "answered":
            # A browser loads the picture at once.
            await self._ask("GET", "/" + entry["picture"]["light"])
        return str(entry["state"])

    async def look_back(self) -> None:
        if self.late:
            _, body = await self._ask("POST", "/hello")
            states = {entry["id"]: entry["state"] for entry in json.loads(body)["entries"]}
            self.ledger.lost += [f"{self.name}: {song}" for song in self.late if states.get(song) == "waiting"]

    async def speak(self) -> None:
        where, about = f"/songs/{self.song}/opinion", (self.name, self.what)
        genre = self.random.choice((None, "jazz", "rock", "cailuong", "lo-fi"))
        status, _ = await self._ask("POST", where, json={} if genre is None else {"genre": genre})
        if not status or status >= OUTAGE:
            self.ledger.corrections[about] = None
        elif status < BAD_REQUEST:
            self.ledger.said["agreed" if genre is None else "corrected"] += 1
            self.ledger.corrections[about] = True
        if self.random.random() < TAKEN_BACK:
            status, _ = await self._ask("DELETE", where)
            if not status or status >= OUTAGE:
                self.ledger.corrections[about] = None
            elif status < BAD_REQUEST:
                self.ledger.said["taken back"] += 1
                self.ledger.corrections[about] = False

    async def _send(self, where: str, **content: Any) -> None:
        """Send a song; it is unknown whether the bot has it if it was killed while it was sent."""
        self.song = 0
        status, body = await self._ask("POST", where, **content)
        if not status:
            return
        if status != ACCEPTED:
            raise RuntimeError(f"{self.name}: {status} {body.decode()}")
        entry = json.loads(body)
        self.song = entry["id"]
        await self._note(entry)

    async def _ask(self, method: str, where: str, **content: Any) -> tuple[int, bytes]:
        """Return the status and body of an answer; 0 if the connection was cut before it came."""
        while True:
            try:
                async with self._http.request(method, where, **content) as response:
                    body = await response.read()
                    if response.status != OUTAGE and b'"code": "closing"' not in body:
                        return response.status, body
            except aiohttp.ClientConnectorError:
                pass  # nobody listens: nothing was sent
            except aiohttp.ClientError:
                return 0, b""
            await asyncio.sleep(AGAIN_SECONDS)

    async def _note(self, entry: dict[str, Any]) -> None:
        known = self._entries.get(entry["id"])
        if (known is None and entry["id"] >= self.song) or (known is not None and known["seen"] <= entry["seen"]):
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
            except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):
                pass
            await asyncio.sleep(1)
