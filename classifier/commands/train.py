"""``train``: builds a release from music whose genre is known, measures it and writes it down."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.protocol_selection import measure, missing_packages, number_of_processes, splits_of

if TYPE_CHECKING:
    import argparse

    from classifier.inference.model import Artifact
    from classifier.training.accuracy import Figure
    from classifier.training.evaluation import Bench

DESCRIPTION: Final = """\
Builds a release: experts, the weights that pool them, a manifest with checksums, and a model card with every measured
figure. The training matrix goes with it, so that `retrain` needs no download.

DIR holds either the published sets (gtzan/, vietnamese/), or a folder of audio files for each genre, named for it;
the latter is measured by folds of its own, files kept whole, and needs three songs of each genre at the least. Seeds
are fixed. A release that lies in OUT already stays whole and in use until the new one takes its place."""
EVALUATION: Final = "evaluation.json"
CARD: Final = "MODEL_CARD.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="music to learn from")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the release is written")
    parser.add_argument("--jobs", type=number_of_processes, default=-1, help="processes (default: one per core)")
    parser.add_argument(
        "--no-evaluate",
        action="store_true",
        help="leave out the measurements that the release itself does not need; the card then lacks them",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train; return the exit status."""
    from classifier.inference.model import Model
    from classifier.training import data_loading, model_card, recordings_evaluation, release_writer
    from classifier.training.base_dataset import file_of, pack
    from classifier.training.evaluation import Bench
    from classifier.training.retraining import reference
    from classifier.training.splits import gate_folds, usable

    if problem := missing_packages() or _not_writable(arguments.out):
        print(problem, file=sys.stderr)
        return 2
    begun = time.monotonic()

    def say(stage: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {stage}", file=sys.stderr, flush=True)

    try:
        tracks = usable(data_loading.load(arguments.data, on_file=say))
    except data_loading.NoMaterial as error:
        print(error, file=sys.stderr)
        return 2
    bench = Bench(tracks, jobs=arguments.jobs, on_stage=say)
    artifact = release_writer.assemble(bench)
    packed = release_writer.content(artifact)
    name = release_writer.name_of(artifact, packed)
    figures: list[Figure] = []
    if not arguments.no_evaluate:
        for split in splits_of(arguments.data, tracks):
            if split == "recordings":
                say("the released model on recordings")
                second = bench.branches[1] if len(bench.branches) > 1 else []
                figures += recordings_evaluation.figures(
                    Model(name, artifact), arguments.data, second, jobs=arguments.jobs
                )
            else:
                figures += measure(bench, split, arguments.data)
    say("writing the release")
    genres, truth, probabilities, sure = release_writer.held_out_answers(bench, artifact)
    base = reference(bench.rows, gate_folds(tracks), artifact, jobs=arguments.jobs)
    base_content = pack(base)
    files = {
        release_writer.file_of(name): packed,
        file_of(base_content): base_content,
        EVALUATION: _json(figures),
        CARD: model_card.markdown(name, artifact, tracks, figures, sure).encode(),
        **model_card.pictures(genres, truth, probabilities),
    }
    about = {"trained_on": _counts(artifact, bench), "figures": {"base": base.accuracy, "feedback": None}}
    release_writer.write(arguments.out, name, artifact, files, about)
    say(f"done: {name}, {len(packed) / 1e6:.1f} MB, in {arguments.out}")
    return 0


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


def _counts(artifact: Artifact, bench: Bench) -> dict[str, int]:
    return {genre: int((bench.rows.genres == genre).sum()) for genre in artifact.ensemble.genres}
