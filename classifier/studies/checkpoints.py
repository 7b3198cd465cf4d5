"""Steps of a study, done side by side, each kept on disk as it is done: a run that was stopped goes on where it was."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import joblib
import numpy as np
import sklearn
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

Result = TypeVar("Result")

RECIPE_VERSION: Final = 1
"""To be raised when the same arguments come to mean another computation."""
ERRORS_OF_A_DAMAGED_FILE: Final = (OSError, EOFError, ValueError, KeyError, AttributeError, ImportError, IndexError)


class Steps:
    """Does steps, and keeps what came of them.

    Parameters
    ----------
    folder
        Where results are kept, one file a step.
    jobs
        Processes, as in joblib.
    progress
        Whether to show a bar on stderr; left out where nobody is there to see it.
    """

    def __init__(self, folder: Path, *, jobs: int, progress: bool = True) -> None:
        self.folder = folder
        self.jobs = jobs
        self.progress = progress and sys.stderr.isatty()
        folder.mkdir(parents=True, exist_ok=True)

    def all(self, doing: str, work: Callable[[Any], Result], tasks: Sequence[Any], keys: Sequence[Any]) -> list[Result]:
        """Return ``work(task)`` for all tasks; equal keys are the same step, done once.

        Parameters
        ----------
        doing
            What the bar says.
        keys
            All that each result depends on, beside the code.
        """
        places = [self._place(work, key) for key in keys]
        ready: dict[Path, Result] = {}
        for place in set(places):
            if (kept := _read(place)) is not None:
                ready[place] = kept
        missing = {place: task for place, task in zip(places, tasks, strict=True) if place not in ready}
        with warnings.catch_warnings(), bar(doing, len(set(places)), len(ready), shown=self.progress) as step:
            # A worker that TensorFlow has made large is replaced by a fresh one, and nothing is lost by it.
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
            # One task to a batch: what is done is kept at once.
            workers = Parallel(n_jobs=self.jobs, batch_size=1, return_as="generator_unordered")
            for place, result in workers(delayed(_do)(work, task, place) for place, task in missing.items()):
                ready[place] = result
                step()
        return [ready[place] for place in places]

    def _place(self, work: Callable[[Any], Any], key: Any) -> Path:
        versions = (RECIPE_VERSION, sklearn.__version__, np.__version__, work.__qualname__)
        return self.folder / f"{joblib.hash((versions, key))}.step"


def _do(work: Callable[[Any], Result], task: Any, place: Path) -> tuple[Path, Result]:
    with threadpool_limits(1):  # sums in another order would be other figures
        result = work(task)
    unfinished = place.with_suffix(f".{os.getpid()}.part")
    joblib.dump(result, unfinished, compress=3)
    unfinished.replace(place)
    return place, result


def _read(place: Path) -> Any | None:
    try:
        return joblib.load(place)
    except FileNotFoundError:
        return None
    except ERRORS_OF_A_DAMAGED_FILE:
        return None  # done again, and written anew


@contextmanager
def bar(doing: str, total: int, done: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    """Show how far a run is; yields what is to be called as each step is done."""
    if not shown:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as progress:
        task = progress.add_task(doing, total=total, completed=done)
        yield lambda: progress.advance(task)
