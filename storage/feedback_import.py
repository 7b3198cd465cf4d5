"""Imports a training file that ``training_export`` wrote, in any of its formats, and reports what is wrong with it.

The entire file is checked before anything is stored (``imported_songs``).
"""

from __future__ import annotations

import asyncio
import csv
import importlib
import json
import math
import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.database import lock
from storage.errors import BadImportFile, BadLabel, FormatUnavailable
from storage.feature_codec import SegmentVectors, pack
from storage.feedback_rows import LAST, TABLE_COLUMNS, TABLE_FAMILY, TRAINING_COLUMNS
from storage.feedback_writers import ExportFormat, formula
from storage.imported_songs import ImportedSong, is_newer, save_imported
from storage.label_aliases import FEEDBACK_LOCK
from storage.label_text import clean_name
from storage.label_votes import Purpose
from storage.songs import CONTENT_HASH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from storage.store import Storage

MOST_TEXT = 200
"""The longest name in a file, in characters."""
_COLUMN = re.compile(r"([A-Za-z0-9_-]+)_(\d{1,5})")
_READ = {name: kind for name, kind in TRAINING_COLUMNS.items() if name not in {"giver", LAST}}
"""People's numbers mean nothing in another database; files of the version before have neither these nor the mark."""
_NEEDED = ("label", *_READ)


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """The result of an import: songs stored, and songs left out because newer feedback exists here or was withdrawn."""

    songs: int
    left_out: int


async def import_feedback(storage: Storage, path: Path) -> ImportSummary:
    """Import a training file; feedback that exists here is never overwritten by the same or older feedback.

    Raises
    ------
    BadFile
        If it is not such a file or it is damaged; nothing was imported.
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    await asyncio.to_thread(lambda: [None for _ in read_songs(path)])
    songs = read_songs(path)
    taken = left_out = 0
    while (song := await asyncio.to_thread(next, songs, None)) is not None:
        label = await storage.labels.find(song.label) or await storage.labels.propose(song.label)
        data = await asyncio.to_thread(pack, song.segments)
        async with storage.database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            if await is_newer(connection, song.song, song.updated):
                await save_imported(connection, song, label.id, data)
                taken += 1
            else:
                left_out += 1
    return ImportSummary(taken, left_out)


def read_songs(path: Path) -> Iterator[ImportedSong]:
    """Read a file song by song; the format is recognised by its first bytes.

    Raises
    ------
    BadFile
        With a message that names the file and, if possible, the line.
    """
    seen: set[str] = set()
    with _naming_file(path):
        for name, rows in groupby(_complete(_open(path)), key=lambda row: row[1].get("song")):
            song = _song(list(rows))
            if name in seen:
                raise BadImportFile(
                    path, f"the rows of song {str(name)[:12]} are scattered: sort it by song and segment"
                )
            seen.add(song.song)
            yield song


@contextmanager
def _naming_file(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BadImportFile(path, "there is no such file") from None
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError):
        raise BadImportFile(path, "it is damaged or not an export") from None
    except _BadContent as reason:
        raise BadImportFile(path, str(reason)) from None
    except OSError as reason:
        raise BadImportFile(path, reason.strerror or "it cannot be read") from reason


class _BadContent(Exception):
    """A problem with a file, reported later with its name."""


def _complete(rows: Iterator[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Pass rows on; complain at the end if none of them is marked as the last one although they have the mark."""
    ended: bool | None = None
    for number, row in rows:
        if ended:
            raise _BadContent(f"row {number} comes after its last row")
        ended = str(row[LAST]).lower() == "true" if LAST in row else None
        if set(row) != {LAST}:
            yield number, row
    if ended is False:
        raise _BadContent("it was cut short: its last row is missing")


