"""How often a place, such as a group or a channel, is shown progress, whichever of its songs it is about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


class ProgressPace:
    """Remembers when places were last shown progress."""

    def __init__(self) -> None:
        self._until: dict[Hashable, float] = {}

    def wait(self, place: Hashable) -> float:
        """Return the seconds until a place may be shown progress again."""
        return self._until.get(place, 0.0) - time.monotonic()

    def shown(self, place: Hashable, seconds: float) -> None:
        """Note that a place was shown progress, and may be again after so many seconds."""
        now = time.monotonic()
        self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[place] = now + seconds
