"""Compares the speed of this program and the popular recipe in one run: per stage, per file, from a cold start.

``python benchmarks/speed.py [--json OUT] [--profile] [--repeats N]`` prints one table. The two alternate, and the
ratio of their medians is the result, since seconds depend on the machine and its load. Stages are measured on one
core in one process; entire files and throughput with the bot's own executor on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import platform
import pstats
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402  found only now
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks import popular_recipe as recipe  # noqa: E402
from classifier.audio.decoding import SAMPLE_RATE, decode, segments  # noqa: E402
from classifier.features.families import families  # noqa: E402
from classifier.features.gtzan57 import gtzan57  # noqa: E402
from classifier.features.spectrum import Spectrum  # noqa: E402
from classifier.inference.executor_factory import open_executor  # noqa: E402
from classifier.inference.model import Model  # noqa: E402
from tests.synthesis import song, write  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = REPOSITORY / "models"
SONG_SECONDS = 240
LONGER_MINUTES = (1, 4, 16, 60)
MAX_MINUTES = 61
SONGS_FOR_THROUGHPUT = 16
SECONDS_PER_HOUR = 3600
PROFILE_LINES = 14


@dataclass(frozen=True)
class Line:
    """One line of the table; seconds are medians."""

    what: str
    ours: float
    recipe: float

    @property
    def ratio(self) -> float:
        return self.recipe / self.ours


def side_by_side(what: str, ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> Line:
    """Time both alternately, after one run of each that is not counted."""
    ours()
    theirs()
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(repeats)]
    return Line(what, median(pair[0] for pair in pairs), median(pair[1] for pair in pairs))


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def stages(file: Path, model: Model, machines: recipe.Machines, repeats: int) -> list[Line]:
    """Time decoding, features and models on one core."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    try:
        samples = decode(file, max_seconds=SECONDS_PER_HOUR)
        segment = segments(samples)[1].samples
        theirs = recipe.segments(recipe.decode(file))
        heard = model.classify(samples).features
        rows = np.array([recipe.features(theirs[1])] * len(theirs))
        duration = samples.size / SAMPLE_RATE

        def twice() -> list[float]:
            return recipe.features(theirs[1])

        return [
            side_by_side(
                f"decode {SONG_SECONDS} s of mp3",
                lambda: decode(file, max_seconds=SECONDS_PER_HOUR),
                lambda: recipe.decode(file),
                repeats,
            ),
            side_by_side("57 features of a segment", lambda: gtzan57(Spectrum(segment)), twice, repeats),
            side_by_side("57 features and texture of a segment", lambda: families(segment), twice, repeats),
            side_by_side(
                f"models, {len(theirs)} segments",
                lambda: model.report(heard, duration),
                lambda: machines.answer(rows),
                repeats,
            ),
        ]
    finally:
        os.sched_setaffinity(0, everywhere)


def whole_file(file: Path, machines: recipe.Machines, repeats: int) -> Line:
    """Time a file from start to answer, warm; ours through a worker process, like the bot."""
    with asyncio.Runner() as runner:
        executor = open_executor("", model_dir=MODELS, workers=1, max_minutes=MAX_MINUTES)
        runner.run(executor.start())
        try:
            return side_by_side(
                f"{SONG_SECONDS}-s mp3 to answer, warm",
                lambda: runner.run(executor.classify(file)),
                lambda: recipe.classify(machines, file),
                repeats,
            )
        finally:
            runner.run(executor.close())


def cold(file: Path, folder: Path, repeats: int) -> Line:
    """Time a new process from its start to its answer."""

    def ours() -> None:
        _run("-m", "classifier", "classify", "--json", str(file))

    def theirs() -> None:
        _run(str(REPOSITORY / "benchmarks" / "popular_recipe.py"), str(folder), str(file))

    return side_by_side(f"{SONG_SECONDS}-s mp3 to answer, cold", ours, theirs, repeats)


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, check=True, capture_output=True)


