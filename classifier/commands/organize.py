"""``organize``: a folder of music, sorted by genre into playlists, tags and a report, without harming a file."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.batch import (
    DEFAULT_MAX_MINUTES,
    MOST_WORKERS,
    SONGS_FAILED,
    WRONG_USAGE,
    printable,
    say,
    worker_count,
)
from classifier.commands.classify import PACKAGED_MODELS
from classifier.commands.file_arguments import Listed
from classifier.inference.executor import CannotStart, Release, UnknownExecutor, open_executor
from classifier.library import playlists
from classifier.library.collection import walk
from classifier.library.grouping import NOT_SURE, shelves, title
from classifier.library.progress import bar
from classifier.library.scan import hear
from classifier.library.state_db import CannotRemember, Notebook, default_folder
from classifier.library.tagging import Busy, carry_out, clear_away, only_one, plan, take_back, written_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifier.library.collection import Collection
    from classifier.library.findings import Findings
    from classifier.library.grouping import Heard

DESCRIPTION: Final = """\
Put a music collection in order: say which genre every song in a folder and below has, and, if asked,

  --playlists OUT   write a playlist for each genre and one of the songs that the model is not sure of;
  --report OUT      write a page with counts, a map, doubtful tags and likely duplicates, to open in a browser;
  --write-tags      write the genre into the tags of songs that have none (--overwrite: of all that it is sure of).

No file of the collection is changed without --write-tags. With it, a tagged copy takes a file's place in one step,
nothing but the tags is touched, and --undo brings every file back as it was, to the byte. --dry-run shows what would
be written and writes nothing.

What was heard is remembered by content, so a run that was stopped goes on where it was, and a song that was moved or
copied is not heard again. It is kept, with what --undo needs, in the folder that --state names.

Links to folders are not followed; hidden files are left alone. EXECUTOR_URL chooses where songs are classified.

