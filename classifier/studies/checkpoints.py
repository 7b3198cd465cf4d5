"""Runs the tasks of a study in parallel and saves each result, so that an interrupted run can be continued."""

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

CHECKPOINT_VERSION: Final = 1
"""To be increased when a computation changes, so that saved results are not used any more."""
ERRORS_OF_A_DAMAGED_FILE: Final = (OSError, EOFError, ValueError, KeyError, AttributeError, ImportError, IndexError)


class Checkpoints:
    """Runs tasks and saves their results.

    Parameters
    ----------
    folder
        Folder of the results, one file per task.
    jobs
        Number of processes, as in joblib.
    progress
        Whether to show a progress bar on stderr if it is a terminal.
    """

    def __init__(self, folder: Path, *, jobs: int, progress: bool = True) -> None:
        self.folder = folder
        self.jobs = jobs
        self.progress = progress and sys.stderr.isatty()
        folder.mkdir(parents=True, exist_ok=True)

    def all(
        self, description: str, work: Callable[[Any], Result], tasks: Sequence[Any], keys: Sequence[Any]
    ) -> list[Result]:
        """Return ``work(task)`` for all tasks; tasks with equal keys are run once.

        Parameters
        ----------
        doing
            Label of the progress bar.
        keys
            Everything that each result depends on, except for the code.
        """
        paths = [self._path(work, key) for key in keys]
        ready: dict[Path, Result] = {}
        for path in set(paths):
            if (kept := _read(path)) is not None:
                ready[path] = kept
        missing = {path: task for path, task in zip(paths, tasks, strict=True) if path not in ready}
        with (
            warnings.catch_warnings(),
            progress_bar(description, len(set(paths)), len(ready), shown=self.progress) as step,
        ):
            # joblib replaces workers whose memory TensorFlow has made large; no result is lost.
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
            # One task per batch, so that every result is saved immediately.
            workers = Parallel(n_jobs=self.jobs, batch_size=1, return_as="generator_unordered")
            for path, result in workers(delayed(_do)(work, task, path) for path, task in missing.items()):
                ready[path] = result
                step()
        return [ready[path] for path in paths]

    def _path(self, work: Callable[[Any], Any], key: Any) -> Path:
        versions = (CHECKPOINT_VERSION, sklearn.__version__, np.__version__, work.__qualname__)
        return self.folder / f"{joblib.hash((versions, key))}.step"


def _do(work: Callable[[Any], Result], task: Any, path: Path) -> tuple[Path, Result]:
    with threadpool_limits(1):  # more threads would change the order of sums, and so the results
        result = work(task)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    joblib.dump(result, unfinished, compress=3)
    unfinished.replace(path)
    return path, result


def _read(path: Path) -> Any | None:
    try:
        return joblib.load(path)
    except FileNotFoundError:
        return None
    except ERRORS_OF_A_DAMAGED_FILE:
        return None  # computed and saved again


@contextmanager
def progress_bar(description: str, total: int, done: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    """Show a progress bar; yields a function to be called when a task is done."""
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
        task = progress.add_task(description, total=total, completed=done)
        yield lambda: progress.advance(task)
