"""Inference for songs that are not in the queue, such as those of a whole folder, without delaying the queue's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.fair_slots import FairSlots
    from classifier.inference.executor import SongExecutor
    from classifier.song_report import Classification

# All background songs together take turns like one person.
BACKGROUND = "background"


class BackgroundInference:
    """Classifies files that are not in the queue.

    It shares the worker slots of the queue's songs and waits in line with them. Where there are several slots, one is
    always left to the queue; where there is only one, each song from here takes it for its own time alone.

    Parameters
    ----------
    executor
        Where songs are classified.
    slots, count
        The worker slots that it shares with the queue, and how many there are.
    """

    def __init__(self, executor: SongExecutor, slots: FairSlots, count: int) -> None:
        self._executor = executor
        self._slots = slots
        self.at_once = max(1, count - 1)
        self._own = asyncio.Semaphore(self.at_once)

    @property
    def release(self) -> str:
        """Name of the serving release."""
        return self._executor.release

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres of the serving release."""
        return self._executor.genres

    async def classify(self, path: Path) -> Classification:
        """Classify a file when its turn comes; raises ``SongError`` as the executor does."""
        async with self._own, self._slots.hold(BACKGROUND):
            return await self._executor.classify(path)
