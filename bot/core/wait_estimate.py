"""Estimates how long a song waits, from how long the latest ones took."""

from __future__ import annotations

import math
from typing import Final

LATEST_WEIGHT: Final = 0.2
"""Weight of the latest song in the mean."""


class WaitEstimate:
    """A moving mean of what a song takes.

    Parameters
    ----------
    slots
        How many songs are classified at a time.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._mean_seconds: float | None = None

    def learn(self, seconds: float) -> None:
        """Note how long a song took."""
        mean = seconds if self._mean_seconds is None else self._mean_seconds
        self._mean_seconds = (1 - LATEST_WEIGHT) * mean + LATEST_WEIGHT * seconds

    def minutes(self, place: int) -> int | None:
        """Return after how many minutes a song at a place in the queue has been answered; None for under one."""
        if self._mean_seconds is None:
            return None
        seconds = self._mean_seconds * place / self._slots
        return math.ceil(seconds / 60) if seconds >= 60 else None
