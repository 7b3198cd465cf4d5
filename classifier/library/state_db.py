"""The SQLite database that keeps answers by content hash, and the patches that undo tag changes, between runs.

Everything is saved immediately, so a run that is killed loses only the songs that were being classified.
"""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from classifier.library.tags import FileTags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from classifier.library.collection import FileState

FILE_NAME: Final = "organize.sqlite3"
VERSION: Final = 2
BUSY_SECONDS: Final = 30
TEXTURES_PER_QUERY: Final = 500
_SCHEMA: Final = """
CREATE TABLE file (path BLOB PRIMARY KEY, size INT, modified_ns INT, changed_ns INT, inode INT, content BLOB NOT NULL);
CREATE TABLE answer (content BLOB, release TEXT, genre TEXT, confidence REAL, sure INT, duration REAL, second TEXT,
                     PRIMARY KEY (content, release)) WITHOUT ROWID;
CREATE TABLE failure (content BLOB, release TEXT, code TEXT, message TEXT,
                      PRIMARY KEY (content, release)) WITHOUT ROWID;
CREATE TABLE texture (content BLOB PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE tags (content BLOB PRIMARY KEY, genre TEXT, artist TEXT, title TEXT) WITHOUT ROWID;
CREATE TABLE change (id INTEGER PRIMARY KEY, path BLOB NOT NULL, original BLOB NOT NULL, tagged BLOB NOT NULL,
                     modified_ns INT NOT NULL, patch BLOB NOT NULL);
CREATE INDEX change_by_path ON change (path);
"""


class StateDatabaseError(Exception):
    """The state database cannot be used; the message tells the operator why."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The part of a classification that organizing a collection needs.

    Attributes
    ----------
    genre
        Empty for what is not music.
    confidence, sure, duration
        As in ``classifier.song_report.SongReport``.
    second
        The runner-up genre; empty if there is none.
    """

    genre: str
    confidence: float
    sure: bool
    duration: float
    second: str = ""


@dataclass(frozen=True, slots=True)
class ScanFailure:
    """Why a file could not be classified."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A tagged file, as needed to restore the original.

    Attributes
    ----------
    id
        Increases with time.
    path
        Path of the file when it was tagged.
    original, tagged
        SHA-256 of the file before and after.
    modified_ns
        Modification time of the original, nanoseconds since 1970.
    """

    id: int
    path: Path
    original: bytes
    tagged: bytes
    modified_ns: int


