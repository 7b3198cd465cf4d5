"""The table of a data set: a CSV file that grows by whole songs, whatever kills the program in between.

Its columns are those of the public GTZAN table, then which song a row is of and where it came from, then the texture
where that was asked for.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from classifier.features.gtzan57 import COLUMNS
from classifier.features.texture import WIDTH
from common.media_types import has_music_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from classifier.datasets.feature_reader import Piece

ABOUT_THE_SONG: Final = ("song", "start", "end", "source")
HEADER: Final = ("filename", "length", *COLUMNS, "label", *ABOUT_THE_SONG)
TEXTURE_COLUMNS: Final = tuple(f"texture_{number}" for number in range(WIDTH))
TEXTURE_DIGITS: Final = 7  # float32 has no more
_FILENAME, _LABEL, _SONG, _SOURCE = (HEADER.index(name) for name in ("filename", "label", "song", "source"))


class BadTable(Exception):
    """A table cannot be used; the text tells whoever runs the program why, and what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """A song that is in a table: its genre there, and what its first row is called."""

    label: str
    filename: str


@dataclass(frozen=True, slots=True)
class Song:
    """A song to be written down.

    Attributes
    ----------
    id
        SHA-256 of its file, in hexadecimal digits.
    filename
        What its rows are called.
    label
        Its genre.
    source
        Where it came from: a path as it was given, or a link.
    """

    id: str
    filename: str
    label: str
    source: str


class Table:
    """A table that is open for writing; no other program may write to it meanwhile.

    Parameters
    ----------
    path
        Of the CSV file; made if it is not there.
    texture
        Whether it has the texture's columns.

    Attributes
    ----------
    songs
        By their ids.
    sources
        Where songs came from → their ids.

    Raises
    ------
    BadTable
        If it cannot be written, is of another kind, or another program writes to it.
    """

    def __init__(self, path: Path, *, texture: bool) -> None:
        self.path = path
        self.songs: dict[str, Known] = {}
        self.sources: dict[str, str] = {}
        self._header = (*HEADER, *TEXTURE_COLUMNS) if texture else HEADER
        self._journal = path.with_name(f".{path.name}.journal")
        try:
            # Unbuffered: what is written is written, and a song's rows go in one piece.
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise BadTable(f"{path} cannot be written: {error.strerror}.") from error
        try:
            self._lock()
            self._mend()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file; all that was written is there already."""
        self._journal.unlink(missing_ok=True)
        self._file.close()

    def append(self, song: Song, pieces: Sequence[Piece]) -> None:
        """Write a song down, all its rows or none.

        Raises
        ------
        OSError
            If the disk is full, for example; nothing of the song is left then.
        """
        rows = []
        for number, piece in enumerate(pieces):
            name = song.filename if len(pieces) == 1 else _piece_of(song.filename, number)
            texture = (f"{value:.{TEXTURE_DIGITS}g}" for value in piece.texture)
            about = (song.id, f"{piece.start:g}", f"{piece.end:g}", song.source)
            rows.append([name, piece.length, *piece.features, song.label, *about, *texture])
        self._write(_lines(rows))
        self.songs[song.id] = Known(song.label, str(rows[0][0]))
        self.sources[song.source] = song.id

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadTable(f"Another run is writing to {self.path}. Wait until it is done.") from error

    def _mend(self) -> None:
        """Take away what a run that was killed had begun to write."""
        try:
            begun = json.loads(self._journal.read_text("utf-8"))
            at, size = int(begun["at"]), int(begun["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        # Anything else was not left by that run: somebody has had the table in their hands meanwhile.
        if at < self._size() < at + size:
            self._file.truncate(at)

    def _read(self) -> None:
        if self._size() == 0:
            self._write(_lines([self._header]))
            return
        with self.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            for row in rows_of(file, self.path, texture=len(self._header) > len(HEADER)):
                self.songs.setdefault(row[_SONG], Known(row[_LABEL], row[_FILENAME]))
                self.sources[row[_SOURCE]] = row[_SONG]
        self._file.seek(-1, os.SEEK_END)
        if self._file.read(1) != b"\n":
            raise BadTable(f"The last line of {self.path} is cut off. Complete it or take it away.")

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _write(self, content: bytes) -> None:
        at = self._size()
        _replace(self._journal, json.dumps({"at": at, "bytes": len(content)}).encode())
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except BaseException:
            self._file.truncate(at)
            raise


def rows_of(file: IO[str], path: Path, *, texture: bool | None = None) -> Iterator[list[str]]:
    """Yield the rows of a table.

    Parameters
    ----------
    texture
        Whether it is to have the texture's columns; None for either.

    Raises
    ------
    BadTable
        If it is no table of this kind.
    """
    lines = csv.reader(file)
    try:
        header = tuple(next(lines, ()))
        if header not in (HEADER, (*HEADER, *TEXTURE_COLUMNS)):
            raise BadTable(f"{path} is not a table that `dataset build` wrote. Name another file.")
        if texture is not None and texture != (len(header) > len(HEADER)):
            has, word = ("has", "add") if not texture else ("has not", "leave out")
            raise BadTable(f"{path} {has} the columns of the texture: {word} --texture, or name another file.")
        for number, row in enumerate(lines, start=2):
            if len(row) != len(header):
                raise BadTable(f"Line {number} of {path} has {len(row)} cells instead of {len(header)}.")
            yield row
    except csv.Error as error:
        raise BadTable(f"{path} cannot be read: {error}.") from error


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of merging tables.

    Attributes
    ----------
    songs, rows
        In the merged table.
    repeats
        Songs that were in several tables under the same label.
    conflicts
        Songs that were there under several: what the row left out is called, its label, and the one that was kept.
    """

    songs: int
    rows: int
    repeats: int
    conflicts: tuple[tuple[str, str, Known], ...]


