"""Prints reports: a table on a terminal, tab-separated lines to a pipe or file."""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from classifier.commands.batch import printable
from classifier.library.grouping import genre_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from classifier.song_report import SongReport

SECONDS_PER_MINUTE: Final = 60
COLUMN_GAP: Final = 2
MIN_COLUMN_WIDTH: Final = 10
_RIGHT_ALIGNED: Final = frozenset({"Length", "Confidence", "Songs", "Share", "Tagged", "Genres", "Base", "Feedback"})


def show_reports(reports: Mapping[str, SongReport], *, segments: bool = False) -> None:
    """Print one line per song and, if requested, one per segment below it.

    On a terminal a line has the file's base name, length, genre, confidence and runner-up, and fits into 80 columns.
    Otherwise its fields are separated by tabs: the file as it was named, genre, confidence from 0 to 1, ``sure`` or
    ``unsure``, runner-up and its confidence, and seconds; for a segment the file, genre, confidence, start and end.
    """
    if not reports:
        return
    if sys.stdout.isatty():
        rows = [row for name, report in reports.items() for row in _terminal_rows(name, report, segments=segments)]
        print_table(("File", "Length", "Genre", "Confidence", "Runner-up"), rows)
    else:
        print_lines(row for name, report in reports.items() for row in _plain_rows(name, report, segments=segments))


def _terminal_rows(name: str, report: SongReport, *, segments: bool) -> list[tuple[str, ...]]:
    genre = genre_name(report.genre) if report.sure else f"{genre_name(report.genre)}?"
    other = ", ".join(f"{genre_name(other)} {share:.0%}" for other, share in report.runners_up(1))
    name = printable(PurePath(name).name or name)
    rows: list[tuple[str, ...]] = [(name, _clock(report.duration), genre, f"{report.confidence:.0%}", other)]
    if segments:
        rows += [
            (f"  {_clock(part.start)} – {_clock(part.end)}", "", genre_name(part.genre), f"{part.confidence:.0%}", "")
            for part in report.segments
        ]
    return rows


def _plain_rows(name: str, report: SongReport, *, segments: bool) -> list[tuple[str, ...]]:
    name = printable(name)
    if segments:
        return [
            (name, part.genre, f"{part.confidence:.3f}", f"{part.start:g}", f"{part.end:g}") for part in report.segments
        ]
    [(other, share)] = report.runners_up(1) or [("", 0.0)]
    sure = "sure" if report.sure else "unsure"
    confidence = f"{report.confidence:.3f}"
    return [(name, report.genre, confidence, sure, other, f"{share:.3f}" if other else "", f"{report.duration:.1f}")]


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, shorten: int = 0) -> None:
    """Print a table to the terminal, one line per row.

    rich turns off styles where ``NO_COLOR`` or a dumb terminal asks for that.

    Parameters
    ----------
    shorten
        Index of the column that is shortened if the table is wider than the terminal.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    cells = [headers, *rows]
    widths = [max(cell_len(row[index]) for row in cells) for index in range(len(headers))]
    others = sum(widths) - widths[shorten] + COLUMN_GAP * (len(widths) - 1)
    widths[shorten] = min(widths[shorten], max(MIN_COLUMN_WIDTH, console.width - others))
    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0))
    for header, width in zip(headers, widths, strict=True):
        justify: Literal["left", "right"] = "right" if header in _RIGHT_ALIGNED else "left"
        table.add_column(header, justify=justify, no_wrap=True, overflow="ellipsis", width=width)
    for row in cells[1:]:
        table.add_row(*row)
    console.print(table)


def print_lines(rows: Iterable[Sequence[str]]) -> None:
    """Print rows as tab-separated lines, whatever their length."""
    for row in rows:
        print("\t".join(row))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), SECONDS_PER_MINUTE)
    return f"{minutes}:{rest:02}"
