"""Asks experts that have never met a genre about that genre's songs: how many are told as something else, and surely.

``python benchmarks/left_out.py [--data DIR] [--genres zouk reggae]`` leaves one class after the other out of the
training data, fits every expert on the rest, asks them about the songs of that class, and counts the answers that the
release in ``models/`` would tell as sure. Weights and bounds are the release's. One class takes a minute.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from classifier.features.families import TAGS  # noqa: E402  found only now
from classifier.features.musicnn import MusiCNN  # noqa: E402
from classifier.inference.artifact_file import read_artifact  # noqa: E402
from classifier.inference.manifest import PACKAGED_MODELS, read_release  # noqa: E402
from classifier.training import (  # noqa: E402
    data_loading,
    feature_matrix,
    musicnn_weights,
    out_of_fold,
    splits,
    sureness,
)
from classifier.training.data_loading import TRADITIONAL  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble
    from classifier.inference.model import Artifact
    from classifier.training.feature_matrix import Rows


def without(blend: Ensemble, genre: str) -> Ensemble:
    """Return the blend for experts that do not know a genre."""
    branches = [replace(each, genres=tuple(name for name in each.genres if name != genre)) for each in blend.branches]
    return replace(blend, branches=tuple(branches))


def sure_of(rows: Rows, release: Artifact, genre: str, asked: NDArray[np.int64], jobs: int) -> list[str]:
    """Return the genre that each of the songs asked about is surely told as; empty where the answer is not sure."""
    trial = splits.Trial(np.flatnonzero(rows.genres != genre), asked)
    opinions = out_of_fold.held_out(rows, [trial], {}, jobs=jobs)[0][out_of_fold.CLEAN]
    blend = without(release.ensemble, genre)
    shares = blend.probabilities(out_of_fold.without_gaps(opinions, len(asked), blend.experts))
    least = {name: release.least_sure(name) for name in blend.genres}
    sure = sureness.are_sure(blend.genres, shares, least)
    names = np.array(blend.genres)[shares.argmax(axis=1)]
    return [str(name) if one else "" for name, one in zip(names, sure, strict=True)]


def main() -> int:
    """Print a line for each class, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--genres", nargs="+", metavar="GENRE", help="classes to leave out; all, if not given")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    arguments = parser.parse_args()
    weights = musicnn_weights.load(None)
    if weights is None:
        print("The release that comes with the project has no network.", file=sys.stderr)
        return 2
    release = read_artifact(read_release(PACKAGED_MODELS)[1])
    tracks = splits.usable(data_loading.load(arguments.data, network=MusiCNN(weights), jobs=arguments.jobs))
    rows = feature_matrix.build(tracks, jobs=arguments.jobs)
    # No song that is sent to the bot lacks what MusiCNN says of it; of traditional clips there is no sound.
    whole = rows.having(TAGS) | np.array([track.collection == TRADITIONAL for track in tracks])
    total, sure_total = 0, 0
    for genre in arguments.genres or np.unique(rows.genres).tolist():
        asked = np.flatnonzero((rows.genres == genre) & whole)
        told = sure_of(rows, release, genre, asked, arguments.jobs)
        names, counts = np.unique([name for name in told if name], return_counts=True)
        told_as = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True)) or "–"
        total, sure_total = total + len(told), sure_total + int(counts.sum())
        print(f"{genre:12} {len(told):4} songs, {counts.sum() / len(told):6.1%} told as sure: {told_as}", flush=True)
    print(f"{'all':12} {total:4} songs, {sure_total / total:6.1%} told as sure")
    return 0


if __name__ == "__main__":
    sys.exit(main())
