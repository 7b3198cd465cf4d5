"""Open streams of server-sent events, and the news that go to them."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.core.identity import Person
    from bot.core.localization import Language

# Whoever does not read for so long has gone; they ask for everything anew when they are back.
UNREAD_EVENTS = 256
# Proxies close a connection on which nothing comes for a minute.
KEEP_ALIVE_SECONDS = 15.0


@dataclass(eq=False)
class Listener:
    """One open stream."""

    person: Person
    language: Language
    news: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(UNREAD_EVENTS))

    def tell(self, kind: str, data: Any) -> None:
        """Send an event; whoever does not read is let go."""
        try:
            self.news.put_nowait(f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n")
        except asyncio.QueueFull:
            self.let_go()

    def finish(self) -> None:
        """End the stream after what was told."""
        try:
            self.news.put_nowait(None)
        except asyncio.QueueFull:
            self.let_go()

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield what is told until the stream ends, and a comment where nothing was told for long."""
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    news = await self.news.get()
            except TimeoutError:
                news = ": still here\n\n"
            if news is None:
                return
            yield news.encode()

    def let_go(self) -> None:
        """End the stream at once; who still lives connects again."""
        while not self.news.empty():
            self.news.get_nowait()
        self.news.put_nowait(None)


class Listeners:
    """All open streams, by what they are about: a person's songs, or one song."""

    def __init__(self) -> None:
        self._open: dict[str, set[Listener]] = defaultdict(set)

    @contextmanager
    def listening(self, key: str, person: Person, language: Language) -> Iterator[Listener]:
        """Keep a listener while its stream is open; ``key`` says what it is about."""
        listener = Listener(person, language)
        self._open[key].add(listener)
        try:
            yield listener
        finally:
            self._open[key].discard(listener)
            if not self._open[key]:
                del self._open[key]

    def of(self, key: str) -> tuple[Listener, ...]:
        """Return the open streams about something."""
        return tuple(self._open.get(key, ()))

    def subjects(self) -> tuple[str, ...]:
        """Return what all open streams are about."""
        return tuple(self._open)

    def close(self) -> None:
        """End all streams."""
        for listeners in self._open.values():
            for listener in listeners:
                listener.let_go()