The exit status is 0, 1 if any file failed (the others are still done), or 2 if the command was used wrongly.
"""


class WrongUsage(Exception):
    """The command cannot be done as it was given; the text says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the collection")
    parser.add_argument("--playlists", type=Path, metavar="OUT", help="the folder to write playlists to")
    parser.add_argument("--report", type=Path, metavar="OUT", help="the page to write, such as report.html")
    tagging = parser.add_mutually_exclusive_group()
    tagging.add_argument("--write-tags", action="store_true", help="write genres into the songs' tags")
    tagging.add_argument("--undo", action="store_true", help="take back every tag that was written in this folder")
    parser.add_argument("--overwrite", action="store_true", help="with --write-tags: replace genres that are there")
    parser.add_argument("--dry-run", action="store_true", help="show every change and make none")
    parser.add_argument(
        "--minimum-confidence",
        type=_share,
        default=None,
        metavar="P",
        help="rely on answers from this confidence on, 0 to 1 (default: on those that the model calls sure)",
    )
    parser.add_argument(
        "--genres",
        type=lambda text: tuple(name.strip().casefold() for name in text.split(",") if name.strip()),
        default=(),
        metavar="A,B",
        help="playlists and tags of these genres only; 'not-sure' is one",
    )
    parser.add_argument("--jobs", type=_jobs, default=None, metavar="N", help="songs at a time (default: one per core)")
    parser.add_argument(
        "--state",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="the folder to remember things in (default: %(default)s)",
    )
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=Path(os.environ.get("MODEL_DIR") or PACKAGED_MODELS),
        metavar="DIR",
        help="the release to use (default: MODEL_DIR, or the one that came with this program)",
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
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:4]) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MOST_WORKERS}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Put the folder in order and return the exit status."""
    try:
        if not arguments.folder.is_dir():
            raise WrongUsage(f"{printable(str(arguments.folder))} is not a folder.")
        if arguments.overwrite and not arguments.write_tags:
            raise WrongUsage("--overwrite says how to write tags: it needs --write-tags.")
        notebook = Notebook(arguments.state)
        try:
            work = _undo if arguments.undo else _organize
            # Without links, so that a path from one folder to another holds.
            return SONGS_FAILED if asyncio.run(work(arguments.folder.resolve(), notebook, arguments)) else 0
        finally:
            notebook.close()
    except (WrongUsage, CannotRemember, CannotStart, UnknownExecutor, Busy) as error:
        say(str(error))
        return WRONG_USAGE


async def _organize(folder: Path, notebook: Notebook, arguments: argparse.Namespace) -> bool:
    """Do all but undoing; return whether anything failed."""
    workers = worker_count(arguments.jobs, [Listed("")] * MOST_WORKERS)
    release = _release(arguments.model_dir)
    _check(arguments, (*release.genres, NOT_SURE))
    executor = open_executor(
        os.environ.get("EXECUTOR_URL", ""),
        model_dir=arguments.model_dir,
        workers=workers,
        max_minutes=DEFAULT_MAX_MINUTES,
    )
    try:
        collection = walk(folder)
        findings = await hear(
            folder,
            collection.files,
            executor,
            release,
            notebook,
            minimum_confidence=arguments.minimum_confidence,
            # One more than are worked on, so that no worker waits while an answer is written down.
            at_once=workers + 1,
        )
    finally:
        await executor.close()
    _tell(findings, collection)
    picked = [song for song in findings.heard if not arguments.genres or song.shelf in arguments.genres]
    failed = bool(findings.failures)
    if arguments.write_tags:
        failed |= _tag(picked, collection, notebook, arguments)
    if not arguments.dry_run:
        failed |= _write(findings, picked, notebook, arguments)
    return failed


def _release(model_dir: Path) -> Release:
    """Read which release will answer; workers that take long to start load it only if there is something to hear."""
    from classifier.inference.model import BadRelease, read_manifest

    try:
        manifest = read_manifest(model_dir)
    except BadRelease as error:
        raise CannotStart(str(error)) from error
    return Release(str(manifest["name"]), tuple(manifest["genres"]))


def _check(arguments: argparse.Namespace, known: Sequence[str]) -> None:
    """Find out before the work is done whether its fruits can be kept."""
    if unknown := [genre for genre in arguments.genres if genre not in known]:
        raise WrongUsage(f"There is no genre {', '.join(unknown)}. These are known: {', '.join(known)}.")
    report = arguments.report
    if report and (report.is_dir() or not os.access(report.absolute().parent, os.W_OK)):
        raise WrongUsage(f"{report} cannot be written: it is a folder, or its folder is not there or closed.")
    if arguments.playlists and not arguments.dry_run:
        try:
            playlists.check_folder(arguments.playlists, known)
        except playlists.NotOurs as error:
            raise WrongUsage(str(error)) from error
        except OSError as error:
            raise WrongUsage(f"{arguments.playlists} cannot be written: {error.strerror}.") from error


def _tell(findings: Findings, collection: Collection) -> None:
    """Say what was found: counts on stdout, what is wrong on stderr."""
    found = shelves(findings.heard)
    widest = max((len(title(shelf)) for shelf in found), default=0)
    for shelf, songs in found.items():
        print(f"{title(shelf):<{widest}}  {len(songs):>6,}")
    sys.stdout.flush()
    for path, failure in findings.failures:
        say(f"{printable(str(path))}: {failure.message}")
    for closed in collection.closed:
        say(f"{printable(str(closed))}: This folder may not be read. It was left out.")
    if links := len(collection.links_left):
        say(f"{links} link{'s were' if links > 1 else ' was'} not followed.")
    if findings.listened:
        say(f"{findings.listened:,} songs heard, {findings.songs_per_minute:,.0f} a minute.")


def _tag(picked: Sequence[Heard], collection: Collection, notebook: Notebook, arguments: argparse.Namespace) -> bool:
    failed, tagged = False, 0
    changes = plan(picked, overwrite=arguments.overwrite)
    with only_one(arguments.state):
        if not arguments.dry_run:
            clear_away(collection.leftovers)
        with bar("Tagging", "files", len(changes)) as step:
            for change in changes:
                problem = carry_out(change, notebook, dry_run=arguments.dry_run)
                name = printable(str(change.song.path))
                if problem is not None:
                    say(f"{name}: {problem}")
                    failed = True
                elif arguments.dry_run:
                    print(f"{name}: {printable(change.song.tags.genre) or 'no genre'} → {change.genre}")
                else:
                    tagged += 1
                step()
    if not arguments.dry_run:
        say(f"{tagged:,} files tagged.")
    return failed


def _write(findings: Findings, picked: Sequence[Heard], notebook: Notebook, arguments: argparse.Namespace) -> bool:
    try:
        return _write_out(findings, picked, notebook, arguments)
    except OSError as error:
        say(f"{error.filename or 'A file'} could not be written: {error.strerror}.")
        return True


def _write_out(findings: Findings, picked: Sequence[Heard], notebook: Notebook, arguments: argparse.Namespace) -> bool:
    failed = False
    if arguments.playlists:
        for song in playlists.write(arguments.playlists.resolve(), shelves(picked)):
            say(f"{printable(str(song.path))}: There is a line break in this name: no playlist can hold it.")
            failed = True
    if arguments.report:
        from classifier.library import report  # scikit-learn, which is slow to import

        report.write(arguments.report, findings, notebook)
    return failed


async def _undo(folder: Path, notebook: Notebook, arguments: argparse.Namespace) -> bool:
    """Take back what was written in a folder; return whether anything failed."""
    failed, restored = False, 0
    with only_one(arguments.state):
        collection = walk(folder)
        if not arguments.dry_run:
            clear_away(collection.leftovers)
        for change, path in await written_in(folder, collection.files, notebook):
            problem = take_back(change, path, notebook, dry_run=arguments.dry_run)
            if problem is not None:
                say(f"{printable(str(path))}: {problem}")
                failed = True
            elif arguments.dry_run:
                print(f"{printable(str(path))}: as it was before")
            else:
                restored += 1
    if not arguments.dry_run:
        say(f"{restored:,} changes undone.")
    return failed
