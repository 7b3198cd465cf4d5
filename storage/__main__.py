"""``python -m storage``: what an operator does with the database, ``migrate`` and ``export``.

Which database is told by ``DATABASE_URL``; without it, the SQLite file under ``data/``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from storage import Format, Selection, Status, Storage, StorageError, export_feedback
from storage.database import database_url
from storage.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_URL = "sqlite+aiosqlite:///data/genre.sqlite3"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status: 0, or 2 with a sentence on standard error."""
    options = _parser().parse_args(arguments)
    url = os.environ.get("DATABASE_URL") or DEFAULT_URL
    try:
        asyncio.run(_migrate(url) if options.command == "migrate" else _export(url, options))
    except (StorageError, SQLAlchemyError, OSError) as error:
        print(f"storage: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m storage", description="The database: DATABASE_URL says which.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the tables up to date")
    export = commands.add_parser("export", help="write corrections that may leave to a file")
    export.add_argument("--format", type=Format, choices=list(Format), default=Format.CSV)
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.add_argument("--since", type=_day, metavar="DATE", help="given on or after this day (UTC, 2026-01-31)")
    export.add_argument("--until", type=_day, metavar="DATE", help="given before this day")
    export.add_argument("--genre", help="only this genre: id, name or alias")
    export.add_argument(
        "--status", type=Status, choices=list(Status), action="append", help="repeatable; default: all but rejected"
    )
    export.add_argument(
        "--family", action="append", default=[], help="repeatable: a feature family to put beside the 57 columns"
    )
    return parser


def _day(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _migrate(url: str) -> None:
    where = database_url(url)
    print(f"{where.render_as_string(hide_password=True)} is at revision {await migrate(where)}.")


async def _export(url: str, options: argparse.Namespace) -> None:
    async with await Storage.open(url) as storage:
        label = None if options.genre is None else await storage.labels.find(options.genre)
        if options.genre is not None and label is None:
            raise StorageError(f"There is no genre {options.genre!r}.")
        selection = Selection(
            since=options.since,
            until=options.until,
            genre=None if label is None else label.id,
            statuses=options.status,
            families=options.family,
        )
        done = await export_feedback(storage, options.out, options.format, selection)
    left_out = f"; {done.without_features} songs left out, without features" if done.without_features else ""
    print(f"{options.out}: {done.rows} rows of {done.songs} songs{left_out}.")


if __name__ == "__main__":
    sys.exit(main())
