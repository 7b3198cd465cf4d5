"""What is remembered of a collection from run to run, in one SQLite file: answers by content, and the way back.

It is written as things happen, so a run that is killed loses the songs under way and nothing else.
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

from classifier.library.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from classifier.library.collection import State

FILE_NAME: Final = "organize.sqlite3"
VERSION: Final = 1
BUSY_SECONDS: Final = 30
TEXTURES_AT_ONCE: Final = 500
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


class CannotRemember(Exception):
    """The notebook cannot be used; the text tells whoever runs the program why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a song sounds like, as far as putting it in order needs it.

    Attributes
    ----------
    genre, confidence, sure, duration
        As in ``classifier.song_report.SongReport``.
    second
        The next probable genre; empty if there is none.
    """

    genre: str
    confidence: float
    sure: bool
    duration: float
    second: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file could not be classified."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A file that was tagged, and how to get it back.

    Attributes
    ----------
    id
        In the order of time.
    path
        Where it was.
    original, tagged
        SHA-256 of the file before and after.
    modified_ns
        When the original had last been modified, nanoseconds since 1970.
    """

    id: int
    path: Path
    original: bytes
    tagged: bytes
    modified_ns: int


def default_folder() -> Path:
    """Return where this system keeps what programs remember."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "genre-bot"


class Notebook:
    """The open SQLite file; any thread may use it, one at a time.

    Parameters
    ----------
    folder
        Where it lies; made if it is not there.

    Raises
    ------
    CannotRemember
        If it cannot be opened, or was written by another version.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE_NAME
        self._one_at_a_time = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            # Nothing of a change may be lost when the power fails: the file is swapped as soon as it is written down.
            self._database.execute("PRAGMA synchronous = FULL")
            with self.together():
                version = self._database.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    for statement in _SCHEMA.split(";"):
                        self._database.execute(statement)
                    self._database.execute(f"PRAGMA user_version = {VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise CannotRemember(f"{path} cannot be used: {error}. Name another folder with --state.") from error
        if version not in (0, VERSION):
            self.close()
            raise CannotRemember(f"{path} was written by another version. Name another folder with --state.")

    def close(self) -> None:
        """Close the file, when nothing is being read or written any more."""
        with self._one_at_a_time:
            self._database.close()

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._one_at_a_time:
            return self._database.execute(query, values).fetchall()

    def _row(self, query: str, values: Sequence[object]) -> tuple[Any, ...] | None:
        rows = self._rows(query, values)
        return rows[0] if rows else None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all that is written within, or nothing."""
        with self._one_at_a_time:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def content_of(self, path: Path, state: State) -> bytes | None:
        """Return the SHA-256 of a file that has not changed since it was last read; else None."""
        row = self._row(
            "SELECT content FROM file WHERE path = ? AND size = ? AND modified_ns = ? AND changed_ns = ? AND inode = ?",
            (os.fsencode(path), *_numbers(state)),
        )
        return row[0] if row else None

    def remember_files(self, read: Iterable[tuple[Path, State, bytes]]) -> None:
        """Remember the SHA-256 of files, and in what state they were."""
        rows = [(os.fsencode(path), *_numbers(state), content) for path, state, content in read]
        with self.together():
            self._database.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)", rows)

    def outcome(self, content: bytes, release: str) -> Answer | Failure | None:
        """Return what a release said of a content, or None if it was not asked."""
        row = self._row(
            "SELECT genre, confidence, sure, duration, second FROM answer WHERE content = ? AND release = ?",
            (content, release),
        )
        if row:
            return Answer(row[0], row[1], bool(row[2]), row[3], row[4])
        row = self._row("SELECT code, message FROM failure WHERE content = ? AND release = ?", (content, release))
        return Failure(*row) if row else None

    def remember_answer(self, content: bytes, release: str, answer: Answer, texture: NDArray[np.float32]) -> None:
        """Remember an answer, and the song's mean texture, shape (2192,)."""
        told = (answer.genre, answer.confidence, answer.sure, answer.duration, answer.second)
        with self.together():
            self._database.execute(
                "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)", (content, release, *told)
            )
            self._database.execute(
                "INSERT OR REPLACE INTO texture VALUES (?, ?)", (content, texture.astype("<f2").tobytes())
            )

    def remember_failure(self, content: bytes, release: str, failure: Failure) -> None:
        """Remember a fault of the content itself."""
        row = (content, release, failure.code, failure.message)
        with self.together():
            self._database.execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)", row)

    def textures(self, contents: Sequence[bytes]) -> Iterator[NDArray[np.float32]]:
        """Yield the textures of contents in their order, some at a time, shape (at most 500, 2192)."""
        for start in range(0, len(contents), TEXTURES_AT_ONCE):
            some = contents[start : start + TEXTURES_AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT content, vector FROM texture WHERE content IN ({marks})"  # noqa: S608  only question marks
            found = dict(self._rows(query, some))
            yield np.stack([np.frombuffer(found[content], dtype="<f2") for content in some]).astype(np.float32)

    def tags(self, content: bytes) -> Tags | None:
        """Return the tags of a content, or None if they were not read yet."""
        row = self._row("SELECT genre, artist, title FROM tags WHERE content = ?", (content,))
        return Tags(*row) if row else None

    def remember_tags(self, content: bytes, tags: Tags) -> None:
        row = (content, tags.genre, tags.artist, tags.title)
        with self.together():
            self._database.execute("INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)", row)

    def write_down(self, change: Change, patch: bytes) -> Change:
        """Write down a change before it is made; the tagged file is known to sound as its original does.

        Returns
        -------
        The change with the id that it was given.
        """
        row = (os.fsencode(change.path), change.original, change.tagged, change.modified_ns, patch)
        with self.together():
            written = self._database.execute(
                "INSERT INTO change (path, original, tagged, modified_ns, patch) VALUES (?, ?, ?, ?, ?)", row
            )
            for table, columns in (
                ("answer", "release, genre, confidence, sure, duration, second"),
                ("texture", "vector"),
            ):
                self._database.execute(
                    f"INSERT OR IGNORE INTO {table} (content, {columns}) "  # noqa: S608  words of this function only
                    f"SELECT ?, {columns} FROM {table} WHERE content = ?",
                    (change.tagged, change.original),
                )
        return dataclasses.replace(change, id=written.lastrowid or 0)

    def changes(self) -> list[Change]:
        """Return all changes that can be undone, the latest first."""
        rows = self._rows("SELECT id, path, original, tagged, modified_ns FROM change ORDER BY id DESC")
        return [Change(row[0], Path(os.fsdecode(row[1])), *row[2:]) for row in rows]

    def patch(self, change: Change) -> bytes:
        """Return what was written down with a change."""
        [(packed,)] = self._rows("SELECT patch FROM change WHERE id = ?", (change.id,))
        return bytes(packed)

    def strike_out(self, change: Change) -> None:
        """Forget a change that was undone."""
        with self.together():
            self._database.execute("DELETE FROM change WHERE id = ?", (change.id,))


def _numbers(state: State) -> tuple[int, int, int, int]:
    return state.size, state.modified_ns, state.changed_ns, state.inode
