"""``organize``: groups a music collection by genre into playlists, tags and a report."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.batch import DEFAULT_MAX_MINUTES, EXIT_FAILURES, EXIT_USAGE, MAX_WORKERS, worker_count
from classifier.console import print_error, printable
from classifier.file_arguments import FileArgument
from classifier.inference.executor import CannotStart, Release
from classifier.inference.executor_factory import UnknownExecutor, open_executor
from classifier.inference.manifest import PACKAGED_MODELS
from classifier.library import playlists
from classifier.library.collection import walk
from classifier.library.grouping import WITHOUT_GENRE, genre_name, group_songs
from classifier.library.progress import progress_bar
from classifier.library.scan import scan
from classifier.library.state_db import StateDatabase, StateDatabaseError, default_folder
from classifier.library.tagging import (
    TaggingInProgress,
    apply_change,
    changes_to_undo,
    exclusive_tagging,
    plan,
    remove_leftovers,
    undo_change,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifier.library.collection import FolderContents
    from classifier.library.grouping import ClassifiedSong
    from classifier.library.scan_result import ScanResult

DESCRIPTION: Final = """\
Find the genre of every song in a folder and its subfolders, and on request

  --playlists OUT   write a playlist for each genre, and one of the songs that the model is not sure of;
  --report OUT      write a page with counts, a map, doubtful tags and likely duplicates, to open in a browser;
  --write-tags      write the genre into the tags of songs that have none (--overwrite: replace other genres too,
                    --overwrite-unknown: even those that the model does not know).

Files of the collection are only changed with --write-tags. It replaces each file by a tagged copy in one step, changes
nothing but the genre, and --undo restores every file byte for byte. --dry-run shows the changes without making them.

Answers are saved by content, so an interrupted run can be continued, and moved or copied songs are not classified
again. They are kept, with the data for --undo, in the folder given by --state.

Links to folders are not followed, and hidden files are skipped. EXECUTOR_URL chooses where songs are classified.

