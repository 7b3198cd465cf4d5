"""The command line ``python -m storage``: database tasks for operators, from ``migrate`` and ``export`` to ``new-key``.

The database is the one in ``DATABASE_URL``, or else the bot's own file under ``DATA_DIR``.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from common.errors import UserError
from storage import (
    AggregationRules,
    ExportFilter,
    ExportFormat,
    ReviewStatus,
    Storage,
    StorageError,
    export_feedback,
    export_for_training,
    import_feedback,
)
from storage.database import database_url
from storage.migrate import migrate
from storage.settings import read_settings
from storage.songs import CONTENT_HASH
from storage.store import KEY_NOTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.export_target import ExportTarget
    from storage.settings import StorageSettings

STANDARD_OUTPUT = Path("-")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status: 0, or 2 with a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(options.work(read_settings(), options))
    except BrokenPipeError:
        # Whoever reads the export has ended and said why; nothing more may be written when this process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print("storage: whoever reads the export stopped before its end.", file=sys.stderr)
        return 2
    except (StorageError, UserError, SQLAlchemyError, OSError) as error:
        print(f"storage: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m storage", description="The database: DATABASE_URL says which.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    migrating = commands.add_parser("migrate", help="migrate the database to this release")
    migrating.set_defaults(work=_migrate)
    _add_export(commands.add_parser("export", help="write corrections that may leave to a file"))
    importing = commands.add_parser("import", help="import a file that export --for-training wrote")
    importing.add_argument("file", type=Path, metavar="FILE")
    importing.set_defaults(work=_import)
    known = commands.add_parser(
        "known", help="songs whose genre you know for certain; they show how reliable people are"
    )
    asked = known.add_subparsers(required=True, metavar="ACTION")
    adding = asked.add_parser("add", help="set the genre of a song")
    adding.add_argument("song", metavar="SONG", help="a music file, or the song id of an export")
    adding.add_argument("genre", metavar="GENRE", help="id, name or alias")
    adding.set_defaults(work=_add_known)
    listing = asked.add_parser("list", help="list them")
    listing.set_defaults(work=_list_known)
    removing = asked.add_parser("remove", help="forget the known genre of a song")
    removing.add_argument("song", metavar="SONG", help="a music file, or a song id")
    removing.set_defaults(work=_remove_known)
    renewing = commands.add_parser(
        "new-key", help="let the bot start with a new SECRET_KEY; it will no longer recognise anyone"
    )
    renewing.set_defaults(work=_new_key)
    return parser


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("--format", type=ExportFormat, choices=list(ExportFormat), default=ExportFormat.CSV)
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="- is standard output")
    export.add_argument(
        "--for-training",
        action="store_true",
        help="one label per song, on which enough people agree, with weight, use and all features",
    )
    export.add_argument("--since", type=_day, metavar="DATE", help="made on or after this day (UTC, 2026-01-31)")
    export.add_argument("--until", type=_day, metavar="DATE", help="made before this day")
    export.add_argument("--genre", help="only this genre: id, name or alias")
    export.add_argument(
        "--status",
        type=ReviewStatus,
        choices=list(ReviewStatus),
        action="append",
        help="repeatable; default: all but rejected",
    )
    export.add_argument(
        "--family", action="append", default=[], help="repeatable: a feature family to put beside the 57 columns"
    )
    export.set_defaults(work=_export)


def _day(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _migrate(settings: StorageSettings, _options: argparse.Namespace) -> None:
    where = database_url(settings.database)
    print(f"{where.render_as_string(hide_password=True)} is at revision {await migrate(where)}.")


async def _new_key(settings: StorageSettings, _options: argparse.Namespace) -> None:
    async with await Storage.open(settings.database) as storage:
        was_there = await storage.unset(KEY_NOTE)
    if not was_there:
        print("No bot has used this database yet; any key will work.")
    else:
        print(
            "The next key that the bot starts with becomes this database's. It will not recognise anyone from before."
        )


async def _export(settings: StorageSettings, options: argparse.Namespace) -> None:
    narrowed = options.since or options.until or options.genre or options.status or options.family
    if options.for_training and narrowed:
        raise StorageError("--for-training exports everything that people agree on; leave out the filters.")
    async with await Storage.open(settings.database) as storage:
        if options.out != STANDARD_OUTPUT:
            print(await _write(storage, settings, options, options.out))
            return
        if options.format is not ExportFormat.PARQUET:
            print(await _write(storage, settings, options, sys.stdout.buffer), file=sys.stderr)
            return
        # Parquet cannot be piped as it is made. Beside the database: /tmp may be small, and in memory.
        await asyncio.to_thread(settings.data_dir.mkdir, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=settings.data_dir) as folder:
            path = Path(folder) / f"export.{options.format}"
            summary = await _write(storage, settings, options, path)
            await asyncio.to_thread(_stream, path)
        print(summary, file=sys.stderr)


def _stream(path: Path) -> None:
    sys.stdout.flush()
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


async def _write(storage: Storage, settings: StorageSettings, options: argparse.Namespace, target: ExportTarget) -> str:
    """Write the requested export and return a line that summarises it."""
    if options.for_training:
        rules = AggregationRules.of(settings.used_by, settings.agreement, settings.training_sources)
        taught = await export_for_training(storage, target, options.format, rules)
        left_out = {
            f"{taught.evaluate} of them only to measure": taught.evaluate,
            f"{taught.waiting} songs wait for more people": taught.waiting,
            f"{taught.later} count later": taught.later,
            f"{taught.unconfirmed} are of a genre that a moderator has to confirm": taught.unconfirmed,
            f"{taught.disputed} are disputed": taught.disputed,
            f"{taught.without_features} left out, without features": taught.without_features,
        }
        said = [f"{taught.rows} rows of {taught.songs} songs", *(text for text, count in left_out.items() if count)]
        return f"{options.out}: {'; '.join(said)}."
    label = None if options.genre is None else await storage.labels.find(options.genre)
    if options.genre is not None and label is None:
        raise StorageError(f"There is no genre {options.genre!r}.")
    selection = ExportFilter(
        since=options.since,
        until=options.until,
        genre=None if label is None else label.id,
        statuses=options.status,
        families=options.family,
    )
    done = await export_feedback(storage, target, options.format, selection)
    without = f"; {done.without_features} songs left out, without features" if done.without_features else ""
    return f"{options.out}: {done.rows} rows of {done.songs} songs{without}."


async def _import(settings: StorageSettings, options: argparse.Namespace) -> None:
    async with await Storage.open(settings.database) as storage:
        done = await import_feedback(storage, options.file)
    left_out = f"; {done.left_out} left out, as nothing in them is new here" if done.left_out else ""
    print(f"{options.file}: {done.songs} songs imported{left_out}.")


async def _add_known(settings: StorageSettings, options: argparse.Namespace) -> None:
    async with await Storage.open(settings.database) as storage:
        song = await _song(options.song)
        found = await storage.labels.find(options.genre)
        if found is None:
            raise StorageError(f"There is no genre {options.genre!r}.")
        await storage.label_aggregation.add_known(song, found.id)
    print(f"{song} is known as {found.name_en} now.")


async def _list_known(settings: StorageSettings, _options: argparse.Namespace) -> None:
    async with await Storage.open(settings.database) as storage:
        for song, label in (await storage.label_aggregation.known()).items():
            print(f"{song} {label}")


async def _remove_known(settings: StorageSettings, options: argparse.Namespace) -> None:
    async with await Storage.open(settings.database) as storage:
        song = await _song(options.song)
        await storage.label_aggregation.remove_known(song)
    print(f"{song} no longer has a known genre.")


async def _song(named: str) -> str:
    """Return the content hash of a song that an operator names by its hash or by a file."""
    return named if CONTENT_HASH.fullmatch(named) else await asyncio.to_thread(_hash_of, Path(named))


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
