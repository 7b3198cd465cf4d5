"""Who is served first where a platform limits how fast it is written to: people who ask, before progress.

Code that sends something less urgent than a response to a request says so with ``prioritised``; everything it awaits
then has that priority.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECONDS: Final = 4.0
"""Who has waited for longer is overtaken only by so many more urgent ones:"""
OVERTAKEN_AT_MOST: Final = 3


class Priority(IntEnum):
    """How urgent a request to a platform is; the lowest is first."""

    REQUEST = 0
    """A response to a command or a button, or a refusal."""
    RECEIPT = 1
    """A song's first message."""
    ANSWER = 2
    PROGRESS = 3


_current: ContextVar[Priority] = ContextVar("priority", default=Priority.REQUEST)


@contextmanager
def prioritised(priority: Priority) -> Iterator[None]:
    """Give requests to platforms a priority within this block."""
    token = _current.set(priority)
    try:
        yield
    finally:
        _current.reset(token)


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    """A task that waits, in the order in which tasks pass."""

    priority: Priority
    number: int
    since: float = field(compare=False)
    granted: asyncio.Future[None] = field(compare=False)


class PriorityTurns:
    """Lets tasks pass one by one, the most urgent first, and those that wait long now and then.

    Whoever has waited longest passes after ``OVERTAKEN_AT_MOST`` more urgent ones, as if it were as urgent as can be,
    once it has waited for ``PATIENCE_SECONDS``: otherwise one person who asks again and again would keep everybody
    else's answers back.

    Parameters
    ----------
    take
        Takes what a task of this priority needs, if it is there; returns whether it was.
    undo
        Gives it back, if a task is cancelled before it could go on.
    """

    def __init__(self, take: Callable[[Priority], bool], undo: Callable[[], None]) -> None:
        self._take = take
        self._undo = undo
        self._numbers = count()
        self._waiting: list[_Waiting] = []
        self._arrived: deque[_Waiting] = deque()
        self._overtaken = 0

    @property
    def next_priority(self) -> Priority | None:
        """Priority of the most urgent; None if nobody waits."""
        while self._waiting and self._waiting[0].granted.done():
            heapq.heappop(self._waiting)
        return self._waiting[0].priority if self._waiting else None

    async def wait(self) -> None:
        """Wait until this task may pass."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(_current.get(), next(self._numbers), loop.time(), loop.create_future())
        heapq.heappush(self._waiting, waiting)
        self._arrived.append(waiting)
        self.serve()
        try:
            await waiting.granted
        except asyncio.CancelledError:
            if not waiting.granted.cancelled():
                self._undo()
            raise

    def serve(self) -> None:
        """Let all pass who may."""
        now = asyncio.get_running_loop().time()
        while (priority := self.next_priority) is not None:
            while self._arrived[0].granted.done():
                self._arrived.popleft()
            following, oldest = self._waiting[0], self._arrived[0]
            if self._overtaken >= OVERTAKEN_AT_MOST and now - oldest.since >= PATIENCE_SECONDS:
                following, priority = oldest, Priority.REQUEST
            if not self._take(priority):
                return
            self._overtaken = 0 if following is oldest else self._overtaken + 1
            following.granted.set_result(None)


class PriorityLimiter:
    """A leaky bucket that the most urgent requests pass first.

    A bucket of B that leaks R a second lets through at most B + R·T requests within T seconds.

    Parameters
    ----------
    burst, seconds
        So many at once, and the time in which as many leak out.
    reserved
        How many of a burst only ``Priority.REQUEST`` may use, and who has waited for too long.
    """

    def __init__(self, burst: int, seconds: float, *, reserved: int = 0) -> None:
        self._burst = burst
        self._rate = burst / seconds
        self._reserved = reserved
        self._level = 0.0
        self._seen = 0.0
        self._paused_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._turns = PriorityTurns(self._take, lambda: None)

    async def acquire(self) -> None:
        """Wait until a request may be made."""
        await self._turns.wait()

    def pause(self, seconds: float) -> None:
        """Let no request through for so long."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)

    @property
    def is_paused(self) -> bool:
        """Whether it lets nothing through for the time being."""
        return asyncio.get_running_loop().time() < self._paused_until

    def has_room(self, requests: int = 1) -> bool:
        """Return whether so many requests of low priority could be made at once."""
        if self._turns.next_priority is not None or self.is_paused:
            return False
        return self._leaked() + requests + self._reserved <= self._burst

    @property
    def is_empty(self) -> bool:
        """Whether it has forgotten all requests."""
        return self._turns.next_priority is None and not self.is_paused and self._leaked() <= 0

    def _take(self, priority: Priority) -> bool:
        if self.is_paused:
            self._serve_after(self._paused_until - asyncio.get_running_loop().time())
            return False
        reserved = 0 if priority is Priority.REQUEST else self._reserved
        missing = self._leaked() + 1 + reserved - self._burst
        if missing > 0:
            self._serve_after(missing / self._rate)
            return False
        self._level += 1
        return True

    def _leaked(self) -> float:
        now = asyncio.get_running_loop().time()
        self._level = max(0.0, self._level - self._rate * (now - self._seen))
        self._seen = now
        return self._level

    def _serve_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Slightly late, so that rounding does not make the timer ring before there is room.
        self._timer = asyncio.get_running_loop().call_later(seconds + 0.001, self._turns.serve)
