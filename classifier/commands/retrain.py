"""``retrain``: trains the next release on corrections, and promotes it if the gate accepts it."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.protocol_selection import number_of_processes
from classifier.commands.releases import add_models, folder_of
from common.community import CommunitySettings
from common.units import KIBIBYTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from classifier.inference.releases import ReleaseStore
    from classifier.training.candidate import Candidate
    from classifier.training.feedback_reader import Song
    from classifier.training.need import Need

PROMOTED: Final = 0
FAILED: Final = 1
MISUSED: Final = 2
REFUSED: Final = 3
NOT_ENOUGH: Final = 4
BACKGROUND_GIB: Final = 3
NEEDED_BYTES: Final = 1_500_000_000
"""Measured with the packaged release and some thousand corrections: ``benchmarks/retrain.py``."""

DESCRIPTION: Final = f"""\
Trains a candidate from the serving release and people's corrections, and compares both on songs that neither was
trained on. The candidate is promoted if it is not significantly worse on the base data set, and better or newly able
on the corrections. Otherwise it is only stored, and `promote NAME --overrule REASON` can promote it. Running bots
switch to a promoted release by themselves.

  python -m storage export --for-training --format csv --out - | python -m classifier retrain --feedback - --if-enough

exit status: {PROMOTED} promoted, {REFUSED} refused by the gate, {NOT_ENOUGH} not enough new feedback,
             {FAILED} failed, {MISUSED} usage error"""


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share (0 or more, below 1)")
    return share


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 1")
    return count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--feedback", required=True, metavar="FILE", help="CSV, JSON lines or Parquet; - for a pipe")
    add_models(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to store and promote the candidate in (default: --models)"
    )
    parser.add_argument(
        "--if-enough",
        action="store_true",
        help="only if a genre became complete, there are enough new songs, or one was withdrawn",
    )
    parser.add_argument("--new-songs", type=_count, default=20, help="new songs that are enough (%(default)s)")
    parser.add_argument(
        "--songs",
        type=_count,
        default=20,
        help="recordings that a new genre needs (%(default)s)",
    )
    parser.add_argument(
        "--people", type=_count, help="people that a new genre needs (default: 1 for COMMUNITY=private, else 2)"
    )
    parser.add_argument(
        "--held-out", type=_share, default=0.2, help="without effect: every song is held out in its turn, then learnt"
    )
    parser.add_argument(
        "--most-share",
        type=_share,
        default=0.5,
        help="maximum share of feedback in a genre of the base data set (%(default)s)",
    )
    parser.add_argument(
        "--most-kept", type=_count, default=10, help="releases to keep; older ones are removed (%(default)s)"
    )
    parser.add_argument(
        "--background", action="store_true", help=f"at the lowest priority, with at most {BACKGROUND_GIB} GiB of memory"
    )
    parser.add_argument("--keep-only", action="store_true", help="store the candidate, but do not promote it")
    parser.add_argument("--jobs", type=number_of_processes, default=-1, help="threads (default: one per core)")


def run(arguments: argparse.Namespace) -> int:
    """Retrain; return the exit status."""
    from classifier.inference.manifest import BadRelease
    from classifier.inference.releases import CannotPromote, ReleaseStore
    from classifier.training.candidate import CannotRetrain
    from classifier.training.feedback_reader import BadFeedback

    begun = time.monotonic()
    if lack := lack_of_memory():
        print(lack, file=sys.stderr)
        return FAILED
    arguments.models = folder_of(arguments)
    if arguments.background:
        _stay_in_background()

    def say(stage: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {stage}", file=sys.stderr, flush=True)

    releases = ReleaseStore(arguments.out or arguments.models)
    try:
        songs = _read(arguments.feedback)
        with releases.exclusive():
            status = _retrain(arguments, releases, songs, say)
            releases.prune(arguments.most_kept)
    except (BadFeedback, BadRelease, CannotRetrain, CannotPromote) as error:
        print(error, file=sys.stderr)
        return FAILED
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTE
    say(f"peak memory {peak:.0f} MiB, {time.process_time():.0f} s of processor time")
    return status


def lack_of_memory(root: Path = Path("/")) -> str:
    """Return a sentence that says what to do where the machine or container is too small; empty where it is not."""
    from classifier.inference.memory_check import allowed_bytes

    allowed = allowed_bytes(root=root)
    if allowed is None or allowed >= NEEDED_BYTES:
        return ""
    return (
        f"Retraining needs about {NEEDED_BYTES / 1e9:.1f} GB of memory, and this machine or container has "
        f"{allowed / 1e6:.0f} MB. Allow more, or set RETRAIN=off and retrain where there is more: with Docker by "
        "`docker compose --profile retrain run --rm retrain`."
    )


def _stay_in_background() -> None:
    os.nice(19)
    _, ceiling = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = BACKGROUND_GIB * KIBIBYTE**3
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if ceiling < 0 else min(wanted, ceiling), ceiling))


def _read(source: str) -> list[Song]:
    from classifier.training import feedback_reader

    return feedback_reader.read(sys.stdin.buffer if source == "-" else Path(source))


def _retrain(
    arguments: argparse.Namespace, releases: ReleaseStore, songs: list[Song], say: Callable[[str], None]
) -> int:
    from classifier.inference.manifest import read_manifest
    from classifier.training import candidate, need
    from classifier.training.training_set import Criteria

    split = candidate.Split.of(songs)
    say(f"{len(songs)} songs of feedback: {len(split.train)} to learn from, {len(split.judge)} only to judge by")
    if split.aside:
        say(f"{len(split.aside)} judge nothing: they are recordings that are learnt from, encoded anew")
    people = arguments.people or CommunitySettings().agreement
    settings = Criteria(arguments.songs, people, arguments.most_share)
    found = need.of(split, releases, read_manifest(arguments.models), settings)
    for missing in found.missing:
        print(f"Not yet a genre: {missing}.")
    if arguments.if_enough and not found.is_enough(arguments.new_songs):
        print(_not_enough(found, arguments.new_songs))
        return NOT_ENOUGH
    if not split.train and not found.withdrawn:
        print("There is no feedback that may train.")
        return NOT_ENOUGH
    if found.withdrawn and found.disputed and not found.has_grown(arguments.new_songs):
        # What was rolled back does not come back because somebody else withdrew a song.
        split = split.without(found.disputed)
        say(f"{len(split.train)} songs to learn from without those of releases that were rolled back")
    serving = candidate.Serving.load(arguments.models)
    made = candidate.make(serving, split, settings, withdrawn=found.withdrawn, jobs=arguments.jobs, say=say)
    for label in found.complete:
        if label not in made.artifact.genres:
            print(f"Not yet a genre: {label} has enough songs, but cannot be told well enough from its family.")
    return _store(arguments, releases, made, found)


def _not_enough(found: Need, wanted: int) -> str:
    if found.rolled_back:
        return "A release that learnt from exactly these songs was rolled back: they are not tried again by themselves."
    return f"Not enough new feedback: {found.new} songs, {wanted} are needed."


def _store(arguments: argparse.Namespace, releases: ReleaseStore, made: Candidate, found: Need) -> int:
    """Keep the candidate, and let it serve if it passed and nobody has rolled the same songs back.

    What the serving release learnt from withdrawn songs has to go, even in favour of songs that were rolled back.
    """
    from classifier.inference.manifest import read_manifest
    from classifier.inference.releases import ReleaseEvent, digest_of
    from classifier.training import release_writer

    reasons = " ".join(made.verdict.reasons)
    if made.name == made.about["gate"]["against"]:
        # Its card and figures compare it with the release before; those of this run would compare it with itself.
        # Songs that made no difference are noted all the same, or every run would train because of them.
        if digest_of(read_manifest(arguments.models).get("songs") or {}) != digest_of(made.about["songs"]):
            releases.amend(made.name, songs=made.about["songs"], feedback=made.about["feedback"])
        print(f"The candidate is {made.name}, which serves already: nothing was changed.")
        return NOT_ENOUGH
    if (before := releases.serving()) is None or before["name"] != made.about["gate"]["against"]:
        releases.store(arguments.models)  # so that one can go back to what it was held against
    with releases.staging(made.name) as folder:
        release_writer.write(folder, made.name, made.artifact, made.files, made.about)
    for reason in made.verdict.reasons:
        print(reason)
    if not made.verdict.passed:
        releases.log_event(ReleaseEvent.REFUSED, made.name, reasons)
        print(f"The gate refused {made.name}. It is kept; {made.about['gate']['against']} serves on.")
        if found.withdrawn:
            print(
                f"Songs whose corrections were withdrawn and that {made.about['gate']['against']} still learnt from: "
                f"{found.withdrawn}. `promote {made.name} --overrule REASON` lets the release without them serve."
            )
        return REFUSED
    if found.rolled_back and not found.withdrawn:
        print(f"A release of the same songs was rolled back. {made.name} is kept; `promote {made.name}` lets it serve.")
        return REFUSED
    if arguments.keep_only:
        print(f"The gate let {made.name} pass. It is kept; `promote {made.name}` lets it serve.")
        return PROMOTED
    releases.promote(made.name, ReleaseEvent.PROMOTED, reasons)
    print(f"{made.name} serves now.")
    return PROMOTED
