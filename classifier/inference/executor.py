"""Where songs are classified: in processes on this machine, or wherever ``EXECUTOR_URL`` says.

``classifier.inference.worker_pool`` keeps the processes; ``classifier.inference.model`` classifies a song.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from classifier.inference.manifest import KEPT, BadRelease, whole
from classifier.inference.worker_pool import WorkerPool
from classifier.inference.worker_process import Limits, WorkFailed
from classifier.song_report import Classification, Progress
from common.units import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from classifier.inference.cluster.credentials import Credentials
    from classifier.inference.model import Model
    from classifier.inference.worker_process import Work

    MakeWork = Callable[[], Work["Release", Classification]]

SECONDS_PER_MINUTE: Final = 60
LEAST_SONG_SECONDS: Final = 60
SECONDS_PER_MINUTE_OF_MUSIC: Final = 4  # some twenty times what one core takes
SONG_BYTES: Final = 192 * MEBIBYTE  # twice what decoding and one segment's features take
BYTES_PER_SECOND_OF_MUSIC: Final = 22_050 * 4
CLUSTER_PACKAGES: Final = {"dask", "distributed"}  # of the extra ``cluster``


class UnknownExecutor(ValueError):
    """``EXECUTOR_URL`` names a place that no executor knows."""


class CannotStart(Exception):
    """No worker could be made ready; the text tells whoever runs the program why."""


class ReleaseRefused(Exception):
    """A promoted release cannot be loaded, and the former one goes on serving; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Release:
    """The model that an executor's workers have loaded: its name, and the genres that it knows."""

    name: str
    genres: tuple[str, ...]


class SongExecutor(Protocol):
    """Classifies files somewhere; the same to its user wherever that is."""

    @property
    def release(self) -> str:
        """Name of the release that answers; known once started."""
        ...

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres that the release knows; known once started."""
        ...

    async def start(self) -> None:
        """Make all workers ready.

        Raises
        ------
        CannotStart
            If none can be, for example because there is no release.
        """
        ...

    async def classify(self, path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        """Classify a file; cancelling the awaiting task ends the work.

        Parameters
        ----------
        path
            Any media file.
        on_progress
            Called in the event loop with every step; steps may be left out, the order is kept.

        Raises
        ------
        SongError
            What is wrong with the song, in a sentence for the person who sent it.
        """
        ...

    async def switch(self) -> None:
        """Go over to the release that lies in the model's folder now, while songs go on being answered.

        A song under way is finished by the release that it was begun with. When this returns, ``release`` and
        ``genres`` are those of the new one, and songs are given to it as far as it has workers.

        Raises
        ------
        ReleaseRefused
            If that release cannot be loaded; the former one goes on serving.
        """
        ...

    async def close(self) -> None:
        """End all workers; what they are doing is lost."""
        ...


class LocalExecutor:
    """Classifies songs in confined processes on this machine.

    Parameters
    ----------
    make_work
        Called in every worker to load what classifies songs there.
    workers
        How many songs are worked on at a time; others wait for their turn.
    limits
        What one song may use.
    find_work
        Called at the start and at every switch, on a thread: returns what workers are to load from then on, in place of
        ``make_work``. It must raise ``BadRelease`` where there is nothing fit to load.
    """

    def __init__(
        self,
        make_work: MakeWork,
        *,
        workers: int,
        limits: Limits,
        find_work: Callable[[], MakeWork] | None = None,
    ) -> None:
        self._pool = WorkerPool(make_work, workers=workers, limits=limits)
        self._find_work = find_work or (lambda: make_work)
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
        """Ids of the worker processes that are ready."""
        return self._pool.pids

    @property
    def restarts(self) -> int:
        """How often a worker was replaced by a new one: after a crash, a limit, a cancel, or many songs."""
        return self._pool.restarts

    async def start(self) -> None:
        try:
            self._release = await self._pool.start(await asyncio.to_thread(self._find_work))
        except BadRelease as error:
            raise CannotStart(str(error)) from error
        except WorkFailed as error:
            raise CannotStart(_reason(error)) from error

    async def classify(self, path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        return await self._pool.run(path, on_progress)

    async def switch(self) -> None:
        try:
            make_work = await asyncio.to_thread(self._find_work)
            self._release = await self._pool.switch(make_work)
        except BadRelease as error:
            raise ReleaseRefused(str(error)) from error
        except WorkFailed as error:
            raise ReleaseRefused(_reason(error)) from error

    async def close(self) -> None:
        await self._pool.close()


def _reason(error: WorkFailed) -> str:
    return error.said if error.kind == BadRelease.__name__ else str(error)


class SongClassifier:
    """A worker's work: decodes a file and lets the model hear it."""

    def __init__(self, model: Model, max_minutes: float) -> None:
        self._model = model
        self._max_seconds = max_minutes * SECONDS_PER_MINUTE
        self.about = Release(model.name, tuple(model.genres))

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Classification:
        from classifier.audio.decoding import decode

        report(Progress("decoding"))
        return self._model.classify(decode(path, max_seconds=self._max_seconds), report)


