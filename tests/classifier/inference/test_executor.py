"""Songs are classified in processes of their own, and what befalls one song befalls no other."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from classifier.errors import Silent, TookTooLong, TooShort, WorkerFrozen, WorkerLost
from classifier.inference.executor import CannotStart, LocalExecutor
from classifier.inference.executor_factory import UnknownExecutor, open_executor
from classifier.inference.worker_pool import PoolClosed
from classifier.inference.worker_process import WorkerError, WorkerLimits
from classifier.song_report import Classification, Progress
from common.units import MEBIBYTE
from tests.classifier.troublemaker import GENRES, SEGMENTS, cannot_be_made, dies_while_made, make_trouble
from tests.conftest import REPOSITORY

LIMITS = WorkerLimits(seconds=60, memory_bytes=64 * MEBIBYTE)
Song = Callable[[str], Path]


@pytest.fixture
def song(tmp_path: Path) -> Song:
    """Make a file that says what a worker is to do with it."""

    def make(order: str) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        path.write_text(order)
        return path

    return make


@pytest.fixture
async def executor() -> AsyncIterator[LocalExecutor]:
    """Run one worker that does what files say."""
    executor = LocalExecutor(make_trouble, workers=1, limits=LIMITS)
    await executor.start()
    yield executor
    await executor.close()


def pid_of(answer: Classification) -> int:
    return int(answer.report.duration)


@pytest.fixture
async def watchful(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalExecutor]:
    """Run one worker that may be silent only for a moment."""
    monkeypatch.setattr("classifier.inference.worker_slot.TICK_SECONDS", 0.05)
    monkeypatch.setattr("classifier.inference.silence_watch.TICK_SECONDS", 0.05)
    limits = WorkerLimits(seconds=60, memory_bytes=64 * MEBIBYTE, silence_seconds=0.5)
    executor = LocalExecutor(make_trouble, workers=1, limits=limits)
    await executor.start()
    yield executor
    await executor.close()


async def test_a_song_of_a_frozen_worker_is_tried_once_more_elsewhere(
    watchful: LocalExecutor, song: Song, tmp_path: Path
) -> None:
    (frozen,) = watchful.pids
    answer = await watchful.classify(song(f"freeze {tmp_path / 'once'}"))
    assert pid_of(answer) != frozen
    await gone(frozen)
    with pytest.raises(WorkerFrozen):
        await watchful.classify(song("hang"))
    assert pid_of(await watchful.classify(song("answer")))


async def test_a_worker_that_loops_without_progress_is_ended_by_the_processor_time_it_uses(
    watchful: LocalExecutor, song: Song
) -> None:
    with pytest.raises(WorkerFrozen):
        await watchful.classify(song("spin"))


async def gone(pid: int) -> None:
    """Wait until a process has ended; the test's own time limit is the end of patience."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    await asyncio.to_thread(select.select, [handle], [], [])
    os.close(handle)


async def test_a_song_is_classified_with_its_features(executor: LocalExecutor, song: Song) -> None:
    answer = await executor.classify(song("play"))
    assert answer.report.genre == "blues"
    assert answer.features[0].families["gtzan57"].shape == (57,)
    assert pid_of(answer) in executor.pids
    assert pid_of(answer) != os.getpid()


async def test_a_started_executor_knows_its_release(executor: LocalExecutor) -> None:
    assert (executor.release, executor.genres) == ("troublemaker", GENRES)


def test_an_executor_knows_nothing_before_it_is_started() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = LocalExecutor(make_trouble, workers=1, limits=LIMITS).release


async def test_progress_arrives_in_order_before_the_answer(executor: LocalExecutor, song: Song) -> None:
    heard: list[Progress] = []
    await executor.classify(song("play"), on_progress=heard.append)
    expected = [Progress("listening", number, SEGMENTS) for number in range(1, SEGMENTS + 1)]
    assert heard == [Progress("decoding"), *expected]


async def test_a_failing_progress_callback_does_not_affect_the_song(executor: LocalExecutor, song: Song) -> None:
    def fail(progress: Progress) -> None:
        raise ZeroDivisionError

    assert (await executor.classify(song("play"), on_progress=fail)).report.genre == "blues"


@pytest.mark.parametrize("end", ["die", "segfault", "starve"])
async def test_a_lost_worker_affects_only_its_song(executor: LocalExecutor, song: Song, end: str) -> None:
    [before] = executor.pids
    with pytest.raises(WorkerLost) as error:
        await executor.classify(song(end))
    assert str(error.value) == WorkerLost.sentence
    answer = await executor.classify(song("play"))
    assert pid_of(answer) != before
    await gone(before)


async def test_other_songs_are_classified_when_a_worker_is_lost(song: Song) -> None:
    executor = LocalExecutor(make_trouble, workers=2, limits=LIMITS)
    await executor.start()
    songs = [song(order) for order in ("play", "die", "play", "segfault", "play", "play")]
    answers = await asyncio.gather(*(executor.classify(path) for path in songs), return_exceptions=True)
    assert [isinstance(answer, WorkerLost) for answer in answers] == [False, True, False, True, False, False]
    await executor.close()


