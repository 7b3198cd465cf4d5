"""How fast a place on Discord may be written to: it takes five messages and five edits in five seconds.

Requests that come too fast are refused with 429, and a bot that is refused too often is blocked for a while. The limit
on all requests together is kept by the client.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

from bot.core.priority import Priority, PriorityTurns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

Kind = Literal["message", "edit"]

# One less than Discord takes, and one after the other: a request that uses the limit up is returned by discord.py only
# when the limit is whole again, and its song is held for so long. The seconds are a little longer than Discord's own,
# whose clock is not ours.
PLACE_REQUESTS, PLACE_SECONDS = 4, 5.1
# One of them is kept for responses to requests.
PLACE_RESERVED = 1
# Progress is shown only where so many edits could be made at once, so that answers find room.
ROOM_FOR_PROGRESS = 2


class RequestWindow:
    """Lets so many requests through within any so many seconds, one at a time, the most urgent first.

    Discord counts a request at some moment between its start and its end here. So its place is free again only when the
    seconds have passed since its end, and no delay on the way can bring the requests of two windows together.

    Parameters
    ----------
    requests, seconds
        So many within so many.
    reserved
        How many of them only ``Priority.REQUEST`` may use.

    Attributes
    ----------
    free
        Requests that could be made at once.
    """

    def __init__(self, requests: int, seconds: float, *, reserved: int = 0) -> None:
        self.free = requests
        self._seconds = seconds
        self._reserved = reserved
        self._turns = PriorityTurns(self._take, self._give_back)
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for a place, the most urgent first, and hold it."""
        await self._turns.wait()
        try:
            async with self._one_at_a_time:
                yield
        finally:
            asyncio.get_running_loop().call_later(self._seconds, self._give_back)

    def _take(self, priority: Priority) -> bool:
        reserved = 0 if priority is Priority.REQUEST else self._reserved
        if self.free <= reserved:
            return False
        self.free -= 1
        return True

    def _give_back(self) -> None:
        self.free += 1
        self._turns.serve()


class DiscordRateLimiter:
    """The request windows of all places, which are channels by their ids and interactions by their tokens."""

    def __init__(self) -> None:
        # A window lives as long as anybody waits for it or its timers run.
        self._windows: WeakValueDictionary[tuple[Kind, int | str], RequestWindow] = WeakValueDictionary()

    def request(self, kind: Kind, place: int | str) -> AbstractAsyncContextManager[None]:
        """Hold a request back until Discord takes it."""
        return self._window(kind, place).request()

    def has_room(self, place: int | str) -> bool:
        """Return whether a place takes progress and an answer directly after it."""
        return self._window("edit", place).free >= ROOM_FOR_PROGRESS

    def _window(self, kind: Kind, place: int | str) -> RequestWindow:
        return self._windows.setdefault(
            (kind, place), RequestWindow(PLACE_REQUESTS, PLACE_SECONDS, reserved=PLACE_RESERVED)
        )
