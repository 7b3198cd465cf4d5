"""Corrections as training material: reads what ``python -m storage export --for-training`` writes.

One row per segment: ``filename,length``, the 57 features, further families (``texture_0``, ``texture_1``, … in CSV;
a list ``texture`` or such columns in JSON lines and Parquet), ``label``, then ``song``, ``segment``, ``weight``,
``use`` and more. Whose word a row is, and how much it counts, was decided before; here it is only believed or refused.
The 57 are not read: what is retrained looks at textures.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import io
import json
import math
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from classifier.features import recording_identity
from classifier.features.families import TEXTURE, has_family
from classifier.features.gtzan57 import COLUMNS
from classifier.features.texture_columns import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MOST_SEGMENTS: Final = 8
"""Segments that are kept of a song, spread evenly over it: two minutes say as much as ten."""
TRAIN, EVALUATE = "train", "evaluate"
_SAMPLE_RATE: Final = 22_050
_NEEDED: Final = ("label", "song", "weight", "use")
_NUMBERED: Final = re.compile(r"(?P<family>[a-z][a-z0-9_]*?)_(?P<place>[0-9]+)")
_PARQUET_MAGIC: Final = b"PAR1"
_LONGEST_CELL: Final = 1 << 20
_LAST: Final = "last"
"""The column that is true in the last row alone; files of the version before lack it."""
_CUT_SHORT: Final = "The feedback was cut short: its last row is missing. Export it again."


class BadFeedback(Exception):
    """A feedback file makes no sense; the text says where."""


@dataclass(frozen=True, eq=False)
class Song:
    """A song with the label that people gave it.

    Attributes
    ----------
    id
        Opaque, and the same in every export.
    label
        Genre.
    weight
        How much its label is to be believed, 0 to 1.
    may_train
        False where its rows may only be used to measure.
    people
        How many agree on the label.
    reviewed
        Whether a moderator saw to it.
    label_people
        How many people stand behind all songs of this label; 0 where the export does not tell.
    seconds
        Length of each of its segments, shape (segments,).
    families
        Family → features, float16, shape (segments, width); only those that every segment has.
    giver
        Number of the person who gave the label first; 0 if unknown.
    """

    id: str
    label: str
    weight: float
    may_train: bool
    people: int
    reviewed: bool
    label_people: int
    seconds: NDArray[np.float64]
    families: Mapping[str, NDArray[np.float16]]
    giver: int = 0

    def has(self, family: str) -> bool:
        """Tell whether every segment has a family, or all that it is made of."""
        return has_family(family, self.families)

    @property
    def key(self) -> str:
        """A short digest of the id, under which a release remembers what it learnt from."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:16]

    @property
    def chance(self) -> float:
        """A number from 0 to 1 that depends on the song's id alone."""
        return int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:8]) / 2**64


@dataclass(frozen=True, eq=False)
class _Row:
    song: str
    label: str
    weight: float
    may_train: bool
    people: int
    reviewed: bool
    label_people: int
    seconds: float
    families: Mapping[str, NDArray[np.float32]]
    giver: int = 0
    last: bool | None = None


