"""Simulates what asking gains: how many songs people send before a genre that they teach is recognised.

``python benchmarks/asking.py --features FILE [--label zouk] [--draws 3]`` makes the packaged release forget a label
(see ``learning_curve.py``), and lets people send songs of today in random order, round after round. They correct one in
ten of their own accord. With asking, the bot also asks about songs near what it has been taught so far, as
``bot.core.teaching_questions`` does, at most so many a day, and most questions are answered. Whenever so many songs of
the label have been labelled, the release is trained on them, and asked about songs by artists of whom nothing was
labelled.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.learning_curve import forgetting, songs_of_today  # noqa: E402  found only now
from bot.core.similar_songs import closest  # noqa: E402
from bot.core.teaching_questions import FEWEST_SONGS, NEIGHBOURS, OTHER_SONGS, near  # noqa: E402
from classifier.features.families import EMBEDDING  # noqa: E402
from classifier.training import retraining, training_set  # noqa: E402
from classifier.training.candidate import Serving  # noqa: E402
from classifier.training.experts import spaces_of  # noqa: E402
from classifier.training.training_set import Criteria  # noqa: E402
from storage import SegmentVectors  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.learning_curve import Today
    from classifier.training.feedback_reader import Song

CORRECTED = 0.1
"""Share of songs that people correct of their own accord."""
ANSWERED = 0.6
"""Share of questions that are answered."""
ROUNDS = 6
SONGS_A_DAY, QUESTIONS_A_DAY = 30, 10
"""Ten people send three songs a day each."""


@dataclass
class Course:
    """What happened while songs were sent.

    Attributes
    ----------
    sent, questions
        How many songs were sent, and how many questions asked.
    labelled
        Songs of the label that were labelled.
    at
        Number of labelled songs → songs sent and questions asked by then, and the songs.
    """

    sent: int = 0
    questions: int = 0
    labelled: list[Song] = field(default_factory=list)
    at: dict[int, tuple[int, int, list[Song]]] = field(default_factory=dict)


def run(songs: Sequence[Song], label: str, counts: Sequence[int], draw: int, *, asking: bool) -> Course:
    """Let people send songs until enough of them are labelled, or none is left."""
    dice = np.random.default_rng(draw)
    vectors = {song.id: _vectors(song) for song in songs}
    course, today = Course(), 0
    heard: dict[str, str] = {}
    order = np.concatenate([dice.permutation(len(songs)) for _ in range(ROUNDS)])
    for place in order:
        song = songs[place]
        course.sent += 1
        if heard.get(song.id) or len(course.labelled) >= max(counts):
            continue
        today = 0 if course.sent % SONGS_A_DAY == 0 else today
        told = dice.random() < CORRECTED
        others = [each for each, given in heard.items() if not given][-OTHER_SONGS:]
        known = {each: given for each, given in heard.items() if given} | dict.fromkeys(others, "")
        if asking and not told and len(course.labelled) >= FEWEST_SONGS and today < QUESTIONS_A_DAY:
            found = closest(song.id, {each: vectors[each] for each in (*known, song.id)}, NEIGHBOURS)
            if near(found, known) is not None:
                today, course.questions = today + 1, course.questions + 1
                told = dice.random() < ANSWERED
        heard[song.id] = label if told and song.label == label else ""
        if told and song.label == label:
            course.labelled.append(song)
            if len(course.labelled) in counts:
                course.at[len(course.labelled)] = (course.sent, course.questions, list(course.labelled))
    return course


def _vectors(song: Song) -> list[SegmentVectors]:
    return [
        SegmentVectors(30.0 * place, 30.0 * (place + 1), {EMBEDDING: row.astype(np.float32)})
        for place, row in enumerate(song.families[EMBEDDING])
    ]


def recall(serving: Serving, taught: Sequence[Song], tested: Sequence[Today], label: str, jobs: int) -> float:
    """Train on corrections and return the share of the label's other songs that get it; the gate is not asked."""
    settings = Criteria(least_songs=min(len(taught), Criteria().least_songs))
    spaces = spaces_of(serving.artifact.experts)
    material = training_set.assemble(
        serving.base, taught, {name: spaces[name] for name in serving.base.families}, settings
    )
    held = retraining.held_out(material, jobs=jobs)
    known = training_set.known_styles(taught, held.genres, settings)
    after = retraining.finish(material, held, serving.artifact, (), known=known, jobs=jobs)
    told = np.array(retraining.answers(after, [each.song for each in tested]))
    return float((told == label).mean())


def main() -> int:
    """Print a row for each number of labelled songs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--features", type=Path, required=True, metavar="FILE", help="of learning_curve.py (.npz)")
    parser.add_argument("--label", default="zouk")
    parser.add_argument("--counts", type=int, nargs="+", default=[5, 10, 15, 20])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--only-sent", action="store_true", help="count songs, but train nothing")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    with np.load(arguments.features) as arrays:
        today = songs_of_today(arguments.data, dict(arrays))
    artists = sorted({each.artist for each in today if each.song.label == arguments.label})
    serving = None if arguments.only_sent else forgetting(Serving.load(REPOSITORY / "models"), arguments.label, 2)
    print("| asking | labelled | draw | songs sent | questions | recall |\n|---|---|---|---|---|---|", flush=True)
    for draw in range(arguments.draws):
        kept = set(np.random.default_rng(100 + draw).permutation(artists)[: max(1, len(artists) // 3)].tolist())
        tested = [each for each in today if each.artist in kept and each.song.label == arguments.label]
        songs = [each.song for each in today if each.artist not in kept]
        for asking in (False, True):
            course = run(songs, arguments.label, arguments.counts, draw, asking=asking)
            for count, (sent, questions, taught) in course.at.items():
                found = "" if serving is None else f"{recall(serving, taught, tested, arguments.label, 2):.2f}"
                print(
                    f"| {'yes' if asking else 'no'} | {count} | {draw} | {sent} | {questions} | {found} |", flush=True
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
