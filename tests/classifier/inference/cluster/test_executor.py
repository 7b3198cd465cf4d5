"""A song classified on another machine: the same to its user as on this one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from classifier.errors import TooShort, WorkerLost
from classifier.inference.cluster.executor import ByteBudget, ClusterExecutor
from classifier.inference.executor import CannotStart, ReleaseRefused
from classifier.inference.worker_pool import PoolClosed
from classifier.inference.worker_process import WorkerError
from classifier.song_report import Progress
from tests.classifier.inference.cluster.making import write_release
from tests.classifier.inference.cluster.worker import UNLOADABLE
from tests.classifier.inference.test_executor import gone, pid_of
from tests.classifier.troublemaker import SEGMENTS

if TYPE_CHECKING:
    from tests.classifier.inference.cluster.processes import Cluster

Song = Callable[[str], Path]


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


async def test_a_song_is_answered_with_progress_and_features(executor: ClusterExecutor, song: Song) -> None:
    heard: list[Progress] = []
    answer = await executor.classify(song("play"), on_progress=heard.append)
    assert answer.report.genre == "blues"
    assert answer.features[0].families["gtzan57"].shape == (57,)
    assert pid_of(answer) != os.getpid()
    listening = [Progress("listening", number, SEGMENTS) for number in range(1, SEGMENTS + 1)]
    begun = heard.index(Progress("decoding"))
    assert heard[begun:] == [Progress("decoding"), *listening]
    assert {each.stage for each in heard[:begun]} <= {"waiting"}


async def test_song_errors_keep_their_message(executor: ClusterExecutor, song: Song) -> None:
    with pytest.raises(TooShort, match="at least 3 seconds"):
        await executor.classify(song("short"))
    with pytest.raises(WorkerLost):
        await executor.classify(song("die"))
    with pytest.raises(WorkerError, match="Unspeakable: 1 and 2") as error:
        await executor.classify(song("bug"))
    assert "troublemaker.py" in error.value.__notes__[0]
    assert (await executor.classify(song("play"))).report.genre == "blues"


async def test_cancelling_ends_the_remote_work(executor: ClusterExecutor, song: Song, tmp_path: Path) -> None:
    child = pid_of(await executor.classify(song("play")))
    begun = _pipe(tmp_path / "begun")
    task = asyncio.create_task(executor.classify(song(f"hang {begun}")))
    await asyncio.to_thread(begun.read_bytes)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(child)
    assert pid_of(await executor.classify(song("play"))) != child


async def test_running_songs_finish_with_their_release_after_a_switch(
    executor: ClusterExecutor, song: Song, model_dir: Path, tmp_path: Path
) -> None:
    begun, go_on = _pipe(tmp_path / "begun"), _pipe(tmp_path / "go-on")
    old = asyncio.create_task(executor.classify(song(f"hold {begun} {go_on}")))
    await asyncio.to_thread(begun.read_bytes)
    write_release(model_dir, "second")
    switching = asyncio.create_task(executor.switch())
    await asyncio.to_thread(go_on.write_bytes, b"")
    assert (await old).report.model == "first"
    await switching
    assert (executor.release, executor.genres) == ("second", ("blues", "jazz"))
    assert (await executor.classify(song("play"))).report.model == "second"


async def test_a_release_that_no_worker_can_load_is_refused(
    executor: ClusterExecutor, song: Song, model_dir: Path
) -> None:
    write_release(model_dir, UNLOADABLE)
    with pytest.raises(ReleaseRefused, match="of another time"):
        await executor.switch()
    (model_dir / f"{UNLOADABLE}.joblib").write_bytes(b"altered")
    with pytest.raises(ReleaseRefused, match="not the file that was released"):
        await executor.switch()
    assert (await executor.classify(song("play"))).report.model == "first"


async def test_closing_ends_running_songs(
    executor: ClusterExecutor, song: Song, tmp_path: Path, cluster: Cluster, model_dir: Path
) -> None:
    begun = _pipe(tmp_path / "begun")
    working = asyncio.create_task(executor.classify(song(f"hang {begun}")))
    await asyncio.to_thread(begun.read_bytes)
    await executor.close()
    for task in (working, asyncio.create_task(executor.classify(song("play")))):
        with pytest.raises(PoolClosed):
            await task
    # The work over there has ended, too: the only place is free.
    again = ClusterExecutor(cluster.url, model_dir=model_dir, max_minutes=10)
    await again.start()
    assert (await again.classify(song("play"))).report.genre == "blues"
    await again.close()


async def test_an_executor_without_a_release_does_not_start(tmp_path: Path) -> None:
    executor = ClusterExecutor("tcp://127.0.0.1:1", model_dir=tmp_path, max_minutes=10)
    with pytest.raises(CannotStart, match="There is no model"):
        await executor.start()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = executor.release


async def test_reserved_bytes_never_exceed_the_budget() -> None:
    room, inside, most = ByteBudget(100), 0, 0

    async def send(size: int) -> None:
        nonlocal inside, most
        async with room.reserve(size):
            inside += min(size, 100)
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= min(size, 100)

    async with asyncio.timeout(5):
        await asyncio.gather(*(send(size) for size in (60, 60, 30, 500, 100, 1, 99, 0)))
    assert most == 100


async def test_a_cancelled_reservation_leaves_its_bytes_to_others() -> None:
    room = ByteBudget(100)
    order: list[int] = []

    async def send(size: int, done: asyncio.Event) -> None:
        async with room.reserve(size):
            order.append(size)
            await done.wait()

    first, free = asyncio.Event(), asyncio.Event()
    free.set()
    tasks = [asyncio.create_task(send(size, event)) for size, event in ((70, first), (80, free), (20, free))]
    await asyncio.sleep(0)
    assert order == [70]
    tasks[1].cancel()
    await asyncio.gather(tasks[1], tasks[2], return_exceptions=True)
    assert order == [70, 20]
    first.set()
    await tasks[0]
