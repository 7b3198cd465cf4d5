"""The model for other people's programs: ``load_model().classify("song.mp3")``.

Files are decoded in a process with limits, as in serving. ``classifier.model_server`` runs it, and not this process, so
that a plain script works: ``multiprocessing`` would run the script again in every worker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import weakref
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classifier.errors import WorkerLost
from classifier.inference.executor import CannotStart, load_classifier
from classifier.inference.manifest import PACKAGED_MODELS, BadRelease

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from classifier.inference.executor import Release
    from classifier.song_report import SongReport

DEFAULT_MINUTES: Final = 60.0
END_SECONDS: Final = 30.0


class GenreModel:
    """A loaded release; made by ``load_model``. Threads may share one, and their songs then wait for each other.

    Parameters
    ----------
    release
        Name and genres.
    classify
        Classifies one file.
    close
        Frees what is held.
    """

    def __init__(self, release: Release, classify: Callable[[Path], SongReport], close: Callable[[], None]) -> None:
        self._release = release
        self._classify = classify
        self._lock = threading.Lock()
        self._close = weakref.finalize(self, close)

    @property
    def name(self) -> str:
        """Name of the release."""
        return self._release.name

    @property
    def genres(self) -> tuple[str, ...]:
        """Ids of the genres that it knows."""
        return self._release.genres

    def classify(self, file: str | os.PathLike[str]) -> SongReport:
        """Classify a music or video file.

        Raises
        ------
        SongError
            If no genre can be told of it; the message says why.
        OSError
            If the file cannot be opened.
        """
        path = Path(file)
        with path.open("rb"):
            pass  # a file that is missing is not the song's fault
        with self._lock:
            if not self._close.alive:
                raise ValueError("the model was closed")
            return self._classify(path.absolute())

    def close(self) -> None:
        """End the process that decodes; this also happens when the model is no longer used."""
        self._close()

    def __enter__(self) -> GenreModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load_model(
    model_dir: str | os.PathLike[str] | None = None, *, max_minutes: float = DEFAULT_MINUTES, confined: bool = True
) -> GenreModel:
    """Load the release that comes with this package, or another one.

    Parameters
    ----------
    model_dir
        Folder of a release; None for the packaged one.
    max_minutes
        Longer songs raise ``TooLong``.
    confined
        Whether files are decoded in a process of limited memory and time, which has no way to this one. Without it a
        hostile file can harm your program; use that only for files that you made yourself.

    Raises
    ------
    BadRelease, CannotStart
        If there is no release that can be loaded; the message says why.
    """
    folder = PACKAGED_MODELS if model_dir is None else Path(model_dir).absolute()
    if confined:
        return _start(folder, max_minutes)
    classifier = load_classifier(folder, max_minutes)
    return GenreModel(classifier.info, lambda path: classifier(path, lambda _: None).report, lambda: None)


def _start(folder: Path, max_minutes: float) -> GenreModel:
    ours, theirs = Pipe()
    with theirs:
        command = [sys.executable, "-P", "-m", "classifier.model_server", str(theirs.fileno()), str(folder)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)}
        process = subprocess.Popen(  # noqa: S603 - this very interpreter
            [*command, str(max_minutes)],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        release = _receive(ours)
    except EOFError:
        _end(ours, process)
        raise CannotStart("the process that decodes ended at its start") from None
    except (BadRelease, CannotStart):
        _end(ours, process)
        raise

    def classify(path: Path) -> SongReport:
        try:
            ours.send(path)
            report: SongReport = _receive(ours)
        except (EOFError, OSError):
            raise WorkerLost() from None
        return report

    return GenreModel(release, classify, lambda: _end(ours, process))


def _receive(connection: Connection) -> Any:
    received = connection.recv()
    if isinstance(received, Exception):
        raise received
    return received


def _end(connection: Connection, process: subprocess.Popen[bytes]) -> None:
    connection.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
