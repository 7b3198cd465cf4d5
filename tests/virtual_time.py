"""An event loop whose clock jumps to the next timer, so that minutes pass in a moment and measure nothing but waits."""

from __future__ import annotations

import asyncio
import selectors
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


SILENCE_SECONDS = 5.0
"""After so long nothing more comes from a socket of this process."""


class _Selector(selectors.DefaultSelector):
    """Notes for how long the loop would have slept."""

    def __init__(self, network_seconds: float) -> None:
        super().__init__()
        self.now = 0.0
        self._network_seconds = network_seconds

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            # Where no timer runs, only a socket can go on.
            if self._network_seconds and (ready := super().select(SILENCE_SECONDS)):
                return ready
            raise RuntimeError("everything waits, and no timer runs")
        if self._network_seconds and timeout > 0 and (ready := super().select(self._network_seconds)):
            return ready
        self.now += timeout
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that never sleeps.

    Parameters
    ----------
    network_seconds
        For how long sockets of this process may have something to say before the clock jumps; 0 where there are none.
    """

    def __init__(self, network_seconds: float = 0) -> None:
        self._clock = _Selector(network_seconds)
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(coroutine: Coroutine[Any, Any, Any], *, network_seconds: float = 0) -> Any:
    """Run a coroutine on such a loop."""
    with asyncio.Runner(loop_factory=partial(VirtualTimeLoop, network_seconds)) as runner:
        return runner.run(coroutine)