@pytest.mark.parametrize("end", ["hang", "spin"])
async def test_a_song_that_takes_too_long_is_stopped(song: Song, end: str) -> None:
    executor = LocalExecutor(
        make_trouble, workers=1, limits=WorkerLimits(seconds=0.5, memory_bytes=LIMITS.memory_bytes)
    )
    await executor.start()
    [before] = executor.pids
    with pytest.raises(TookTooLong, match=r"longer than 0\.5 seconds"):
        await executor.classify(song(end))
    await gone(before)
    await executor.close()


async def test_cancelling_ends_the_worker_process(executor: LocalExecutor, song: Song, tmp_path: Path) -> None:
    [before] = executor.pids
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    task = asyncio.create_task(executor.classify(song(f"hang {begun}")))
    # The worker waits at the pipe's other end until it is opened here: then it is at work for certain.
    await asyncio.to_thread(begun.read_bytes)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(before)
    assert (await executor.classify(song("play"))).report.genre == "blues"


async def test_a_waiting_song_can_be_cancelled(executor: LocalExecutor, song: Song) -> None:
    [before] = executor.pids
    playing = asyncio.create_task(executor.classify(song("play")))
    waiting = asyncio.create_task(executor.classify(song("die")))
    await asyncio.sleep(0)
    waiting.cancel()
    assert pid_of(await playing) == before
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert executor.pids == (before,)


async def test_a_worker_killed_while_idle_affects_no_song(executor: LocalExecutor, song: Song) -> None:
    [before] = executor.pids
    os.kill(before, signal.SIGKILL)
    answers = await asyncio.gather(*(executor.classify(song("play")) for _ in range(3)))
    assert before not in {pid_of(answer) for answer in answers}


async def test_song_errors_keep_their_message(executor: LocalExecutor, song: Song) -> None:
    [before] = executor.pids
    with pytest.raises(TooShort) as error:
        await executor.classify(song("short"))
    assert str(error.value) == "This is too short to tell: at least 3 seconds of music are needed."
    assert pid_of(await executor.classify(song("play"))) == before


async def test_a_failed_song_leaves_no_memory_behind(executor: LocalExecutor, song: Song) -> None:
    for _ in range(4):
        with pytest.raises(Silent):
            await executor.classify(song("silent"))
    assert (await executor.classify(song("play"))).report.genre == "blues"


async def test_a_bug_is_raised_with_the_workers_traceback(executor: LocalExecutor, song: Song) -> None:
    with pytest.raises(WorkerError, match="Unspeakable: 1 and 2") as error:
        await executor.classify(song("bug"))
    assert "troublemaker.py" in error.value.__notes__[0]
    assert (await executor.classify(song("play"))).report.genre == "blues"


async def test_a_worker_cannot_write_files(executor: LocalExecutor, song: Song, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="File too large"):
        await executor.classify(song(f"write {tmp_path / 'written'}"))
    assert (tmp_path / "written").read_text() == ""


async def test_a_model_that_cannot_be_loaded_fails_the_start() -> None:
    with pytest.raises(CannotStart, match="FileNotFoundError: no model here"):
        await LocalExecutor(cannot_be_made, workers=2, limits=LIMITS).start()


async def test_a_worker_that_dies_while_loading_fails_the_start() -> None:
    with pytest.raises(CannotStart, match="died before it was"):
        await LocalExecutor(dies_while_made, workers=1, limits=LIMITS).start()


async def test_closing_ends_running_and_waiting_songs(song: Song, tmp_path: Path) -> None:
    executor = LocalExecutor(make_trouble, workers=1, limits=LIMITS)
    await executor.start()
    [before] = executor.pids
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    working = asyncio.create_task(executor.classify(song(f"hang {begun}")))
    waiting = asyncio.create_task(executor.classify(song("play")))
    await asyncio.to_thread(begun.read_bytes)
    await executor.close()
    for task in (working, waiting, asyncio.create_task(executor.classify(song("play")))):
        with pytest.raises(PoolClosed):
            await task
    await gone(before)


async def test_closing_while_a_worker_is_replaced_leaves_none(song: Song) -> None:
    executor = LocalExecutor(make_trouble, workers=1, limits=LIMITS)
    await executor.start()
    with pytest.raises(WorkerLost):
        await executor.classify(song("die"))
    waiting = asyncio.create_task(executor.classify(song("play")))
    await asyncio.sleep(0)
    await executor.close()
    with pytest.raises(PoolClosed):
        await waiting
    assert multiprocessing.active_children() == []


async def test_workers_end_with_their_parent(song: Song, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, str(song(f"hang {begun}")), cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    worker = int(await parent.stdout.readline())
    await asyncio.to_thread(begun.read_bytes)
    parent.kill()
    await parent.communicate()
    await gone(worker)


def test_an_unknown_executor_url_is_refused_with_a_sentence() -> None:
    with pytest.raises(UnknownExecutor, match=r"EXECUTOR_URL is 'http://elsewhere'.*leave it empty"):
        open_executor("http://elsewhere", model_dir=Path("models"), workers=1, max_minutes=60)


async def _work_until_killed(orders: Path) -> None:
    executor = LocalExecutor(make_trouble, workers=1, limits=LIMITS)
    await executor.start()
    sys.stdout.write(f"{executor.pids[0]}\n")
    sys.stdout.flush()
    await executor.classify(orders)


if __name__ == "__main__":
    asyncio.run(_work_until_killed(Path(sys.argv[1])))
