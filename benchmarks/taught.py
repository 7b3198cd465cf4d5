"""Teaches a release that does not know a genre of today some songs of it, and asks about songs by other artists.

``python benchmarks/taught.py [--label vpop] [--songs 5 10 20] [--draws 3]`` leaves a label out of the training data,
makes a release, corrects so many of the label's songs, trains the next release on them as ``retrain`` does, and prints
how many songs of artists that were not corrected get the label (recall), how many of the other songs of today get it
too, and how the base's songs fare. The gate is not asked: what counts here is how fast it learns.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from classifier.features.families import EMBEDDING, TAGS, TEXTURE, TEXTURE40  # noqa: E402  found only now
from classifier.features.musicnn import MusiCNN  # noqa: E402
from classifier.inference.ensemble import Ensemble  # noqa: E402
from classifier.inference.model import Artifact  # noqa: E402
from classifier.training import (  # noqa: E402
    data_loading,
    experts,
    feature_matrix,
    musicnn_weights,
    retraining,
    splits,
    training_set,
)
from classifier.training.classes import class_of  # noqa: E402
from classifier.training.data_loading import TODAY  # noqa: E402
from classifier.training.feedback_reader import Song  # noqa: E402
from classifier.training.training_set import Settings  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifier.training.base_dataset import Base
    from classifier.training.data_loading import Track

SEGMENT_SECONDS = 30.0
STORED = (TEXTURE, TEXTURE40, TAGS, EMBEDDING)


@dataclass(frozen=True)
class Outcome:
    """What a taught release makes of songs that it was not taught.

    Attributes
    ----------
    recall
        Share of the label's songs, by other artists, that get the label.
    false_alarms, others
        Songs of today of other labels that get it, and how many there are.
    base
        Share of the base's tracks that are answered right when they are held out.
    """

    recall: float
    false_alarms: int
    others: int
    base: float


def songs_of(tracks: Sequence[Track]) -> list[tuple[str, Song]]:
    """Return the artist of each song of today, and the song with what the bot would have stored of it."""
    rows = feature_matrix.build(tracks, copies=False)
    by_song: dict[str, list[int]] = {}
    for place, track in enumerate(tracks):
        by_song.setdefault(track.splits["song"], []).append(place)
    found = []
    for name, places in by_song.items():
        families = {family: rows.single(family, np.array(places)).astype(np.float16) for family in STORED}
        seconds = np.full(len(places), SEGMENT_SECONDS)
        track = tracks[places[0]]
        found.append((track.group, Song(name, track.genre, 1.0, True, 2, True, 2, seconds, families)))
    return found


def untaught(tracks: Sequence[Track], jobs: int) -> tuple[Artifact, Base]:
    """Make a release and its base dataset."""
    rows = feature_matrix.build(tracks, jobs=jobs)
    every = np.arange(len(tracks))
    spaces = experts.fit_spaces(rows, every)
    fitted = [experts.fit(recipe, rows, spaces, every) for recipe in experts.RECIPES]
    made = Artifact(tuple(expert for expert in fitted if expert is not None), Ensemble((), {}), 1.0)
    collections = np.array([track.collection for track in tracks])
    base = retraining.reference(rows, splits.gate_folds(tracks), made, collections, jobs=jobs)
    material = training_set.assemble(base, (), spaces, Settings())
    return retraining.finish(material, retraining.held_out(material, jobs=jobs), made, (), jobs=jobs), base


def teach(
    serving: Artifact, base: Base, taught: Sequence[Song], tested: Sequence[Song], label: str, jobs: int
) -> Outcome:
    """Train on corrections and ask about other songs."""
    settings = Settings(least_songs=min(len(taught), Settings().least_songs))
    spaces = experts.spaces_of(serving.experts)
    material = training_set.assemble(base, taught, spaces, settings)
    held = retraining.held_out(material, jobs=jobs)
    known = training_set.known_styles(taught, held.genres, settings)
    after = retraining.finish(material, held, serving, (), known=known, jobs=jobs)
    told = np.array(retraining.answers(after, tested))
    mine = np.array([song.label == label for song in tested])
    before = held.answers[: len(base.genres)]
    asked = before != ""
    return Outcome(
        float((told[mine] == label).mean()),
        int((told[~mine] == label).sum()),
        int((~mine).sum()),
        float((before == base.genres)[asked].mean()),
    )


def main() -> int:
    """Print a line for each number of songs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--label", default="vpop", help="a label of the songs of today")
    parser.add_argument("--songs", type=int, nargs="+", default=[5, 10, 20], help="how many are corrected")
    parser.add_argument("--draws", type=int, default=3, help="how often songs are drawn anew")
    parser.add_argument("--jobs", type=int, default=2, help="processes and threads")
    arguments = parser.parse_args()
    weights = musicnn_weights.load(None)
    if weights is None:
        print("The release that comes with the project has no network.", file=sys.stderr)
        return 2
    every = splits.usable(data_loading.load(arguments.data, network=MusiCNN(weights), jobs=arguments.jobs))
    known = [track for track in every if track.genre != arguments.label]
    today = songs_of([track for track in every if track.collection == TODAY])
    mine = [(artist, song) for artist, song in today if song.label == arguments.label]
    serving, base = untaught(known, arguments.jobs)
    print(f"{len(mine)} songs of {arguments.label}, learnt as {class_of(arguments.label)}; base {base.accuracy:.3f}")
    for count in arguments.songs:
        found = []
        for draw in range(arguments.draws):
            artists = sorted({artist for artist, _ in mine})
            np.random.default_rng(draw).shuffle(artists)
            order = sorted(mine, key=lambda item: artists.index(item[0]))
            taught = [song for _, song in order[:count]]
            seen = {artist for artist, _ in order[:count]}
            tested = [song for artist, song in today if artist not in seen]
            found.append(teach(serving, base, taught, tested, arguments.label, arguments.jobs))
        recalls = ", ".join(f"{outcome.recall:.2f}" for outcome in found)
        alarms = ", ".join(f"{outcome.false_alarms} of {outcome.others}" for outcome in found)
        bases = ", ".join(f"{outcome.base:.3f}" for outcome in found)
        print(f"{count:3d} songs: recall {recalls}; false alarms {alarms}; base {bases}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
