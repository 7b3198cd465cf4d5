"""Measures how many wrong labels count when some people label everything "metal", with and without the vote rules.

A hundred people label songs over some days; most are honest and sometimes wrong, five say "metal" to every song.
``python benchmarks/poisoning.py`` applies storage's own rules. With ``--retrain`` the shipped release is retrained with
the majority's labels, then with the labels that the rules accept, then with a new genre that is none, and the gate
judges each. The songs are random
variations of tracks in the release's base dataset.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.restored_features import restored, stored_spaces  # noqa: E402  found only now
from classifier.inference.artifact_file import read_artifact  # noqa: E402
from classifier.inference.manifest import read_release  # noqa: E402
from classifier.training import base_dataset  # noqa: E402
from storage.label_votes import VerdictStatus, aggregate_votes  # noqa: E402
from storage.vote_weights import Vote  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
POISON = "metal"
NEW_LABEL = "phonk"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
WAKING_HOURS = 16
ENOUGH = 2
SCATTER = 0.3
"""Distance of a synthetic song from the track it varies, in standard deviations."""


@dataclass(frozen=True)
class World:
    """A scenario: how many people vote how.

    Attributes
    ----------
    people, hostile
        Number of people, and how many of them label everything "metal".
    songs, days
        Number of songs, and of days over which they arrive.
    listeners
        Average number of honest votes per song.
    right
        Probability that an honest vote is right.
    known
        Number of songs whose genre the operator knows.
    cover
        Probability that a hostile person votes correctly to avoid notice.
    """

    people: int = 100
    hostile: int = 5
    songs: int = 1000
    days: int = 30
    listeners: float = 3.0
    right: float = 0.9
    known: int = 0
    cover: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """The result of aggregating the votes.

    Attributes
    ----------
    labels
        Song → label and weight, for songs that count.
    disputed
        Songs left to a moderator.
    """

    labels: Mapping[str, tuple[str, float]]
    disputed: int

    def wrong(self, truth: Mapping[str, str]) -> list[str]:
        """Return the songs with a wrong label that counts."""
        return [song for song, (label, _) in self.labels.items() if label != truth[song]]

    def wrong_share(self, truth: Mapping[str, str]) -> float:
        """Return the share of all weight on wrong labels."""
        everything = sum(weight for _, weight in self.labels.values())
        return sum(self.labels[song][1] for song in self.wrong(truth)) / everything if everything else 0.0


def ballots(world: World, seed: int) -> tuple[list[Vote], dict[str, str]]:
    """Return all votes of a scenario and the true genre of every song."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    truth = {f"song {number}": dice.choice(GENRES) for number in range(world.songs)}
    honest = [f"honest {number}" for number in range(world.people - world.hostile)]
    votes = []
    for song, genre in truth.items():
        came = BEGIN + timedelta(days=dice.randrange(world.days), hours=WAKING_HOURS * dice.random())
        count = sum(dice.random() < world.listeners / len(honest) for _ in honest)
        for person in dice.sample(honest, count):
            says = genre if dice.random() < world.right else dice.choice([each for each in GENRES if each != genre])
            votes.append(_vote(person, song, says, came + timedelta(minutes=60 * dice.random())))
        for number in range(world.hostile):
            says = genre if dice.random() < world.cover else POISON
            votes.append(_vote(f"hostile {number}", song, says, came + timedelta(minutes=60 * dice.random())))
    return votes, truth


def _vote(person: str, song: str, label: str, moment: datetime) -> Vote:
    return Vote(person, song, label, True, None, "telegram", moment, "release", "rock")


def by_the_rules(votes: list[Vote], truth: dict[str, str], known: int) -> Outcome:
    """Aggregate the votes by storage's rules."""
    certain = dict(list(truth.items())[:known])
    found = [each for song, each in aggregate_votes(votes, certain).items() if song not in certain]
    counted = {each.song: (each.label, each.weight) for each in found if each.status is VerdictStatus.COUNTS}
    return Outcome(counted, sum(each.status is VerdictStatus.DISPUTED for each in found))


def by_majority(votes: list[Vote]) -> Outcome:
    """Aggregate the votes by majority, all with equal weight."""
    given: dict[str, Counter[str]] = {}
    for vote in votes:
        given.setdefault(vote.song, Counter())[vote.label] += 1
    first = {song: labels.most_common(1)[0] for song, labels in given.items()}
    return Outcome({song: (label, 1.0) for song, (label, count) in first.items() if count >= ENOUGH}, 0)


SCENARIOS = {
    "nobody hostile": World(hostile=0),
    "5 label all 1000 songs within a day": World(days=1),
    "5 label all 1000 songs over a month": World(),
    "the same, 40 songs known for certain": World(known=40),
    "the same, few listeners (1.5 a song)": World(listeners=1.5),
    "the same, hasty listeners (70 % right)": World(right=0.7),
    "20 of 100 are hostile": World(hostile=20),
    "5 hide: half of their labels are right": World(cover=0.5),
    "5 hide, 40 songs known for certain": World(cover=0.5, known=40),
}