def merge(paths: Sequence[Path], out: Path) -> Merged:
    """Write one table with the songs of several, each once; of two labels for a song, that of the first table is kept.

    Raises
    ------
    BadTable
        If one of them cannot be read, or is of another kind than the first.
    OSError
        If the merged table cannot be written; what was there is still there then.
    """
    songs: dict[str, Known] = {}
    repeats: set[str] = set()
    conflicts: dict[str, tuple[str, str, Known]] = {}
    texture: bool | None = None
    rows = 0
    number, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    copy = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            for path in paths:
                texture = _has_texture(path) if texture is None else texture
                before = dict(songs)
                if not file.tell():
                    file.write(_lines([(*HEADER, *TEXTURE_COLUMNS) if texture else HEADER]))
                with path.open(encoding="utf-8", errors="surrogateescape", newline="") as table:
                    for row in rows_of(table, path, texture=texture):
                        known = before.get(row[_SONG])
                        if known is None:
                            songs.setdefault(row[_SONG], Known(row[_LABEL], row[_FILENAME]))
                            file.write(_lines([row]))
                            rows += 1
                        elif known.label == row[_LABEL]:
                            repeats.add(row[_SONG])
                        else:
                            conflicts.setdefault(row[_SONG], (row[_FILENAME], row[_LABEL], known))
            file.flush()
            os.fsync(file.fileno())
        copy.chmod(0o644)
        copy.replace(out)
    finally:
        copy.unlink(missing_ok=True)
    return Merged(len(songs), rows, len(repeats), tuple(conflicts.values()))


def _has_texture(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return len(next(csv.reader(file), ())) > len(HEADER)


def _piece_of(filename: str, number: int) -> str:
    """Name a piece of a song as the public table of short pieces does: song.0.wav; titles from links have no suffix."""
    path = Path(filename)
    if has_music_suffix(path):
        return f"{path.stem}.{number}{path.suffix}"
    return f"{filename}.{number}"


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _replace(path: Path, content: bytes) -> None:
    copy = path.with_name(f"{path.name}.new")
    copy.write_bytes(content)
    copy.replace(path)
