"""Workers and the scheduler are killed while songs are under way, and every song is answered once all the same."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from classifier.errors import WorkerLost
from classifier.inference.cluster.executor import ClusterExecutor
from classifier.song_report import Classification, Progress
from tests.classifier.inference.cluster.processes import Cluster
from tests.classifier.synthesis import SAMPLE_RATE
from tests.classifier.synthesis import song as tune
from tests.synthesis import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SONGS = 100
AT_A_TIME = 8
LEAST_SECONDS, STEP_SECONDS = 3.0, 0.02


@pytest.fixture
def empty_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Give a cluster in which nothing runs yet; a task is given up once two workers have died of it."""
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster", allowed_failures=1)
    yield cluster
    cluster.stop()


def _songs(folder: Path) -> list[Path]:
    """Write songs that can be told apart by their length."""
    folder.mkdir()
    sound = tune(7, seconds=LEAST_SECONDS + SONGS * STEP_SECONDS)
    return [
        write(sound[: round(_seconds(number) * SAMPLE_RATE)], folder / f"{number}.ogg", sample_rate=SAMPLE_RATE)
        for number in range(SONGS)
    ]


def _seconds(number: int) -> float:
    return LEAST_SECONDS + number * STEP_SECONDS


async def test_a_hundred_songs_are_answered_though_a_worker_and_the_scheduler_are_killed(
    empty_cluster: Cluster, model_dir: Path, tmp_path: Path
) -> None:
    songs = await asyncio.to_thread(_songs, tmp_path / "songs")
    executor = ClusterExecutor(empty_cluster.url, model_dir=model_dir, max_minutes=10)
    await executor.start()
    seats, answers, waited = asyncio.Semaphore(AT_A_TIME), dict[int, Classification](), asyncio.Event()
    some, half = asyncio.Event(), asyncio.Event()

    async def classify_song(number: int) -> None:
        def forward(progress: Progress) -> None:
            if progress.stage == "waiting":
                waited.set()

        async with seats:
            answer = await executor.classify(songs[number], on_progress=forward)
        assert number not in answers
        answers[number] = answer
        if len(answers) == SONGS // 5:
            some.set()
        if len(answers) == SONGS // 2:
            half.set()

    work = [asyncio.create_task(classify_song(number)) for number in range(SONGS)]
    # People are told while there is nobody to listen yet.
    await waited.wait()
    await asyncio.to_thread(empty_cluster.start_scheduler)
    for _ in range(2):
        empty_cluster.start_worker()
    await some.wait()
    empty_cluster.workers[0].kill()
    await half.wait()
    waited.clear()
    empty_cluster.kill_scheduler()
    await waited.wait()
    empty_cluster.start_scheduler()
    await asyncio.gather(*work)
    await executor.close()
    assert sorted(answers) == list(range(SONGS))
    for number, answer in answers.items():
        assert answer.report.duration == pytest.approx(_seconds(number), abs=STEP_SECONDS / 4)


async def test_a_song_that_kills_workers_fails_and_others_are_classified(
    empty_cluster: Cluster, model_dir: Path, song: Callable[[str], Path]
) -> None:
    empty_cluster.start_scheduler()
    for _ in range(2):
        empty_cluster.start_worker()
    executor = ClusterExecutor(empty_cluster.url, model_dir=model_dir, max_minutes=10)
    await executor.start()
    with pytest.raises(WorkerLost):
        await executor.classify(song("kill-the-worker"))
    assert [await asyncio.to_thread(worker.wait) for worker in empty_cluster.workers] == [-9, -9]
    empty_cluster.start_worker()
    assert (await executor.classify(song("play"))).report.genre == "blues"
    await executor.close()
