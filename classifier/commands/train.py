"""``train``: builds a release from music whose genre is known, measures it and writes it down."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classifier.commands.protocol_selection import (
    add_network_argument,
    measure,
    missing_packages,
    number_of_processes,
    splits_of,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from classifier.inference.model import Artifact
    from classifier.training.accuracy import Figure
    from classifier.training.data_loading import Track
    from classifier.training.evaluation import Evaluation

DESCRIPTION: Final = """\
Builds a release: experts, the weights that pool them, a manifest with checksums, and a model card with every measured
figure. The training matrix goes with it, so that `retrain` needs no download.

DIR holds either the published sets (gtzan/, vietnamese/), or a folder of audio files for each genre, named for it;
the latter is measured by folds of its own, files kept whole, and needs three songs of each genre at the least. Seeds
are fixed. A release that lies in OUT already stays whole and in use until the new one takes its place."""
EVALUATION: Final = "evaluation.json"
CARD: Final = "MODEL_CARD.md"
LICENCE: Final = "MUSICNN_LICENSE.md"
"""Of the borrowed weights, which the release carries."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="music to learn from")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the release is written")
    add_network_argument(parser)
    parser.add_argument("--jobs", type=number_of_processes, default=-1, help="processes (default: one per core)")
    parser.add_argument(
        "--no-evaluate",
        action="store_true",
        help="leave out the measurements that the release itself does not need; the card then lacks them",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train; return the exit status."""
    from classifier.features.musicnn import MusiCNN
    from classifier.training import data_loading, musicnn_weights
    from classifier.training.splits import strangers, usable

    if problem := missing_packages() or _not_writable(arguments.out):
        print(problem, file=sys.stderr)
        return 2
    begun = time.monotonic()

    def say(stage: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {stage}", file=sys.stderr, flush=True)

    try:
        weights = musicnn_weights.load(arguments.musicnn)
        network = None if weights is None else MusiCNN(weights)
        every = data_loading.load(arguments.data, network=network, jobs=arguments.jobs, on_file=say)
    except (data_loading.NoMaterial, musicnn_weights.NoWeights) as error:
        print(error, file=sys.stderr)
        return 2
    _write_release(arguments, usable(every), strangers(every), weights, say)
    return 0


def _write_release(
    arguments: argparse.Namespace,
    tracks: list[Track],
    strange: list[Track],
    weights: Mapping[str, NDArray[Any]] | None,
    say: Callable[[str], None],
) -> None:
    from classifier.inference.model import Model
    from classifier.training import model_card, musicnn_weights, release_writer
    from classifier.training.base_dataset import file_of, pack
    from classifier.training.evaluation import Evaluation
    from classifier.training.retraining import reference
    from classifier.training.splits import gate_folds

    evaluation = Evaluation(tracks, arguments.data, weights, jobs=arguments.jobs, on_stage=say)
    artifact = release_writer.assemble(evaluation, strange)
    packed = release_writer.content(artifact)
    name = release_writer.name_of(artifact, packed)
    figures: list[Figure] = []
    if not arguments.no_evaluate:
        for split in splits_of(arguments.data, tracks):
            figures += measure(evaluation, split, Model(name, artifact))
    say("writing the release")
    answers = release_writer.held_out(evaluation)
    figures += answers.sure_figures(release_writer.stranger_probabilities(artifact, strange))
    base = reference(evaluation.rows, gate_folds(tracks), artifact, evaluation.collection, jobs=arguments.jobs)
    base_content = pack(base)
    files = {
        release_writer.file_of(name): packed,
        file_of(base_content): base_content,
        EVALUATION: _json(figures),
        CARD: model_card.markdown(name, artifact, tracks, figures).encode(),
        **model_card.pictures(answers.genres, answers.truth, answers.probabilities),
    }
    if arguments.musicnn is not None:
        files[LICENCE] = musicnn_weights.licence(arguments.musicnn)
    about = {"trained_on": _counts(artifact, evaluation), "figures": {"base": base.accuracy, "feedback": None}}
    release_writer.write(arguments.out, name, artifact, files, about)
    say(f"done: {name}, {len(packed) / 1e6:.1f} MB, in {arguments.out}")


def _not_writable(directory: Path) -> str | None:
    """Say why a release could not be written, before the work and not after it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return None
    except OSError as error:
        return f"Nothing can be written to {directory}: {error.strerror}."


def _json(figures: list[Figure]) -> bytes:
    return (json.dumps([figure.as_dict() for figure in figures], indent=1) + "\n").encode()


def _counts(artifact: Artifact, evaluation: Evaluation) -> dict[str, int]:
    rows = evaluation.rows
    classes = {genre: int((rows.genres == genre).sum()) for genre in artifact.ensemble.genres}
    return {**classes, **{style: int((rows.styles == style).sum()) for g in artifact.styles for style in g.styles}}
