"""Songs that programs sent, so that they can be asked for later: a SQLite file beside the database.

The answers and corrections themselves are storage's.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.core.local_database import LocalDatabase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ID_BYTES = 16

_TABLES = """
CREATE TABLE IF NOT EXISTS songs (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    title TEXT,
    file TEXT NOT NULL,
    state TEXT NOT NULL,
    job INTEGER,
    reply TEXT,
    known INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    error_values TEXT,
    idempotency_key TEXT,
    fingerprint TEXT,
    created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    UNIQUE (person, idempotency_key)
) STRICT;
CREATE INDEX IF NOT EXISTS songs_by_state ON songs (state);
"""
_COLUMNS = (
    "id, person, title, file, state, job, reply, known, error, error_values, idempotency_key, fingerprint, created"
)

_INSERT = (
    "INSERT INTO songs (id, person, title, file, state, idempotency_key, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (person, idempotency_key) DO NOTHING RETURNING "
)


class ApiSongState(StrEnum):
    """How a song stands; how far a pending one has come is known to the queue."""

    PENDING = "pending"
    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPANDED = "expanded"
    """A link that led to a playlist, whose songs were taken."""


@dataclass(frozen=True, slots=True)
class ApiSong:
    """One song that a program sent.

    Attributes
    ----------
    id
        Random, so that it cannot be guessed.
    person
        Keyed hash of the token.
    file
        Name in the upload store; empty for a link.
    job, reply
        The job that works on it, and its answer.
    known
        Whether the recording had been classified before.
    error, error_values
        Code and placeholders of the sentence, if it failed.
    idempotency_key, fingerprint
        What the program named its request, and a hash of what it sent.
    created
        UTC, as ISO 8601.
    """

    id: str
    person: str
    title: str | None
    file: str
    state: ApiSongState
    job: int | None
    reply: str | None
    known: bool
    error: str | None
    error_values: Mapping[str, Any]
    idempotency_key: str | None
    fingerprint: str | None
    created: str


class SongStore:
    """The songs; every change is one transaction."""

    def __init__(self, database: LocalDatabase) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path) -> SongStore:
        """Open the file, or make it."""
        return cls(await LocalDatabase.open(path, _TABLES))

    async def close(self) -> None:
        """Close the file."""
        await self._database.close()

    async def add(
        self, person: str, title: str | None, file: str, *, key: str | None = None, fingerprint: str | None = None
    ) -> ApiSong | None:
        """Remember a song that was sent; return None if the person has used this idempotency key before."""
        values = (secrets.token_urlsafe(ID_BYTES), person, title, file, ApiSongState.PENDING, key, fingerprint)
        rows = await self._database.execute_fetchall(_INSERT + _COLUMNS, values)
        return next(iter(_songs(rows)), None)

    async def remove(self, song_id: str) -> None:
        """Forget a song that was turned away."""
        await self._database.execute("DELETE FROM songs WHERE id = ?", (song_id,))

    async def set_job(self, song_id: str, job_id: int) -> None:
        """Remember which job works on a song."""
        await self._database.execute("UPDATE songs SET job = ? WHERE id = ?", (job_id, song_id))

    async def answered(self, song_id: str, title: str | None, reply_id: str, *, known: bool) -> None:
        """Remember a song's answer, and its title, which a link tells only now."""
        await self._database.execute(
            "UPDATE songs SET state = ?, title = ?, reply = ?, known = ? WHERE id = ?",
            (ApiSongState.ANSWERED, title, reply_id, known, song_id),
        )

    async def ended(
        self, song_id: str, state: ApiSongState, error: str | None = None, values: Mapping[str, Any] | None = None
    ) -> None:
        """Remember that a song has no answer, and why."""
        await self._database.execute(
            "UPDATE songs SET state = ?, error = ?, error_values = ? WHERE id = ?",
            (state, error, json.dumps(dict(values or {})), song_id),
        )

    async def get(self, song_id: str) -> ApiSong | None:
        """Return a song by its id."""
        return next(iter(await self._select("WHERE id = ?", song_id)), None)

    async def by_key(self, person: str, key: str) -> ApiSong | None:
        """Return the song that a person sent with an idempotency key."""
        return next(iter(await self._select("WHERE person = ? AND idempotency_key = ?", person, key)), None)

    async def pending(self) -> list[ApiSong]:
        """Return the songs that have not ended."""
        return await self._select("WHERE state = ?", ApiSongState.PENDING)

    async def of_person(self, person: str) -> list[ApiSong]:
        """Return all songs of a person, oldest first."""
        return await self._select("WHERE person = ? ORDER BY created, rowid", person)

    async def forget(self, person: str) -> list[ApiSong]:
        """Delete all songs of a person, and return what they were."""
        rows = await self._database.execute_fetchall(
            f"DELETE FROM songs WHERE person = ? RETURNING {_COLUMNS}",  # noqa: S608
            (person,),
        )
        return _songs(rows)

    async def forget_older(self, days: int) -> None:
        """Delete what was sent so long ago."""
        await self._database.execute(
            "DELETE FROM songs WHERE created < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?)", (f"-{days} days",)
        )

    async def _select(self, condition: str, *values: str) -> list[ApiSong]:
        # The condition is a constant of this module; only values come from outside.
        rows = await self._database.execute_fetchall(f"SELECT {_COLUMNS} FROM songs {condition}", values)  # noqa: S608
        return _songs(rows)


def _songs(rows: Iterable[Any]) -> list[ApiSong]:
    return [
        ApiSong(
            id=row[0],
            person=row[1],
            title=row[2],
            file=row[3],
            state=ApiSongState(row[4]),
            job=row[5],
            reply=row[6],
            known=bool(row[7]),
            error=row[8],
            error_values=json.loads(row[9] or "{}"),
            idempotency_key=row[10],
            fingerprint=row[11],
            created=row[12],
        )
        for row in rows
    ]
