"""Durations of the queue, by a clock that no change of the date can move: when leases expire, and when delays end.

A lease is renewed by changing it. Whoever sees the same lease for longer than it may last knows that its holder is
gone, whatever either of them believes the time to be; so the clocks of several machines need not agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.job import LEASE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    State = tuple[int, datetime | None]


class LeaseObserver:
    """Remembers since when each lease has not changed.

    Parameters
    ----------
    monotonic
        Returns seconds that only ever grow.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[int, tuple[State, float]] = {}

    def saw(self, job_id: int, claims: int, leased_until: datetime | None) -> None:
        """Note the present state of a lease."""
        state = claims, leased_until
        known = self._seen.get(job_id)
        if known is None or known[0] != state:
            self._seen[job_id] = state, self._monotonic()

    def restart(self) -> None:
        """Count anew for every lease: while nothing can be stored, its holder cannot renew it either."""
        self._seen.clear()

    def expired(self, leases: Mapping[int, State]) -> list[int]:
        """Note the present states of all leases; return the jobs whose leases have expired."""
        self._seen = {job_id: seen for job_id, seen in self._seen.items() if job_id in leases}
        for job_id, (claims, leased_until) in leases.items():
            self.saw(job_id, claims, leased_until)
        now = self._monotonic()
        return sorted(job_id for job_id, (_, since) in self._seen.items() if now - since >= LEASE_SECONDS)


class Delays:
    """Remembers which jobs this process put off, and for how long.

    Parameters
    ----------
    monotonic
        Returns seconds that only ever grow.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[int, float] = {}

    def put_off(self, job_id: int, seconds: float) -> None:
        """Note that a job may be claimed after so many seconds."""
        self._until[job_id] = self._monotonic() + seconds

    def forget(self, job_ids: Iterable[int]) -> None:
        """Forget the delays of jobs."""
        for job_id in job_ids:
            self._until.pop(job_id, None)

    def sorted(self) -> tuple[list[int], list[int]]:
        """Return the jobs whose delay has passed, and those that still wait."""
        now = self._monotonic()
        over = [job_id for job_id, until in self._until.items() if until <= now]
        return over, [job_id for job_id, until in self._until.items() if until > now]
