"""Writes exports as CSV, JSON lines and Parquet.

Blocking code, to be run on a thread; ``export`` and ``training_export`` choose the rows.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np

from storage.errors import FormatUnavailable
from storage.feedback_rows import LAST, TABLE_COLUMNS, Layout, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

# Characters with which a spreadsheet formula can start, full-width forms included.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ROWS_AT_ONCE = 512
"""Rows per Parquet row group; with thousands of columns, small groups would be expensive."""


class ExportFormat(StrEnum):
    """The formats of exports."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Writer(Protocol):
    """An export file being written."""

    def write(self, rows: Sequence[Row]) -> int:
        """Append rows and return how many of them were written."""

    def finish(self) -> None:
        """Write what belongs at the end of a complete file."""

    def close(self) -> None:
        """Release the file, complete or not; a stream stays open."""


def open_writer(form: ExportFormat, target: Path | IO[bytes], layout: Layout) -> Writer:
    """Create a file in a format, or begin to write a stream.

    Raises
    ------
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    kinds: Mapping[ExportFormat, type[CsvWriter | JsonlWriter | ParquetWriter | WideParquetWriter]] = {
        ExportFormat.CSV: CsvWriter,
        ExportFormat.JSONL: JsonlWriter,
        ExportFormat.PARQUET: WideParquetWriter if layout.wide else ParquetWriter,
    }
    writer = kinds[form](target, layout)
    return LastRowMarker(writer, layout) if LAST in layout.facts else writer


def _text(target: Path | IO[bytes], newline: str) -> io.TextIOWrapper:
    if isinstance(target, Path):
        return target.open("w", encoding="utf-8", newline=newline)
    return io.TextIOWrapper(target, encoding="utf-8", newline=newline)


def _release(file: io.TextIOWrapper, target: Path | IO[bytes]) -> None:
    if isinstance(target, Path):
        file.close()
    else:
        file.flush()
        file.detach()


def harmless(text: str) -> str:
    """Escape a text that a spreadsheet would run as a formula, with an apostrophe in front."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def formula(text: str) -> str:
    """Undo ``harmless``."""
    return text[1:] if text.startswith("'") and harmless(text[1:]) == text else text


class LastRowMarker:
    """Holds the latest row back until it is known whether it is the last one, and marks that one.

    It leaves out rows of another width, as the writer of a wide layout would.
    """

    def __init__(self, writer: Writer, layout: Layout) -> None:
        self._writer, self._layout = writer, layout
        self._widths: dict[str, int] | None = None
        self._held: list[Row] = []

    def write(self, rows: Sequence[Row]) -> int:
        if rows and self._widths is None:
            self._widths = self._layout.widths(rows[0])
        fitting = [row for row in rows if self._layout.widths(row) == self._widths]
        if fitting:
            self._writer.write([*self._held, *fitting[:-1]])
            self._held = fitting[-1:]
        return len(fitting)

    def finish(self) -> None:
        self._writer.write([replace(row, facts={**row.facts, LAST: True}) for row in self._held])
        self._writer.finish()

    def close(self) -> None:
        self._writer.close()


class CsvWriter:
    """Writes CSV in UTF-8; the first row sets the width of a further family, and rows of another width are left out."""

    def __init__(self, target: Path | IO[bytes], layout: Layout) -> None:
        self._layout, self._target = layout, target
        self._widths: dict[str, int] | None = None
        self._file = _text(target, "")
        self._rows = csv.writer(self._file)

    def write(self, rows: Sequence[Row]) -> int:
        if rows and self._widths is None:
            self._head(self._layout.widths(rows[0]))
        fitting = [row for row in rows if self._layout.widths(row) == self._widths]
        self._rows.writerows(map(self._cells, fitting))
        return len(fitting)

    def finish(self) -> None:
        if self._widths is None:
            # No row can be marked as the last one, so the header does not announce such a row either.
            self._rows.writerow([name for name in self._layout.columns({}) if name != LAST])

    def close(self) -> None:
        _release(self._file, self._target)

    def _head(self, widths: dict[str, int]) -> None:
        self._widths = widths
        self._rows.writerow(self._layout.columns(widths))

    def _cells(self, row: Row) -> list[str | int | float]:
        # The shortest text that reads back as the same float32.
        numbers = [text for name in self._layout.families for text in row.families[name].astype(str).tolist()]
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
    """Writes one JSON object per row and line, with the same names; a family is one list unless the layout is wide."""

    def __init__(self, target: Path | IO[bytes], layout: Layout) -> None:
        self._layout, self._target = layout, target
        self._widths: dict[str, int] | None = None
        self._file = _text(target, "\n")

    def write(self, rows: Sequence[Row]) -> int:
        if rows and self._widths is None:
            self._widths = self._layout.widths(rows[0])
        fitting = [row for row in rows if not self._layout.wide or self._layout.widths(row) == self._widths]
        for row in fitting:
            values: dict[str, Any] = {"filename": row.filename, "length": row.length}
            values |= zip(TABLE_COLUMNS, _shortest(row.table), strict=True)
            values |= self._further(row)
            values |= {"label": row.label} | {name: _plain(fact) for name, fact in row.facts.items()}
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")
        return len(fitting)

    def finish(self) -> None:
        if self._widths is None and LAST in self._layout.facts:
            self._file.write(json.dumps({LAST: True}) + "\n")

    def close(self) -> None:
        _release(self._file, self._target)

    def _further(self, row: Row) -> dict[str, Any]:
        families = {name: _shortest(row.families[name]) for name in self._layout.families}
        if not self._layout.wide:
            return families
        return {f"{name}_{index}": number for name, numbers in families.items() for index, number in enumerate(numbers)}


