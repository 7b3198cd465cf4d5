"""What the commands that work on many files share: the work itself, in order, and the bar that shows how far it is."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import traceback
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from classifier.inference.worker_process import WorkFailed
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from classifier.commands.file_arguments import Listed
    from classifier.song_report import Progress

DEFAULT_MAX_MINUTES: Final = 60.0
MOST_MINUTES: Final = 600
MOST_WORKERS: Final = 64
FILES_UNDER_WAY_PER_WORKER: Final = 4
SONGS_FAILED: Final = 1
WRONG_USAGE: Final = 2

Result = TypeVar("Result")


def add_file_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every command has that works on many files."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, folders, or patterns such as 'music/**/*.mp3'")
    add_work_arguments(parser)


def add_work_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how much may be worked on at a time, and how long a song may be."""
    parser.add_argument(
        "--workers", type=_count, default=None, metavar="N", help="files worked on at a time (default: one per core)"
    )
    parser.add_argument(
        "--max-minutes",
        type=_minutes,
        default=DEFAULT_MAX_MINUTES,
        metavar="M",
        help="refuse longer songs (default: %(default)g)",
    )


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MOST_WORKERS}")
    return int(text)


def _minutes(text: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,4})?", text) or not 0 < float(text) <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes up to {MOST_MINUTES}")
    return float(text)


def worker_count(wanted: int | None, files: Sequence[Listed]) -> int:
    """Return how many workers are worth starting for these files."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(wanted or cores, sum(file.problem is None for file in files)))


async def work_through(
    files: Sequence[Listed],
    work: Callable[[Path, Callable[[Progress], None]], Awaitable[Result]],
    tell: Callable[[str, Result | SongError], None],
    *,
    workers: int,
) -> int:
    """Work on files, some at a time, and tell of each in their order; return how many failed.

    Parameters
    ----------
    files
        In the order in which they are to be told.
    work
        Done on each; a ``SongError`` ends that file only, and so does a bug, whose traceback goes to stderr.
    tell
        Called with the file's name and what came of it.
    workers
        How many files ``work`` really works on at a time.
    """
    failures = 0
    under_way: deque[tuple[str, asyncio.Task[Result | SongError]]] = deque()
    with progress_bar(len(files)) as step:

        async def outcome(number: int, file: Listed) -> Result | SongError:
            try:
                if file.problem is not None:
                    return file.problem
                return await work(Path(file.name), lambda progress: step(number, _share(progress)))
            except SongError as error:
                return error
            except WorkFailed as bug:
                say("".join(traceback.format_exception(bug)).rstrip())
                return SongError()
            finally:
                step(number, 1)

        async def tell_first() -> int:
            name, task = under_way.popleft()
            result = await task
            tell(name, result)
            return isinstance(result, SongError)

        try:
            for number, file in enumerate(files):
                under_way.append((file.name, asyncio.create_task(outcome(number, file))))
                if len(under_way) > workers * FILES_UNDER_WAY_PER_WORKER:
                    failures += await tell_first()
            while under_way:
                failures += await tell_first()
        finally:
            for _, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
    return failures


def _share(progress: Progress) -> float:
    """Return how much of a file is done: the segments before this one, and decoding counted as one of them."""
    return progress.segment / (progress.segments + 1)


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[int, float], None]]:
    """Show a bar on stderr while files are worked on, if somebody is there to see it.

    Yields
    ------
    callable
        Takes the number of a file and how much of it is done, from 0 to 1.
    """
    if not sys.stderr.isatty() or total == 0:
        yield lambda _number, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    shares: dict[int, float] = {}
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        bar = progress.add_task("", total=total)

        def step(number: int, share: float) -> None:
            before = shares.get(number, 0)
            shares[number] = max(share, before)
            progress.update(bar, advance=shares[number] - before)

        yield step


def printable(text: str) -> str:
    """Return a name as it may be shown on a terminal, without what would move the cursor or hide text."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def complain(name: str, error: SongError) -> None:
    """Tell a person on stderr what is wrong with a file."""
    say(f"{printable(name)}: {error}")


def say(text: str) -> None:
    """Tell a person something on stderr, where it is out of the way of what a program reads."""
    sys.stderr.write(f"{text}\n")
