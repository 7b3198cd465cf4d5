"""``features``: computes the 57 features of songs, in the format of the public GTZAN table."""

from __future__ import annotations

import asyncio
import csv
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from classifier.commands.batch import EXIT_FAILURES, EXIT_USAGE, add_file_arguments, process_files, worker_count
from classifier.console import print_error, print_file_error
from classifier.datasets.feature_reader import SegmentReader, SegmentRow
from classifier.file_arguments import expand_files
from classifier.inference.executor import SECONDS_PER_MINUTE, song_limits
from classifier.inference.worker_pool import WorkerPool
from common.errors import SongError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from classifier.file_arguments import FileArgument

DESCRIPTION: Final = """\
Compute the 57 features of the public GTZAN table, as CSV in its column order:

  filename,length,chroma_stft_mean,chroma_stft_var,…,tempo,mfcc1_mean,…,mfcc20_var,label

A song of one segment (under 40 s) gives one row, named as the file. A longer song gives one row for every 30 seconds,
and for a remainder of 10 seconds or more, named like those of the public table of short excerpts: song.0.wav,
song.1.wav, …; length is the number of samples at 22,050 Hz that the row was computed from.

The label is empty unless --label sets it or --label-from-folder uses the name of each file's folder.

The exit status is 0, 1 if any file failed (the others are still done), or 2 if the command was used wrongly.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file_arguments(parser)
    parser.add_argument("--csv", type=Path, metavar="OUT", help="the file to write (default: standard output)")
    label = parser.add_mutually_exclusive_group()
    label.add_argument("--label", default="", help="the label of all rows")
    label.add_argument("--label-from-folder", action="store_true", help="label each file with the name of its folder")


def run(arguments: argparse.Namespace) -> int:
    """Write the table and return the exit status."""
    files = expand_files(arguments.files)
    try:
        with _opened(arguments.csv) as out:
            return EXIT_FAILURES if asyncio.run(_tabulate(files, arguments, out)) else 0
    except OSError as error:
        if arguments.csv is None or error.filename != str(arguments.csv):
            raise
        print_error(f"{arguments.csv} cannot be written: {error.strerror}")
        return EXIT_USAGE


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    # Names that are not valid UTF-8 are written as their original bytes.
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
            yield out


async def _tabulate(files: list[FileArgument], arguments: argparse.Namespace, out: TextIO) -> int:
    workers = worker_count(arguments.workers, files)
    make_reader = partial(SegmentReader, arguments.max_minutes * SECONDS_PER_MINUTE)
    pool = WorkerPool(make_reader, workers=workers, limits=song_limits(arguments.max_minutes))
    table = csv.writer(out, lineterminator="\n")

    def report_result(name: str, outcome: list[SegmentRow] | SongError) -> None:
        if isinstance(outcome, SongError):
            print_file_error(name, outcome)
            return
        path = Path(name)
        label = path.absolute().parent.name if arguments.label_from_folder else arguments.label
        for number, row in enumerate(outcome):
            piece = path.name if len(outcome) == 1 else f"{path.stem}.{number}{path.suffix}"
            table.writerow([piece, row.length, *row.features, label])
        out.flush()

    try:
        columns = await pool.start()
        table.writerow(["filename", "length", *columns, "label"])
        return await process_files(files, pool.run, report_result, workers=workers)
    finally:
        await pool.close()
