"""Shared by the commands that process many files: concurrency, progress bar, error messages, exit statuses."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import traceback
from collections import deque
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from classifier.console import print_error
from classifier.inference.worker_process import WorkerError
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from classifier.file_arguments import FileArgument
    from classifier.song_report import Progress

DEFAULT_MAX_MINUTES: Final = 60.0
MAX_MINUTES: Final = 600
MAX_WORKERS: Final = 64
PENDING_FILES_PER_WORKER: Final = 4
EXIT_FAILURES: Final = 1
EXIT_USAGE: Final = 2

Result = TypeVar("Result")


def add_file_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that processes many files."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, folders, or patterns such as 'music/**/*.mp3'")
    add_work_arguments(parser)


def add_work_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the number of workers and the maximum length of a song."""
    parser.add_argument(
        "--workers", type=_count, default=None, metavar="N", help="files processed at a time (default: one per core)"
    )
    parser.add_argument(
        "--max-minutes",
        type=_minutes,
        default=DEFAULT_MAX_MINUTES,
        metavar="M",
        help="refuse longer songs (default: %(default)g)",
    )


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_WORKERS}")
    return int(text)


def _minutes(text: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,4})?", text) or not 0 < float(text) <= MAX_MINUTES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes up to {MAX_MINUTES}")
    return float(text)


def worker_count(wanted: int | None, files: Sequence[FileArgument]) -> int:
    """Return how many workers to start for these files."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(wanted or cores, sum(file.problem is None for file in files)))


async def process_files(
    files: Sequence[FileArgument],
    work: Callable[[Path, Callable[[Progress], None]], Awaitable[Result]],
    report_result: Callable[[str, Result | SongError], None],
    *,
    workers: int,
) -> int:
    """Process files concurrently and report the results in the order of the files; return how many failed.

    Parameters
    ----------
    files
        In the order in which they are reported.
    work
        Awaited for each file. A ``SongError`` affects that file only, and so does a bug, whose traceback is printed to
        stderr.
    report_result
        Called with the file's name and its result or error.
    workers
        Number of files that ``work`` processes at a time.
    """
    failures = 0
    pending: deque[tuple[str, asyncio.Task[Result | SongError]]] = deque()

    async def report_first() -> int:
        name, task = pending.popleft()
        result = await task
        report_result(name, result)
        return isinstance(result, SongError)

    with progress_bar(len(files)) as step:
        try:
            for number, file in enumerate(files):
                task = asyncio.create_task(_process(file, work, partial(step, number)))
                pending.append((file.name, task))
                if len(pending) > workers * PENDING_FILES_PER_WORKER:
                    failures += await report_first()
            while pending:
                failures += await report_first()
        finally:
            for _, task in pending:
                task.cancel()
            await asyncio.gather(*(task for _, task in pending), return_exceptions=True)
    return failures


async def _process(
    file: FileArgument,
    work: Callable[[Path, Callable[[Progress], None]], Awaitable[Result]],
    step: Callable[[float], None],
) -> Result | SongError:
    """Process one file; return its result or its error."""
    try:
        if file.problem is not None:
            return file.problem
        return await work(Path(file.name), lambda progress: step(_fraction_done(progress)))
    except SongError as error:
        return error
    except WorkerError as bug:
        print_error("".join(traceback.format_exception(bug)).rstrip())
        return SongError()
    finally:
        step(1)


def _fraction_done(progress: Progress) -> float:
    """Return how much of a file is done, from 0 to 1; decoding counts as much as one segment."""
    return progress.segment / (progress.segments + 1)


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[int, float], None]]:
    """Show a progress bar on stderr if it is a terminal.

    Yields
    ------
    callable
        To be called with the number of a file and how much of it is done, from 0 to 1.
    """
    if not sys.stderr.isatty() or total == 0:
        yield lambda _number, _fraction_done: None
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