The exit status is 0, 1 if a file failed (the others are done), or 2 for a usage error.
"""


class UsageError(Exception):
    """The arguments cannot be used; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the collection")
    parser.add_argument("--playlists", type=Path, metavar="OUT", help="the folder to write playlists to")
    parser.add_argument("--report", type=Path, metavar="OUT", help="the page to write, such as report.html")
    tagging = parser.add_mutually_exclusive_group()
    tagging.add_argument("--write-tags", action="store_true", help="write genres into the songs' tags")
    tagging.add_argument("--undo", action="store_true", help="undo all tag changes in this folder")
    parser.add_argument(
        "--overwrite", action="store_true", help="with --write-tags: replace existing genres that the model knows"
    )
    parser.add_argument(
        "--overwrite-unknown", action="store_true", help="with --write-tags: replace all existing genres"
    )
    parser.add_argument("--dry-run", action="store_true", help="show every change and make none")
    parser.add_argument(
        "--minimum-confidence",
        type=_share,
        default=None,
        metavar="P",
        help="use answers with at least this confidence, 0 to 1 (default: those that the model is sure of)",
    )
    parser.add_argument(
        "--genres",
        type=lambda text: tuple(name.strip().casefold() for name in text.split(",") if name.strip()),
        default=(),
        metavar="A,B",
        help="write playlists and tags of these genres only; 'not-sure' and 'not-music' are two of them",
    )
    parser.add_argument("--jobs", type=_jobs, default=None, metavar="N", help="songs at a time (default: one per core)")
    parser.add_argument(
        "--state",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="the folder of the saved answers (default: %(default)s)",
    )
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=Path(os.environ.get("MODEL_DIR") or PACKAGED_MODELS),
        metavar="DIR",
        help="the release to use (default: MODEL_DIR, or the packaged one)",
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:4]) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_WORKERS}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Organize the folder and return the exit status."""
    try:
        if not arguments.folder.is_dir():
            raise UsageError(f"{printable(str(arguments.folder))} is not a folder.")
        for option in ("overwrite", "overwrite_unknown"):
            if getattr(arguments, option) and not arguments.write_tags:
                raise UsageError(f"--{option.replace('_', '-')} can only be used with --write-tags.")
        state_db = StateDatabase(arguments.state)
        try:
            work = _undo if arguments.undo else _organize
            # Resolved, so that relative paths between folders are correct.
            return EXIT_FAILURES if asyncio.run(work(arguments.folder.resolve(), state_db, arguments)) else 0
        finally:
            state_db.close()
    except (UsageError, StateDatabaseError, CannotStart, UnknownExecutor, TaggingInProgress) as error:
        print_error(str(error))
        return EXIT_USAGE


async def _organize(folder: Path, state_db: StateDatabase, arguments: argparse.Namespace) -> bool:
    """Classify the collection and write what was requested; return whether anything failed."""
    workers = worker_count(arguments.jobs, [FileArgument("")] * MAX_WORKERS)
    release = _release(arguments.model_dir)
    _check(arguments, (*release.genres, *WITHOUT_GENRE))
    executor = open_executor(
        os.environ.get("EXECUTOR_URL", ""),
        model_dir=arguments.model_dir,
        workers=workers,
        max_minutes=DEFAULT_MAX_MINUTES,
    )
    try:
        contents = walk(folder)
        result = await scan(
            folder,
            contents.files,
            executor,
            release,
            state_db,
            minimum_confidence=arguments.minimum_confidence,
            # One more than there are workers, so that no worker waits while an answer is saved.
            concurrency=workers + 1,
        )
    finally:
        await executor.close()
    _print_problems(result, contents)
    selected = [song for song in result.songs if not arguments.genres or song.group in arguments.genres]
    failed = bool(result.failures)
    if arguments.write_tags:
        failed |= _tag(selected, release.genres, contents, state_db, arguments)
    if not arguments.dry_run:
        failed |= _write(result, selected, state_db, arguments)
    _print_genres(result)
    return failed


def _release(model_dir: Path) -> Release:
    """Return the serving release from its manifest; the model itself is loaded only if there are new songs."""
    from classifier.inference.model import BadRelease, read_manifest

    try:
        manifest = read_manifest(model_dir)
    except BadRelease as error:
        raise CannotStart(str(error)) from error
    return Release(str(manifest["name"]), tuple(manifest["genres"]))


def _check(arguments: argparse.Namespace, known: Sequence[str]) -> None:
    """Check in advance that the requested files can be written."""
    if unknown := [genre for genre in arguments.genres if genre not in known]:
        raise UsageError(f"There is no genre {', '.join(unknown)}. The genres are: {', '.join(known)}.")
    report = arguments.report
    if report and (report.is_dir() or not os.access(report.absolute().parent, os.W_OK)):
        raise UsageError(f"{report} cannot be written: it is a folder, or its folder does not exist or is read-only.")
    if arguments.playlists and not arguments.dry_run:
        try:
            playlists.check_folder(arguments.playlists, known)
        except playlists.ForeignFile as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            raise UsageError(f"{arguments.playlists} cannot be written: {error.strerror}.") from error


def _print_genres(result: ScanResult) -> None:
    """Print the number of songs per genre: a table on a terminal, tab-separated lines otherwise."""
    from classifier.commands.report_table import print_lines, print_table

    counts = {genre_name(group): len(songs) for group, songs in group_songs(result.songs).items()}
    if not sys.stdout.isatty():
        print_lines((name, str(count)) for name, count in counts.items())
    elif counts:
        total = sum(counts.values())
        rows = [(name, f"{count:,}", f"{count / total:.0%}") for name, count in counts.items()]
        print_table(("Genre", "Songs", "Share"), [*rows, ("Total", f"{total:,}", "")])
    sys.stdout.flush()


def _print_problems(result: ScanResult, contents: FolderContents) -> None:
    """Print failures and skipped files to stderr."""
    for path, failure in result.failures:
        print_error(f"{printable(str(path))}: {failure.message}")
    for folder in contents.unreadable_folders:
        print_error(f"{printable(str(folder))}: This folder cannot be read. It was skipped.")
    if links := len(contents.skipped_links):
        print_error(f"{links} link{'s were' if links > 1 else ' was'} not followed.")
    if result.newly_classified:
        print_error(f"{result.newly_classified:,} songs classified, {result.songs_per_minute:,.0f} per minute.")


def _tag(
    selected: Sequence[ClassifiedSong],
    genres: Sequence[str],
    contents: FolderContents,
    state_db: StateDatabase,
    arguments: argparse.Namespace,
) -> bool:
    """Write the tags; return whether anything failed."""
    failed, tagged = False, 0
    tag_plan = plan(selected, genres, overwrite=arguments.overwrite, overwrite_unknown=arguments.overwrite_unknown)
    with exclusive_tagging(arguments.state):
        if not arguments.dry_run:
            remove_leftovers(contents.leftovers)
        with progress_bar("Tagging", "files", len(tag_plan.changes)) as step:
            for change in tag_plan.changes:
                problem = apply_change(change, state_db, dry_run=arguments.dry_run)
                name = printable(str(change.song.path))
                if problem is not None:
                    print_error(f"{name}: {problem}")
                    failed = True
                elif arguments.dry_run:
                    print(f"{name}: {printable(change.song.tags.genre) or 'no genre'} → {change.genre}")
                else:
                    tagged += 1
                step()
    if kept := len(tag_plan.kept_unknown):
        print_error(f"{kept:,} genres that the model does not know were kept (--overwrite-unknown replaces them).")
    if not arguments.dry_run:
        print_error(f"{tagged:,} files tagged.")
    return failed


def _write(
    result: ScanResult, selected: Sequence[ClassifiedSong], state_db: StateDatabase, arguments: argparse.Namespace
) -> bool:
    """Write playlists and the report; return whether anything failed."""
    failed = False
    try:
        if arguments.playlists:
            for song in playlists.write(arguments.playlists.resolve(), group_songs(selected)):
                print_error(f"{printable(str(song.path))}: A playlist cannot contain a path with a line break.")
                failed = True
        if arguments.report:
            from classifier.library import report  # imports SciPy, which is slow

            report.write(arguments.report, result, state_db)
    except OSError as error:
        print_error(f"{error.filename or 'A file'} could not be written: {error.strerror}.")
        return True
    return failed


async def _undo(folder: Path, state_db: StateDatabase, arguments: argparse.Namespace) -> bool:
    """Undo the tag changes in a folder; return whether anything failed."""
    failed, restored = False, 0
    with exclusive_tagging(arguments.state):
        contents = walk(folder)
        if not arguments.dry_run:
            remove_leftovers(contents.leftovers)
        for change, path in await changes_to_undo(folder, contents.files, state_db):
            problem = undo_change(change, path, state_db, dry_run=arguments.dry_run)
            if problem is not None:
                print_error(f"{printable(str(path))}: {problem}")
                failed = True
            elif arguments.dry_run:
                print(f"{printable(str(path))}: would be restored")
            else:
                restored += 1
    if not arguments.dry_run:
        print_error(f"{restored:,} changes undone.")
    return failed
