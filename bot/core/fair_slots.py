"""Slots that people take turns at: who was served longest ago is next, however many songs anybody has waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PEOPLE_REMEMBERED = 1000


class _Request(NamedTuple):
    granted: asyncio.Future[None]
    turn: int
    song: int


class FairSlots:
    """A semaphore that is fair between people, and can be held as a whole.

    Parameters
    ----------
    count
        How many may be held at a time.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        # With every request, the turn in which it came: a stream of newcomers must not overtake those who wait.
        self._waiting: dict[str, deque[_Request]] = {}
        self._all_wanted: deque[asyncio.Future[None]] = deque()
        self._served: dict[str, int] = {}
        self._turn = 0

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now has to wait."""
        return self._free == 0 or bool(self._waiting) or bool(self._all_wanted)

    def order(self) -> list[int]:
        """Return the songs that wait, the one that is next first, as if nobody else came."""
        waiting = {person: deque(requests) for person, requests in self._waiting.items()}
        served, turn, songs = dict(self._served), self._turn, []
        while waiting:
            person = min(waiting, key=lambda one: _rank(waiting[one][0], served.get(one, -1)))
            songs.append(waiting[person].popleft().song)
            if not waiting[person]:
                del waiting[person]
            turn += 1
            served[person] = turn
        return songs

    @asynccontextmanager
    async def hold(self, person: str, song: int = 0) -> AsyncIterator[None]:
        """Wait for a slot in this person's turn, and hold it; ``order`` gives ``song`` meanwhile."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        request = _Request(granted, self._turn, song)
        self._waiting.setdefault(person, deque()).append(request)
        self._serve()
        try:
            await granted
        except asyncio.CancelledError:
            self._withdraw(person, request)
            raise
        try:
            yield
        finally:
            self._give_back(1)

    @asynccontextmanager
    async def hold_all(self) -> AsyncIterator[None]:
        """Wait until nobody holds a slot, and hold all of them; whoever comes later waits."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._all_wanted.append(granted)
        self._serve()
        try:
            await granted
        except asyncio.CancelledError:
            if not granted.cancelled():
                self._give_back(self._count)
            elif granted in self._all_wanted:
                self._all_wanted.remove(granted)
                self._serve()
            raise
        try:
            yield
        finally:
            self._give_back(self._count)

    def _give_back(self, slots: int) -> None:
        self._free += slots
        self._serve()

    def _serve(self) -> None:
        """Hand free slots out."""
        while self._all_wanted or (self._free and self._waiting):
            if self._all_wanted:
                if self._free < self._count:
                    return
                granted = self._all_wanted.popleft()
                # A task that was cancelled a moment ago has not withdrawn its request yet.
                if not granted.done():
                    self._free = 0
                    granted.set_result(None)
                continue
            person = min(self._waiting, key=lambda one: _rank(self._waiting[one][0], self._served.get(one, -1)))
            granted = self._waiting[person].popleft().granted
            if not self._waiting[person]:
                del self._waiting[person]
            if not granted.done():
                self._free -= 1
                self._note_served(person)
                granted.set_result(None)

    def _note_served(self, person: str) -> None:
        self._turn += 1
        self._served.pop(person, None)
        self._served[person] = self._turn
        if len(self._served) > PEOPLE_REMEMBERED:
            del self._served[next(iter(self._served))]

    def _withdraw(self, person: str, request: _Request) -> None:
        """Withdraw a request whose task was cancelled, whether or not it had been granted just before."""
        if not request.granted.cancelled():
            self._give_back(1)
            return
        waiting = self._waiting.get(person, deque())
        if request in waiting:
            waiting.remove(request)
            if not waiting:
                del self._waiting[person]


def _rank(request: _Request, served: int) -> tuple[int, int]:
    """Return what orders the people who wait, by their first request and when they were served last; lowest first."""
    return max(served, request.turn), served
