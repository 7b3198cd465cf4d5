"""``dataset``: songs from disk or from links → one table of features with their genres, to train and to study on."""

from __future__ import annotations

import argparse
import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.batch import (
    MOST_WORKERS,
    SONGS_FAILED,
    WRONG_USAGE,
    add_work_arguments,
    complain,
    printable,
    say,
    worker_count,
)
from classifier.commands.file_arguments import Listed
from classifier.datasets.feature_reader import PieceReader
from classifier.inference.executor import SECONDS_PER_MINUTE, song_limits
from classifier.inference.worker_pool import WorkerPool
from classifier.library.progress import bar

if TYPE_CHECKING:
    from classifier.datasets.builder import Outcome
    from classifier.datasets.feature_reader import Piece
    from classifier.datasets.table import Merged
    from links import Playlist

LONGEST_LABEL: Final = 100
DESCRIPTION: Final = """\
Build a table to train and to study on: a row for every 30 seconds of a song, with the 57 features of the public GTZAN
table in its column order, then

  label,song,start,end,source

where song is the SHA-256 of the file, and start and end are seconds. A remainder of 10 seconds or more is a row, too.

  build   reads songs of one genre from files, folders, patterns, or links to songs, playlists, albums and feeds, and
          adds them to the table. Run it once for each genre, with the same --out. What is there already is left out,
          so a run that was stopped, or killed, goes on where it was; of a song that is there under another label, you
          are told. Fetch only what you are allowed to.
  merge   makes one table of several.

`python -m classifier study --table FILE.csv --out DIR` trains on the table and keeps a song's rows together.
LINK_HOSTS, LINK_PROXY and LINK_COOKIES hold for links as they do for the bot.

The exit status is 0, 1 if any song failed (the others are in the table), or 2 if the command was used wrongly.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="add songs of one genre to a table")
    build.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="files, folders, patterns such as 'music/**/*.mp3', or links"
    )
    build.add_argument("--label", type=_label, required=True, help="the genre of all these songs")
    build.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="the table, new or begun")
    build.add_argument("--texture", action="store_true", help="add the 2,192 columns of the texture features")
    add_work_arguments(build)
    merge = actions.add_parser("merge", help="make one table of several")
    merge.add_argument("tables", nargs="+", type=Path, metavar="TABLE", help="tables that `build` wrote")
    merge.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="new, or one of the tables")


def _label(text: str) -> str:
    label = text.strip()
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise argparse.ArgumentTypeError(f"a label is one line of up to {LONGEST_LABEL} letters")
    return label


def run(arguments: argparse.Namespace) -> int:
    """Build or merge, and return the exit status."""
    from classifier.datasets.table import BadTable

    try:
        if arguments.action == "merge":
            return _merge(arguments)
        return SONGS_FAILED if asyncio.run(_build(arguments)).failures else 0
    except BadTable as error:
        say(str(error))
    except OSError as error:
        say(f"{error.filename or arguments.out} cannot be read or written: {error.strerror}.")
    return WRONG_USAGE


class _Workers:
    """Processes that read songs: started for the first song that is new, since where there is none it is in vain."""

    def __init__(self, arguments: argparse.Namespace, count: int) -> None:
        reader = partial(PieceReader, arguments.max_minutes * SECONDS_PER_MINUTE, texture=arguments.texture)
        limits = song_limits(arguments.max_minutes)
        self._pool: WorkerPool[object, list[Piece]] = WorkerPool(reader, workers=count, limits=limits)
        self._starting = asyncio.Lock()
        self._started = False

    async def read(self, path: Path) -> list[Piece]:
        async with self._starting:
            if not self._started:
                await self._pool.start()
                self._started = True
        return await self._pool.run(path)

    async def close(self) -> None:
        await self._pool.close()


async def _build(arguments: argparse.Namespace) -> Outcome:
    from classifier.datasets import sources
    from classifier.datasets.builder import Builder
    from classifier.datasets.table import Table

    # Before anything is fetched: a table that cannot be written is found out at once.
    table = Table(arguments.out, texture=arguments.texture)
    try:
        fetcher = sources.make_fetcher(arguments.max_minutes)
        found = await sources.find(arguments.sources, fetcher, _tell_list)
        count = worker_count(arguments.workers, [Listed("")] * min(len(found), MOST_WORKERS))
        workers = _Workers(arguments, count)
        builder = Builder(table, arguments.label, workers.read, fetcher, workers=count)
        try:
            with bar("Reading", "songs", len(found)) as step:
                await builder.build(found, step)
        finally:
            await workers.close()
        _tell(builder.outcome, table.path, len(table.songs))
        return builder.outcome
    finally:
        table.close()


def _tell_list(link: str, listing: Playlist) -> None:
    more = "" if len(listing.items) == listing.count else f" of {listing.count:,}"
    say(f"{printable(link)}: {len(listing.items):,}{more} songs.")


def _tell(outcome: Outcome, path: Path, total: int) -> None:
    for source, error in outcome.failures:
        complain(source.text, error)
    for source, known in outcome.conflicts:
        say(
            f"{printable(source.text)}: This song is in the table already, as {printable(known.filename)} under "
            f"{known.label}. It was left there."
        )
    if outcome.repeats:
        say(f"{outcome.repeats:,} {_songs(outcome.repeats)} there already.")
    print(f"{outcome.songs:,} {_songs(outcome.songs)} added, {outcome.rows:,} rows; {path} has {total:,} songs.")


def _songs(count: int) -> str:
    return "song was" if count == 1 else "songs were"


def _merge(arguments: argparse.Namespace) -> int:
    from classifier.datasets.table import BadTable, merge

    inputs = {table.resolve() for table in arguments.tables}
    if os.path.lexists(arguments.out) and arguments.out.resolve() not in inputs:
        raise BadTable(f"{arguments.out} is there already. Name it among the tables, too, if its rows are to stay.")
    _tell_merged(merge(arguments.tables, arguments.out), arguments.out)
    return 0


def _tell_merged(merged: Merged, path: Path) -> None:
    for filename, label, kept in merged.conflicts:
        say(
            f"{printable(filename)} is {label} in one table, and {kept.label} as {printable(kept.filename)} in an "
            f"earlier one: it stays {kept.label}."
        )
    if merged.repeats:
        say(f"{merged.repeats:,} {_songs(merged.repeats)} in several tables.")
    print(f"{merged.songs:,} songs in {merged.rows:,} rows: {path}")
