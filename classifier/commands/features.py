"""``features``: the 57 features of songs, in the form of the public GTZAN table."""

from __future__ import annotations

import asyncio
import csv
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from classifier.commands.batch import (
    SONGS_FAILED,
    WRONG_USAGE,
    add_file_arguments,
    complain,
    say,
    work_through,
    worker_count,
)
from classifier.commands.file_arguments import expand
from classifier.inference.executor import SECONDS_PER_MINUTE, song_limits
from classifier.inference.worker_pool import WorkerPool
from classifier.song_report import Progress
from common.errors import SongError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from classifier.commands.file_arguments import Listed

DESCRIPTION: Final = """\
Compute the 57 features of the public GTZAN table, as CSV in its column order:

  filename,length,chroma_stft_mean,chroma_stft_var,…,tempo,mfcc1_mean,…,mfcc20_var,label

A song of one segment (under 40 s) gives one row over all of it, named as the file. A longer one gives a row for each
30 seconds, and for a remainder of 10 seconds or more, named like the pieces in the public table of short pieces:
song.0.wav, song.1.wav, …; length is the number of samples, at 22,050 Hz, that the row was computed from.

The label is empty unless --label names it or --label-from-folder takes the name of the folder that each file lies in.

The exit status is 0, 1 if any file failed (the others are still done), or 2 if the command was used wrongly.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """The features of a stretch of a song, and the number of samples they were computed from."""

    length: int
    features: tuple[float, ...]


class FeatureReader:
    """A worker's work: the features of every segment of a file."""

    def __init__(self, max_seconds: float) -> None:
        # Here rather than when the first song needs them: what is loaded now does not count against its memory.
        from classifier.audio import decoding  # noqa: F401
        from classifier.features.gtzan57 import COLUMNS

        self._max_seconds = max_seconds
        self.about = COLUMNS

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> list[Row]:
        from classifier.audio.decoding import decode
        from classifier.audio.segmentation import one_segment, segments
        from classifier.features.gtzan57 import gtzan57
        from classifier.features.spectrum import Spectrum

        report(Progress("decoding"))
        samples = decode(path, max_seconds=self._max_seconds)
        pieces = [segment.samples for segment in segments(samples)]
        if len(pieces) == 1:
            pieces = [
                one_segment(samples).samples
            ]  # the public table's tracks are some samples longer than 30 s, and it uses them all
        rows = []
        for number, piece in enumerate(pieces, start=1):
            report(Progress("listening", number, len(pieces)))
            rows.append(Row(piece.size, tuple(gtzan57(Spectrum(piece)).tolist())))
        return rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file_arguments(parser)
    parser.add_argument("--csv", type=Path, metavar="OUT", help="the file to write (default: to the terminal)")
    label = parser.add_mutually_exclusive_group()
    label.add_argument("--label", default="", help="the label of all rows")
    label.add_argument("--label-from-folder", action="store_true", help="label each file by the folder it lies in")


def run(arguments: argparse.Namespace) -> int:
    """Write the table and return the exit status."""
    files = expand(arguments.files)
    try:
        with _opened(arguments.csv) as out:
            return SONGS_FAILED if asyncio.run(_tabulate(files, arguments, out)) else 0
    except OSError as error:
        if arguments.csv is None or error.filename != str(arguments.csv):
            raise
        say(f"{arguments.csv} cannot be written: {error.strerror}")
        return WRONG_USAGE


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    # Names that are not UTF-8 come out as the very bytes that they are.
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
            yield out


async def _tabulate(files: list[Listed], arguments: argparse.Namespace, out: TextIO) -> int:
    workers = worker_count(arguments.workers, files)
    make_reader = partial(FeatureReader, arguments.max_minutes * SECONDS_PER_MINUTE)
    pool = WorkerPool(make_reader, workers=workers, limits=song_limits(arguments.max_minutes))
    table = csv.writer(out, lineterminator="\n")

    def tell(name: str, outcome: list[Row] | SongError) -> None:
        if isinstance(outcome, SongError):
            complain(name, outcome)
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
        return await work_through(files, pool.run, tell, workers=workers)
    finally:
        await pool.close()
