"""Listening beside the queue: to the songs of a whole folder, which must not keep anybody's single song waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.inference.executor import SongExecutor
    from classifier.song_report import Classification


class Aside:
    """The executor for what is not in the queue.

    It shares the seats of the queue's songs and waits in line with them. Where there are several seats, one is never
    taken; where there is one, a song from here has it for one turn at a time.

    Parameters
    ----------
    executor
        Where songs are classified.
    seats, count
        What the queue's songs sit on, and how many seats there are.
    """

    def __init__(self, executor: SongExecutor, seats: asyncio.Semaphore, count: int) -> None:
        self._executor = executor
        self._seats = seats
        self.at_once = max(1, count - 1)
        self._own = asyncio.Semaphore(self.at_once)

    @property
    def release(self) -> str:
        """Name of the release that answers."""
        return self._executor.release

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres that the release knows."""
        return self._executor.genres

    async def classify(self, path: Path) -> Classification:
        """Classify a file when its turn comes; raises ``SongError`` as the executor does."""
        async with self._own, self._seats:
            return await self._executor.classify(path)
