"""``dataset``: builds a table of features and genres from files and links, to train on and for studies."""

from __future__ import annotations

import argparse
import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.batch import EXIT_FAILURES, EXIT_USAGE, MAX_WORKERS, add_work_arguments, worker_count
from classifier.console import print_error, print_file_error, printable
from classifier.datasets.feature_reader import SegmentReader
from classifier.file_arguments import FileArgument
from classifier.inference.executor import SECONDS_PER_MINUTE, song_limits
from classifier.inference.worker_pool import WorkerPool
from classifier.library.progress import progress_bar

if TYPE_CHECKING:
    from classifier.datasets.builder import BuildSummary
    from classifier.datasets.feature_reader import SegmentRow
    from classifier.datasets.table import MergeSummary
    from links import Playlist

LONGEST_LABEL: Final = 100
DESCRIPTION: Final = """\
Build a table for training and studies: a row for every 30 seconds of a song, with the 57 features of the public GTZAN
table in its column order, then

  label,song,start,end,source

where song is the SHA-256 of the file, and start and end are in seconds. A remainder of 10 seconds or more is a row too.

  build   adds songs of one genre to the table, from files, folders, patterns, or links to songs, playlists, albums and
          feeds. Run it once for each genre, with the same --out. Songs that are already in the table are skipped, so a
          run that was interrupted can be continued; songs with another label there are reported. Fetch only music that
          you are allowed to.
  merge   merges several tables into one.

`python -m classifier study --table FILE.csv --out DIR` trains on the table and keeps a song's rows together.
LINK_HOSTS, LINK_PROXY and LINK_COOKIES apply to links as for the bot.

The exit status is 0, 1 if a song failed (the others are in the table), or 2 for a usage error.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="add songs of one genre to a table")
    build.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="files, folders, patterns such as 'music/**/*.mp3', or links"
    )
    build.add_argument("--label", type=_label, required=True, help="the genre of all these songs")
    build.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="the table, new or existing")
    build.add_argument("--texture", action="store_true", help="add the 2,192 columns of the texture features")
    add_work_arguments(build)
    merge = actions.add_parser("merge", help="merge several tables into one")
    merge.add_argument("tables", nargs="+", type=Path, metavar="TABLE", help="tables that `build` wrote")
    merge.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="a new file, or one of the tables")


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
        return EXIT_FAILURES if asyncio.run(_build(arguments)).failures else 0
    except BadTable as error:
        print_error(str(error))
    except OSError as error:
        print_error(f"{error.filename or arguments.out} cannot be read or written: {error.strerror}.")
    return EXIT_USAGE


class _Workers:
    """The worker processes that read songs, started only when there is a new song."""

    def __init__(self, arguments: argparse.Namespace, count: int) -> None:
        reader = partial(SegmentReader, arguments.max_minutes * SECONDS_PER_MINUTE, texture=arguments.texture)
        limits = song_limits(arguments.max_minutes)
        self._pool: WorkerPool[object, list[SegmentRow]] = WorkerPool(reader, workers=count, limits=limits)
        self._starting = asyncio.Lock()
        self._started = False

    async def read(self, path: Path) -> list[SegmentRow]:
        async with self._starting:
            if not self._started:
                await self._pool.start()
                self._started = True
        return await self._pool.run(path)

    async def close(self) -> None:
        await self._pool.close()


async def _build(arguments: argparse.Namespace) -> BuildSummary:
    from classifier.datasets import sources
    from classifier.datasets.builder import Builder
    from classifier.datasets.table import DatasetTable

    # Opened first, so that a table that cannot be written is reported before anything is fetched.
    table = DatasetTable(arguments.out, texture=arguments.texture)
    try:
        fetcher = sources.make_fetcher(arguments.max_minutes)
        found = await sources.find(arguments.sources, fetcher, _print_list)
        count = worker_count(arguments.workers, [FileArgument("")] * min(len(found), MAX_WORKERS))
        workers = _Workers(arguments, count)
        builder = Builder(table, arguments.label, workers.read, fetcher, workers=count)
        try:
            with progress_bar("Reading", "songs", len(found)) as step:
                await builder.build(found, step)
        finally:
            await workers.close()
        _print_summary(builder.summary, table.path, len(table.songs))
        return builder.summary
    finally:
        table.close()


def _print_list(link: str, listing: Playlist) -> None:
    more = "" if len(listing.items) == listing.count else f" of {listing.count:,}"
    print_error(f"{printable(link)}: {len(listing.items):,}{more} songs.")


def _print_summary(summary: BuildSummary, path: Path, total: int) -> None:
    for source, error in summary.failures:
        print_file_error(source.text, error)
    for source, known in summary.conflicts:
        print_error(
            f"{printable(source.text)}: This song is already in the table, as {printable(known.filename)} with the "
            f"label {known.label}, which was kept."
        )
    if summary.repeats:
        print_error(f"{summary.repeats:,} {_songs(summary.repeats)} already in the table.")
    print(f"{summary.songs:,} {_songs(summary.songs)} added, {summary.rows:,} rows; {path} has {total:,} songs.")


def _songs(count: int) -> str:
    return "song was" if count == 1 else "songs were"


def _merge(arguments: argparse.Namespace) -> int:
    from classifier.datasets.table import BadTable, merge

    inputs = {table.resolve() for table in arguments.tables}
    if os.path.lexists(arguments.out) and arguments.out.resolve() not in inputs:
        raise BadTable(f"{arguments.out} already exists. Name it among the tables as well to keep its rows.")
    _print_merge_summary(merge(arguments.tables, arguments.out), arguments.out)
    return 0


def _print_merge_summary(merged: MergeSummary, path: Path) -> None:
    for filename, label, kept in merged.conflicts:
        print_error(
            f"{printable(filename)} is {label} in one table, and {kept.label} as {printable(kept.filename)} in an "
            f"earlier one: it stays {kept.label}."
        )
    if merged.repeats:
        print_error(f"{merged.repeats:,} {_songs(merged.repeats)} in several tables.")
    print(f"{merged.songs:,} songs in {merged.rows:,} rows: {path}")