def growth(folder: Path) -> list[tuple[int, float, float]]:
    """Return minutes of music, seconds to the answer, and the peak memory of the process in MiB.

    Every length runs in its own process, because a process's peak never decreases.
    """
    code = """
import sys, time
from pathlib import Path
from classifier.inference.executor import load_classifier
classify = load_classifier(Path(sys.argv[1]), 61)
classify(Path(sys.argv[2]), lambda progress: None)
began = time.perf_counter()
classify(Path(sys.argv[3]), lambda progress: None)
took = time.perf_counter() - began
# Not ru_maxrss, which a process inherits from the one that started it.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(took, int(peak.split()[1]) / 1024)
"""
    four = song("blues", SONG_SECONDS)
    short = write(four[: len(four) // 8], folder / "short.mp3")
    lines = []
    for minutes in LONGER_MINUTES:
        file = folder / f"{minutes}.mp3"
        write(np.tile(four, -(-minutes // 4))[: round(len(four) * minutes / 4)], file)
        done = subprocess.run(
            [sys.executable, "-c", code, str(MODELS), str(short), str(file)],
            cwd=REPOSITORY,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        seconds, mebibytes = map(float, done.stdout.split())
        lines.append((minutes, seconds, mebibytes))
    return lines


def throughput(file: Path, workers: int) -> float:
    """Return how many four-minute songs per hour this many workers classify."""

    async def hear() -> float:
        executor = open_executor("", model_dir=MODELS, workers=workers, max_minutes=MAX_MINUTES)
        await executor.start()
        try:
            await asyncio.gather(*(executor.classify(file) for _ in range(workers)))
            began = time.perf_counter()
            await asyncio.gather(*(executor.classify(file) for _ in range(SONGS_FOR_THROUGHPUT)))
            return SONGS_FOR_THROUGHPUT / (time.perf_counter() - began) * SECONDS_PER_HOUR
        finally:
            await executor.close()

    return asyncio.run(hear())


def profile(file: Path, model: Model) -> None:
    """Print a profile of one song."""
    profiler = cProfile.Profile()
    profiler.runcall(lambda: model.classify(decode(file, max_seconds=SECONDS_PER_HOUR)))
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(PROFILE_LINES)


def show(lines: list[Line], console: Console) -> None:
    """Print the table of ratios."""
    table = Table("what", "this, s", "popular recipe, s", "ratio", title="This and the popular recipe, medians")
    for line in lines:
        table.add_row(line.what, f"{line.ours:.3f}", f"{line.recipe:.2f}", f"{line.ratio:.1f}×")
    console.print(table)


def main() -> int:
    """Run all measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each (default: %(default)d)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    parser.add_argument("--profile", action="store_true", help="print where the time of one song goes")
    arguments = parser.parse_args()
    console = Console()
    figures: dict[str, Any] = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write(song("blues", SONG_SECONDS, stereo=True), folder / "song.mp3")
        recipe.prepare(folder)
        machines, model = recipe.load(folder), Model.load(MODELS)
        lines = [
            *stages(file, model, machines, arguments.repeats),
            whole_file(file, machines, max(2, arguments.repeats // 2)),
            cold(file, folder, max(2, arguments.repeats // 2)),
        ]
        show(lines, console)
        figures["lines"] = [{**asdict(line), "ratio": line.ratio} for line in lines]
        grown = growth(folder)
        for minutes, seconds, mebibytes in grown:
            console.print(
                f"{minutes:3d} min of music: {seconds:6.2f} s, {seconds / minutes:.3f} s a minute, {mebibytes:.0f} MiB"
            )
        figures["growth"] = [dict(zip(("minutes", "seconds", "MiB"), line, strict=True)) for line in grown]
        figures["songs_per_hour"] = {workers: round(throughput(file, workers)) for workers in (1, 2)}
        for workers, songs in figures["songs_per_hour"].items():
            console.print(f"{workers} worker(s): {songs} four-minute songs an hour")
        if arguments.profile:
            profile(file, model)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
