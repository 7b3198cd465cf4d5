"""The progress bar of the commands that process many files: how many, how many per minute, time remaining."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPEED_SECONDS: Final = 120
"""The speed is averaged over this many seconds."""
SECONDS_PER_MINUTE: Final = 60


@contextmanager
def progress_bar(action: str, unit: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on stderr if it is a terminal.

    Parameters
    ----------
    action, unit
        What is being done, and to what: 'Classifying', 'songs'.
    total
        Number of items.

    Yields
    ------
    callable
        To be called when an item is finished.
    """
    if not sys.stderr.isatty() or total == 0:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    class PerMinute(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{SECONDS_PER_MINUTE * speed:,.0f} {unit}/min" if speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), PerMinute(), TimeLeft())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, speed_estimate_period=SPEED_SECONDS
    ) as progress:
        task = progress.add_task(action, total=total)
        yield lambda: progress.advance(task)
