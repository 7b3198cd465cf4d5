"""Workers go over to another release while songs are being answered, and no song is lost on the way."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from classifier.inference import worker_pool
from classifier.inference.executor import LocalExecutor, Release, ReleaseRefused
from classifier.inference.manifest import BadRelease
from classifier.inference.worker_pool import PoolClosed
from classifier.inference.worker_process import WorkerLimits
from classifier.song_report import Classification, Progress
from common.units import MEBIBYTE
from tests.classifier.inference.test_executor import gone
from tests.classifier.troublemaker import answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

LIMITS = WorkerLimits(seconds=60, memory_bytes=64 * MEBIBYTE)
SONGS = 50


class Teller:
    """Answers with its release's name; waits at a pipe first where the file names one."""

    def __init__(self, name: str) -> None:
        self.info = Release(name, (f"genre of {name}",))

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Classification:
        report(Progress("decoding"))
        for pipe in path.read_text().split():
            Path(pipe).write_bytes(b"")
        told = answer(os.getpid())
        return replace(told, report=replace(told.report, model=self.info.name))


def make_teller(name: str) -> Teller:
    if name == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "broken":
        raise ValueError("cannot be unpickled here")
    return Teller(name)


class ReleaseFolder:
    """Where the release lies that is to serve."""

    def __init__(self) -> None:
        self.name = "first"

    def find(self) -> Callable[[], Teller]:
        if self.name == "corrupt":
            raise BadRelease("The manifest cannot be read.")
        return partial(make_teller, self.name)

    def executor(self, workers: int) -> LocalExecutor:
        return LocalExecutor(partial(make_teller, "never"), workers=workers, limits=LIMITS, find_processor=self.find)


@pytest.fixture
def release_folder() -> ReleaseFolder:
    return ReleaseFolder()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.txt"
    path.write_text("")
    return path


async def settled(executor: LocalExecutor, former: set[int]) -> None:
    """Wait until the former workers have ended and as many others are ready."""
    for pid in former:
        await gone(pid)
    while len(executor.pids) != len(former):  # noqa: ASYNC110 - a worker that has come tells nobody
        await asyncio.sleep(0.01)


def children() -> list[BaseProcess]:
    """Return the executor's processes: other tests leave those of joblib, which are used again."""
    return [each for each in multiprocessing.active_children() if not each.name.startswith("LokyProcess")]


async def test_fifty_songs_are_answered_while_a_release_is_promoted(release_folder: ReleaseFolder, song: Path) -> None:
    executor = release_folder.executor(workers=2)
    await executor.start()
    former = set(executor.pids)
    processes = []

    async def tell() -> tuple[str, int]:
        told = await executor.classify(song)
        processes.append(len(children()))
        return told.report.model, int(told.report.duration)

    first = [await tell()]
    release_folder.name = "second"
    songs = asyncio.gather(*(tell() for _ in range(SONGS - 2)))
    await executor.switch()
    assert (executor.release, executor.genres) == ("second", ("genre of second",))
    await settled(executor, former)
    answers = [*first, *await songs, await tell()]
    assert len(answers) == SONGS
    assert {(model, pid in former) for model, pid in answers} == {("first", True), ("second", False)}
    assert answers[-1][0] == "second"
    assert max(processes) <= 3
    assert not former & set(executor.pids)
    await executor.close()
    assert children() == []


async def test_with_little_memory_a_worker_ends_before_the_next_starts(
    release_folder: ReleaseFolder, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "has_memory_for_another", lambda _: False)
    executor = release_folder.executor(workers=2)
    await executor.start()
    former = set(executor.pids)
    processes = []

    async def tell() -> str:
        told = await executor.classify(song)
        processes.append(len(children()))
        return told.report.model

    release_folder.name = "deadly"
    songs = asyncio.gather(*(tell() for _ in range(20)))
    with pytest.raises(ReleaseRefused):
        await executor.switch()
    assert set(await songs) == {"first"}
    release_folder.name = "second"
    songs = asyncio.gather(*(tell() for _ in range(20)))
    former |= set(executor.pids)
    await executor.switch()
    assert len(await songs) == 20
    while len(executor.pids) < 2 or former & set(executor.pids):  # noqa: ASYNC110 - a new worker tells nobody
        await asyncio.sleep(0.01)
    assert await tell() == "second"
    assert max(processes) <= 2
    await executor.close()
    assert children() == []


async def test_a_song_is_finished_by_the_release_that_started_it(
    release_folder: ReleaseFolder, song: Path, tmp_path: Path
) -> None:
    executor = release_folder.executor(workers=1)
    await executor.start()
    [former] = executor.pids
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    long_song = tmp_path / "long.txt"
    long_song.write_text(str(pipe))
    under_way = asyncio.create_task(executor.classify(long_song))
    await asyncio.sleep(0)
    release_folder.name = "second"
    await executor.switch()
    assert (await executor.classify(song)).report.model == "second"
    await asyncio.to_thread(pipe.read_bytes)
    assert (await under_way).report.model == "first"
    await gone(former)
    await executor.close()


@pytest.mark.parametrize(
    ("promoted", "said"),
    [("corrupt", "manifest cannot be read"), ("broken", "ValueError: cannot be unpickled"), ("deadly", "died before")],
)
async def test_a_release_that_cannot_be_loaded_is_refused_and_the_old_one_serves(
    release_folder: ReleaseFolder, song: Path, promoted: str, said: str
) -> None:
    executor = release_folder.executor(workers=1)
    await executor.start()
    former = executor.pids
    release_folder.name = promoted
    for _ in range(2):
        with pytest.raises(ReleaseRefused, match=said):
            await executor.switch()
    assert (executor.release, executor.pids) == ("first", former)
    # A worker that has to be replaced comes back with the release that serves, not with the one that lies there.
    os.kill(former[0], signal.SIGKILL)
    assert (await executor.classify(song)).report.model == "first"
    release_folder.name = "second"
    await executor.switch()
    assert (await executor.classify(song)).report.model == "second"
    await executor.close()
    assert children() == []


async def test_releases_that_follow_each_other_quickly_end_with_the_last(
    release_folder: ReleaseFolder, song: Path
) -> None:
    executor = release_folder.executor(workers=2)
    await executor.start()
    former = set(executor.pids)
    for release_folder.name in ("second", "third"):
        await executor.switch()
    await settled(executor, former)
    answers = await asyncio.gather(*(executor.classify(song) for _ in range(6)))
    while len(executor.pids) > 2 or (await executor.classify(song)).report.model != "third":  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert {told.report.model for told in answers} <= {"second", "third"}
    await executor.close()
    assert children() == []


async def test_closing_during_a_switch_leaves_no_worker(release_folder: ReleaseFolder) -> None:
    executor = release_folder.executor(workers=1)
    await executor.start()
    release_folder.name = "second"
    switching = asyncio.create_task(executor.switch())
    while len(children()) < 2:  # noqa: ASYNC110 - a process that has begun tells nobody
        await asyncio.sleep(0.01)
    await executor.close()
    with pytest.raises(PoolClosed):
        await switching
    assert children() == []
    with pytest.raises(PoolClosed):
        await executor.switch()
