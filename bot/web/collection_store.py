"""What is remembered of folders that were dropped on the page: which songs they hold, and what came of each.

What the songs sound like is in each folder's state database (``classifier.library.state_db``), by content.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.local_database import LocalDatabase

TABLES = """
CREATE TABLE IF NOT EXISTS collections (
    entry INTEGER PRIMARY KEY REFERENCES entries (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    minimum REAL
) STRICT;
CREATE TABLE IF NOT EXISTS collection_songs (
    entry INTEGER NOT NULL REFERENCES collections (entry) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    state TEXT NOT NULL,
    content BLOB,
    release TEXT,
    error TEXT,
    error_values TEXT,
    PRIMARY KEY (entry, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collection_labels (
    entry INTEGER NOT NULL,
    number INTEGER NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (entry, number),
    FOREIGN KEY (entry, number) REFERENCES collection_songs (entry, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- Folders of which it was decided whether their name teaches.
CREATE TABLE IF NOT EXISTS collection_lessons (
    entry INTEGER PRIMARY KEY REFERENCES collections (entry) ON DELETE CASCADE
) STRICT;
"""


class CollectionState(StrEnum):
    """How a folder stands: songs are still to come, its sender stopped it, or every song has had its turn."""

    OPEN = "open"
    STOPPED = "stopped"
    DONE = "done"


class CollectedSongState(StrEnum):
    """How a song of a folder stands: its bytes are still to come, it was heard, or it cannot be."""

    MISSING = "missing"
    HEARD = "heard"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as the browser lists it: path within the folder, bytes, milliseconds since 1970 when it was changed."""

    path: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class CollectedSong:
    """A song of a folder.

    Attributes
    ----------
    number
        Names it within the folder.
    content, release
        SHA-256, and which release answered, once heard.
    error, error_values
        Code and placeholders of the sentence, if it failed.
    label
        The genre that its sender gave instead of the answer; None if they gave none.
    """

    number: int
    file: ListedFile
    state: CollectedSongState
    content: bytes | None
    release: str | None
    error: str | None
    error_values: Mapping[str, Any]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """A folder that was dropped.

    Attributes
    ----------
    entry
        Its entry on the page.
    minimum
        Least confidence of an answer that is relied on; None to rely on those that the release calls sure.
    songs
        In the order of their paths.
    """

    entry: int
    state: CollectionState
    minimum: float | None
    songs: tuple[CollectedSong, ...]

    def having(self, state: CollectedSongState) -> list[CollectedSong]:
        """Return the songs that stand so."""
        return [song for song in self.songs if song.state is state]

    def path_of(self, number: int) -> str:
        """Return the path of a song within the folder; empty for one that it does not hold."""
        return next((song.file.path for song in self.songs if song.number == number), "")


class CollectionStore:
    """The folders that were dropped; every change is one transaction."""

    def __init__(self, connection: LocalDatabase) -> None:
        self._connection = connection

    async def add(self, entry: int) -> None:
        """Remember a folder, of which nothing is known yet."""
        await self._connection.execute("INSERT INTO collections VALUES (?, ?, NULL)", (entry, CollectionState.OPEN))

    async def list_songs(self, entry: int, files: Sequence[ListedFile]) -> None:
        """Remember which songs a folder holds now.

        What came of a file stays if the file is as it was; songs that are no longer there are forgotten.
        """
        known = {song.file.path: song for song in await self._songs(entry)}
        listed = set(files)
        gone = [
            song.number for song in known.values() if song.file not in listed or song.state is CollectedSongState.FAILED
        ]
        number = max((song.number for song in known.values()), default=-1) + 1
        kept = {song.file for song in known.values() if song.number not in set(gone)}
        fresh = [(file.path, file.size, file.modified) for file in files if file not in kept]
        await self._connection.execute(
            "DELETE FROM collection_songs WHERE entry = ? AND number IN (SELECT value FROM json_each(?))",
            (entry, json.dumps(gone)),
        )
        # One statement for all of them: nobody who is killed half-way leaves half a folder.
        await self._connection.execute(
            "INSERT INTO collection_songs (entry, number, path, size, modified, state) "
            "SELECT ?, ? + key, json_extract(value, '$[0]'), json_extract(value, '$[1]'), "
            "json_extract(value, '$[2]'), ? FROM json_each(?)",
            (entry, number, CollectedSongState.MISSING, json.dumps(fresh)),
        )

    async def heard(self, entry: int, number: int, content: bytes, release: str) -> None:
        """Remember that a song was heard."""
        await self._connection.execute(
            "UPDATE collection_songs SET state = ?, content = ?, release = ? WHERE entry = ? AND number = ?",
            (CollectedSongState.HEARD, content, release, entry, number),
        )

    async def failed(self, entry: int, number: int, error: str, values: Mapping[str, Any]) -> None:
        """Remember why a song cannot be heard."""
        await self._connection.execute(
            "UPDATE collection_songs SET state = ?, error = ?, error_values = ? WHERE entry = ? AND number = ?",
            (CollectedSongState.FAILED, error, json.dumps(dict(values)), entry, number),
        )

    async def set_label(self, entry: int, number: int, label: str | None) -> None:
        """Remember which genre its sender gives a song; None to go by the answer again."""
        if label is None:
            await self._connection.execute(
                "DELETE FROM collection_labels WHERE entry = ? AND number = ?", (entry, number)
            )
            return
        await self._connection.execute(
            "INSERT INTO collection_labels SELECT entry, number, ? FROM collection_songs "
            "WHERE entry = ? AND number = ? ON CONFLICT (entry, number) DO UPDATE SET label = excluded.label",
            (label, entry, number),
        )

    async def decide_lesson(self, entry: int) -> None:
        """Remember that its sender said whether a folder's name is the genre of its songs."""
        await self._connection.execute("INSERT OR IGNORE INTO collection_lessons VALUES (?)", (entry,))

    async def is_lesson_open(self, entry: int) -> bool:
        """Return whether that can still be asked."""
        query = "SELECT 1 FROM collection_lessons WHERE entry = ?"
        return not list(await self._connection.execute_fetchall(query, (entry,)))

    async def become(self, entry: int, state: CollectionState) -> None:
        """Remember how a folder stands."""
        await self._connection.execute("UPDATE collections SET state = ? WHERE entry = ?", (state, entry))

    async def rely_from(self, entry: int, minimum: float | None) -> None:
        """Remember the least confidence that was chosen."""
        await self._connection.execute("UPDATE collections SET minimum = ? WHERE entry = ?", (minimum, entry))

    async def get(self, entry: int) -> StoredCollection | None:
        """Return a folder by its entry."""
        rows = list(
            await self._connection.execute_fetchall("SELECT state, minimum FROM collections WHERE entry = ?", (entry,))
        )
        if not rows:
            return None
        return StoredCollection(entry, CollectionState(rows[0][0]), rows[0][1], tuple(await self._songs(entry)))

    async def _songs(self, entry: int) -> list[CollectedSong]:
        rows = await self._connection.execute_fetchall(
            "SELECT number, path, size, modified, state, content, release, error, error_values, label "
            "FROM collection_songs LEFT JOIN collection_labels USING (entry, number) WHERE entry = ? ORDER BY path",
            (entry,),
        )
        return [
            CollectedSong(
                number=row[0],
                file=ListedFile(row[1], row[2], row[3]),
                state=CollectedSongState(row[4]),
                content=row[5],
                release=row[6],
                error=row[7],
                error_values=json.loads(row[8] or "{}"),
                label=row[9],
            )
            for row in rows
        ]
