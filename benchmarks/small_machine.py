"""Checks that the bot with one worker runs in 512 MB: songs sent at once, one of 20 minutes, under a real memory limit.

``sudo python benchmarks/small_machine.py [--python PYTHON] [--megabytes 512]``; PYTHON is the serving environment's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import numpy as np  # noqa: E402  found only now

from benchmarks.watching import Look, MemoryLimit, look  # noqa: E402
from deploy.visitor import Visitor, status  # noqa: E402
from tests.synthesis import SAMPLE_RATE, song, write  # noqa: E402

PAGE, OPERATIONS = "127.0.0.1:18571", "127.0.0.1:18572"
READY = 200
START_SECONDS = 60.0
ANSWER_SECONDS = 900.0
LOOK_SECONDS = 0.05
MINUTES_OF_LONGEST = 20
KINDS = ("mp3", "ogg", "flac", "m4a", "opus", "wav")


def songs(folder: Path, count: int) -> list[Path]:
    """Synthesise songs of 30 seconds to 4 minutes, and one of 20 minutes: tunes that repeat every half minute."""
    lengths = [30 + 210 * number / max(1, count - 2) for number in range(count - 1)]
    tunes = [song(style, 30) for style in ("blues", "disco", "metal", "jazz")]
    files = [folder / f"{number}.{KINDS[number % len(KINDS)]}" for number in range(count - 1)]
    made = [
        write(np.resize(tunes[number % len(tunes)], round(seconds * SAMPLE_RATE)), path)
        for number, (seconds, path) in enumerate(zip(lengths, files, strict=True))
    ]
    return [write(np.tile(tunes[0], 2 * MINUTES_OF_LONGEST), folder / "longest.mp3"), *made]


def started(python: str, folder: Path, limit: MemoryLimit) -> subprocess.Popen[bytes]:
    """Start the bot under the limit, and wait until it is ready."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "LOCAL_CHAT": PAGE,
        "OPERATIONS_LISTEN": OPERATIONS,
        "MAX_MINUTES": str(MINUTES_OF_LONGEST + 1),
        "SONGS_PER_PERSON_QUEUED": "100",
        "MALLOC_ARENA_MAX": "2",  # as in the image
    }
    process = subprocess.Popen(
        [python, "-m", "bot"], cwd=folder, env=environment, preexec_fn=limit.enter, stderr=(folder / "log").open("wb")
    )
    deadline = time.monotonic() + START_SECONDS
    while status(f"http://{OPERATIONS}/readyz") != READY:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the bot is not ready:\n{(folder / 'log').read_text(encoding='utf-8')}")
        time.sleep(0.05)
    return process


def main() -> None:
    """Run the check and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the serving environment")
    parser.add_argument("--megabytes", type=int, default=512, help="limit, MiB (default: %(default)s)")
    parser.add_argument("--songs", type=int, default=20, help="how many (default: %(default)s)")
    asked = parser.parse_args()
    limit = MemoryLimit(asked.megabytes)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        music = songs(folder, asked.songs)
        process = started(asked.python, folder, limit)
        looks: list[Look] = []
        used: list[float] = []
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK_SECONDS):
                looks.append(look(process.pid, (), ()))
                used.append(limit.used())

        watching = threading.Thread(target=watch)
        watching.start()
        time.sleep(1)
        idle = looks[-1].memory
        began = time.monotonic()
        visitors = [Visitor(f"http://{PAGE}") for _ in music]
        with ThreadPoolExecutor(len(music)) as everybody:
            entries = list(everybody.map(lambda who, path: who.send(path), visitors, music))
            answers = list(everybody.map(lambda who, entry: who.answer(entry["id"], ANSWER_SECONDS), visitors, entries))
        seconds = time.monotonic() - began
        over.set()
        watching.join()
        process.terminate()
        found = {
            "limit, MiB": asked.megabytes,
            "songs": len(music),
            "answered": sum(answer["state"] == "answered" for answer in answers),
            "seconds": round(seconds, 1),
            "idle, MiB (PSS of all processes)": idle,
            "peak, MiB (PSS of all processes)": max(each.memory for each in looks),
            "of that the bot": max(each.first_process for each in looks),
            "peak, MiB (kernel, without page cache)": round(max(used), 1),
            "peak, MiB (kernel, with page cache)": round(limit.peak(), 1),
            "ended for want of memory": limit.killed(),
            "exit status": process.wait(60),
        }
    limit.close()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
