"""The table of a data set: a CSV file to which complete songs are appended, even if the program is killed.

Its columns are those of the public GTZAN table, then the song and its source, then the texture features if requested.
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
from classifier.features.texture_columns import WIDTH
from common.media_types import has_music_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from classifier.datasets.feature_reader import SegmentRow

SONG_COLUMNS: Final = ("song", "start", "end", "source")
HEADER: Final = ("filename", "length", *COLUMNS, "label", *SONG_COLUMNS)
TEXTURE_COLUMNS: Final = tuple(f"texture_{number}" for number in range(WIDTH))
TEXTURE_DIGITS: Final = 7  # the precision of float32
_FILENAME, _LABEL, _SONG, _SOURCE = (HEADER.index(name) for name in ("filename", "label", "song", "source"))


class BadTable(Exception):
    """A table cannot be used; the message tells the operator why and what to do."""


@dataclass(frozen=True, slots=True)
class ExistingSong:
    """A song in a table: its genre, and the name of its first row."""

    label: str
    filename: str


@dataclass(frozen=True, slots=True)
class TableSong:
    """A song to add to a table.

    Attributes
    ----------
    id
        SHA-256 of its file in hexadecimal.
    filename
        Name of its rows.
    label
        Its genre.
    source
        Where it came from: the path as given, or a link.
    """

    id: str
    filename: str
    label: str
    source: str


class DatasetTable:
    """A table that is open and locked for writing.

    Parameters
    ----------
    path
        The CSV file; created if it does not exist.
    texture
        Whether the table has the texture columns.

    Attributes
    ----------
    songs
        Id → song.
    sources
        Source of a song → its id.

    Raises
    ------
    BadTable
        If it cannot be written, has other columns, or is locked by another program.
    """

    def __init__(self, path: Path, *, texture: bool) -> None:
        self.path = path
        self.songs: dict[str, ExistingSong] = {}
        self.sources: dict[str, str] = {}
        self._header = (*HEADER, *TEXTURE_COLUMNS) if texture else HEADER
        self._journal = path.with_name(f".{path.name}.journal")
        try:
            # Unbuffered, so that the rows of a song are written at once.
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise BadTable(f"{path} cannot be written: {error.strerror}.") from error
        try:
            self._lock()
            self._remove_partial_song()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._journal.unlink(missing_ok=True)
        self._file.close()

    def append(self, song: TableSong, segments: Sequence[SegmentRow]) -> None:
        """Append a song, all its rows or none.

        Raises
        ------
        OSError
            If that fails, for example because the disk is full; the table is then as before.
        """
        rows = []
        for number, segment in enumerate(segments):
            name = song.filename if len(segments) == 1 else _segment_name(song.filename, number)
            texture = (f"{value:.{TEXTURE_DIGITS}g}" for value in segment.texture)
            info = (song.id, f"{segment.start:g}", f"{segment.end:g}", song.source)
            rows.append([name, segment.length, *segment.features, song.label, *info, *texture])
        self._write(_lines(rows))
        self.songs[song.id] = ExistingSong(song.label, str(rows[0][0]))
        self.sources[song.source] = song.id

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadTable(f"Another run is writing to {self.path}. Wait until it is done.") from error

    def _remove_partial_song(self) -> None:
        """Remove the incomplete rows of a song that a killed run left behind."""
        try:
            begun = json.loads(self._journal.read_text("utf-8"))
            at, size = int(begun["at"]), int(begun["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        # If the size does not fit the journal, the table was edited since then.
        if at < self._size() < at + size:
            self._file.truncate(at)

    def _read(self) -> None:
        if self._size() == 0:
            self._write(_lines([self._header]))
            return
        with self.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            for row in rows_of(file, self.path, texture=len(self._header) > len(HEADER)):
                self.songs.setdefault(row[_SONG], ExistingSong(row[_LABEL], row[_FILENAME]))
                self.sources[row[_SOURCE]] = row[_SONG]
        self._file.seek(-1, os.SEEK_END)
        if self._file.read(1) != b"\n":
            raise BadTable(f"The last line of {self.path} is cut off. Complete it or remove it.")

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _write(self, content: bytes) -> None:
        at = self._size()
        _write_atomically(self._journal, json.dumps({"at": at, "bytes": len(content)}).encode())
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
        Whether the table must have the texture columns; None if it does not matter.

    Raises
    ------
    BadTable
        If it is not a table of a data set.
    """
    lines = csv.reader(file)
    try:
        header = tuple(next(lines, ()))
        if header not in (HEADER, (*HEADER, *TEXTURE_COLUMNS)):
            raise BadTable(f"{path} is not a table that `dataset build` wrote. Name another file.")
        if texture is not None and texture != (len(header) > len(HEADER)):
            has, action = ("has", "add") if not texture else ("does not have", "omit")
            raise BadTable(f"{path} {has} the texture columns: {action} --texture, or name another file.")
        for number, row in enumerate(lines, start=2):
            if len(row) != len(header):
                raise BadTable(f"Line {number} of {path} has {len(row)} cells instead of {len(header)}.")
            yield row
    except csv.Error as error:
        raise BadTable(f"{path} cannot be read: {error}.") from error


@dataclass(frozen=True, slots=True)
class MergeSummary:
    """The result of merging tables.

    Attributes
    ----------
    songs, rows
        Number of songs and rows in the merged table.
    repeats
        Number of songs that several tables have with the same label.
    conflicts
        Songs with different labels: name and label of the omitted row, and the song that was kept.
    """

    songs: int
    rows: int
    repeats: int
    conflicts: tuple[tuple[str, str, ExistingSong], ...]


def merge(paths: Sequence[Path], out: Path) -> MergeSummary:
    """Merge tables, each song once; if the labels of a song differ, that of the first table is kept.

    Raises
    ------
    BadTable
        If a table cannot be read, or has other columns than the first.
    OSError
        If the merged table cannot be written; an existing file is then unchanged.
    """
    songs: dict[str, ExistingSong] = {}
    repeats: set[str] = set()
    conflicts: dict[str, tuple[str, str, ExistingSong]] = {}
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
                            songs.setdefault(row[_SONG], ExistingSong(row[_LABEL], row[_FILENAME]))
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
    return MergeSummary(len(songs), rows, len(repeats), tuple(conflicts.values()))


def _has_texture(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return len(next(csv.reader(file), ())) > len(HEADER)


def _segment_name(filename: str, number: int) -> str:
    """Return the row name of a segment as in the public table of short excerpts: song.0.wav; titles have no suffix."""
    path = Path(filename)
    if has_music_suffix(path):
        return f"{path.stem}.{number}{path.suffix}"
    return f"{filename}.{number}"


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _write_atomically(path: Path, content: bytes) -> None:
    copy = path.with_name(f"{path.name}.new")
    copy.write_bytes(content)
    copy.replace(path)
