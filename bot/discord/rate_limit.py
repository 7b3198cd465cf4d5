"""How fast a place on Discord may be written to: it takes five messages and five edits in five seconds.

What comes too fast is refused with 429, and who is refused too often is shut out for a while. The pace of all requests
together is the client's.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

Kind = Literal["message", "edit"]

# One less than Discord takes, and one after the other: a request that leaves nothing of the limit is given back by
# discord.py only when the limit is whole again, and its song is held for so long. The seconds are a little longer than
# Discord's own, whose clock is not ours.
PLACE_REQUESTS, PLACE_SECONDS = 4, 5.1
# All songs' progress together leaves a place room for answers: it is shown anew at most this often,
PROGRESS_SECONDS = 1.6
# and only where so many edits could be made at once.
ROOM_FOR_PROGRESS = 2
ROOM_LATER_SECONDS = 0.5


class Window:
    """Lets so many requests through within any so many seconds, one at a time, as the other side counts them.

    A request is counted there somewhen between its start and its end here; so its place is free again only when the
    seconds have gone by since its end, and no delay on the way can bring two windows' requests together.

    Parameters
    ----------
    requests, seconds
        So many within so many.

    Attributes
    ----------
    free
        Requests that could be made at once.
    """

    def __init__(self, requests: int, seconds: float) -> None:
        self.free = requests
        self._seconds = seconds
        self._places = asyncio.Semaphore(requests)
        self._lane = asyncio.Lock()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for a place, in the order of asking, and hold it."""
        await self._places.acquire()
        self.free -= 1
        try:
            async with self._lane:
                yield
        finally:
            asyncio.get_running_loop().call_later(self._seconds, self._give_back)

    def _give_back(self) -> None:
        self.free += 1
        self._places.release()


class Pace:
    """The paces of all places, which are channels by their numbers and interactions by their tokens."""

    def __init__(self) -> None:
        # A window lives as long as anybody waits for it or has to be remembered: its timers hold it.
        self._windows: WeakValueDictionary[tuple[Kind, int | str], Window] = WeakValueDictionary()
        self._progress: dict[int | str, float] = {}

    def request(self, kind: Kind, place: int | str) -> AbstractAsyncContextManager[None]:
        """Hold a request back until Discord takes it."""
        return self._window(kind, place).request()

    def progress_wait(self, place: int | str) -> float:
        """Return the seconds until a place may be shown progress; 0 or less if it may now."""
        room = 0.0 if self._window("edit", place).free >= ROOM_FOR_PROGRESS else ROOM_LATER_SECONDS
        return max(room, self._progress.get(place, 0.0) - time.monotonic())

    def progress_shown(self, place: int | str) -> None:
        """Note that a place is being shown progress."""
        now = time.monotonic()
        self._progress = {each: until for each, until in self._progress.items() if until > now}
        self._progress[place] = now + PROGRESS_SECONDS

    def _window(self, kind: Kind, place: int | str) -> Window:
        return self._windows.setdefault((kind, place), Window(PLACE_REQUESTS, PLACE_SECONDS))
