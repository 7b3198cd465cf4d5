"""Measures the memory, the disk and the time that streaming an export takes for a given number of corrections.

``python benchmarks/export.py [--corrections 20000] [--segments 2]`` fills a database with songs that two people each
call the same, streams ``export --for-training --out -`` from a process of its own, and reads it as fast as it comes. It
also looks how large the folders of the database and of temporary files become meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from classifier.features.families import EMBEDDING, TAGS, TEXTURE, TEXTURE40  # noqa: E402  found only now
from common.units import MEGABYTE  # noqa: E402
from storage import SegmentVectors, Storage  # noqa: E402
from storage.database import insert_into  # noqa: E402
from storage.feature_codec import FORMAT, pack  # noqa: E402
from storage.tables import AnswerRow, CorrectionRow, FeatureRow, PersonRow, SongRow  # noqa: E402

WIDTHS = {"gtzan57": 57, TEXTURE: 2192, TEXTURE40: 2192, TAGS: 150, EMBEDDING: 412}
PEOPLE = 100
LABELS = ("blues", "zouk", "vpop", "jazz")
SONGS_AT_ONCE = 500
LOOK_BYTES = 64 * MEGABYTE


async def fill(url: str, corrections: int, segments: int) -> None:
    """Store two corrections of every song."""
    draw = np.random.default_rng(0)
    parts = [
        SegmentVectors(
            30.0 * place,
            30.0 * (place + 1),
            {name: draw.normal(size=width).astype(np.float32) for name, width in WIDTHS.items()},
        )
        for place in range(segments)
    ]
    data, now = pack(parts), datetime.now(UTC) - timedelta(days=30)
    async with await Storage.open(url) as storage:
        async with storage.database.transaction() as connection:
            people = [{"person": f"person {number}", "may_train": True} for number in range(PEOPLE)]
            await connection.execute(insert_into(connection, PersonRow), people)
        for first in range(0, corrections // 2, SONGS_AT_ONCE):
            numbers = range(first, min(first + SONGS_AT_ONCE, corrections // 2))
            hashes = {number: hashlib.sha256(str(number).encode()).hexdigest() for number in numbers}
            songs = [
                {"content_hash": each, "duration": 60.0, "platform": "telegram", "first_heard": now}
                for each in hashes.values()
            ]
            answers = [
                {
                    "id": number + 1,
                    "content_hash": each,
                    "model": "release",
                    "genre": "pop",
                    "confidence": 0.6,
                    "sure": False,
                    "report": {},
                    "created": now,
                }
                for number, each in hashes.items()
            ]
            features = [{"answer_id": number + 1, "format": FORMAT, "data": data} for number in numbers]
            votes = [
                {
                    "person": f"person {(number + another) % PEOPLE}",
                    "content_hash": each,
                    "answer_id": number + 1,
                    "label": LABELS[number % len(LABELS)],
                    "status": "pending",
                    "consent": True,
                    "may_train": True,
                    "platform": "telegram",
                    "chat": "group",
                    "created": now,
                    "updated": now - timedelta(hours=number % 600),
                }
                for number, each in hashes.items()
                for another in (0, 1 + number % 7)
            ]
            async with storage.database.transaction() as connection:
                for table, rows in (
                    (SongRow, songs),
                    (AnswerRow, answers),
                    (FeatureRow, features),
                    (CorrectionRow, votes),
                ):
                    await connection.execute(insert_into(connection, table), rows)


def size_of(folder: Path) -> int:
    """Return how many bytes the files of a folder have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def stream(folder: Path) -> int:
    """Stream the export and print the figures; return its exit status."""
    data, temporary = folder / "data", folder / "tmp"
    temporary.mkdir()
    before = size_of(data)
    environment = {**os.environ, "DATA_DIR": str(data), "DATABASE_URL": "", "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "storage", "export", "--for-training", "--out", "-"]
    begun, received, looked, most = time.monotonic(), 0, 0, 0
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        last = b""
        while chunk := process.stdout.read(1 << 20):
            received, last = received + len(chunk), (last + chunk)[-100:]
            if received - looked > LOOK_BYTES:
                looked, most = received, max(most, size_of(data) - before + size_of(temporary))
        status = process.wait()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{received / MEGABYTE:.0f} MB in {time.monotonic() - begun:.0f} s, status {status}")
    print(f"peak memory {peak:.0f} MiB, temporary files {most / MEGABYTE:.1f} MB at most")
    print(f"the last row is marked: {last.rstrip().endswith(b'True')}")
    return status


def main() -> int:
    """Fill the database and stream it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corrections", type=int, default=20_000, help="how many, two for each song (%(default)s)")
    parser.add_argument("--segments", type=int, default=2, help="of each song (%(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "data").mkdir()
        settings = {"DATA_DIR": str(Path(name) / "data")}
        os.environ |= settings
        from storage.settings import read_settings

        asyncio.run(fill(read_settings().database, arguments.corrections, arguments.segments))
        return stream(Path(name))


if __name__ == "__main__":
    sys.exit(main())
