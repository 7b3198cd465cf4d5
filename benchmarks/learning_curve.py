"""Measures how fast corrections teach a genre that the release does not know: promoted, recall, false alarms.

``python benchmarks/learning_curve.py [--label vpop zouk] [--songs 10 20] [--draws 2]`` makes the packaged release
forget a label (its base material without the label's tracks, every expert fitted anew), corrects so many of the label's
songs of today, and retrains with the gate, as the bot does at night. Recall is over songs by artists that were not
corrected, false alarms are songs of today with another label that get this one. The reduction of the features stays
that of the packaged release, which saw the label's tracks.

``--nonsense 20 40`` has three people call so many songs of all genres by one made-up name instead, a third each, and
shows how far the gate is from letting it pass.

Listening to the songs takes about ten minutes; with ``--features FILE`` it is done once.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from classifier.audio.decoding import decode  # noqa: E402  found only now
from classifier.audio.segmentation import segments  # noqa: E402
from classifier.features.families import EMBEDDING, TAGS, TEXTURE, TEXTURE40, families  # noqa: E402
from classifier.features.musicnn import MusiCNN  # noqa: E402
from classifier.training import gate, musicnn_weights, retraining, training_set  # noqa: E402
from classifier.training.candidate import Serving, Split, make  # noqa: E402
from classifier.training.experts import spaces_of  # noqa: E402
from classifier.training.feedback_reader import Song  # noqa: E402
from classifier.training.splits import Trial  # noqa: E402
from classifier.training.training_set import Criteria  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.training.base_dataset import Base

STORED = (TEXTURE, TEXTURE40, TAGS, EMBEDDING)
SEGMENT_SECONDS = 30.0
NONSENSE, GIVERS = "nonsense", 3
LONGEST_SECONDS = 600


@dataclass(frozen=True)
class Today:
    """A song of today and its artist."""

    artist: str
    song: Song


def listen(data: Path) -> dict[str, NDArray[np.float32]]:
    """Return the features of every clip of today: family → shape (clips, width); ``clips`` names them."""
    weights = musicnn_weights.load(None)
    network = None if weights is None else MusiCNN(weights)
    names = [row["clip"] for row in clips_of_today(data)]
    found: dict[str, list[NDArray[np.float32]]] = {family: [] for family in STORED}
    for row in clips_of_today(data):
        path = data / "modern" / row["label"] / f"{row['clip']}.opus"
        part = segments(decode(path, max_seconds=LONGEST_SECONDS))[0]
        for family, vector in families(part.samples, network).items():
            if family in found:
                found[family].append(vector)
    return {"clips": np.array(names), **{family: np.stack(rows) for family, rows in found.items()}}


def clips_of_today(data: Path) -> list[Mapping[str, str]]:
    """Return the rows that describe the clips."""
    with (data / "modern" / "clips.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def songs_of_today(data: Path, stored: Mapping[str, NDArray[np.float32]]) -> list[Today]:
    """Return the songs, each of its clips a segment."""
    place = {str(clip): number for number, clip in enumerate(stored["clips"])}
    by_song: dict[str, list[Mapping[str, str]]] = {}
    for row in clips_of_today(data):
        if row["clip"] in place:
            by_song.setdefault(row["song"], []).append(row)
    found = []
    for name, rows in by_song.items():
        chosen = [place[row["clip"]] for row in rows]
        vectors = {family: stored[family][chosen].astype(np.float16) for family in STORED}
        seconds = np.full(len(chosen), SEGMENT_SECONDS)
        song = Song(name, rows[0]["label"], 1.0, True, 2, False, 2, seconds, vectors)
        found.append(Today(rows[0]["artist"], song))
    return found


def forgetting(serving: Serving, label: str, jobs: int) -> Serving:
    """Return the release as it would be if it had never met a label."""
    base = _without(serving.base, label)
    spaces = spaces_of(serving.artifact.experts)
    spaces = {name: spaces[name] for name in base.families}
    material = training_set.assemble(base, (), spaces, Criteria())
    held = retraining.held_out(material, jobs=jobs)
    base = replace(base, answers=held.answers)
    told = {style for group in serving.artifact.styles for style in group.styles} - {label}
    artifact = retraining.finish(material, held, replace(serving.artifact, styles=()), (), known=told, jobs=jobs)
    return replace(serving, artifact=artifact, base=base, answers=base.answers, heard={})


def _without(base: Base, label: str) -> Base:
    kept = np.flatnonzero(base.labels != label)
    place = np.full(len(base.labels), -1)
    place[kept] = np.arange(len(kept))

    def moved(tracks: NDArray[np.int64]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = place[tracks]
        return found[found >= 0]

    rows = {name: np.diff(starts)[kept] for name, starts in base.starts.items()}
    chosen = {
        name: np.concatenate([np.arange(starts[track], starts[track + 1]) for track in kept])
        for name, starts in base.starts.items()
    }
    return replace(
        base,
        genres=base.genres[kept],
        groups=base.groups[kept],
        trials=tuple(Trial(moved(trial.train), moved(trial.test)) for trial in base.trials),
        families={name: matrix[chosen[name]] for name, matrix in base.families.items()},
        starts={name: np.concatenate([[0], np.cumsum(counts)]) for name, counts in rows.items()},
        answers=base.answers[kept],
        labels=base.labels[kept],
        collections=base.collections[kept],
    )


def measure(serving: Serving, today: Sequence[Today], label: str, count: int, draw: int, jobs: int) -> str:
    """Teach so many songs and return a row of the table."""
    mine = [each for each in today if each.song.label == label]
    artists = sorted({each.artist for each in mine})
    np.random.default_rng(draw).shuffle(artists)
    order = sorted(mine, key=lambda each: artists.index(each.artist))
    taught = [each.song for each in order[:count]]
    seen = {each.artist for each in order[:count]}
    tested = [each.song for each in today if each.artist not in seen]
    settings = Criteria(least_songs=min(count, Criteria().least_songs))
    made = make(serving, Split.of(taught), settings, jobs=jobs, say=lambda _: None)
    told = np.array(retraining.answers(made.artifact, tested))
    right = np.array([song.label == label for song in tested])
    base = made.verdict.base
    return (
        f"| {label} | {count} | {draw} | {'yes' if made.verdict.passed else 'no'} "
        f"| {(told[right] == label).mean():.2f} of {right.sum()} | {(told[~right] == label).sum()} of {(~right).sum()} "
        f"| {base.before:.3f} → {base.after:.3f} |"
    )


def vouch(serving: Serving, today: Sequence[Today], count: int, draw: int, jobs: int) -> str:
    """Teach a genre that is none, and return a row of the table."""
    order = np.random.default_rng(draw).permutation(len(today))[:count]
    taught = [
        replace(today[place].song, label=NONSENSE, giver=1 + number % GIVERS) for number, place in enumerate(order)
    ]
    made = make(serving, Split.of(taught), Criteria(), jobs=jobs, say=lambda _: None)
    found = [each.after for each in made.verdict.by_genre if each.what.startswith(NONSENSE)]
    known = f"{found[0]:.2f}" if found else "not learnt"
    return (
        f"| {count} | {draw} | {'yes' if made.verdict.passed else 'no'} | {known} | {gate.able_from(count):.2f} "
        f"| {made.verdict.base.before:.3f} → {made.verdict.base.after:.3f} |"
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--label", nargs="+", default=["zouk", "vpop", "electronic", "rapviet"])
    parser.add_argument("--songs", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--nonsense", type=int, nargs="+", metavar="SONGS", help="teach a made-up genre instead")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--features", type=Path, metavar="FILE", help="keep the songs' features here (.npz)")
    arguments = parser.parse_args()
    if arguments.features is not None and arguments.features.exists():
        with np.load(arguments.features) as arrays:
            stored = dict(arrays)
    else:
        stored = listen(arguments.data)
        if arguments.features is not None:
            np.savez_compressed(arguments.features, allow_pickle=False, **stored)
    today = songs_of_today(arguments.data, stored)
    packaged = Serving.load(REPOSITORY / "models")
    if arguments.nonsense:
        print(
            "| songs | draw | promoted | known when held out | needed | base |\n|---|---|---|---|---|---|", flush=True
        )
        for count in arguments.nonsense:
            for draw in range(arguments.draws):
                print(vouch(packaged, today, count, draw, arguments.jobs), flush=True)
        return 0
    print(
        "| label | songs | draw | promoted | recall | false alarms | base |\n|---|---|---|---|---|---|---|", flush=True
    )
    for label in arguments.label:
        serving = forgetting(packaged, label, arguments.jobs)
        for count in arguments.songs:
            for draw in range(arguments.draws):
                print(measure(serving, today, label, count, draw, arguments.jobs), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
