"""Shows reports to people on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from classifier.commands.batch import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classifier.song_report import SongReport

PIPE_COLUMNS: Final = 10_000  # a pipe has no width: there, each song stays on one line
SECONDS_PER_MINUTE: Final = 60


def show_reports(reports: Mapping[str, SongReport]) -> None:
    """Print a table of songs, and of the segments too where there is only one song."""
    if not reports:
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    console.print(_songs(reports))
    if len(reports) == 1:
        console.print()
        console.print(_segments(next(iter(reports.values()))))


def _songs(reports: Mapping[str, SongReport]) -> Table:
    table = _table("File", "Length", "Genre", "Confidence", "Otherwise")
    for name, report in reports.items():
        genre = report.genre if report.sure else f"perhaps {report.genre}"
        others = ", ".join(f"{other} {probability:.0%}" for other, probability in report.runners_up())
        table.add_row(
            Text(printable(name), overflow="fold"), _clock(report.duration), genre, f"{report.confidence:.0%}", others
        )
    return table


def _segments(report: SongReport) -> Table:
    experts = sorted({expert for segment in report.segments for expert in segment.votes})
    table = _table("Segment", "Genre", "Confidence", *experts)
    for segment in report.segments:
        votes = (segment.votes.get(expert, "") for expert in experts)
        time = f"{_clock(segment.start)} – {_clock(segment.end)}"
        table.add_row(time, segment.genre, f"{segment.confidence:.0%}", *votes)
    return table


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, justify="right" if header in {"Length", "Confidence"} else "left")
    return table


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), SECONDS_PER_MINUTE)
    return f"{minutes}:{rest:02}"