@dataclass(frozen=True)
class Evening:
    """People who label the same songs within one evening, and nobody else does.

    Attributes
    ----------
    people, songs
        How many.
    platform
        Where; on the page a new account costs no more than deleting a cookie.
    label
        What all of them call each song.
    """

    people: int
    songs: int
    platform: str
    label: str = POISON

    def votes(self) -> list[Vote]:
        """Return their votes, one song every two minutes."""
        return [
            replace(
                _vote(f"{self.platform} {person}", f"evening {song}", self.label, BEGIN + timedelta(minutes=2 * song)),
                platform=self.platform,
            )
            for song in range(self.songs)
            for person in range(self.people)
        ]


EVENINGS = {
    "8 cookies of one browser": Evening(8, 40, "local"),
    "a raid: 30 new accounts": Evening(30, 40, "telegram"),
    "two friends who are right": Evening(2, 40, "telegram", "zouk"),
}
LATER = {"that evening": timedelta(hours=2), "a day later": timedelta(days=1, hours=2), "in the end": timedelta(days=3)}


def show_evenings() -> None:
    """Print how many songs of an evening count, and what they weigh, as time goes by on a public bot."""
    print(f"\n| who labels 40 songs | {' | '.join(LATER)} |")
    print(f"|---|{'---|' * len(LATER)}")
    for name, evening in EVENINGS.items():
        cells = []
        for passed in LATER.values():
            found = aggregate_votes(evening.votes(), {}, strangers=True, now=BEGIN + passed).values()
            counted = [each for each in found if each.status is VerdictStatus.COUNTS]
            cells.append(f"{len(counted)} count, weight {sum(each.weight for each in counted):.0f}")
        print(f"| {name} | {' | '.join(cells)} |")


def self_vouching(models: Path, folder: Path, seed: int) -> str:
    """Retrain with 40 songs of all genres that colluding people call one new genre; return the gate's decision."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    truth = {f"song {number}": dice.choice(GENRES) for number in range(40)}
    made = features(models, truth)
    return retrain(Outcome(dict.fromkeys(truth, (NEW_LABEL, 1.0)), 0), made, models, folder)


def features(models: Path, truth: Mapping[str, str]) -> dict[str, dict[str, list[float]]]:
    """Make up a song of each genre asked for: song → family → features."""
    _, content = read_release(models)
    material = base_dataset.unpack(base_dataset.find(models)[1])
    spaces = stored_spaces(read_artifact(content))
    draw = np.random.default_rng(0)
    able = np.all([material.having(family) for family in spaces], axis=0)
    made: dict[str, dict[str, list[float]]] = {}
    for song, genre in truth.items():
        track = int(draw.choice(np.flatnonzero(able & (material.genres == genre))))
        made[song] = {}
        for family, space in spaces.items():
            rows = material.families[family]
            row = rows[material.starts[family][track]]
            around = row + draw.normal(0, SCATTER, len(row)) * rows.std(axis=0)
            made[song][family] = restored(space, around[None, :].astype(np.float32))[0].astype(float).tolist()
    return made


def retrain(outcome: Outcome, made: Mapping[str, Mapping[str, list[float]]], models: Path, folder: Path) -> str:
    """Retrain the release with the labels that count, and return the gate's decision."""
    feedback = folder / "feedback.jsonl"
    with feedback.open("w", encoding="utf-8") as file:
        for song, (label, weight) in outcome.labels.items():
            told = {"label": label, "song": song, "segment": 0, "weight": weight, "use": "train", "people": ENOUGH}
            file.write(json.dumps({**made[song], **told}) + "\n")
    command = [sys.executable, "-m", "classifier", "retrain", "--feedback", str(feedback), "--keep-only"]
    command += ["--models", str(models), "--people", str(ENOUGH)]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    return f"status {done.returncode}\n{done.stdout}"


def show(seed: int) -> None:
    """Print the result of every scenario."""
    print("| scenario | majority: wrong of counted | rules: wrong of counted | wrong weight | left to moderators |")
    print("|---|---|---|---|---|")
    for name, world in SCENARIOS.items():
        votes, truth = ballots(world, seed)
        naive, ruled = by_majority(votes), by_the_rules(votes, truth, world.known)
        print(
            f"| {name} | {len(naive.wrong(truth))} of {len(naive.labels)} "
            f"| {len(ruled.wrong(truth))} of {len(ruled.labels)} | {ruled.wrong_share(truth):.1%} | {ruled.disputed} |"
        )


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--retrain", action="store_true", help="also train from 400 such songs, twice")
    arguments = parser.parse_args()
    show(arguments.seed)
    show_evenings()
    if arguments.retrain:
        votes, truth = ballots(World(songs=400), arguments.seed)
        with tempfile.TemporaryDirectory() as name:
            models = Path(name, "models")
            shutil.copytree(REPOSITORY / "models", models)
            made = features(models, truth)
            for how, outcome in (("majority", by_majority(votes)), ("rules", by_the_rules(votes, truth, 0))):
                print(f"\n{how}: {len(outcome.wrong(truth))} of {len(outcome.labels)} labels wrong", flush=True)
                print(retrain(outcome, made, models, Path(name)), flush=True)
            print(f"\n40 songs of all genres, called {NEW_LABEL} by those who sent them:", flush=True)
            print(self_vouching(models, Path(name), arguments.seed), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
