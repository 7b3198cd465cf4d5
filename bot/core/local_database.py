"""The connection to a chat's own SQLite file; a full disk or a lock becomes ``StorageUnavailable``."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import aiosqlite

from common.errors import StorageUnavailable
from storage import means_outage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class LocalDatabase:
    """Runs statements, each of which is one transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path, tables: str) -> LocalDatabase:
        """Open the file, or make it with its tables.

        Raises
        ------
        StorageUnavailable
            If that is not possible for now.
        """
        with _outages():
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = await aiosqlite.connect(path, isolation_level=None)
            try:
                await connection.execute("PRAGMA journal_mode = WAL")
                await connection.execute("PRAGMA foreign_keys = ON")
                await connection.executescript(tables)
            except BaseException:
                await connection.close()
                raise
        return cls(connection)

    async def execute(self, statement: str, values: Iterable[Any] = ()) -> None:
        """Run a statement; raises ``StorageUnavailable`` if nothing can be saved for now."""
        with _outages():
            await self._connection.execute(statement, tuple(values))

    async def execute_fetchall(self, statement: str, values: Iterable[Any] = ()) -> Iterable[Any]:
        """Run a statement and return its rows; raises ``StorageUnavailable`` if that is not possible for now."""
        with _outages():
            return await self._connection.execute_fetchall(statement, tuple(values))

    async def close(self) -> None:
        """Close the file."""
        await self._connection.close()


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if means_outage(error):
            raise StorageUnavailable() from error
        raise
