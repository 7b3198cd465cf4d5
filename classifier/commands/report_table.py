"""Prints reports: a table on a terminal, tab-separated lines to a pipe or file."""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from classifier.console import printable
from classifier.library.grouping import genre_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from classifier.song_report import SegmentReport, SongReport

SECONDS_PER_MINUTE: Final = 60
COLUMN_GAP: Final = 2
KIND_NAMES: Final = {
    "music": "Music",
    "speech": "Speech",
    "environment": "Background noise",
    "tone": "Steady tone",
    "silence": "Silence",
}
"""What stands in the place of a genre where the sound is not music."""
MIN_COLUMN_WIDTH: Final = 10
_RIGHT_ALIGNED: Final = frozenset({"Length", "Confidence", "Songs", "Share", "Tagged", "Genres", "Base", "Feedback"})


def show_reports(reports: Mapping[str, SongReport], *, segments: bool = False) -> None:
    """Print one line per song and, if requested, one per segment below it.

    On a terminal a line has the file's base name, length, genre, confidence and runner-up, and fits into 80 columns.
    What is not music has the kind of sound instead of a genre. Otherwise its fields are separated by tabs: the file as
    it was named, genre, confidence from 0 to 1, ``sure`` or ``unsure``, runner-up and its confidence, and seconds; for
    a segment the file, genre, confidence, start and end.
    """
    if not reports:
        return
    if sys.stdout.isatty():
        rows = [row for name, report in reports.items() for row in _terminal_rows(name, report, segments=segments)]
        print_table(("File", "Length", "Genre", "Confidence", "Runner-up"), rows)
    else:
        print_lines(row for name, report in reports.items() for row in _plain_rows(name, report, segments=segments))


def _terminal_rows(name: str, report: SongReport, *, segments: bool) -> list[tuple[str, ...]]:
    genre = _name(report.genre, report.kind)
    if report.genre is not None and not report.sure:
        genre += "?"
    other = ", ".join(f"{genre_name(other)} {share:.0%}" for other, share in report.runners_up(1))
    name = printable(PurePath(name).name or name)
    rows: list[tuple[str, ...]] = [(name, _clock(report.duration), genre, _share(report), other)]
    if segments:
        rows += [
            (f"  {_clock(part.start)} – {_clock(part.end)}", "", _name(part.genre, part.kind), _share(part), "")
            for part in report.segments
        ]
    return rows


def _plain_rows(name: str, report: SongReport, *, segments: bool) -> list[tuple[str, ...]]:
    name = printable(name)
    if segments:
        return [
            (name, part.genre or part.kind, f"{part.confidence:.3f}", f"{part.start:g}", f"{part.end:g}")
            for part in report.segments
        ]
    [(other, share)] = report.runners_up(1) or [("", 0.0)]
    sure = "sure" if report.sure else "unsure"
    confidence = f"{report.confidence:.3f}"
    genre = report.genre or report.kind
    return [(name, genre, confidence, sure, other, f"{share:.3f}" if other else "", f"{report.duration:.1f}")]


def _name(genre: str | None, kind: str) -> str:
    return KIND_NAMES[kind] if genre is None else genre_name(genre)


def _share(answer: SongReport | SegmentReport) -> str:
    return "" if answer.genre is None else f"{answer.confidence:.0%}"


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