def load_classifier(model_dir: Path, max_minutes: float, manifest: Mapping[str, Any] | None = None) -> SongClassifier:
    """Load a release from its directory, and all that is needed to use it.

    Parameters
    ----------
    manifest
        Of the release to load; None loads the one in place. One that gave its place to another is looked for among
        those that are kept.
    """
    from classifier.audio import decoding  # noqa: F401 - imported before the first song has to wait for it
    from classifier.inference.model import Model

    try:
        model = Model.load(model_dir, manifest)
    except BadRelease:
        if manifest is None:
            raise
        model = Model.load(model_dir / KEPT / str(manifest["name"]), manifest)
    return SongClassifier(model, max_minutes)


def find_classifier(model_dir: Path, max_minutes: float) -> MakeWork:
    """Return what loads the release that is in place now, and goes on loading it when another has taken its place.

    A worker that must be replaced then never comes back with a release that nobody has looked at yet.

    Raises
    ------
    BadRelease
        If there is no whole release.
    """
    manifest, _ = whole(model_dir)
    return partial(load_classifier, model_dir, max_minutes, manifest)


def song_limits(max_minutes: float) -> Limits:
    """Return what a song of at most so many minutes may use."""
    return Limits(
        seconds=LEAST_SONG_SECONDS + SECONDS_PER_MINUTE_OF_MUSIC * max_minutes,
        memory_bytes=SONG_BYTES + round(BYTES_PER_SECOND_OF_MUSIC * SECONDS_PER_MINUTE * max_minutes),
    )


def open_executor(
    url: str, *, model_dir: Path, workers: int, max_minutes: float, credentials: Credentials | None = None
) -> SongExecutor:
    """Choose the executor that ``EXECUTOR_URL`` asks for; it still has to be started.

    Parameters
    ----------
    url
        Empty for processes on this machine; ``tcp://host:port`` or ``tls://host:port`` for a Dask scheduler.
    model_dir
        Where the release lies.
    workers
        How many songs are worked on at a time on this machine; a cluster works on as many as it has places.
    max_minutes
        Longer songs are refused.
    credentials
        The certificates for ``tls://``.

    Raises
    ------
    UnknownExecutor
        If nothing here can follow that URL; the text says what to set instead.
    """
    if url:
        return _open_cluster(url, model_dir, max_minutes, credentials)
    return LocalExecutor(
        partial(load_classifier, model_dir, max_minutes),
        workers=workers,
        limits=song_limits(max_minutes),
        find_work=partial(find_classifier, model_dir, max_minutes),
    )


def _open_cluster(url: str, model_dir: Path, max_minutes: float, credentials: Credentials | None) -> SongExecutor:
    if not url.startswith(("tcp://", "tls://")):
        raise UnknownExecutor(f"EXECUTOR_URL is {url!r}: write tcp://host:8786 or tls://host:8786, or leave it empty.")
    try:
        from classifier.inference.cluster.credentials import BadCredentials
        from classifier.inference.cluster.executor import ClusterExecutor
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in CLUSTER_PACKAGES:
            raise
        raise UnknownExecutor(
            f"EXECUTOR_URL is {url!r}, but the package `distributed` is not here: "
            "install genre-bot with the extra `cluster`, or leave EXECUTOR_URL empty."
        ) from error
    try:
        return ClusterExecutor(url, model_dir=model_dir, max_minutes=max_minutes, credentials=credentials)
    except BadCredentials as error:
        raise UnknownExecutor(f"EXECUTOR_URL: {error}") from error
