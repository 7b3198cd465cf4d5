"""Building a data set: each song is brought, heard by a worker and written down, in the order in which it was named."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from classifier.commands.working import say
from classifier.dataset.sources import Brought, brought
from classifier.dataset.table import Song
from classifier.errors import SongError
from classifier.worker import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from classifier.dataset.reading import Piece
    from classifier.dataset.sources import Source
    from classifier.dataset.table import Known, Table
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


async def build(
    sources: Sequence[Source],
    table: Table,
    label: str,
    read: Callable[[Path], Awaitable[list[Piece]]],
    fetcher: Fetcher,
    step: Callable[[], None],
    *,
    workers: int,
) -> Outcome:
    """Write songs into a table.

    Parameters
    ----------
    label
        The genre of all of them.
    read
        Has a file read by one of so many ``workers``; raises ``SongError``, or ``WorkFailed`` for a bug.
    step
        Called as each song is done.

    Raises
    ------
    OSError
        If the table can be written no more; all before that is in it.
    """
    outcome = Outcome()
    fetching = asyncio.Semaphore(FETCHED_AT_ONCE)
    # Of the songs that are here at a time, not all need a worker: some are only looked at, or wait to be written down.
    seats = asyncio.Semaphore(workers + 1)

    async def hear(source: Source) -> _Heard | Brought | SongError:
        try:
            async with fetching if source.item is not None else seats, brought(source, fetcher) as song:
                if song.content in table.songs:
                    return song
                return _Heard(song, await read(song.path))
        except SongError as error:
            return error
        except WorkFailed as bug:
            say("".join(traceback.format_exception(bug)).rstrip())
            return SongError()

    def write_down(source: Source, heard: _Heard | Brought | SongError) -> None:
        if isinstance(heard, SongError):
            outcome.failures.append((source, heard))
            return
        song = heard.song if isinstance(heard, _Heard) else heard
        known = table.songs.get(song.content)
        if known is not None and known.label == label:
            outcome.repeats += 1
        elif known is not None:
            outcome.conflicts.append((source, known))
        elif isinstance(heard, _Heard):
            table.append(Song(song.content, song.name, label, source.text), heard.pieces)
            outcome.songs += 1
            outcome.rows += len(heard.pieces)

    waiting: deque[tuple[Source, asyncio.Task[_Heard | Brought | SongError]]] = deque()
    try:
        for source in sources:
            if source.item is not None and source.text in table.sources:
                # Not fetched again to find out what is known: a link leads to the same song tomorrow.
                outcome.repeats += 1
                step()
                continue
            waiting.append((source, asyncio.create_task(hear(source))))
            if len(waiting) >= workers * SONGS_AHEAD:
                first, task = waiting.popleft()
                write_down(first, await task)
                step()
        while waiting:
            first, task = waiting.popleft()
            write_down(first, await task)
            step()
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
    return outcome
