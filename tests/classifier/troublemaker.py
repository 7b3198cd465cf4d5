"""Work for a worker process that does what the file says: answers, crashes, hangs, starves or errs."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifier.errors import Silent, TooShort
from classifier.inference.executor import Release
from classifier.song_report import Classification, Progress, SegmentFeatures, SegmentReport, SongReport

if TYPE_CHECKING:
    from collections.abc import Callable

GENRES = ("blues", "jazz")
SEGMENTS = 3


class TroubleMaker:
    info = Release("troublemaker", GENRES)

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> Classification:
        report(Progress("decoding"))
        order, *values = path.read_text().split()
        match order:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "segfault":
                ctypes.string_at(0)
            case "hang":
                Path(values[0]).write_bytes(b"") if values else None
                while True:
                    time.sleep(0.01)
            case "freeze":
                first = not Path(values[0]).exists()
                Path(values[0]).touch()
                if first:
                    os.kill(os.getpid(), signal.SIGSTOP)
            case "spin":
                while True:
                    pass
            case "starve":
                hoard = [np.ones(1 << 20) for _ in range(100_000)]
                return self(Path(str(len(hoard))), report)
            case "short":
                raise TooShort(minimum=3)
            case "silent":
                song = np.ones(5 << 20)  # more than half of what a song may take in the tests
                raise Silent(peak=float(song[0]))
            case "bug":
                raise Unspeakable(1, 2)
            case "write":
                Path(values[0]).write_text("this must not be written")
        for segment in range(SEGMENTS):
            report(Progress("listening", segment + 1, SEGMENTS))
        return answer(os.getpid())


class Unspeakable(Exception):
    """Cannot be rebuilt from its pickle."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def answer(pid: int) -> Classification:
    """Return an answer that says in its duration which process gave it."""
    probabilities = {"blues": 0.75, "jazz": 0.25}
    segment = SegmentReport(0.0, 30.0, "blues", 0.75, probabilities, {"knn": "jazz"})
    features = SegmentFeatures(0.0, 30.0, {"gtzan57": np.zeros(57, np.float32)})
    return Classification(
        SongReport("blues", 0.75, True, "troublemaker", float(pid), probabilities, (segment,)), (features,)
    )


def make_trouble() -> TroubleMaker:
    return TroubleMaker()


def cannot_be_made() -> TroubleMaker:
    raise FileNotFoundError("no model here")


def dies_while_made() -> TroubleMaker:
    os.kill(os.getpid(), signal.SIGKILL)
    return TroubleMaker()
