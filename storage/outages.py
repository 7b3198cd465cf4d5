"""Recognises errors that mean the database cannot be used for now: full, locked, gone, restarting, out of connections.

They become ``StorageUnavailable``, which people are told in a sentence; everything else stays the bug that it is.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from common.errors import StorageUnavailable, is_disk_fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Result = TypeVar("Result")

PAUSE_SECONDS: Final = 0.05
"""Before the second attempt; some more or less, so that those who met do not meet again."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a whole transaction is tried before a person is told, and by how much each pause is longer."""

    attempts: int
    growth: float = 2.0


NO_RETRIES: Final = Retries(1)
AFTER_CONFLICT: Final = Retries(6)
AFTER_LOSS: Final = Retries(4, growth=4.0)

_SQLITE_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_CONFLICTS: Final = frozenset({"40001", "40P01"})
"""PostgreSQL: serialisation failure and deadlock; the transaction was undone and may simply be run again."""
_LOST: Final = ("08", "57P01", "57P02", "57P03", "53300")
"""PostgreSQL: the connection broke, the server stops, crashed or starts, or has no connection left."""
_UNUSABLE: Final = ("25006", "28", "3D000", "53", "55P03", "57014", "57P04", "58")
"""PostgreSQL: read-only, no access, no such database, no space or memory, locked."""
_DAMAGED: Final = ("XX001", "XX002")


class Outage(StorageUnavailable):
    """The database cannot be used for now.

    Attributes
    ----------
    reason
        What the database says, for the log: without the statement and its values.
    retries
        More than one attempt only where it is certain that nothing of the transaction was stored.
    """

    def __init__(self, reason: str, retries: Retries = NO_RETRIES) -> None:
        super().__init__()
        self.reason = reason
        self.retries = retries


class Damage(Outage):
    """The database's file is damaged, or is none."""


def is_sqlite_outage(error: sqlite3.Error) -> bool:
    """Return whether an error of SQLite comes from the disk, another process's lock or the file, not from the SQL."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _SQLITE_CODES


def outage_of_sqlite(error: sqlite3.Error) -> Outage | None:
    """Return an error of SQLite as the outage that it stands for; None if it is none."""
    if not is_sqlite_outage(error):
        return None
    damaged = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    return Damage(str(error)) if damaged else Outage(str(error))


def means_outage(error: BaseException) -> bool:
    """Return whether an error means that nothing can be saved for now, wherever it comes from."""
    if isinstance(error, sqlite3.Error):
        return is_sqlite_outage(error)
    return isinstance(error, StorageUnavailable) or is_disk_fault(error)


def outage_of(error: BaseException, *, committing: bool) -> Outage | None:
    """Return an error as the outage that it stands for; None if it is none.

    Parameters
    ----------
    committing
        Whether the transaction was being committed: if the connection is lost then, nobody knows whether it was.
    """
    if isinstance(error, PoolTimeout):
        return Outage("no connection became free in time")
    if isinstance(error, DBAPIError):
        return _of_driver(error, committing=committing)
    if isinstance(error, BrokenPipeError):
        return None  # of whoever reads an export
    if isinstance(error, TimeoutError):
        # It hangs: whoever asks at once again waits as long again.
        return Outage("no response in time")
    if isinstance(error, (ConnectionError, socket.gaierror)):
        return _lost(f"{type(error).__name__}: {error}", committing=committing)
    if isinstance(error, OSError) and is_disk_fault(error):
        return Outage(str(error.strerror or error))
    return None


def _of_driver(error: DBAPIError, *, committing: bool) -> Outage | None:
    cause: Any = error.orig
    if isinstance(cause, sqlite3.Error):
        return outage_of_sqlite(cause)
    state = str(getattr(cause, "sqlstate", None) or "")
    reason = f"{type(cause).__name__} {state}".strip()
    if state in _CONFLICTS:
        return Outage(reason, AFTER_CONFLICT)
    if error.connection_invalidated or state.startswith(_LOST):
        return _lost(reason, committing=committing)
    if state.startswith(_DAMAGED):
        return Damage(reason)
    return Outage(reason) if state.startswith(_UNUSABLE) else None


def _lost(reason: str, *, committing: bool) -> Outage:
    return Outage(reason, NO_RETRIES if committing else AFTER_LOSS)


async def retried(transaction: Callable[[], Awaitable[Result]]) -> Result:
    """Run a transaction, again where it met a conflict or a lost connection and certainly stored nothing.

    Raises
    ------
    StorageUnavailable
        If that did not help.
    """
    attempt, pause = 1, PAUSE_SECONDS
    while True:
        try:
            return await transaction()
        except Outage as outage:
            if attempt >= outage.retries.attempts:
                raise
            attempt += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - only spreads attempts
            pause *= outage.retries.growth
