"""Open pages and the news that go to them, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.core.identity import Person
    from bot.core.localization import Language

# A page that does not read for so long has gone; it asks for everything anew when it is back.
UNREAD_EVENTS = 256


@dataclass(eq=False)
class Listener:
    """One open page."""

    person: Person
    language: Language
    news: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(UNREAD_EVENTS))

    def tell(self, kind: str, data: Any) -> None:
        """Send an event; a page that does not read is let go."""
        try:
            self.news.put_nowait(f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n")
        except asyncio.QueueFull:
            self.let_go()

    def let_go(self) -> None:
        """End the stream; the page connects again if it still lives."""
        while not self.news.empty():
            self.news.get_nowait()
        self.news.put_nowait(None)


class Listeners:
    """All open pages, by person."""

    def __init__(self) -> None:
        self._open: dict[str, set[Listener]] = defaultdict(set)

    @contextmanager
    def listening(self, key: str, person: Person, language: Language) -> Iterator[Listener]:
        """Keep a page among the listeners while its stream is open; ``key`` is the person's keyed hash."""
        listener = Listener(person, language)
        self._open[key].add(listener)
        try:
            yield listener
        finally:
            self._open[key].discard(listener)
            if not self._open[key]:
                del self._open[key]

    def of(self, key: str) -> tuple[Listener, ...]:
        """Return a person's open pages."""
        return tuple(self._open.get(key, ()))

    def people(self) -> tuple[str, ...]:
        """Return the keyed hash of everybody who has a page open."""
        return tuple(self._open)

    def close(self) -> None:
        """End all streams."""
        for listeners in self._open.values():
            for listener in listeners:
                listener.let_go()
