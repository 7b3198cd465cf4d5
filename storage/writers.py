"""What exported feedback looks like in a file: the public GTZAN table's columns, a label, then the bookkeeping.

Plain blocking code, to be run on a thread; which rows go out is told by ``export``.
"""

from __future__ import annotations

import csv
import importlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from storage.errors import FormatUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

TABLE_FAMILY = "gtzan57"
"""The feature family whose 57 numbers are those of the public table, in its order."""
_SPECTRAL = ("chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff", "zero_crossing_rate")
_PARTS = (*_SPECTRAL, "harmony", "perceptr")
_MFCC = tuple(f"mfcc{number}" for number in range(1, 21))
TABLE_COLUMNS = (
    *(f"{name}_{statistic}" for name in _PARTS for statistic in ("mean", "var")),
    "tempo",
    *(f"{name}_{statistic}" for name in _MFCC for statistic in ("mean", "var")),
)
BOOKKEEPING: Mapping[str, type] = {
    "song": str,
    "start": float,
    "end": float,
    "model": str,
    "said": str,
    "confidence": float,
    "sure": int,
    "status": str,
    "platform": str,
    "votes": int,
    "may_train": int,
    "created": datetime,
}
# What a spreadsheet takes for the beginning of a formula, the wide forms of East Asian keyboards included.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Format(StrEnum):
    """The forms in which corrections leave."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Row:
    """One segment of a song, with the label that people gave it.

    Attributes
    ----------
    filename, length
        As in the public table; length in samples.
    table
        The 57 features, float32, in the order of ``TABLE_COLUMNS``.
    families
        Further feature families, float32, shape (width of the family,).
    label
        Id of the label.
    facts
        The bookkeeping, in the order of ``BOOKKEEPING``.
    """

    filename: str
    length: int
    table: NDArray[np.float32]
    families: Mapping[str, NDArray[np.float32]]
    label: str
    facts: Mapping[str, Any]


class Writer(Protocol):
    """A file that rows are written to."""

    def write(self, rows: Sequence[Row]) -> int:
        """Append rows and return how many of them went in."""

    def close(self) -> None:
        """Finish the file."""


def open_writer(form: Format, path: Path, families: tuple[str, ...]) -> Writer:
    """Create a file in one of the formats.

    Raises
    ------
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    kinds: Mapping[Format, type[CsvWriter | JsonlWriter | ParquetWriter]] = {
        Format.CSV: CsvWriter,
        Format.JSONL: JsonlWriter,
        Format.PARQUET: ParquetWriter,
    }
    return kinds[form](path, families)


def harmless(text: str) -> str:
    """Return a text that a spreadsheet shows instead of calculating: a formula gets an apostrophe in front."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


class CsvWriter:
    """Rows as CSV in UTF-8; a further family is as wide as its first row says, and rows of another width stay out."""

    def __init__(self, path: Path, families: tuple[str, ...]) -> None:
        self._families = families
        self._widths: dict[str, int] | None = None
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)

    def write(self, rows: Sequence[Row]) -> int:
        if rows and self._widths is None:
            self._head({name: len(rows[0].families[name]) for name in self._families})
        fitting = [row for row in rows if {name: len(row.families[name]) for name in self._families} == self._widths]
        self._rows.writerows(map(self._cells, fitting))
        return len(fitting)

    def close(self) -> None:
        if self._widths is None:
            self._head({})
        self._file.close()

    def _head(self, widths: dict[str, int]) -> None:
        self._widths = widths
        further = [f"{name}_{index}" for name, width in widths.items() for index in range(width)]
        self._rows.writerow(["filename", "length", *TABLE_COLUMNS, *further, "label", *BOOKKEEPING])

    def _cells(self, row: Row) -> list[str | int | float]:
        # float32 as text is the shortest that reads back as the same float32.
        numbers = [text for name in self._families for text in row.families[name].astype(str).tolist()]
        facts = [_plain(value) for value in row.facts.values()]
        return [
            harmless(row.filename),
            row.length,
            *row.table.astype(str).tolist(),
            *numbers,
            harmless(row.label),
            *(harmless(fact) if isinstance(fact, str) else fact for fact in facts),
        ]


class JsonlWriter:
    """Rows as one JSON object per line, with the same names; a further family is a list under its own name."""

    def __init__(self, path: Path, families: tuple[str, ...]) -> None:
        self._families = families
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, rows: Sequence[Row]) -> int:
        for row in rows:
            values: dict[str, Any] = {"filename": row.filename, "length": row.length}
            values |= zip(TABLE_COLUMNS, _shortest(row.table), strict=True)
            values |= {name: _shortest(row.families[name]) for name in self._families}
            values |= {"label": row.label} | {name: _plain(fact) for name, fact in row.facts.items()}
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")
        return len(rows)

    def close(self) -> None:
        self._file.close()


class ParquetWriter:
    """Rows as Parquet, with the same names and real types; a further family is a list of float32."""

    def __init__(self, path: Path, families: tuple[str, ...]) -> None:
        try:
            self._arrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise FormatUnavailable(
                "Parquet needs the package pyarrow, which is not installed. Install it, or choose csv or jsonl."
            ) from None
        arrow = self._arrow
        self._families = families
        types = {str: arrow.string(), float: arrow.float64(), int: arrow.int64()}
        types[datetime] = arrow.timestamp("us", tz="UTC")
        self._schema = arrow.schema(
            [
                ("filename", arrow.string()),
                ("length", arrow.int64()),
                *((name, arrow.float32()) for name in TABLE_COLUMNS),
                *((name, arrow.list_(arrow.float32())) for name in families),
                ("label", arrow.string()),
                *((name, types[kind]) for name, kind in BOOKKEEPING.items()),
            ]
        )
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> int:
        if rows:
            lines = [
                {"filename": row.filename, "length": row.length, "label": row.label}
                | dict(zip(TABLE_COLUMNS, row.table.tolist(), strict=True))
                | {name: row.families[name] for name in self._families}
                | dict(row.facts)
                for row in rows
            ]
            self._writer.write_table(self._arrow.Table.from_pylist(lines, schema=self._schema))
        return len(rows)

    def close(self) -> None:
        self._writer.close()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _shortest(vector: NDArray[np.float32]) -> list[float]:
    return [float(text) for text in vector.astype(str).tolist()]
