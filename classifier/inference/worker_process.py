"""What happens inside a worker process: how it is confined, what it holds, how it tells of progress.

``worker_pool`` decides which process gets which song, and what happens to a song whose process fails.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from classifier.errors import WorkerLost
from classifier.song_report import Progress
from common.errors import SongError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

NICENESS: Final = 5
OUT_OF_MEMORY_SCORE: Final = 500  # of 1000: where memory runs out, the kernel ends a worker rather than the bot
OPEN_FILES: Final = 64
SPARE_CPU_SECONDS: Final = 10
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

About = TypeVar("About", covariant=True)
Result = TypeVar("Result", covariant=True)


class Work(Protocol[About, Result]):
    """What a worker is loaded with and does to one file after another.

    Attributes
    ----------
    about
        What the parent process wants to know of it, such as the name of the release.
    """

    @property
    def about(self) -> About: ...

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Result:
        """Do the work on one file; raise a ``SongError`` for what is wrong with it."""
        ...


class WorkFailed(Exception):
    """Something went wrong in a worker that no song should be able to cause; the worker's traceback is a note of it.

    It stands for the error itself, which may not survive pickling and would take the pool's own threads with it.

    Parameters
    ----------
    kind
        Name of the error's class.
    said
        The error's text.
    """

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(kind, said)
        self.kind, self.said = kind, said

    def __str__(self) -> str:
        return f"{self.kind}: {self.said}"

    @classmethod
    def because(cls, error: Exception) -> WorkFailed:
        """Say what an error says, with its traceback as a note."""
        failed = cls(type(error).__name__, str(error))
        failed.add_note("".join(traceback.format_exception(error)).rstrip())
        return failed


@dataclass(frozen=True, slots=True)
class Limits:
    """What one song may use.

    Attributes
    ----------
    seconds
        Time by the clock.
    memory_bytes
        Address space beyond what the worker had mapped when it was ready.
    """

    seconds: float
    memory_bytes: int


@dataclass(slots=True)
class _Self:
    """What a worker process remembers from song to song."""

    progress: socket.socket | None = None
    limits: Limits | None = None
    work: Work[Any, Any] | None = None


_self = _Self()


def begin(progress: socket.socket) -> None:
    """Confine a new process as far as can be before its work is loaded.

    Parameters
    ----------
    progress
        A datagram socket: a message is sent whole or not at all, so nothing is left locked or half written when a
        worker is killed.
    """
    # Ended by the kernel at once, even within a long call of native code.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(ONE_THREAD)
    os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    progress.setblocking(False)
    _self.progress = progress


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def load(make_work: Callable[[], Work[About, Any]], limits: Limits) -> tuple[int, About]:
    """Load the work, then confine the process for good; return its id and what the work says of itself.

    Raises
    ------
    WorkFailed
        If the work cannot be loaded.
    """
    try:
        work = make_work()
    except Exception as error:
        raise WorkFailed.because(error) from None
    _confine(limits.memory_bytes)
    _self.work, _self.limits = work, limits
    return os.getpid(), work.about


def _confine(memory_bytes: int) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    if sys.platform == "linux":
        mapped_pages = int(Path("/proc/self/statm").read_text().split()[0])
        _lower(resource.RLIMIT_AS, mapped_pages * resource.getpagesize() + memory_bytes)


def _lower(limit: int, value: int) -> None:
    """Set a limit that this process cannot raise again."""
    _, ceiling = resource.getrlimit(limit)
    if ceiling != resource.RLIM_INFINITY:
        value = min(value, ceiling)
    resource.setrlimit(limit, (value, value))


def do(path: str, ticket: int) -> object:
    """Do the work on one file.

    Parameters
    ----------
    path
        The file.
    ticket
        Told with every progress, so that a late one is not taken for the next song's.

    Raises
    ------
    SongError
        For what is wrong with the file; ``WorkerLost`` where memory ran out.
    WorkFailed
        For a bug.
    """
    if _self.work is None or _self.limits is None:
        raise WorkFailed("RuntimeError", "asked to work before anything was loaded")
    _allow_cpu(_self.limits.seconds)
    # An error holds on to every array of the functions it came through, and pebble to the error until the next song is
    # done: what is raised from here is a new one, raised where the old one is forgotten.
    failure: Exception
    try:
        return _self.work(Path(path), lambda progress: _tell(ticket, progress))
    except SongError as error:
        failure = type(error)(**error.values)
    except MemoryError:
        failure = WorkerLost()
    except Exception as error:
        failure = WorkFailed.because(error)
    raise failure


def _allow_cpu(seconds: float) -> None:
    """Let the kernel end this process even if its parent is no longer able to."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = int(used.ru_utime + used.ru_stime + seconds) + SPARE_CPU_SECONDS
    _, ceiling = resource.getrlimit(resource.RLIMIT_CPU)
    if ceiling != resource.RLIM_INFINITY:
        wanted = min(wanted, ceiling)
    resource.setrlimit(resource.RLIMIT_CPU, (wanted, ceiling))


def _tell(ticket: int, progress: Progress) -> None:
    if _self.progress is not None:
        # A full buffer or a parent that is gone: a lost step of progress costs nothing.
        with suppress(OSError):
            _self.progress.send(json.dumps({"ticket": ticket, **asdict(progress)}).encode())


def read_progress(message: bytes) -> tuple[int, Progress]:
    """Read a message of ``_tell`` in the parent process: the ticket and the progress."""
    fields = json.loads(message)
    return fields.pop("ticket"), Progress(**fields)
