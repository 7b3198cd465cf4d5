"""The slowest transfer that is still waited for: whoever sends less keeps a place that others need."""

from __future__ import annotations

from typing import Final

MIN_BYTES_PER_SECOND: Final = 8 * 1024
GRACE_SECONDS: Final = 20.0
SETTLE_SECONDS: Final = 1.0
"""A window that is shorter tells nothing of the rate yet."""


class TooSlow(Exception):
    """A sender stayed below the minimum rate for longer than the grace time."""


class MinimumRate:
    """Checks a transfer against the minimum rate, over windows of the grace time.

    Only the time spent waiting for bytes counts, so a slow disk or a busy processor on this side is never blamed on
    the sender. A window begins anew whenever one has passed, so a fast start buys no slow end.

    Parameters
    ----------
    bytes_per_second
        The minimum rate.
    grace_seconds
        Length of a window.
    """

    def __init__(self, bytes_per_second: float = MIN_BYTES_PER_SECOND, grace_seconds: float = GRACE_SECONDS) -> None:
        self._bytes_per_second, self._grace_seconds = bytes_per_second, grace_seconds
        self._bytes = 0
        self._seconds = 0.0

    def is_slow(self, waiting_seconds: float = 0) -> bool:
        """Return whether the present window is below the minimum rate so far, having lasted for a second at least.

        Parameters
        ----------
        waiting_seconds
            For how long nothing has come since the last call of ``waited``.
        """
        seconds = self._seconds + waiting_seconds
        return seconds >= SETTLE_SECONDS and self._bytes < seconds * self._bytes_per_second

    def waited(self, seconds: float, received: int) -> None:
        """Note that so many bytes came after waiting for so many seconds.

        Raises
        ------
        TooSlow
            If a window has passed below the minimum rate.
        """
        self._seconds += seconds
        self._bytes += received
        if self._seconds < self._grace_seconds:
            return
        if self.is_slow():
            raise TooSlow()
        self._seconds, self._bytes = 0.0, 0
