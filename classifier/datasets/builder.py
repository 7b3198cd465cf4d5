"""Building a data set: each song is brought, heard by a worker and written down, in the order in which it was named."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from classifier.commands.batch import say
from classifier.datasets.sources import brought
from classifier.datasets.table import Song
from classifier.inference.worker_process import WorkFailed
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from classifier.datasets.feature_reader import Piece
    from classifier.datasets.sources import Brought, Source
    from classifier.datasets.table import Known, Table
    from links import Fetcher

FETCHED_AT_ONCE: Final = 2
"""Sites are asked no more than a person with two windows would ask them."""
SONGS_AHEAD: Final = 4
"""For each worker; those that are done wait for the one that is to be written down first."""


@dataclass(slots=True)
class Outcome:
    """What came of building.

    Attributes
    ----------
    songs, rows
        Written down.
    repeats
        Songs that the table has already, under the same label.
    conflicts
        Songs that it has under another label, which they keep.
    failures
        Songs that could not be had or heard, and why.
    """

    songs: int = 0
    rows: int = 0
    repeats: int = 0
    conflicts: list[tuple[Source, Known]] = field(default_factory=list)
    failures: list[tuple[Source, SongError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Heard:
    song: Brought
    pieces: list[Piece]


class Builder:
    """Writes songs of one genre into a table.

    Parameters
    ----------
    label
        The genre.
    read
        Has a file read by one of so many ``workers``; raises ``SongError``, or ``WorkFailed`` for a bug.
    """

    def __init__(
        self,
        table: Table,
        label: str,
        read: Callable[[Path], Awaitable[list[Piece]]],
        fetcher: Fetcher,
        *,
        workers: int,
    ) -> None:
        self.outcome = Outcome()
        self._table, self._label, self._read, self._fetcher = table, label, read, fetcher
        self._ahead = workers * SONGS_AHEAD
        self._fetching = asyncio.Semaphore(FETCHED_AT_ONCE)
        # One more than are worked on, so that no worker waits while another song is looked at.
        self._reading = asyncio.Semaphore(workers + 1)

    async def build(self, sources: Sequence[Source], step: Callable[[], None]) -> None:
        """Write songs down, in their order.

        Parameters
        ----------
        step
            Called as each song is done.

        Raises
        ------
        OSError
            If the table can be written no more; all before that is in it.
        """
        waiting: deque[tuple[Source, asyncio.Task[_Heard | str | SongError]]] = deque()
        try:
            for source in sources:
                waiting.append((source, asyncio.create_task(self._hear(source))))
                if len(waiting) >= self._ahead:
                    first, task = waiting.popleft()
                    self._write_down(first, await task)
                    step()
            while waiting:
                first, task = waiting.popleft()
                self._write_down(first, await task)
                step()
        finally:
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)

    async def _hear(self, source: Source) -> _Heard | str | SongError:
        """Return what was heard in a song, or its content if the table has it."""
        if source.item is not None and source.text in self._table.sources:
            # Not fetched again to find out what is known: a link leads to the same song tomorrow.
            return self._table.sources[source.text]
        try:
            seat = self._reading if source.item is None else self._fetching
            async with seat, brought(source, self._fetcher) as song:
                if song.content in self._table.songs:
                    return song.content
                return _Heard(song, await self._read(song.path))
        except SongError as error:
            return error
        except WorkFailed as bug:
            say("".join(traceback.format_exception(bug)).rstrip())
            return SongError()

    def _write_down(self, source: Source, heard: _Heard | str | SongError) -> None:
        if isinstance(heard, SongError):
            self.outcome.failures.append((source, heard))
            return
        known = self._table.songs.get(heard.song.content if isinstance(heard, _Heard) else heard)
        if known is not None and known.label == self._label:
            self.outcome.repeats += 1
        elif known is not None:
            self.outcome.conflicts.append((source, known))
        elif isinstance(heard, _Heard):
            song = heard.song
            self._table.append(Song(song.content, song.name, self._label, source.text), heard.pieces)
            self.outcome.songs += 1
            self.outcome.rows += len(heard.pieces)
