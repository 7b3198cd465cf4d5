"""Measures the time and memory that ``retrain`` takes for a given number of feedback songs.

``python benchmarks/retrain.py [--songs 2000] [--segments 8]`` varies songs of the shipped release's base dataset,
writes them as CSV like an export, and runs the command as a scheduler would: in its own process, reading from a pipe.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.restored_features import restored, stored_spaces  # noqa: E402  found only now
from classifier.features.gtzan57 import COLUMNS  # noqa: E402
from classifier.inference.artifact_file import read_artifact  # noqa: E402
from classifier.inference.manifest import read_release  # noqa: E402
from classifier.training import base_dataset  # noqa: E402

NEW_GENRES = ("bolero", "zouk")
"""Each of these gets a tenth of the songs; the rest go to the release's genres."""
SEGMENT_SAMPLES = 30 * 22_050
SCATTER = 0.3
"""Distance of a synthetic song from the track it varies, in standard deviations."""


def write(path: Path, models: Path, songs: int, segments: int) -> None:
    """Write the feedback file."""
    _, content = read_release(models)
    material = base_dataset.unpack(base_dataset.find(models)[1])
    spaces = stored_spaces(read_artifact(content))
    draw = np.random.default_rng(0)
    able = np.flatnonzero(np.all([material.having(family) for family in spaces], axis=0))
    deviations = {family: rows.std(axis=0) for family, rows in material.families.items()}
    widths = {family: space.reduce.components_.shape[1] for family, space in spaces.items()}
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        further = [f"{family}_{place}" for family, width in widths.items() for place in range(width)]
        facts = ["song", "segment", "weight", "use", "source", "people", "reviewed", "model", "heard_as"]
        lines.writerow(["filename", "length", *COLUMNS, *further, "label", *facts])
        for number in range(songs):
            track = int(draw.choice(able))
            new = number % 10 < len(NEW_GENRES)
            label = NEW_GENRES[number % 10] if new else str(material.genres[track])
            numbers = []
            for family, space in spaces.items():
                row = material.families[family][material.starts[family][track]]
                shift = draw.normal(0, SCATTER, len(row)) + (2 * (1 + number % 10) if new else 0)
                around = row + (shift + draw.normal(0, SCATTER, (segments, len(row)))) * deviations[family]
                numbers.append(restored(space, around.astype(np.float32)).astype(str))
            for segment, values in enumerate(np.hstack(numbers).tolist()):
                told = [f"{number:064x}", segment, 1, "train", "local", 2, "False", "release", "rock"]
                lines.writerow([f"{label}.{number}.{segment}.wav", SEGMENT_SAMPLES, *[0] * 57, *values, label, *told])


def main() -> int:
    """Print the figures; return the command's exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=2000, help="how many (default: %(default)d)")
    parser.add_argument("--segments", type=int, default=8, help="of each (default: %(default)d, four minutes)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        models, feedback = Path(name, "models"), Path(name, "feedback.csv")
        shutil.copytree(REPOSITORY / "models", models)
        write(feedback, models, arguments.songs, arguments.segments)
        print(f"{arguments.songs} songs, {arguments.songs * arguments.segments} rows, ", end="")
        print(f"{feedback.stat().st_size / 1e6:.0f} MB of CSV", flush=True)
        command = [sys.executable, "-m", "classifier", "retrain", "--feedback", "-", "--if-enough"]
        begun = time.monotonic()
        with feedback.open("rb") as pipe:
            done = subprocess.run([*command, "--models", str(models)], cwd=REPOSITORY, stdin=pipe, check=False)
        print(f"status {done.returncode} after {time.monotonic() - begun:.0f} s")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
