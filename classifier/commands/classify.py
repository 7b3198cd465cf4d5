"""``classify``: says the genre of songs, as a table for people or as JSON lines for programs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.batch import EXIT_FAILURES, EXIT_USAGE, add_file_arguments, process_files, worker_count
from classifier.console import print_error, print_file_error
from classifier.file_arguments import expand_files
from classifier.inference.executor import CannotStart
from classifier.inference.executor_factory import open_executor
from classifier.inference.manifest import PACKAGED_MODELS
from common.errors import SongError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from classifier.file_arguments import FileArgument
    from classifier.song_report import Classification, Progress, SongReport

DESCRIPTION: Final = """\
Say what genre songs are.

On a terminal, every song is a line of a table; a question mark follows a genre that the model is not sure of. To a pipe
or file, a line has tabs between file, genre, confidence, "sure" or "unsure", runner-up, its confidence, and seconds.
With --segments there is a line for each segment. With --json every file gives a JSON object, in the order of the files:

  {"file", "genre", "confidence", "sure", "model", "duration", "probabilities": {genre: p},
   "segments": [{"start", "end", "genre", "confidence", "probabilities": {genre: p}, "votes": {expert: genre}}]}

and a file that cannot be classified {"file", "error", "message"}.

The exit status is 0, 1 if any file failed (the others are still done), or 2 if the command was used wrongly.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file_arguments(parser)
    parser.add_argument("--segments", action="store_true", help="show the segments of every song")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line instead of a table")
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=Path(os.environ.get("MODEL_DIR") or PACKAGED_MODELS),
        metavar="DIR",
        help="the release to use (default: MODEL_DIR, or the one that came with this program)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Classify the files and return the exit status."""
    files = expand_files(arguments.files)
    try:
        if arguments.json:
            failures = asyncio.run(_classify(files, arguments, _print_line))
        else:
            outcomes: dict[str, SongReport | SongError] = {}
            failures = asyncio.run(_classify(files, arguments, outcomes.__setitem__))
            _show(outcomes, segments=arguments.segments)
    except CannotStart as error:
        print_error(str(error))
        return EXIT_USAGE
    return EXIT_FAILURES if failures else 0


async def _classify(
    files: list[FileArgument],
    arguments: argparse.Namespace,
    report_result: Callable[[str, SongReport | SongError], None],
) -> int:
    workers = worker_count(arguments.workers, files)
    executor = open_executor("", model_dir=arguments.model_dir, workers=workers, max_minutes=arguments.max_minutes)

    async def classify(path: Path, on_progress: Callable[[Progress], None]) -> SongReport:
        classification: Classification = await executor.classify(path, on_progress=on_progress)
        return classification.report

    try:
        if any(file.problem is None for file in files):
            await executor.start()
        return await process_files(files, classify, report_result, workers=workers)
    finally:
        await executor.close()


def _print_line(name: str, outcome: SongReport | SongError) -> None:
    sys.stdout.buffer.write(json_line(name, outcome) + b"\n")
    sys.stdout.buffer.flush()


def json_line(name: str, outcome: SongReport | SongError) -> bytes:
    """Return what programs are told of a file, as one line of JSON in UTF-8."""
    if isinstance(outcome, SongError):
        line = {"file": name, "error": outcome.code, "message": str(outcome)}
    else:
        line = {"file": name, **outcome.as_rounded_dict()}
    # A name that is not UTF-8 holds lone surrogates; as a JSON escape they can be written and read back.
    return json.dumps(line, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")


def _show(outcomes: dict[str, SongReport | SongError], *, segments: bool) -> None:
    from classifier.commands.report_table import show_reports

    reports = {name: outcome for name, outcome in outcomes.items() if not isinstance(outcome, SongError)}
    show_reports(reports, segments=segments)
    sys.stdout.flush()
    for name, outcome in outcomes.items():
        if isinstance(outcome, SongError):
            print_file_error(name, outcome)
