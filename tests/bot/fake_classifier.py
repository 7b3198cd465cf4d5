"""A quick ear for tests of the bot: real worker processes and real decoding, with a rule of thumb in place of a model.

What a song is called depends on how bright it is, so that tests can tell songs apart without a trained release.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from time import sleep
from typing import TYPE_CHECKING

import numpy as np

from classifier.audio.decoding import SAMPLE_RATE, decode, segments
from classifier.errors import WorkerLost
from classifier.features.texture_columns import WIDTH
from classifier.inference.executor import LocalExecutor, Release, song_limits
from classifier.song_report import Classification, Progress, SegmentFeatures, SegmentReport, SongReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.audio.decoding import Segment

GENRES = ("blues", "classical", "jazz", "metal", "cailuong")
RELEASE = "rule-of-thumb"
NAMED_EAR_MINUTES = 5
# Zero crossings per second at which one genre ends and the next brighter one begins.
_EDGES = (600.0, 1200.0, 2000.0, 3200.0)


class Ear:
    """A worker's work: decode, then judge every segment by its brightness; linger over each if asked to."""

    def __init__(self, max_minutes: float, seconds_per_segment: float, info: Release | None = None) -> None:
        self._max_seconds = 60 * max_minutes
        self._linger = seconds_per_segment
        self.info = info or Release(RELEASE, GENRES)

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Classification:
        report(Progress("decoding"))
        parts = segments(decode(path, max_seconds=self._max_seconds))
        for number in range(1, len(parts) + 1):
            report(Progress("listening", number, len(parts)))
            sleep(self._linger)  # stands for the time that a model takes, so that a test can end the process meanwhile
        told = judged(parts)
        return replace(told, report=replace(told.report, model=self.info.name))


class EarAtHand:
    """The same ear in the test's own process: at once, unless a test holds it in the middle of its songs.

    Attributes
    ----------
    go_on
        Cleared by a test to hold every song after its first segment was announced.
    heard
        Names of the files in the order in which they were begun.
    deaths
        How many workers are yet to die of a song.
    answers
        Makes of each report what a test wants to be answered instead.
    """

    release = RELEASE
    genres = GENRES

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.heard: list[str] = []
        self.deaths = 0
        self.answers: Callable[[SongReport], SongReport] = lambda report: report

    async def start(self) -> None:
        pass

    async def classify(self, path: Path, *, on_progress: Callable[[Progress], None] | None = None) -> Classification:
        tell = on_progress or (lambda _: None)
        self.heard.append(path.name)
        tell(Progress("decoding"))
        parts = segments(await asyncio.to_thread(decode, path, max_seconds=600))
        for number in range(1, len(parts) + 1):
            tell(Progress("listening", number, len(parts)))
            await self.go_on.wait()
        if self.deaths:
            self.deaths -= 1
            raise WorkerLost
        told = judged(parts)
        return replace(told, report=self.answers(told.report))

    async def switch(self) -> None:
        pass

    async def close(self) -> None:
        pass


def judged(parts: list[Segment]) -> Classification:
    """Judge a song."""
    heard, features = [], []
    for number, part in enumerate(parts, start=1):
        probabilities = _probabilities(part.samples)
        genre = max(probabilities, key=lambda name: probabilities[name])
        votes = {"knn": genre, "svm": min(probabilities, key=lambda name: probabilities[name])}
        heard.append(SegmentReport(part.start, part.end, genre, probabilities[genre], probabilities, votes))
        families = {
            "gtzan57": np.full(57, number, np.float32),
            "texture": np.full(WIDTH, probabilities[genre] + GENRES.index(genre), np.float32),
        }
        features.append(SegmentFeatures(part.start, part.end, families))
    return Classification(_song(heard), tuple(features))


def _probabilities(samples: NDArray[np.float32]) -> dict[str, float]:
    seconds = samples.size / SAMPLE_RATE
    crossings = float(np.count_nonzero(np.diff(np.signbit(samples)))) / seconds
    index = int(np.searchsorted(_EDGES, crossings))
    weights = np.array([0.5 ** abs(index - place) for place in range(len(GENRES))])
    return dict(zip(GENRES, (weights / weights.sum()).tolist(), strict=True))


def _song(heard: list[SegmentReport]) -> SongReport:
    means = {genre: float(np.mean([segment.probabilities[genre] for segment in heard])) for genre in GENRES}
    ranked = dict(sorted(means.items(), key=lambda item: -item[1]))
    genre, confidence = next(iter(ranked.items()))
    return SongReport(genre, confidence, confidence > 0.4, RELEASE, heard[-1].end, ranked, tuple(heard))


def make_ear(max_minutes: float, seconds_per_segment: float) -> Ear:
    """Make the work; called in every worker."""
    return Ear(max_minutes, seconds_per_segment)


def make_named_ear(release: str, genres: tuple[str, ...], seconds_per_segment: float = 0) -> Ear:
    """Make an ear that answers in the name of a release."""
    return Ear(NAMED_EAR_MINUTES, seconds_per_segment, Release(release, genres))


def ear_executor(*, workers: int = 1, max_minutes: float = 60, seconds_per_segment: float = 0) -> LocalExecutor:
    """Return an executor with this ear instead of a release; not started yet."""
    work = partial(make_ear, max_minutes, seconds_per_segment)
    return LocalExecutor(work, workers=workers, limits=song_limits(max_minutes))
