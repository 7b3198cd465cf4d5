"""What was said on the page, so that a reload shows it again: other chats keep their messages on their own servers.

A SQLite file of its own beside the database; the answers and opinions themselves are storage's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.core.local_database import LocalDatabase
from bot.web.collection_store import TABLES as COLLECTION_TABLES
from bot.web.collection_store import CollectionStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ENTRIES_SHOWN = 100

_TABLES = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL,
    title TEXT,
    file TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    job INTEGER,
    reply TEXT,
    known INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    error_values TEXT,
    created TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX IF NOT EXISTS entries_of_person ON entries (person, id);
CREATE INDEX IF NOT EXISTS entries_by_state ON entries (state);
"""
_COLUMNS = "id, person, title, file, token, state, job, reply, known, error, error_values"


class EntryState(StrEnum):
    """How a song on the page stands; a folder of songs is an entry, too, and stands as ``collections`` says."""

    WAITING = "waiting"
    ANSWERED = "answered"
    FAILED = "failed"
    STOPPED = "stopped"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One song on one person's page.

    Attributes
    ----------
    person
        Keyed hash.
    file, token
        Where the bytes are (a name in the spool or of an example; none for a link), and a name of this entry alone.
    job, reply
        The job that works on it; what its buttons hang on, once answered.
    known
        Whether the recording had been heard before.
    error, error_values
        Code and placeholders of the sentence, if it failed.
    """

    id: int
    person: str
    title: str | None
    file: str
    token: str
    state: EntryState
    job: int | None
    reply: str | None
    known: bool
    error: str | None
    error_values: Mapping[str, Any]


class HistoryStore:
    """The page's entries; every change is one transaction."""

    def __init__(self, connection: LocalDatabase) -> None:
        self._connection = connection
        self.collections = CollectionStore(connection)

    @classmethod
    async def open(cls, path: Path) -> HistoryStore:
        """Open the file, or make it."""
        return cls(await LocalDatabase.open(path, _TABLES + COLLECTION_TABLES))

    async def close(self) -> None:
        """Close the file."""
        await self._connection.close()

    async def add(self, person: str, title: str | None, file: str, token: str) -> HistoryEntry:
        """Remember a song that was sent."""
        rows = await self._connection.execute_fetchall(
            f"INSERT INTO entries (person, title, file, token, state) VALUES (?, ?, ?, ?, ?) RETURNING {_COLUMNS}",  # noqa: S608
            (person, title, file, token, EntryState.WAITING),
        )
        return _entries(rows)[0]

    async def add_collection(self, person: str, name: str | None, token: str) -> HistoryEntry:
        """Remember a folder that was dropped."""
        rows = await self._connection.execute_fetchall(
            f"INSERT INTO entries (person, title, file, token, state) VALUES (?, ?, '', ?, ?) RETURNING {_COLUMNS}",  # noqa: S608
            (person, name, token, EntryState.COLLECTION),
        )
        entry = _entries(rows)[0]
        await self.collections.add(entry.id)
        return entry

    async def remove(self, entry_id: int) -> None:
        """Forget a song that was turned away."""
        await self._connection.execute("DELETE FROM entries WHERE id = ?", (entry_id,))

    async def set_job(self, entry_id: int, job_id: int) -> None:
        """Remember which job works on a song."""
        await self._connection.execute("UPDATE entries SET job = ? WHERE id = ?", (job_id, entry_id))

    async def answered(self, entry_id: int, reply_id: str, *, known: bool) -> None:
        """Remember a song's answer."""
        await self._connection.execute(
            "UPDATE entries SET state = ?, reply = ?, known = ? WHERE id = ?",
            (EntryState.ANSWERED, reply_id, known, entry_id),
        )

    async def rename(self, entry_id: int, title: str) -> None:
        """Remember what a song is called, once its link has told."""
        await self._connection.execute("UPDATE entries SET title = ? WHERE id = ?", (title, entry_id))

    async def failed(self, entry_id: int, error: str, values: Mapping[str, Any]) -> None:
        """Remember why a song has no answer."""
        await self._connection.execute(
            "UPDATE entries SET state = ?, error = ?, error_values = ? WHERE id = ?",
            (EntryState.FAILED, error, json.dumps(dict(values)), entry_id),
        )

    async def stopped(self, entry_id: int) -> None:
        """Remember that a song was stopped."""
        await self._connection.execute("UPDATE entries SET state = ? WHERE id = ?", (EntryState.STOPPED, entry_id))

    async def get(self, entry_id: int) -> HistoryEntry | None:
        """Return an entry by number."""
        found = await self._select("WHERE id = ?", entry_id)
        return found[0] if found else None

    async def of_person(self, person: str, *, limit: int = ENTRIES_SHOWN) -> list[HistoryEntry]:
        """Return a person's latest songs, oldest first; a negative limit returns all."""
        found = await self._select("WHERE person = ? ORDER BY id DESC LIMIT ?", person, limit)
        return found[::-1]

    async def latest_collection(self, person: str, name: str | None) -> HistoryEntry | None:
        """Return the latest folder of that name that a person dropped."""
        found = await self._select(
            "WHERE person = ? AND state = ? AND title IS ? ORDER BY id DESC LIMIT 1",
            person,
            EntryState.COLLECTION,
            name,
        )
        return found[0] if found else None

    async def all_collections(self) -> list[HistoryEntry]:
        """Return all folders that are remembered, of everybody."""
        return await self._select("WHERE state = ?", EntryState.COLLECTION)

    async def waiting(self, person: str | None = None) -> list[HistoryEntry]:
        """Return the songs that wait for their answer, of everybody or of one person."""
        if person is None:
            return await self._select("WHERE state = ? ORDER BY id", EntryState.WAITING)
        return await self._select("WHERE state = ? AND person = ? ORDER BY id", EntryState.WAITING, person)

    async def forget(self, person: str) -> list[HistoryEntry]:
        """Delete all that a person said, and return what it was."""
        rows = await self._connection.execute_fetchall(
            f"DELETE FROM entries WHERE person = ? RETURNING {_COLUMNS}",  # noqa: S608
            (person,),
        )
        return _entries(rows)

    async def forget_older(self, days: int) -> None:
        """Delete what was said so long ago."""
        await self._connection.execute("DELETE FROM entries WHERE created < datetime('now', ?)", (f"-{days} days",))

    async def _select(self, condition: str, *values: str | int | None) -> list[HistoryEntry]:
        # The condition is a constant of this module; only values come from outside.
        rows = await self._connection.execute_fetchall(f"SELECT {_COLUMNS} FROM entries {condition}", values)  # noqa: S608
        return _entries(rows)


def _entries(rows: Iterable[Any]) -> list[HistoryEntry]:
    return [
        HistoryEntry(
            id=row[0],
            person=row[1],
            title=row[2],
            file=row[3],
            token=row[4],
            state=EntryState(row[5]),
            job=row[6],
            reply=row[7],
            known=bool(row[8]),
            error=row[9],
            error_values=json.loads(row[10] or "{}"),
        )
        for row in rows
    ]
