"""Measures what one song costs: CPU time, memory, database work, bytes. docs/operating.md plans with these figures.

``python benchmarks/scale.py [--minutes 4]`` classifies a synthetic song with the released model, and sends songs
through the queue of a database: SQLite, and PostgreSQL if it is installed. CPU time is measured per process, so that
other programs on the machine hardly affect it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

from bot.core import timeline  # noqa: E402  found only now
from bot.core.localization import Localizer  # noqa: E402
from classifier.audio.decoding import decode, segments  # noqa: E402
from classifier.features.families import families  # noqa: E402
from classifier.inference.executor import LocalExecutor, find_classifier, load_classifier, song_limits  # noqa: E402
from classifier.inference.manifest import PACKAGED_MODELS  # noqa: E402
from classifier.inference.model import Model  # noqa: E402
from classifier.song_report import SegmentFeatures  # noqa: E402
from storage import NewJob, NewReply, Storage  # noqa: E402
from tests.storage.postgresql import PostgreSQL, find_binaries  # noqa: E402
from tests.synthesis import song, write  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from classifier.song_report import Classification

MAX_MINUTES = 20


def cpu() -> float:
    """Return the CPU time of this process in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def costs(what: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Return the shortest CPU time of a few runs, and the last run's result."""
    least, result = float("inf"), None
    for _ in range(times):
        began = cpu()
        result = what()
        least = min(least, cpu() - began)
    return least, result


def listening(path: Path) -> tuple[dict[str, float], Classification]:
    """Measure the stages of one song in seconds of one core."""
    model = Model.load(PACKAGED_MODELS)
    decoding, samples = costs(lambda: decode(path, max_seconds=60 * MAX_MINUTES))
    parts = segments(samples)

    def hear() -> list[SegmentFeatures]:
        return [SegmentFeatures(part.start, part.end, families(part.samples)) for part in parts]

    hearing, heard = costs(hear)
    judging, _ = costs(lambda: model.report(heard, samples.size / 22_050))
    stages = {"decode": decoding, "features": hearing, "model": judging}
    return stages, model.classify(samples)


async def memory(path: Path) -> float:
    """Return a worker's proportional memory after a song, in MiB."""
    executor = LocalExecutor(
        partial(load_classifier, PACKAGED_MODELS, MAX_MINUTES),
        workers=1,
        limits=song_limits(MAX_MINUTES),
        find_processor=partial(find_classifier, PACKAGED_MODELS, MAX_MINUTES),
    )
    await executor.start()
    try:
        await executor.classify(path)
        lines = await asyncio.to_thread(Path(f"/proc/{executor.pids[0]}/smaps_rollup").read_text)
    finally:
        await executor.close()
    return next(int(line.split()[1]) for line in lines.splitlines() if line.startswith("Pss:")) / 1024


def cpu_of(pids: Iterable[int]) -> float:
    """Return the CPU time of several processes in seconds."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def queue(
    url: str, classification: Classification, songs: int, bots: int, server: Callable[[], list[int]] = list
) -> dict[str, float]:
    """Process songs from submission to the end of their job.

    Returns songs per second of all bots together, and milliseconds of CPU time per song: of the bots, and of the
    database server's processes.
    """
    opened = [await Storage.open(url) for _ in range(bots)]
    report = classification.report.as_dict()

    async def work(number: int, storage: Storage) -> None:
        for each in range(songs // bots):
            name = f"{number}-{each}"
            new = NewJob("telegram", "chat", f"person {each % 20}", {"back": {}}, {"file": name}, "upload", key=name)
            await storage.jobs.add(new, queued_limit=1000, daily_limit=100_000)
            claimed = await storage.jobs.claim(f"bot {number}")
            if claimed is None:  # another worker claimed the job that this one added
                continue
            hashed = hashlib.sha256(f"{claimed.job.payload['file']}".encode()).hexdigest()
            await storage.songs.find_answer(hashed, classification.report.model)
            answer = await storage.songs.save_answer(hashed, report, classification.features, platform="telegram")
            await storage.jobs.save_progress(claimed.lease, {"message": each})
            reply = await storage.jobs.answer(
                claimed.lease, NewReply(answer.id, platform="telegram", chat="chat", requester=claimed.job.person)
            )
            await storage.replies.mark_sent(reply.id, {"message": each})
            await storage.jobs.finish(claimed.lease, "answered")

    await asyncio.gather(*(storage.ping() for storage in opened))
    began, ours, theirs = time.perf_counter(), cpu(), cpu_of(server())
    await asyncio.gather(*(work(number, storage) for number, storage in enumerate(opened)))
    took, ours, theirs = time.perf_counter() - began, cpu() - ours, cpu_of(server()) - theirs
    for storage in opened:
        await storage.close()
    return {"songs_per_second": songs / took, "bot_ms": 1000 * ours / songs, "server_ms": 1000 * theirs / songs}


async def databases(folder: Path, classification: Classification, songs: int) -> dict[str, Any]:
    """Measure the queue on both databases, and the bytes that a song adds to SQLite's file."""
    file = folder / "songs.db"
    await (await Storage.open(f"sqlite:///{file}")).close()
    empty = await asyncio.to_thread(file.stat)
    found: dict[str, Any] = {"SQLite": await queue(f"sqlite:///{file}", classification, songs, 1)}
    full = await asyncio.to_thread(file.stat)
    kept = (full.st_size - empty.st_size) / songs
    binaries = await asyncio.to_thread(find_binaries)
    if binaries is not None:
        server = PostgreSQL(binaries, durable=True)
        await asyncio.to_thread(server.start)
        for bots in (1, 4):
            url = server.url(await asyncio.to_thread(server.create))
            found[f"PostgreSQL, bots: {bots}"] = await queue(url, classification, songs, bots, server.pids)
        await asyncio.to_thread(server.stop)
    return {"queue": found, "database_bytes_per_song": kept}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4, help="length of the song (default: %(default)g)")
    parser.add_argument("--songs", type=int, default=200, help="through each database (default: %(default)d)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write(song("disco", 60 * arguments.minutes), folder / "song.mp3")
        size = path.stat().st_size
        stages, classification = listening(path)
        held = asyncio.run(memory(path))
        kept = asyncio.run(databases(folder, classification, arguments.songs))
    drawing, _ = costs(lambda: timeline.render(classification.report, Localizer("en", {}), "dark"))
    whole = sum(stages.values())
    print(f"a song of {arguments.minutes:g} minutes, {size / 1e6:.1f} MB as mp3; seconds of one core:")
    print("  " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.items()))
    print(f"  together {whole:.2f}, so {3600 / whole:.0f} songs an hour and core")
    print(f"the answer's picture, drawn by the bot: {drawing:.2f}")
    print(f"a worker: {held:.0f} MiB after the song")
    print("the queue, from submission to the end of the job:")
    for name, each in kept["queue"].items():
        rate, ours, theirs = each["songs_per_second"], each["bot_ms"], each["server_ms"]
        print(f"  {name}: {rate:.0f} songs/s; ms of a core a song: bot {ours:.1f}, server {theirs:.1f}")
    print(f"the database: {kept['database_bytes_per_song'] / 1000:.1f} kB a song")
    if arguments.json:
        figures = {
            "minutes": arguments.minutes,
            "bytes": size,
            "stages": stages,
            "picture": drawing,
            "worker_mib": held,
            **kept,
        }
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