def default_folder() -> Path:
    """Return this system's folder for the state of programs."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "genre-bot"


class StateDatabase:
    """The open SQLite file. It may be used from any thread; access is serialized.

    Parameters
    ----------
    folder
        Folder of the file; created if it does not exist.

    Raises
    ------
    StateDatabaseError
        If it cannot be opened, or was written by another version.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE_NAME
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            # A recorded change must survive a power failure, because the file is replaced right after it.
            self._database.execute("PRAGMA synchronous = FULL")
            with self.transaction():
                version = self._database.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    for statement in _SCHEMA.split(";"):
                        self._database.execute(statement)
                elif version == 1:  # it saved genres that say nothing, and none of APE tags
                    self._database.execute("DELETE FROM tags")
                if version < VERSION:
                    self._database.execute(f"PRAGMA user_version = {VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise StateDatabaseError(f"{path} cannot be used: {error}. Name another folder with --state.") from error
        if version > VERSION:
            self.close()
            raise StateDatabaseError(f"{path} was written by another version. Name another folder with --state.")

    def close(self) -> None:
        """Close the file as soon as no other thread is using it."""
        with self._lock:
            self._database.close()

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def _row(self, query: str, values: Sequence[object]) -> tuple[Any, ...] | None:
        rows = self._rows(query, values)
        return rows[0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group writes into a transaction: all of them are saved, or none."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def content_hash_of(self, path: Path, state: FileState) -> bytes | None:
        """Return the SHA-256 of a file if it has not changed since it was last read, else None."""
        row = self._row(
            "SELECT content FROM file WHERE path = ? AND size = ? AND modified_ns = ? AND changed_ns = ? AND inode = ?",
            (os.fsencode(path), *_columns(state)),
        )
        return row[0] if row else None

    def save_files(self, read: Iterable[tuple[Path, FileState, bytes]]) -> None:
        """Save the SHA-256 of files together with their state."""
        rows = [(os.fsencode(path), *_columns(state), content) for path, state, content in read]
        with self.transaction():
            self._database.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)", rows)

    def outcome(self, content: bytes, release: str) -> StoredAnswer | ScanFailure | None:
        """Return a release's answer or failure for a content hash, or None if there is none yet."""
        row = self._row(
            "SELECT genre, confidence, sure, duration, second FROM answer WHERE content = ? AND release = ?",
            (content, release),
        )
        if row:
            return StoredAnswer(row[0], row[1], bool(row[2]), row[3], row[4])
        row = self._row("SELECT code, message FROM failure WHERE content = ? AND release = ?", (content, release))
        return ScanFailure(*row) if row else None

    def save_answer(self, content: bytes, release: str, answer: StoredAnswer, texture: NDArray[np.float32]) -> None:
        """Save an answer and the song's mean texture, shape (2192,)."""
        values = (answer.genre, answer.confidence, answer.sure, answer.duration, answer.second)
        with self.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)", (content, release, *values)
            )
            self._database.execute(
                "INSERT OR REPLACE INTO texture VALUES (?, ?)", (content, texture.astype("<f2").tobytes())
            )

    def save_failure(self, content: bytes, release: str, failure: ScanFailure) -> None:
        """Save a permanent failure, one that depends on the content alone."""
        row = (content, release, failure.code, failure.message)
        with self.transaction():
            self._database.execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)", row)

    def textures(self, contents: Sequence[bytes]) -> Iterator[NDArray[np.float32]]:
        """Yield the textures of contents in their order, in batches of shape (at most 500, 2192)."""
        for start in range(0, len(contents), TEXTURES_PER_QUERY):
            batch = contents[start : start + TEXTURES_PER_QUERY]
            placeholders = ", ".join("?" * len(batch))
            query = f"SELECT content, vector FROM texture WHERE content IN ({placeholders})"  # noqa: S608  placeholders only
            found = dict(self._rows(query, batch))
            yield np.stack([np.frombuffer(found[content], dtype="<f2") for content in batch]).astype(np.float32)

    def tags(self, content: bytes) -> FileTags | None:
        """Return the tags of a content, or None if they have not been read yet."""
        row = self._row("SELECT genre, artist, title FROM tags WHERE content = ?", (content,))
        return FileTags(*row) if row else None

    def save_tags(self, content: bytes, tags: FileTags) -> None:
        row = (content, tags.genre, tags.artist, tags.title)
        with self.transaction():
            self._database.execute("INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)", row)

    def record_change(self, change: Change, patch: bytes) -> Change:
        """Record a change before it is made; the answer for the original is also valid for the tagged file.

        Returns
        -------
        The change with its new id.
        """
        row = (os.fsencode(change.path), change.original, change.tagged, change.modified_ns, patch)
        with self.transaction():
            written = self._database.execute(
                "INSERT INTO change (path, original, tagged, modified_ns, patch) VALUES (?, ?, ?, ?, ?)", row
            )
            for table, columns in (
                ("answer", "release, genre, confidence, sure, duration, second"),
                ("texture", "vector"),
            ):
                self._database.execute(
                    f"INSERT OR IGNORE INTO {table} (content, {columns}) "  # noqa: S608  constants of this function
                    f"SELECT ?, {columns} FROM {table} WHERE content = ?",
                    (change.tagged, change.original),
                )
        return dataclasses.replace(change, id=written.lastrowid or 0)

    def changes(self) -> list[Change]:
        """Return all recorded changes, the latest first."""
        rows = self._rows("SELECT id, path, original, tagged, modified_ns FROM change ORDER BY id DESC")
        return [Change(row[0], Path(os.fsdecode(row[1])), *row[2:]) for row in rows]

    def patch(self, change: Change) -> bytes:
        """Return the patch that was recorded with a change."""
        [(packed,)] = self._rows("SELECT patch FROM change WHERE id = ?", (change.id,))
        return bytes(packed)

    def delete_change(self, change: Change) -> None:
        """Delete a change that was undone or not made."""
        with self.transaction():
            self._database.execute("DELETE FROM change WHERE id = ?", (change.id,))


def _columns(state: FileState) -> tuple[int, int, int, int]:
    return state.size, state.modified_ns, state.changed_ns, state.inode
