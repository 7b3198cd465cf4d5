"""Migrates the database to this release's revision, safely with concurrent processes, and seeds the labels.

Alembic is imported, on a thread of its own, only if there is something to migrate.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import inspect, select, text

from common.genres import load_genres
from storage.database import Database, lock, prepare_file, way_back
from storage.errors import DatabaseTooNew, DatabaseUnusable
from storage.outages import Outage
from storage.seed import is_seeded, seed

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from common.genres import Genres

REVISION = "0004"
"""The newest file in ``migrations/versions``."""
SCRIPTS = Path(__file__).parent / "migrations"
_TOO_NEW = "The database was made by a newer release (revision {found}). Start that release, or restore a backup."

# Alembic passes the connection to its scripts through a module-level name.
_alembic = Lock()


async def migrate(url: URL, genres: Genres | None = None) -> str:
    """Migrate the database and return its revision; does nothing if it is up to date.

    Parameters
    ----------
    url
        From ``database_url``.
    genres
        The genres whose labels every database has; by default those that come with the project.

    Raises
    ------
    DatabaseUnusable
        If the database cannot be reached, read or written, or is damaged.
    DatabaseTooNew
        If the database has a revision that this release does not know.
    """
    genres = load_genres() if genres is None else genres
    try:
        await prepare_file(url)
        if not await _is_ready(url, genres):
            await asyncio.to_thread(asyncio.run, _upgrade(url, genres))
    except Outage as outage:
        raise DatabaseUnusable(way_back(url, outage)) from outage
    return REVISION


def _now() -> datetime:
    return datetime.now(UTC)


async def _is_ready(url: URL, genres: Genres) -> bool:
    database = Database(url, _now)
    try:
        async with database.reading() as connection:
            return await connection.run_sync(_revision) == REVISION and await is_seeded(connection, genres)
    finally:
        await database.close()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(text("version_num")).select_from(text("alembic_version"))).scalar()


async def _upgrade(url: URL, genres: Genres) -> None:
    database = Database(url, _now, is_patient=True)
    try:
        async with database.transaction() as connection:
            await lock(connection, "migrate")
            await _run_scripts(connection)
            await seed(connection, genres, database.now())
    finally:
        await database.close()


async def _run_scripts(connection: AsyncConnection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))

    def run(sync: Connection) -> None:
        config.attributes["connection"] = sync
        with _alembic:
            command.upgrade(config, "head")

    try:
        await connection.run_sync(run)
    except CommandError as error:
        found = await connection.run_sync(_revision)
        raise DatabaseTooNew(_TOO_NEW.format(found=found)) from error
