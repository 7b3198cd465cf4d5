"""Connections and transactions for SQLite and PostgreSQL; every statement runs in a transaction that is opened here.

The differences between the two databases are handled here and in ``migrate``; the other modules share their SQL.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine

from storage.errors import BadDatabaseUrl
from storage.outages import AFTER_CONFLICT, Damage, Outage, outage_of, outage_of_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from sqlalchemy.engine import URL, Connection, Dialect
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry

    from storage.tables import TableBase

BUSY_SECONDS = 10.0
"""How long SQLite waits for another process's write."""
TURN_SECONDS = 20.0
"""How long a write waits for this process's other writes to an SQLite file."""
POOL_SECONDS = 10.0
"""How long a transaction waits for a connection."""
CONNECT_SECONDS = 5.0
"""How long connecting to PostgreSQL may take."""
COMMAND_SECONDS = 20.0
"""How long PostgreSQL may take over one statement: one that hangs must not keep people waiting without a word."""
COMPLAINT_SECONDS = 60.0
"""How often an outage that lasts is logged."""
SQLITE_CACHE_KIBIBYTES = 4096
"""The page cache of one SQLite connection."""
SQLITE_CONNECTIONS = 4
"""One connection writes, the others read; each has a thread."""
POSTGRESQL_CONNECTIONS = 10
POSTGRESQL_PORT = 5432
LARGEST_NUMBER = 2**63 - 1
"""The largest row id; a forged button may name a larger one, which the drivers would refuse."""

log = logging.getLogger(__name__)

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


def make_engine(url: URL, command_seconds: float | None = None) -> AsyncEngine:
    """Create the engine for a URL from ``database_url``; connects only when first used.

    Parameters
    ----------
    command_seconds
        How long PostgreSQL may take over one statement; None for as long as it likes.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(
            url,
            # The driver must not begin transactions itself: the "begin" hook chooses their kind.
            connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
            pool_size=SQLITE_CONNECTIONS,
            max_overflow=0,
            pool_timeout=POOL_SECONDS,
            json_serializer=to_json,
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        url,
        connect_args={"timeout": CONNECT_SECONDS, "command_timeout": command_seconds},
        # The transactions rely on their locks, after which they must see what others stored meanwhile.
        isolation_level="READ COMMITTED",
        pool_size=POSTGRESQL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        json_serializer=to_json,
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


@dataclass(slots=True)
class _Progress:
    committing: bool = False


class Database:
    """An engine with its transactions, and the clock for timestamps.

    Parameters
    ----------
    url
        From ``database_url``.
    clock
        Returns the current time, aware and in UTC.
    is_patient
        Whether statements may take as long as they like.

    Attributes
    ----------
    wrote_at
        When something was last stored (``time.monotonic``); None if nothing was.
    """

    def __init__(self, url: URL, clock: Callable[[], datetime], *, is_patient: bool = False) -> None:
        self.url = url
        self.now = clock
        self._engine = make_engine(url, None if is_patient else COMMAND_SECONDS)
        self._reading = self._engine.execution_options(**_SNAPSHOT[url.get_backend_name()])
        # SQLite allows one writer. Waiting here costs nothing, while its own lock makes waiting threads poll.
        self._turn = asyncio.Lock() if url.get_backend_name() == "sqlite" else None
        self._file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
        self._inode: int | None = None
        self._complained: float | None = None
        self.wrote_at: float | None = None

    @property
    def dialect(self) -> Dialect:
        """The SQL dialect of the database."""
        return self._engine.dialect

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction for writing; it is committed at the end, or rolled back on an exception.

        Raises
        ------
        StorageUnavailable
            If the database cannot be used for now.
        """
        async with self._outages() as progress, self._turn_to_write(), self._engine.begin() as connection:
            yield connection
            progress.committing = True
        self.wrote_at = time.monotonic()
        if self._complained is not None:
            self._complained = None
            log.info("the database can be written again")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a read-only transaction: it sees one consistent state and blocks no writer.

        Raises
        ------
        StorageUnavailable
            If the database cannot be used for now.
        """
        async with self._outages(), self._reading.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _outages(self) -> AsyncIterator[_Progress]:
        """Turn errors that mean an outage into ``StorageUnavailable``, and log them now and then."""
        progress = _Progress()
        try:
            await self._find_file()
            yield progress
        except Outage as outage:
            self._complain(outage)
            raise
        except Exception as error:
            found = outage_of(error, committing=progress.committing)
            if found is None:
                raise
            self._complain(found)
            raise found from error

    @asynccontextmanager
    async def _turn_to_write(self) -> AsyncIterator[None]:
        if self._turn is None:
            yield
            return
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise Outage("earlier writes are still waiting") from None
        try:
            yield
        finally:
            self._turn.release()

    async def _find_file(self) -> None:
        """Check that SQLite's file is still the one that is open: what is written to a deleted file is lost."""
        if self._file is None:
            return
        try:
            inode = self._file.stat().st_ino
        except OSError as error:
            raise Outage(f"{self._file}: {error.strerror or error}") from error
        if self._inode is not None and inode != self._inode:
            log.warning("%s was replaced by another file, which is used from now on", self._file)
            await self._engine.dispose()
        self._inode = inode

    def _complain(self, outage: Outage) -> None:
        if outage.retries is AFTER_CONFLICT:
            return
        now = time.monotonic()
        if self._complained is None or now - self._complained > COMPLAINT_SECONDS:
            self._complained = now
            log.error("the database cannot be used: %s", outage.reason)

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
    Outage
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
    except sqlite3.Error as error:
        outage = outage_of_sqlite(error) or Outage(str(error))
        raise outage from error
    except OSError as error:
        raise Outage(f"{error.strerror or error}") from error


def way_back(url: URL, outage: Outage) -> str:
    """Return a sentence for the operator: why a database cannot be opened, and what to do."""
    if url.get_backend_name() != "sqlite":
        where = f"{url.host or 'this machine'}:{url.port or POSTGRESQL_PORT}/{url.database}"
        return f"The database {where} cannot be used ({outage.reason}): check that it runs, and DATABASE_URL."
    if isinstance(outage, Damage):
        return (
            f"The database file {url.database} is damaged ({outage.reason}): move it away and put the latest backup in "
            f'its place; `sqlite3 {url.database} "PRAGMA integrity_check"` says what is wrong with it.'
        )
    return (
        f"The database file {url.database} cannot be used ({outage.reason}): check that its folder exists and can be "
        "written, that the disk has space, and that no other program holds the file."
    )
