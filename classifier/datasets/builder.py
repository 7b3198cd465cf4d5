"""Adds songs to a data set: fetches each one, has a worker compute its features, and writes them in order."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from classifier.console import print_error
from classifier.datasets.sources import local_copy
from classifier.datasets.table import TableSong
from classifier.inference.worker_process import WorkerError
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from classifier.datasets.feature_reader import SegmentRow
    from classifier.datasets.sources import DatasetSource, LocalSong
    from classifier.datasets.table import DatasetTable, ExistingSong
    from links import Fetcher

CONCURRENT_FETCHES: Final = 2
"""Maximum number of songs fetched at a time, to be gentle to the sites."""
PENDING_SONGS_PER_WORKER: Final = 4
"""Finished songs wait until all earlier ones are written, so the number of songs in memory is limited."""


@dataclass(slots=True)
class BuildSummary:
    """The result of a run.

    Attributes
    ----------
    songs, rows
        Number of songs and rows that were added.
    repeats
        Number of songs that the table already has with the same label.
    conflicts
        Songs that the table already has with another label, which is kept.
    failures
        Songs that could not be fetched or read, and why.
    """

    songs: int = 0
    rows: int = 0
    repeats: int = 0
    conflicts: list[tuple[DatasetSource, ExistingSong]] = field(default_factory=list)
    failures: list[tuple[DatasetSource, SongError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _ReadSong:
    song: LocalSong
    segments: list[SegmentRow]


class Builder:
    """Adds songs of one genre to a table.

    Parameters
    ----------
    label
        The genre.
    read
        Computes the features of a file in one of the ``workers``; raises ``SongError``, or ``WorkerError`` for a bug.
    """

    def __init__(
        self,
        table: DatasetTable,
        label: str,
        read: Callable[[Path], Awaitable[list[SegmentRow]]],
        fetcher: Fetcher,
        *,
        workers: int,
    ) -> None:
        self.summary = BuildSummary()
        self._table, self._label, self._read, self._fetcher = table, label, read, fetcher
        self._max_pending = workers * PENDING_SONGS_PER_WORKER
        self._fetching = asyncio.Semaphore(CONCURRENT_FETCHES)
        # One more than there are workers, so that no worker waits while another file is hashed.
        self._reading = asyncio.Semaphore(workers + 1)

    async def build(self, sources: Sequence[DatasetSource], step: Callable[[], None]) -> None:
        """Add songs to the table, in their order.

        Parameters
        ----------
        step
            Called when a song is done.

        Raises
        ------
        OSError
            If the table cannot be written; it then has all songs before this one.
        """
        waiting: deque[tuple[DatasetSource, asyncio.Task[_ReadSong | str | SongError]]] = deque()
        try:
            for source in sources:
                waiting.append((source, asyncio.create_task(self._read_song(source))))
                if len(waiting) >= self._max_pending:
                    first, task = waiting.popleft()
                    self._record(first, await task)
                    step()
            while waiting:
                first, task = waiting.popleft()
                self._record(first, await task)
                step()
        finally:
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)

    async def _read_song(self, source: DatasetSource) -> _ReadSong | str | SongError:
        """Return the features of a song, or its content hash if the table already has it."""
        if source.item is not None and source.text in self._table.sources:
            # Songs behind a known link are not fetched again.
            return self._table.sources[source.text]
        try:
            semaphore = self._reading if source.item is None else self._fetching
            async with semaphore, local_copy(source, self._fetcher) as song:
                if song.content in self._table.songs:
                    return song.content
                return _ReadSong(song, await self._read(song.path))
        except SongError as error:
            return error
        except WorkerError as bug:
            print_error("".join(traceback.format_exception(bug)).rstrip())
            return SongError()

    def _record(self, source: DatasetSource, result: _ReadSong | str | SongError) -> None:
        if isinstance(result, SongError):
            self.summary.failures.append((source, result))
            return
        known = self._table.songs.get(result.song.content if isinstance(result, _ReadSong) else result)
        if known is not None and known.label == self._label:
            self.summary.repeats += 1
        elif known is not None:
            self.summary.conflicts.append((source, known))
        elif isinstance(result, _ReadSong):
            song = result.song
            self._table.append(TableSong(song.content, song.name, self._label, source.text), result.segments)
            self.summary.songs += 1
            self.summary.rows += len(result.segments)
