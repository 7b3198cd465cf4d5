"""Makes a release of measured experts and writes it down: artifact, manifest, evaluation, model card.

A release takes the place of another in one step, so that whoever loads a model finds a whole one at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
from contextlib import suppress
from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import joblib
import numpy as np
from joblib import Parallel, delayed

from classifier.inference.model import ARTIFACT_SUFFIX, FORMAT, MANIFEST, Artifact, BadRelease, read_manifest
from classifier.training import blending, experts
from classifier.training.accuracy import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.training.evaluation import Bench

SURE_SHARE: Final = 0.85
"""Of the answers told as sure, this share was right on songs held out."""
PACKAGES: Final = ("numpy", "scipy", "scikit-learn", "joblib")
COMPRESSION: Final = 3


def assemble(bench: Bench) -> Artifact:
    """Fit every expert on all tracks, and the pool on what experts held of tracks held out."""
    _, truth, probabilities, hard = _held_out(bench)
    genres = np.array([genre for branch in bench.branches for genre in branch])
    right = genres[probabilities.argmax(axis=1)] == truth
    threshold = blending.sure_from(probabilities.max(axis=1)[hard], right[hard], wanted=SURE_SHARE)
    every = np.arange(len(bench.tracks))
    fitted = Parallel(n_jobs=bench.jobs)(delayed(experts.fit)(recipe, bench.rows, every) for recipe in experts.RECIPES)
    return Artifact(tuple(fitted), bench.final_pool(), threshold)


def held_out_answers(
    bench: Bench, artifact: Artifact
) -> tuple[tuple[str, ...], NDArray[np.str_], NDArray[np.float64], tuple[Figure, Figure]]:
    """Return what is known of the release's answers from tracks held out.

    Returns
    -------
    The genres; the true genre of n tracks; the ensemble's probabilities, shape (n, genres); and how many of the sure
    and of the unsure answers were right.
    """
    genres, truth, probabilities, hard = _held_out(bench)
    right = np.array(genres)[probabilities.argmax(axis=1)] == truth
    sure = probabilities.max(axis=1) >= artifact.sure_from
    counted = (
        Figure.count("held out", "ensemble", "sure", right[sure & hard]),
        Figure.count("held out", "ensemble", "not sure", right[~sure & hard]),
    )
    return genres, truth, probabilities, counted


def _held_out(bench: Bench) -> tuple[tuple[str, ...], NDArray[np.str_], NDArray[np.float64], NDArray[np.bool_]]:
    """Return also which tracks are of the first branch.

    The threshold follows these: they are the harder ones, and the other branch's clips are many of few recordings.
    """
    answers = bench.whole
    truth = np.concatenate([bench.rows.genres[tracks] for tracks, _, _ in answers])
    probabilities = np.concatenate([held for _, held, _ in answers])
    return answers[0][2].genres, truth, probabilities, np.isin(truth, bench.branches[0])


def content(artifact: Artifact) -> bytes:
    """Return the artifact's file."""
    buffer = io.BytesIO()
    joblib.dump(artifact, buffer, compress=("zlib", COMPRESSION))
    return buffer.getvalue()


def name_of(artifact: Artifact, packed: bytes) -> str:
    """Name a release for what it knows and holds."""
    return f"{len(artifact.ensemble.genres)}-genres-{hashlib.sha256(packed).hexdigest()[:8]}"


def file_of(name: str) -> str:
    """Name a release's artifact after it, so that a new one can lie beside the old until the manifest changes."""
    return name + ARTIFACT_SUFFIX


def write(directory: Path, name: str, artifact: Artifact, files: Mapping[str, bytes], about: Mapping[str, Any]) -> None:
    """Write a release in the place of the one that is there.

    The manifest is exchanged in one step once the artifact lies beside it: whoever reads finds the old release or the
    new one, and an interruption leaves one of them whole.

    Parameters
    ----------
    files
        Name → content: the artifact, named by ``file_of``, and what goes with it.
    about
        What else the manifest should tell.
    """
    directory.mkdir(parents=True, exist_ok=True)
    earlier = _files_of(directory)
    _put(directory, file_of(name), files[file_of(name)])
    manifest = json.dumps(_manifest(name, artifact, files, about), indent=2, ensure_ascii=False) + "\n"
    _put(directory, MANIFEST, manifest.encode())
    for file in files.keys() - {file_of(name)}:
        _put(directory, file, files[file])
    for file in earlier - set(files):
        (directory / file).unlink(missing_ok=True)


def _files_of(directory: Path) -> set[str]:
    """Name the files of the release that lies in a folder; none where there is no release."""
    with suppress(BadRelease):
        return {str(file) for file in read_manifest(directory)["files"] if PurePath(str(file)).name == file}
    return set()


def _put(directory: Path, name: str, packed: bytes) -> None:
    """Exchange a file in one step; after a crash it is the old or the new one."""
    temporary = directory / f".{name}.{os.getpid()}"
    try:
        with temporary.open("wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(directory / name)
    finally:
        temporary.unlink(missing_ok=True)


def _manifest(name: str, artifact: Artifact, files: Mapping[str, bytes], about: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "name": name,
        "genres": list(artifact.ensemble.genres),
        "experts": [
            {"name": expert.name, "family": expert.family, "genres": list(expert.genres)} for expert in artifact.experts
        ],
        "pool": {
            "branches": [
                {"genres": list(branch.genres), "weights": dict(branch.weights), "bias": branch.bias}
                for branch in artifact.ensemble.branches
            ],
            "gate": dict(artifact.ensemble.gate),
        },
        "sure_from": artifact.sure_from,
        **about,
        "versions": {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}},
        "files": {
            file: {"bytes": len(packed), "sha256": hashlib.sha256(packed).hexdigest()} for file, packed in files.items()
        },
    }
