"""Executors classify songs: what they have in common, and the one that uses worker processes on this machine.

The processes are managed by ``classifier.inference.worker_pool``; ``classifier.inference.model`` classifies a song.
The executor of a cluster is in ``classifier.inference.cluster.executor``; ``executor_factory`` chooses between them.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from classifier.inference.manifest import STORED_RELEASES, BadRelease, read_release
from classifier.inference.worker_pool import WorkerPool
from classifier.inference.worker_process import WorkerError, WorkerLimits
from classifier.song_report import Classification, Progress
from common.units import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from classifier.inference.model import Model
    from classifier.inference.worker_process import FileProcessor

    ProcessorFactory = Callable[[], FileProcessor["Release", Classification]]

SECONDS_PER_MINUTE: Final = 60
MIN_SONG_SECONDS: Final = 60
SECONDS_PER_MINUTE_OF_MUSIC: Final = 4  # about twenty times what one core needs
SONG_BYTES: Final = 192 * MEBIBYTE  # twice what decoding and one segment's features need
BYTES_PER_SECOND_OF_MUSIC: Final = 22_050 * 4


class CannotStart(Exception):
    """No worker could be started; the message tells the operator why."""


class ReleaseRefused(Exception):
    """A promoted release cannot be loaded, so the previous one keeps serving; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Release:
    """The name of the release that an executor's workers have loaded, and the genres it knows."""

    name: str
    genres: tuple[str, ...]


class SongExecutor(Protocol):
    """The common interface of local and remote executors."""

    @property
    def release(self) -> str:
        """Name of the release that classifies songs; known after ``start``."""
        ...

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres of the release; known after ``start``."""
        ...

    async def start(self) -> None:
        """Start all workers.

        Raises
        ------
        CannotStart
            If no worker can be started, for example because there is no release.
        """
        ...

    async def classify(self, path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        """Classify a file; cancelling the awaiting task stops it.

        Parameters
        ----------
        path
            Any media file.
        on_progress
            Called in the event loop with the progress, in order; some steps may be skipped.

        Raises
        ------
        SongError
            If the song cannot be classified; the message is meant for the person who sent it.
        """
        ...

    async def switch(self) -> None:
        """Switch to the release that is in the model's folder now, while songs are being classified.

        A song is finished by the release that started it. When this returns, ``release`` and ``genres`` are those of
        the new release, and new songs go to its workers as they become available.

        Raises
        ------
        ReleaseRefused
            If that release cannot be loaded; the previous one keeps serving.
        """
        ...

    async def close(self) -> None:
        """End all workers; songs that are being classified are lost."""
        ...


class LocalExecutor:
    """Classifies songs in confined worker processes on this machine.

    Parameters
    ----------
    make_processor
        Called in every worker to load its processor.
    workers
        Number of songs that are classified at a time; others wait.
    limits
        Resources that one song may use.
    find_processor
        Called in a thread at the start and at every switch; returns the processor factory to use from then on instead
        of ``make_processor``. It must raise ``BadRelease`` if there is no valid release.
    """

    def __init__(
        self,
        make_processor: ProcessorFactory,
        *,
        workers: int,
        limits: WorkerLimits,
        find_processor: Callable[[], ProcessorFactory] | None = None,
    ) -> None:
        self._pool = WorkerPool(make_processor, workers=workers, limits=limits)
        self._find_processor = find_processor or (lambda: make_processor)
        self._release: Release | None = None

    @property
    def release(self) -> str:
        return self._started.name

    @property
    def genres(self) -> tuple[str, ...]:
        return self._started.genres

    @property
    def _started(self) -> Release:
        if self._release is None:
            raise RuntimeError("the executor has not been started")
        return self._release

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are ready."""
        return self._pool.pids

    @property
    def restarts(self) -> int:
        """How often a worker was replaced: after a crash, an exceeded limit, a cancellation, or many songs."""
        return self._pool.restarts

    async def start(self) -> None:
        try:
            self._release = await self._pool.start(await asyncio.to_thread(self._find_processor))
        except BadRelease as error:
            raise CannotStart(str(error)) from error
        except WorkerError as error:
            raise CannotStart(_message_of(error)) from error

    async def classify(self, path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        return await self._pool.run(path, on_progress)

    async def switch(self) -> None:
        try:
            make_processor = await asyncio.to_thread(self._find_processor)
            self._release = await self._pool.switch(make_processor)
        except BadRelease as error:
            raise ReleaseRefused(str(error)) from error
        except WorkerError as error:
            raise ReleaseRefused(_message_of(error)) from error

    async def close(self) -> None:
        await self._pool.close()


def _message_of(error: WorkerError) -> str:
    return error.message if error.kind == BadRelease.__name__ else str(error)


class SongClassifier:
    """The file processor that decodes and classifies a song."""

    def __init__(self, model: Model, max_minutes: float) -> None:
        self._model = model
        self._max_seconds = max_minutes * SECONDS_PER_MINUTE
        self.info = Release(model.name, tuple(model.genres))

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Classification:
        from classifier.audio.decoding import decode

        alive = SignOfLife(lambda: report(Progress("decoding")))
        alive()
        return self._model.classify(decode(path, max_seconds=self._max_seconds, on_packet=alive), report)


class SignOfLife:
    """Reports that the work goes on, at most once a second."""

    def __init__(self, report: Callable[[], None]) -> None:
        self._report = report
        self._next = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 1
            self._report()


def load_classifier(model_dir: Path, max_minutes: float, manifest: Mapping[str, Any] | None = None) -> SongClassifier:
    """Load a release and everything that is needed to use it.

    Parameters
    ----------
    manifest
        Manifest of the release to load; None for the serving one. A release that no longer serves is loaded from the
        stored releases.
    """
    from classifier.audio import decoding  # noqa: F401 - imported here so that the first song does not wait for it
    from classifier.inference.model import Model

    try:
        model = Model.load(model_dir, manifest)
    except BadRelease:
        if manifest is None:
            raise
        model = Model.load(model_dir / STORED_RELEASES / str(manifest["name"]), manifest)
    return SongClassifier(model, max_minutes)


def find_classifier(model_dir: Path, max_minutes: float) -> ProcessorFactory:
    """Return a processor factory for the serving release that keeps loading it after another one was promoted.

    Therefore a worker that is replaced never starts with a release that has not been checked yet.

    Raises
    ------
    BadRelease
        If there is no valid release.
    """
    manifest, _ = read_release(model_dir)
    return partial(load_classifier, model_dir, max_minutes, manifest)


def song_limits(max_minutes: float) -> WorkerLimits:
    """Return the limits of a worker for songs of up to ``max_minutes``."""
    return WorkerLimits(
        seconds=MIN_SONG_SECONDS + SECONDS_PER_MINUTE_OF_MUSIC * max_minutes,
        memory_bytes=SONG_BYTES + round(BYTES_PER_SECOND_OF_MUSIC * SECONDS_PER_MINUTE * max_minutes),
    )