def _open(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield rows as name → value, with the numbers of their lines; numbers are text if the format has no types."""
    with path.open("rb") as file:
        beginning = file.read(4)
    if not beginning:
        raise _BadContent("it is empty")
    form = {b"PAR1": ExportFormat.PARQUET}.get(
        beginning, ExportFormat.JSONL if beginning[:1] == b"{" else ExportFormat.CSV
    )
    if form is ExportFormat.PARQUET:
        yield from enumerate(_parquet(path), start=1)
        return
    with path.open(encoding="utf-8-sig", newline="") as text:
        if form is ExportFormat.JSONL:
            for number, line in enumerate(text, start=1):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise _BadContent("it is damaged or not an export")
                if set(row) != {LAST}:
                    _check_columns(row)
                yield number, row
            return
        table = csv.DictReader(text)
        _check_columns(table.fieldnames or ())
        for row in table:
            if None in row or None in row.values():
                raise _BadContent(f"line {table.line_num} has too many or too few cells")
            yield table.line_num, {name: formula(value) for name, value in row.items()}


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise FormatUnavailable("Parquet needs the package pyarrow, which is not installed.") from None
    try:
        with parquet.ParquetFile(path) as file:
            _check_columns(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=64):
                yield from batch.to_pylist()
    except arrow.ArrowException:
        raise _BadContent("it is damaged or not an export") from None


def _check_columns(names: Sequence[str] | Mapping[str, Any]) -> None:
    missing = [name for name in (*_NEEDED, *TABLE_COLUMNS) if name not in names]
    if "votes" in names and "weight" in missing:
        raise _BadContent("it was exported without --for-training: export it again with that")
    if missing:
        raise _BadContent(
            f"it lacks the column {missing[0]}" + (f" and {len(missing) - 1} more" if missing[1:] else "")
        )


def _song(rows: list[tuple[int, Mapping[str, Any]]]) -> ImportedSong:
    """Check a song's rows and combine them."""
    number, first = rows[0]
    facts = {name: _fact(first, name, kind, number) for name, kind in (*_READ.items(), ("label", str))}
    if not CONTENT_HASH.fullmatch(facts["song"]):
        raise _BadContent(f"row {number} names no song")
    try:
        label = clean_name(facts["label"])
    except BadLabel:
        raise _BadContent(f"row {number} has no label that can be a genre's name") from None
    if not (
        0 <= facts["weight"] <= 1 and min(facts["people"], facts["label_people"]) >= 0 and facts["use"] in set(Purpose)
    ):
        raise _BadContent(f"row {number} has a weight, a use or a number of people that is out of range")
    segments: list[SegmentVectors] = []
    for place, (line, row) in enumerate(rows):
        if any(str(row[name]) != str(first[name]) for name in ("label", "weight", "use", "updated")):
            raise _BadContent(f"row {line} contradicts the row before it")
        start, end = _fact(row, "start", float, line), _fact(row, "end", float, line)
        if end <= start or (place and start < segments[-1].start):
            raise _BadContent(f"row {line} is not in order of time")
        segments.append(SegmentVectors(start, end, _families(row, line)))
    if len({tuple((name, len(each)) for name, each in segment.families.items()) for segment in segments}) > 1:
        raise _BadContent(f"the rows of song {facts['song'][:12]} have features of different widths")
    return ImportedSong(
        song=facts["song"],
        label=label,
        weight=facts["weight"],
        may_train=facts["use"] == Purpose.TRAIN,
        source=facts["source"],
        people=facts["people"],
        reviewed=facts["reviewed"],
        model=facts["model"],
        predicted=facts["heard_as"],
        label_people=facts["label_people"],
        updated=facts["updated"],
        segments=tuple(segments),
    )


def _fact(row: Mapping[str, Any], name: str, kind: type, number: int) -> Any:
    """Convert one bookkeeping value to its type."""
    value = row[name]
    try:
        if kind is str and isinstance(value, str) and len(value) <= MOST_TEXT and value.isprintable():
            return value
        if kind is bool and str(value).lower() in {"true", "false"}:
            return str(value).lower() == "true"
        if kind is int and not isinstance(value, bool) and float(value).is_integer() and abs(int(value)) < 2**31:
            return int(value)
        if kind is float and not isinstance(value, bool) and math.isfinite(float(value)):
            return float(value)
        if kind is datetime:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _BadContent(f"row {number} has no readable {name}")


def _families(row: Mapping[str, Any], number: int) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Collect a row's features by family: the 57 of the public table and each further family."""
    places: dict[str, dict[int, Any]] = defaultdict(dict)
    for name, value in row.items():
        match = None if name in TABLE_COLUMNS else _COLUMN.fullmatch(name)
        if match is not None:
            places[match[1]][int(match[2])] = value
    vectors = {TABLE_FAMILY: [row[name] for name in TABLE_COLUMNS]}
    for family, cells in places.items():
        if family == TABLE_FAMILY or set(cells) != set(range(len(cells))):
            raise _BadContent(f"a column of {family} is missing")
        vectors[family] = [cells[place] for place in range(len(cells))]
    try:
        numbers = {family: np.array(cells, dtype=np.float32) for family, cells in vectors.items()}
    except (TypeError, ValueError, OverflowError):
        raise _BadContent(f"row {number} has a feature that is not a number") from None
    if any(vector.ndim != 1 or not np.isfinite(vector).all() for vector in numbers.values()):
        raise _BadContent(f"row {number} has a feature that is not a number")
    return numbers
