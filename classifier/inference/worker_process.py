"""The code that runs inside a worker process: confining it, processing files, reporting progress.

``worker_pool`` starts the processes, distributes files among them and handles their failures.
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
EXTRA_CPU_SECONDS: Final = 10
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

Info = TypeVar("Info", covariant=True)
Result = TypeVar("Result", covariant=True)


class FileProcessor(Protocol[Info, Result]):
    """Processes one file after another in a worker process.

    Attributes
    ----------
    info
        Information for the parent process, such as the name of the release.
    """

    @property
    def info(self) -> Info: ...

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Result:
        """Process one file; raise a ``SongError`` if there is something wrong with it."""
        ...


class WorkerError(Exception):
    """A bug in a worker process; the worker's traceback is attached as a note.

    It replaces the original exception, because one that cannot be pickled would break the pool.

    Parameters
    ----------
    kind
        Name of the exception's class.
    message
        The exception's message.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind, self.message = kind, message

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"

    @classmethod
    def from_exception(cls, error: Exception) -> WorkerError:
        """Convert an exception; its traceback becomes a note."""
        failed = cls(type(error).__name__, str(error))
        failed.add_note("".join(traceback.format_exception(error)).rstrip())
        return failed


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """The resources that one song may use.

    Attributes
    ----------
    seconds
        Wall-clock time.
    memory_bytes
        Address space in addition to what the worker has mapped once its processor is loaded.
    silence_seconds
        For how long the work may report no progress.
    """

    seconds: float
    memory_bytes: int
    silence_seconds: float = 20.0


@dataclass(slots=True)
class _ProcessState:
    """The global state of a worker process."""

    progress: socket.socket | None = None
    limits: WorkerLimits | None = None
    processor: FileProcessor[Any, Any] | None = None


_state = _ProcessState()


def initialize(progress: socket.socket) -> None:
    """Initialize a new process, with the confinement that is possible before the processor is loaded.

    Parameters
    ----------
    progress
        A datagram socket for progress: messages are sent whole or not at all, so a killed worker leaves no lock and no
        partial message behind.
    """
    # The default action ends the process at once, even during a long call of native code.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(ONE_THREAD)
    os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    progress.setblocking(False)
    _state.progress = progress


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def load(make_processor: Callable[[], FileProcessor[Info, Any]], limits: WorkerLimits) -> tuple[int, Info]:
    """Load the processor, then confine the process for good; return its process id and the processor's info.

    Raises
    ------
    WorkerError
        If the processor cannot be loaded.
    """
    try:
        processor = make_processor()
    except Exception as error:
        raise WorkerError.from_exception(error) from None
    _confine(limits.memory_bytes)
    _state.processor, _state.limits = processor, limits
    return os.getpid(), processor.info


def _confine(memory_bytes: int) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    if sys.platform == "linux":
        mapped_pages = int(Path("/proc/self/statm").read_text().split()[0])
        _lower(resource.RLIMIT_AS, mapped_pages * resource.getpagesize() + memory_bytes)


def _lower(limit: int, value: int) -> None:
    """Set a resource limit that this process cannot raise again."""
    _, ceiling = resource.getrlimit(limit)
    if ceiling != resource.RLIM_INFINITY:
        value = min(value, ceiling)
    resource.setrlimit(limit, (value, value))


def process(path: str, ticket: int) -> object:
    """Process one file.

    Parameters
    ----------
    path
        The file.
    ticket
        Sent with every progress message, so that a late one is not attributed to the next song.

    Raises
    ------
    SongError
        If there is something wrong with the file; ``WorkerLost`` if memory ran out.
    WorkerError
        For a bug.
    """
    if _state.processor is None or _state.limits is None:
        raise WorkerError("RuntimeError", "no processor has been loaded")
    _limit_cpu(_state.limits.seconds)
    # An exception keeps the arrays of its stack frames alive, and pebble keeps the exception until the next song is
    # done. Therefore a new exception is raised outside the except clause.
    failure: Exception
    try:
        return _state.processor(Path(path), lambda progress: _send_progress(ticket, progress))
    except SongError as error:
        failure = type(error)(**error.values)
    except MemoryError:
        failure = WorkerLost()
    except Exception as error:
        failure = WorkerError.from_exception(error)
    raise failure


def _limit_cpu(seconds: float) -> None:
    """Limit the CPU time of the next file, so that the kernel ends the process even if its parent cannot."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = int(used.ru_utime + used.ru_stime + seconds) + EXTRA_CPU_SECONDS
    _, ceiling = resource.getrlimit(resource.RLIMIT_CPU)
    if ceiling != resource.RLIM_INFINITY:
        wanted = min(wanted, ceiling)
    resource.setrlimit(resource.RLIMIT_CPU, (wanted, ceiling))


def _send_progress(ticket: int, progress: Progress) -> None:
    if _state.progress is not None:
        # If the buffer is full or the parent is gone, the message is dropped.
        with suppress(OSError):
            _state.progress.send(json.dumps({"ticket": ticket, **asdict(progress)}).encode())


def read_progress(message: bytes) -> tuple[int, Progress]:
    """Parse a message of ``_send_progress`` in the parent process; return its ticket and progress."""
    fields = json.loads(message)
    return fields.pop("ticket"), Progress(**fields)
