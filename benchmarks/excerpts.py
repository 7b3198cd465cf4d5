"""Measures how far the answer to an excerpt of 30 seconds holds for another excerpt of the same song.

``python benchmarks/excerpts.py`` reads what the packaged release answered of the songs of today when they were held out
(artists apart), so nothing is trained or listened to. Songs of which there are two excerpts count.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.learning_curve import clips_of_today  # noqa: E402  found only now
from classifier.training.candidate import Serving  # noqa: E402
from classifier.training.data_loading import TODAY  # noqa: E402


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    arguments = parser.parse_args()
    serving = Serving.load(REPOSITORY / "models")
    of_today = np.flatnonzero(serving.base.collections == TODAY)
    learnt = set(serving.base.labels[of_today].tolist())
    rows = [row for row in clips_of_today(arguments.data) if row["label"] in learnt]
    if len(rows) != len(of_today) or [row["label"] for row in rows] != serving.base.labels[of_today].tolist():
        print("The release was not trained on these songs.", file=sys.stderr)
        return 2
    by_song: dict[str, list[int]] = {}
    for row, place in zip(rows, of_today.tolist(), strict=True):
        if serving.answers[place]:
            by_song.setdefault(row["song"], []).append(place)
    pairs = np.array([places for places in by_song.values() if len(places) == 2])
    told, truth = serving.answers[pairs], serving.base.genres[pairs]
    same, right = told[:, 0] == told[:, 1], told == truth
    print(f"{len(pairs)} songs with two excerpts")
    print(f"one excerpt is answered right: {right.mean():.3f}")
    print(f"both excerpts get the same answer: {same.mean():.3f}; then it is right: {right[same].mean():.3f}")
    print(f"they get different answers: {(~same).mean():.3f}; then each is right: {right[~same].mean():.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
