"""Counts what platforms count: how often within a while, for each chat and over all; what is too much is noted."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core.message_port import StatusLimits

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import ModuleType

    import pytest

FASTER = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of something within any so many seconds."""

    name: str
    count: int
    seconds: float


def hurry(monkeypatch: pytest.MonkeyPatch, module: ModuleType, *names: str) -> None:
    """Let seconds and limits of a module pass faster: for a bot and its platform in the test's own process."""
    for name in names:
        before = getattr(module, name)
        monkeypatch.setattr(module, name, _faster(before))


def _faster(before: object) -> object:
    if isinstance(before, Limit):
        return replace(before, seconds=before.seconds / FASTER)
    if isinstance(before, StatusLimits):
        message, place = before.message_seconds / FASTER, before.place_seconds / FASTER
        return replace(before, message_seconds=message, place_seconds=place)
    if isinstance(before, int | float):
        return before / FASTER
    raise TypeError(before)


class Rates:
    """What was counted.

    Attributes
    ----------
    breaches
        Every time that something came too often, in words.
    peaks
        Limit → the most that was ever counted within its seconds.
    """

    def __init__(self) -> None:
        self.breaches: list[str] = []
        self.peaks: dict[Limit, int] = {}
        self._times: dict[tuple[Limit, Hashable], deque[float]] = defaultdict(deque)

    def note(self, limit: Limit, key: Hashable = None) -> None:
        """Count one."""
        now = time.monotonic()
        times = self._times[limit, key]
        times.append(now)
        while times[0] <= now - limit.seconds:
            times.popleft()
        self.peaks[limit] = max(self.peaks.get(limit, 0), len(times))
        if len(times) > limit.count:
            self.breaches.append(f"{len(times)} {limit.name} within {limit.seconds:g} s where {limit.count} may be")


class Bucket:
    """A limit as Discord keeps it: so many uses from the first one on, until the time is up."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._left = limit.count
        self._until = 0.0

    def use(self) -> bool:
        """Take one; False if none is left."""
        now = time.monotonic()
        if now >= self._until:
            self._left, self._until = self.limit.count, now + self.limit.seconds
        self._left -= 1
        return self._left >= 0

    def headers(self, name: str) -> dict[str, str]:
        """Return what Discord tells of it with every response."""
        after = max(0.0, self._until - time.monotonic())
        return {
            "X-RateLimit-Bucket": name,
            "X-RateLimit-Limit": str(self.limit.count),
            "X-RateLimit-Remaining": str(max(0, self._left)),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
        }