class ParquetWriter:
    """Writes Parquet with the same names and proper types; a further family is a list of float32."""

    def __init__(self, target: Path | IO[bytes], layout: Layout) -> None:
        self._arrow, parquet = _arrow()
        self._families = layout.families
        self._schema = _schema(self._arrow, layout, [(name, self._list_of_numbers()) for name in layout.families])
        self._writer = parquet.ParquetWriter(target, self._schema, compression="zstd")

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

    def finish(self) -> None:
        """Leave it to ``close``, which writes the footer that every Parquet file needs."""

    def close(self) -> None:
        self._writer.close()

    def _list_of_numbers(self) -> Any:
        return self._arrow.list_(self._arrow.float32())


class WideParquetWriter:
    """Writes Parquet with a column per feature, many rows at a time."""

    def __init__(self, target: Path | IO[bytes], layout: Layout) -> None:
        self._arrow, self._parquet = _arrow()
        self._target, self._layout = target, layout
        self._widths: dict[str, int] | None = None
        self._writer: Any = None
        self._waiting: list[Row] = []

    def write(self, rows: Sequence[Row]) -> int:
        if rows and self._widths is None:
            self._widths = self._layout.widths(rows[0])
        fitting = [row for row in rows if self._layout.widths(row) == self._widths]
        self._waiting += fitting
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()
        return len(fitting)

    def finish(self) -> None:
        self._flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        number = self._arrow.float32()
        names = self._layout.columns(self._widths or {})
        if self._writer is None:
            further = [(name, number) for name in names[2 + len(TABLE_COLUMNS) : -1 - len(self._layout.facts)]]
            schema = _schema(self._arrow, self._layout, further)
            self._writer = self._parquet.ParquetWriter(self._target, schema, compression="zstd")
        if not rows:
            return
        vectors = [np.concatenate([row.table, *(row.families[name] for name in self._layout.families)]) for row in rows]
        columns: list[Any] = [[row.filename for row in rows], [row.length for row in rows]]
        columns += list(np.ascontiguousarray(np.stack(vectors).T))
        columns.append([row.label for row in rows])
        columns += [[row.facts[name] for row in rows] for name in self._layout.facts]
        arrays = [
            self._arrow.array(column, type=field.type)
            for column, field in zip(columns, self._writer.schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._writer.schema))


def _arrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise FormatUnavailable(
            "Parquet needs the package pyarrow, which is not installed. Install it, or choose csv or jsonl."
        ) from None


def _schema(arrow: Any, layout: Layout, further: Sequence[tuple[str, Any]]) -> Any:
    types = {str: arrow.string(), float: arrow.float64(), int: arrow.int64(), bool: arrow.bool_()}
    types[datetime] = arrow.timestamp("us", tz="UTC")
    return arrow.schema(
        [
            ("filename", arrow.string()),
            ("length", arrow.int64()),
            *((name, arrow.float32()) for name in TABLE_COLUMNS),
            *further,
            ("label", arrow.string()),
            *((name, types[kind]) for name, kind in layout.facts.items()),
        ]
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _shortest(vector: NDArray[np.float32]) -> list[float]:
    return [float(text) for text in vector.astype(str).tolist()]
