"""Connections and transactions for SQLite and PostgreSQL; every statement runs in a transaction that is opened here.

The differences between the two databases are handled here and in ``migrate``; the other modules share their SQL.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine

from storage.errors import BadDatabaseUrl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from sqlalchemy.engine import URL, Connection, Dialect
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry

    from storage.tables import TableBase

BUSY_SECONDS = 30
"""How long SQLite waits for another process's write."""
SQLITE_CACHE_KIBIBYTES = 4096
"""The page cache of one SQLite connection."""
SQLITE_CONNECTIONS = 4
"""One connection writes, the others read; each has a thread."""
POSTGRESQL_CONNECTIONS = 10
LARGEST_NUMBER = 2**63 - 1
"""The largest row id; a forged button may name a larger one, which the drivers would refuse."""

_SNAPSHOT: dict[str, dict[str, Any]] = {
    "sqlite": {"sqlite_begin": "BEGIN DEFERRED"},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


def database_url(text: str) -> URL:
    """Parse a database URL and set its driver.

    Raises
    ------
    BadDatabaseUrl
        If it is not a URL or the database is not supported. The message never contains the password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise BadDatabaseUrl(
            "DATABASE_URL is not a URL. Write sqlite:///data/genre.sqlite3 or postgresql://user:password@host/name."
        ) from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise BadDatabaseUrl(f"DATABASE_URL names {url.drivername}; only sqlite and postgresql are supported.")
    url = url.set(drivername=driver)
    if driver == "sqlite+aiosqlite" and (url.database or ":memory:") in {":memory:", ""}:
        raise BadDatabaseUrl("DATABASE_URL names no SQLite file. Give one, such as sqlite:///data/genre.sqlite3.")
    if "sslmode" in url.query:
        # Hosting providers give libpq's spelling; asyncpg has its own name for the same setting.
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
    return url


def make_engine(url: URL) -> AsyncEngine:
    """Create the engine for a URL from ``database_url``; connects only when first used."""
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(
            url,
            # The driver must not begin transactions itself: the "begin" hook chooses their kind.
            connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
            pool_size=SQLITE_CONNECTIONS,
            max_overflow=0,
            json_serializer=to_json,
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        url, pool_size=POSTGRESQL_CONNECTIONS, max_overflow=0, pool_pre_ping=True, json_serializer=to_json
    )


def to_json(value: Any) -> str:
    """Serialise to compact JSON that both databases accept: no NaN, everything outside ASCII escaped.

    Raises
    ------
    ValueError, TypeError
        If the value is no plain JSON data.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIBIBYTES}")
    # A job that was acknowledged must survive a power cut, too.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once; otherwise a transaction that reads first could fail when it writes.
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE"))


class Database:
    """An engine with its transactions, and the clock for timestamps.

    Parameters
    ----------
    url
        From ``database_url``.
    clock
        Returns the current time, aware and in UTC.
    """

    def __init__(self, url: URL, clock: Callable[[], datetime]) -> None:
        self.url = url
        self.now = clock
        self._engine = make_engine(url)
        self._reading = self._engine.execution_options(**_SNAPSHOT[url.get_backend_name()])
        # SQLite allows one writer. Waiting here costs nothing, while its own lock makes waiting threads poll.
        self._turn = asyncio.Lock() if url.get_backend_name() == "sqlite" else nullcontext()

    @property
    def dialect(self) -> Dialect:
        """The SQL dialect of the database."""
        return self._engine.dialect

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction for writing; it is committed at the end, or rolled back on an exception."""
        async with self._turn, self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a read-only transaction: it sees one consistent state and blocks no writer."""
        async with self._reading.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


async def lock(connection: AsyncConnection, name: str) -> None:
    """Take a named lock until the transaction ends; on SQLite a writing transaction already excludes all others."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def insert_into(connection: AsyncConnection | Database, table: type[TableBase]) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT statement with ON CONFLICT support for the connection's dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def prepare_file(url: URL) -> None:
    """Create the folder of an SQLite database and switch the file to write-ahead logging, permanently.

    Raises
    ------
    BadDatabaseUrl
        If the folder or the file cannot be made or written.
    """
    if url.get_backend_name() == "sqlite":
        await asyncio.to_thread(_prepare_file, Path(str(url.database)))


def _prepare_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                # While another process switches, this fails at once in spite of the timeout, so take a file lock first.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("COMMIT")
                connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise BadDatabaseUrl(f"The database file {path} cannot be used: {error}.") from error
