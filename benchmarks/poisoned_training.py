"""Simulates five of a hundred accounts labelling everything as metal, and tests the vote rules and the retraining gate.

``python benchmarks/poisoned_training.py --first DIR`` takes the release that ``benchmarks/loop.py --first DIR``
trained from GTZAN without the fault-filtered test part. The artists of that part are split in two: people send and
label the songs of one half, and the model is tested on the other. Ninety-five people label six songs each correctly
over a month; five label every song as metal. The votes are aggregated by ``storage.label_votes`` as in an export and,
for comparison, by majority at full weight.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from classifier.features.families import MEL_FAMILIES  # noqa: E402  found only now
from classifier.training import candidate, data_loading, retraining, splits  # noqa: E402
from classifier.training.augmentation import normalised  # noqa: E402
from classifier.training.feedback_reader import Song  # noqa: E402
from classifier.training.training_set import Criteria  # noqa: E402
from storage.label_votes import VerdictStatus, aggregate_votes  # noqa: E402
from storage.vote_weights import Vote  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.inference.model import Artifact
    from classifier.training.data_loading import Track

METAL = "metal"
HONEST, HOSTILE = 95, 5
LABELS_EACH = 6
DAYS = 30

Opinions = list[tuple[str, "Track", str]]
Counted = dict[str, tuple[str, float, int]]
"""Song → label, weight, people."""


def halves(tracks: Sequence[Track]) -> tuple[list[Track], list[Track]]:
    """Return the songs of the test part in two halves by artist."""
    tested = [track for track in tracks if track.splits.get("fault_filtered") == "test"]
    artists = sorted({track.group for track in tested})
    fed = set(np.random.default_rng(1).permutation(artists)[: len(artists) // 2].tolist())
    return [track for track in tested if track.group in fed], [track for track in tested if track.group not in fed]


def as_song(track: Track, label: str, weight: float = 1.0, people: int = 2) -> Song:
    """Return a track as a feedback song."""
    families = {name: compute(normalised(track.decibels))[None] for name, compute in MEL_FAMILIES.items()}
    halved = {name: rows.astype(np.float16) for name, rows in families.items()}
    return Song(track.name, label, weight, True, people, False, 0, np.array([30.0]), halved)


def opinions(tracks: Sequence[Track], *, hostile: bool) -> Opinions:
    """Return everybody's votes."""
    draw = np.random.default_rng(2)
    said = [
        (f"honest {person}", tracks[place], tracks[place].genre)
        for person in range(HONEST)
        for place in draw.choice(len(tracks), LABELS_EACH, replace=False)
    ]
    if hostile:
        said += [(f"hostile {person}", track, METAL) for person in range(HOSTILE) for track in tracks]
    return said


def by_votes(said: Opinions) -> Counted:
    """Aggregate the votes as the export does."""
    draw = np.random.default_rng(3)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    votes = [
        Vote(person, track.name, label, True, None, "telegram", start + timedelta(days=float(day)), "first", "pop")
        for (person, track, label), day in zip(said, draw.uniform(0, DAYS, len(said)), strict=True)
    ]
    found = aggregate_votes(votes, {}).values()
    return {one.song: (one.label, one.weight, one.people) for one in found if one.status is VerdictStatus.COUNTS}


def by_counting(said: Opinions) -> Counted:
    """Aggregate the votes by majority, of at least two people."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, track, label in said:
        counts[track.name][label] += 1
    most = {name: count.most_common(1)[0] for name, count in counts.items()}
    return {name: (label, 1.0, people) for name, (label, people) in most.items() if people > 1}


def right(artifact: Artifact, tracks: Sequence[Track]) -> tuple[float, int]:
    """Return the share of correct answers, and how many songs are wrongly called metal."""
    asked = retraining.ask(artifact, [as_song(track, track.genre) for track in tracks])
    told = np.array(artifact.ensemble.genres)[asked.argmax(axis=1)]
    truth = np.array([track.genre for track in tracks])
    return float((told == truth).mean()), int(((told == METAL) & (truth != METAL)).sum())


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--first", type=Path, required=True, metavar="DIR", help="the release to begin with")
    arguments = parser.parse_args()
    serving = candidate.Serving.load(arguments.first)
    fed, tested = halves(splits.usable(data_loading.load(arguments.data)))
    tracks = {track.name: track for track in fed}
    share, called = right(serving.artifact, tested)
    print(f"{len(fed)} songs labelled, {len(tested)} of other artists test")
    print(f"before: {share:.3f} right, {called} falsely called metal; base {serving.base.accuracy:.3f}", flush=True)
    for what, counted in arms(fed).items():
        songs = [as_song(tracks[name], *found) for name, found in sorted(counted.items())]
        wrong = sum(song.label != tracks[song.id].genre for song in songs)
        split = candidate.Split.of(songs)
        made = candidate.make(serving, split, Criteria(), jobs=-1, say=lambda _: None)
        share, called = right(made.artifact, tested)
        verdict = made.verdict
        print(f"\n{what}: {len(songs)} songs count, {wrong} of them wrongly labelled")
        print(f"  candidate: {share:.3f} right, {called} falsely called metal; {verdict.base}")
        print(f"  {'promoted' if verdict.passed else 'refused'}: {' '.join(verdict.reasons)}", flush=True)
    return 0


def arms(fed: Sequence[Track]) -> Mapping[str, Counted]:
    """Return the labels that count in each case."""
    return {
        "honest people only, by the votes": by_votes(opinions(fed, hostile=False)),
        "with five hostile accounts, by the votes": by_votes(opinions(fed, hostile=True)),
        "with five hostile accounts, by plain counting": by_counting(opinions(fed, hostile=True)),
        "everything called metal": {track.name: (METAL, 1.0, HOSTILE) for track in fed},
    }


if __name__ == "__main__":
    sys.exit(main())
