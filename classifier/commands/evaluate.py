"""``evaluate``: measures every system on songs held out, under one named protocol."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.protocol_selection import (
    SPLITS,
    add_network_argument,
    has_recordings,
    measure,
    missing_packages,
    number_of_processes,
    splits_of,
)
from classifier.inference.manifest import PACKAGED_MODELS

if TYPE_CHECKING:
    import argparse

    from classifier.training.accuracy import Figure

DESCRIPTION: Final = """\
Trains on one part of the music and counts right answers on the other: the ensemble, each of its experts, and the
classic recipe on the 57 features.

fault_filtered  published split, artists apart: train and valid to test
artist_fold     published folds, artists apart
random          songs at random: artists on both sides, for comparison with print
rows            ten-second rows at random: songs on both sides, the leak behind most printed figures
modern          songs of the last decades, artists apart: families, and styles within them
notmusic        speech, noises and tones against music of artists held out
vietnamese      blocks of neighbouring clips; false alarms among GTZAN songs
recordings      the released model (--model-dir) after codecs and damage, and on music from other sources
folds           folds of a collection of your own
all             every one that DIR allows"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    default = Path(os.environ.get("MODEL_DIR") or PACKAGED_MODELS)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="music, as for train")
    parser.add_argument("--split", required=True, choices=(*SPLITS, "all"), metavar="NAME", help="see above")
    add_network_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object with all figures")
    parser.add_argument("--jobs", type=number_of_processes, default=-1, help="processes (default: one per core)")
    parser.add_argument("--model-dir", type=Path, default=default, metavar="DIR", help="for recordings")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate; return the exit status."""
    from classifier.features.musicnn import MusiCNN
    from classifier.inference.model import BadRelease, Model
    from classifier.training import data_loading, musicnn_weights
    from classifier.training.evaluation import Evaluation
    from classifier.training.splits import usable

    if problem := missing_packages():
        print(problem, file=sys.stderr)
        return 2
    try:
        # Before minutes of reading and hours of measuring, not after them: whether there is a release to ask.
        asks = arguments.split in {"recordings", "all"} and has_recordings(arguments.data)
        model = Model.load(arguments.model_dir) if asks else None
        weights = musicnn_weights.load(arguments.musicnn)
        network = None if weights is None else MusiCNN(weights)
        tracks = usable(data_loading.load(arguments.data, network=network, jobs=arguments.jobs, on_file=_say))
        allowed = splits_of(arguments.data, tracks)
        if arguments.split not in {*allowed, "all"}:
            print(f"{arguments.data} does not hold what {arguments.split} needs.", file=sys.stderr)
            return 2
        names = allowed if arguments.split == "all" else [arguments.split]
        evaluation = Evaluation(tracks, arguments.data, weights, jobs=arguments.jobs, on_stage=_say)
        figures = [figure for name in names for figure in measure(evaluation, name, model)]
    except (data_loading.NoMaterial, BadRelease, musicnn_weights.NoWeights) as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps({"split": arguments.split, "figures": [figure.as_dict() for figure in figures]}))
    else:
        _print_table(figures)
    return 0


def _say(stage: str) -> None:
    print(stage, file=sys.stderr, flush=True)


def _print_table(figures: list[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("split", "system", "condition", "share", "± s.e.", "tracks")
    for figure in figures:
        share, error = f"{figure.share:.3f}", f"{figure.standard_error:.3f}"
        table.add_row(figure.split, figure.system, figure.condition, share, error, f"{figure.right} of {figure.of}")
    Console().print(table)
