"""The bar that shows how far a run is: how many, how many a minute, how long still."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPEED_SECONDS: Final = 120
"""Speed is told of the last so many seconds."""
SECONDS_PER_MINUTE: Final = 60


@contextmanager
def bar(doing: str, what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar on stderr, if somebody is there to see it.

    Parameters
    ----------
    doing, what
        What is done, to what: 'Listening', 'songs'.
    total
        How many there are.

    Yields
    ------
    callable
        To be called as each is done.
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
            return Text(f"{SECONDS_PER_MINUTE * speed:,.0f} {what}/min" if speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), PerMinute(), TimeLeft())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, speed_estimate_period=SPEED_SECONDS
    ) as progress:
        task = progress.add_task(doing, total=total)
        yield lambda: progress.advance(task)
