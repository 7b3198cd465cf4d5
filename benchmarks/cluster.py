"""Measures a Dask cluster: throughput with 1 and 2 workers, overhead, and recovery from lost processes.

``python benchmarks/cluster.py [--songs 100] [--seconds 30] [--workers 1 2]`` starts a scheduler and workers on this
machine with the released model, and classifies synthetic songs. Finally it kills a worker and restarts the scheduler
while songs are being classified, and counts the answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from classifier.inference.cluster.executor import ClusterExecutor  # noqa: E402
from classifier.inference.manifest import PACKAGED_MODELS  # noqa: E402  found only now
from tests.classifier.inference.cluster.processes import Cluster  # noqa: E402
from tests.synthesis import song, write  # noqa: E402

STYLES = ("blues", "disco", "metal", "vietnamese")
SONGS_AHEAD = 2
"""Per worker: one song is being classified while the next one is being sent."""
MAX_MINUTES = 20


def make_songs(folder: Path, count: int, seconds: float) -> list[Path]:
    """Write a number of different files; those of one style sound alike."""
    folder.mkdir()
    contents = [write(song(style, seconds), folder / f"{style}.mp3").read_bytes() for style in STYLES]
    paths = [folder / f"{number:04}.mp3" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(contents[number % len(contents)] + f"number {number}".encode())
    return paths


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def hear_all(executor: ClusterExecutor, songs: list[Path], at_a_time: int) -> Counter[str]:
    """Classify songs, a given number at a time; return how often each was answered."""
    seats, answered = asyncio.Semaphore(at_a_time), Counter[str]()

    async def classify_song(path: Path) -> None:
        async with seats:
            await executor.classify(path)
            answered[path.name] += 1

    await asyncio.gather(*(classify_song(path) for path in songs))
    return answered


async def throughput(folder: Path, songs: list[Path], workers: int) -> dict[str, Any]:
    """Measure a cluster with this many workers, each of which classifies one song at a time."""
    cluster = Cluster(folder, work="classifier")
    cluster.start_scheduler()
    for _ in range(workers):
        cluster.start_worker()
    executor = ClusterExecutor(cluster.url, model_dir=PACKAGED_MODELS, max_minutes=MAX_MINUTES)
    try:
        await executor.start()
        await asyncio.to_thread(cluster.wait_for_workers)
        # Every worker fetches and loads the release.
        await hear_all(executor, songs[: 2 * SONGS_AHEAD * workers], SONGS_AHEAD * workers)
        pids = {"bot": os.getpid(), "scheduler": cluster.scheduler_pid}
        pids |= {f"worker {number}": worker.pid for number, worker in enumerate(cluster.workers, start=1)}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        began = time.perf_counter()
        await hear_all(executor, songs, SONGS_AHEAD * workers)
        took = time.perf_counter() - began
        spent = {name: (cpu_seconds(pid) - before[name]) / len(songs) for name, pid in pids.items()}
    finally:
        await executor.close()
        cluster.stop()
    beside = sum(seconds for name, seconds in spent.items() if name.startswith("worker"))
    return {
        "workers": workers,
        "songs_per_second": len(songs) / took,
        "bot_cpu_ms": 1000 * spent["bot"],
        "scheduler_cpu_ms": 1000 * spent["scheduler"],
        "worker_cpu_ms": 1000 * beside,
    }


async def losses(folder: Path, songs: list[Path]) -> dict[str, Any]:
    """Kill one of two workers after a third of the songs, and restart the scheduler after two thirds."""
    cluster = Cluster(folder, work="classifier")
    cluster.start_scheduler()
    for _ in range(2):
        cluster.start_worker()
    executor = ClusterExecutor(cluster.url, model_dir=PACKAGED_MODELS, max_minutes=MAX_MINUTES)
    answered = Counter[str]()
    done = asyncio.Condition()

    async def classify_song(path: Path, seats: asyncio.Semaphore) -> None:
        async with seats:
            await executor.classify(path)
        async with done:
            answered[path.name] += 1
            done.notify_all()

    async def until(count: int) -> None:
        async with done:
            await done.wait_for(lambda: answered.total() >= count)

    try:
        await executor.start()
        seats = asyncio.Semaphore(2 * SONGS_AHEAD)
        work = [asyncio.create_task(classify_song(path, seats)) for path in songs]
        await until(len(songs) // 3)
        cluster.workers[0].kill()
        await until(2 * len(songs) // 3)
        cluster.kill_scheduler()
        cluster.start_scheduler()
        await asyncio.gather(*work)
    finally:
        await executor.close()
        cluster.stop()
    return {"songs": len(songs), "answered": len(answered), "more_than_once": answered.total() - len(answered)}


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run all measurements."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        songs = make_songs(folder / "songs", arguments.songs, arguments.seconds)
        for place in (*(f"with-{count}" for count in arguments.workers), "losses"):
            (folder / place).mkdir()
        measured = [await throughput(folder / f"with-{count}", songs, count) for count in arguments.workers]
        return {
            "seconds_per_song": arguments.seconds,
            "bytes_per_song": songs[0].stat().st_size,
            "throughput": measured,
            "losses": await losses(folder / "losses", songs),
        }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=100, help="how many (default: %(default)d)")
    parser.add_argument("--seconds", type=float, default=30, help="how long each is (default: %(default)g)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="clusters of so many (default: 1 2)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    arguments = parser.parse_args()
    figures = asyncio.run(run(arguments))
    print(f"{arguments.songs} songs of {arguments.seconds:g} s, {figures['bytes_per_song'] / 1e6:.2f} MB each")
    print(f"{'workers':>8} {'songs/s':>8} {'songs/h':>8}   CPU beside the listening, ms a song: bot, scheduler, worker")
    for each in figures["throughput"]:
        rate = each["songs_per_second"]
        beside = ", ".join(f"{each[f'{who}_cpu_ms']:.0f}" for who in ("bot", "scheduler", "worker"))
        print(f"{each['workers']:>8} {rate:>8.2f} {3600 * rate:>8.0f}   {beside}")
    first, last = figures["throughput"][0], figures["throughput"][-1]
    print(
        f"{last['workers']} workers to {first['workers']}: ×{last['songs_per_second'] / first['songs_per_second']:.2f}"
    )
    lost = figures["losses"]
    print(
        f"a worker killed, the scheduler restarted: {lost['answered']} of {lost['songs']} answered, "
        f"{lost['more_than_once']} more than once"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
