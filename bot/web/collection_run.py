"""A folder that is being heard just now: its songs under way, how fast it goes, and whether anybody still sends.

What is done with its songs is the matter of ``bot.web.collection_service``.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classifier.library.state_db import StateDatabase

# Speed is told of the last so many seconds.
SPEED_SECONDS = 120.0
# A page that is silent for so long between two songs has gone.
SILENT_SECONDS = 3.0


class CollectionRun:
    """A folder under way.

    Parameters
    ----------
    state_db
        What its songs sound like.
    ahead
        How many songs may be here at a time, classified or waiting.
    silent
        Called when no page sends any more and all that was sent has been classified.

    Attributes
    ----------
    tasks
        Number of a song → the task that classifies it.
    arriving
        Numbers of songs whose bytes are just coming.
    turns
        By content: copies of a song wait for each other, so that it is classified once.
    """

    def __init__(self, state_db: StateDatabase, ahead: int, silent: Callable[[], None]) -> None:
        self.state_db = state_db
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.arriving: set[int] = set()
        self.turns: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ahead = ahead
        self._silent = silent
        self._visits = 0
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._begun = self._now()
        self._ended: deque[float] = deque()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    @property
    def busy(self) -> bool:
        """Whether a page is sending or a song is being heard."""
        return self._visits > 0 or bool(self.tasks)

    @property
    def room(self) -> bool:
        """Whether another song may be sent."""
        return len(self.tasks) + len(self.arriving) < self._ahead

    def here(self) -> set[int]:
        """Return the numbers of songs that are here or on their way."""
        return self.arriving | set(self.tasks)

    @contextmanager
    def visited(self) -> Iterator[None]:
        """Note that a page is there while it asks or sends something."""
        self._visits += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            yield
        finally:
            self._visits -= 1
            self._watch()

    def song_ended(self, number: int) -> None:
        """Note that a song had its turn."""
        self.tasks.pop(number, None)
        self._ended.append(self._now())
        self.changes()
        self._watch()

    def changes(self) -> None:
        """Let whoever waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self, seconds: float) -> None:
        """Wait until something changes, or so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def per_minute(self) -> float:
        """Return how many songs a minute had their turn of late; 0 while none had."""
        now = self._now()
        while self._ended and self._ended[0] < now - SPEED_SECONDS:
            self._ended.popleft()
        since = max(self._begun, now - SPEED_SECONDS)
        return 60 * len(self._ended) / max(now - since, 1.0)

    def minutes_left(self, songs: int) -> int | None:
        """Return about how many minutes so many songs will take, 0 for less than one; None while nobody can tell."""
        speed = self.per_minute()
        if speed == 0:
            return None
        minutes = songs / speed
        return 0 if minutes < 1 else math.ceil(minutes)

    def end(self) -> None:
        """Cancel what is under way, and hear no more of it."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self.tasks.values():
            task.cancel()
        self.changes()

    def _watch(self) -> None:
        if not self.busy and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._fall_silent)

    def _fall_silent(self) -> None:
        self._timer = None
        if not self.busy:
            self._silent()