def read(source: Path | IO[bytes]) -> list[Song]:
    """Read a feedback file: CSV, JSON lines or Parquet, told apart by how it begins.

    Parameters
    ----------
    source
        A file, or an open stream of CSV or JSON lines.

    Returns
    -------
    Songs in the order of their ids. Where a song comes with several labels, the one of most weight; of equals, none.

    Raises
    ------
    BadFeedback
        If it cannot be read, or was cut short.
    """
    try:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return _songs(_complete(_rows(stream, source)))
        return _songs(_complete(_rows(source, None)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFeedback(f"The feedback cannot be read: {error}") from error


def _rows(stream: IO[bytes], path: Path | None) -> Iterator[_Row]:
    reader = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    start = reader.peek(len(_PARQUET_MAGIC))[: len(_PARQUET_MAGIC)]
    if not start:
        raise BadFeedback("The feedback is empty: the export that should have written it failed.")
    if start == _PARQUET_MAGIC:
        if path is None:
            raise BadFeedback("Parquet cannot be read from a pipe: name the file, or pipe CSV or JSON lines.")
        return _from_mappings(_parquet(path))
    if start[:1] == b"{":
        return _from_mappings(_json_lines(reader))
    return _from_csv(reader)


def _complete(rows: Iterator[_Row]) -> Iterator[_Row]:
    """Pass rows on; complain at the end if none of them is marked as the last one although they have the mark."""
    last: bool | None = None
    for row in rows:
        if last:
            raise BadFeedback("The feedback goes on after its last row: it is more than one export.")
        last = row.last
        yield row
    if last is False:
        raise BadFeedback(_CUT_SHORT)


def _from_csv(reader: IO[bytes]) -> Iterator[_Row]:
    limit = csv.field_size_limit(_LONGEST_CELL)  # of the whole process: others want theirs back
    text = io.TextIOWrapper(reader, encoding="utf-8-sig", newline="")
    try:
        first = text.readline()
        if not first.endswith("\n"):
            raise BadFeedback(_CUT_SHORT)
        lines, header = csv.reader(text), next(csv.reader([first]))
        places, facts = _layout(header)
        number = 1
        for number, cells in enumerate(lines, start=2):
            if len(cells) != len(header):
                if _LAST in facts and next(lines, None) is None:
                    raise BadFeedback(_CUT_SHORT)
                raise BadFeedback(f"Row {number} of the feedback has {len(cells)} cells instead of {len(header)}.")
            vectors = {}
            for family, columns in places.items():
                values = cells[columns] if isinstance(columns, slice) else [cells[place] for place in columns]
                if all(values):
                    vectors[family] = _vector(values, number)
            yield _row({name: cells[place] for name, place in facts.items()}, vectors, number)
        if number == 1 and _LAST in facts:
            raise BadFeedback(_CUT_SHORT)
    finally:
        text.detach()  # whoever opened it closes it
        csv.field_size_limit(limit)


def _layout(names: Sequence[str]) -> tuple[dict[str, slice | list[int]], dict[str, int]]:
    """Find the columns of every family, in the order of their numbers, and those of everything else."""
    numbered: dict[str, dict[int, int]] = defaultdict(dict)
    facts = {}
    for place, name in enumerate(names):
        if found := _NUMBERED.fullmatch(name):
            numbered[found["family"]][int(found["place"])] = place
        elif name not in COLUMNS:
            facts[name] = place
    if missing := [name for name in _NEEDED if name not in facts]:
        raise BadFeedback(
            f"The feedback lacks the columns {', '.join(missing)}. "
            "It is written by `python -m storage export --for-training`."
        )
    order = {family: [places[number] for number in sorted(places)] for family, places in numbered.items()}
    return {family: _as_slice(places) for family, places in order.items()}, facts


def _as_slice(places: list[int]) -> slice | list[int]:
    whole = places == list(range(places[0], places[0] + len(places)))
    return slice(places[0], places[-1] + 1) if whole else places


def _json_lines(reader: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(reader, start=1):
        if line.strip():
            try:
                values = json.loads(line)
            except ValueError as error:
                if next(reader, None) is None:
                    raise BadFeedback(_CUT_SHORT) from error
                raise BadFeedback(f"Line {number} of the feedback is no JSON: {error}") from error
            if not isinstance(values, dict):
                raise BadFeedback(f"Line {number} of the feedback is no JSON object.")
            if set(values) != {_LAST}:
                yield values


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise BadFeedback("Parquet needs the package pyarrow. Install genre-bot[parquet], or export CSV.") from None
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=64):
                yield from batch.to_pylist()
    except arrow.ArrowException as error:
        raise BadFeedback(f"The feedback cannot be read: {error}") from error


def _from_mappings(lines: Iterable[Mapping[str, Any]]) -> Iterator[_Row]:
    for number, values in enumerate(lines, start=1):
        flat = [name for name, value in values.items() if not isinstance(value, list)]
        places, facts = _layout(flat)
        vectors = {}
        for family, columns in places.items():
            chosen = flat[columns] if isinstance(columns, slice) else [flat[place] for place in columns]
            if all(values[name] is not None for name in chosen):
                vectors[family] = _vector([values[name] for name in chosen], number)
        for name, value in values.items():
            if isinstance(value, list) and value:
                vectors[name] = _vector(value, number)
        yield _row({name: values[name] for name in facts}, vectors, number)


def _vector(values: Sequence[Any], number: int) -> NDArray[np.float32]:
    try:
        vector = np.array(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise BadFeedback(f"Row {number} of the feedback holds something else than numbers: {error}") from error
    if not np.isfinite(vector).all():
        raise BadFeedback(f"Row {number} of the feedback holds a number that is not finite.")
    return vector


def _row(facts: Mapping[str, Any], vectors: Mapping[str, NDArray[np.float32]], number: int) -> _Row:
    try:
        weight, use = float(facts["weight"]), str(facts["use"])
        people, label_people = int(facts.get("people") or 1), int(facts.get("label_people") or 0)
        giver = int(facts.get("giver") or 0)
        seconds = float(facts.get("length") or 30 * _SAMPLE_RATE) / _SAMPLE_RATE
    except (TypeError, ValueError) as error:
        raise BadFeedback(f"Row {number} of the feedback makes no sense: {error}") from error
    if not 0 <= weight <= 1 or use not in {TRAIN, EVALUATE} or not 0 < seconds < math.inf:
        raise BadFeedback(f"Row {number} of the feedback makes no sense: weight {weight:g}, use {use!r}.")
    if not facts["song"] or not facts["label"]:
        raise BadFeedback(f"Row {number} of the feedback names no song or no label.")
    reviewed = str(facts.get("reviewed", "")).casefold() in {"1", "true"}
    last = str(facts[_LAST]).casefold() in {"1", "true"} if _LAST in facts else None
    song, label = str(facts["song"]), str(facts["label"])
    return _Row(song, label, weight, use == TRAIN, people, reviewed, label_people, seconds, vectors, giver, last)


def _songs(rows: Iterator[_Row]) -> list[Song]:
    gathered: dict[str, dict[str, list[_Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        halved = {family: vector.astype(np.float16) for family, vector in row.families.items()}
        gathered[row.song][row.label].append(_Row(**{**vars(row), "families": halved}))
    songs = []
    for _, labels in sorted(gathered.items()):
        ranked = sorted(labels.values(), key=lambda found: (found[0].weight, found[0].people), reverse=True)
        first = ranked[0][0]
        if len(ranked) == 1 or (first.weight, first.people) > (ranked[1][0].weight, ranked[1][0].people):
            # What may not train under one label must not under another: the platform's rules are the song's.
            may_train = all(row.may_train for row in chain.from_iterable(ranked))
            songs.append(_song(ranked[0], may_train=may_train))
    return songs


def _song(rows: Sequence[_Row], *, may_train: bool) -> Song:
    if len(rows) > MOST_SEGMENTS:
        spread = np.linspace(0, len(rows) - 1, MOST_SEGMENTS).round().astype(int)
        rows = [rows[place] for place in spread]
    first = rows[0]
    shared = set.intersection(*({(name, vector.size) for name, vector in row.families.items()} for row in rows))
    return Song(
        id=first.song,
        label=first.label,
        weight=first.weight,
        may_train=may_train,
        people=first.people,
        reviewed=first.reviewed,
        label_people=first.label_people,
        seconds=np.array([row.seconds for row in rows]),
        families={
            name: np.stack([row.families[name] for row in rows]).astype(np.float16) for name, _ in sorted(shared)
        },
        giver=first.giver,
    )


def recordings_of(songs: Sequence[Song]) -> NDArray[np.int64]:
    """Number songs by their recordings: those that are probably one, encoded anew, have the same number.

    Returns
    -------
    Shape (n,), each song's or an earlier one's place. A song without the whole texture is one of its own.
    """
    numbers = np.arange(len(songs))
    told = [place for place, song in enumerate(songs) if _has_texture(song)]
    if told:
        means = np.stack([songs[place].families[TEXTURE].mean(axis=0, dtype=np.float32) for place in told])
        lengths = [float(songs[place].seconds.sum()) for place in told]
        for group in recording_identity.groups(recording_identity.pairs(recording_identity.marks(means), lengths)):
            numbers[[told[place] for place in group]] = told[group[0]]
    return numbers


def _has_texture(song: Song) -> bool:
    found = song.families.get(TEXTURE)
    return found is not None and found.shape[1] == WIDTH
