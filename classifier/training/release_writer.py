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
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import joblib
import numpy as np
from joblib import Parallel, delayed

from classifier.features.families import TAGS
from classifier.inference.model import ARTIFACT_SUFFIX, FORMAT, MANIFEST, Artifact, BadRelease, read_manifest
from classifier.training import experts, feature_matrix, music_detection, styles, sureness
from classifier.training.accuracy import Figure
from classifier.training.classes import family_of
from classifier.training.data_loading import TRADITIONAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.training.data_loading import Track
    from classifier.training.evaluation import Evaluation

PACKAGES: Final = ("numpy", "scipy", "scikit-learn", "joblib")
COMPRESSION: Final = 3


def assemble(evaluation: Evaluation, strangers: Sequence[Track]) -> Artifact:
    """Fit every expert on all tracks, and the blend on what experts held of tracks held out.

    Parameters
    ----------
    strangers
        Songs of genres that are not learnt: of them no answer can be right.
    """
    rows, jobs = evaluation.rows, evaluation.jobs
    every = np.arange(len(evaluation.tracks))
    spaces = experts.fit_spaces(rows, every)
    fitted = Parallel(n_jobs=jobs)(delayed(experts.fit)(recipe, rows, spaces, every) for recipe in experts.RECIPES)
    # Experts of one family come back from their processes with a copy of its space each; a release holds one.
    able = tuple(
        experts.as_expert(recipe, spaces[recipe.family], expert.estimator.named_steps["expert"])
        for recipe, expert in zip(experts.RECIPES, fitted, strict=True)
        if expert is not None
    )
    borne_out = styles.known_styles(evaluation.tracks)
    told = styles.learn(rows, evaluation.style_trials, spaces, borne_out, jobs=jobs)
    labels = {str(label) for label in rows.styles} | {style for group in told for style in group.styles}
    artifact = Artifact(
        able,
        evaluation.final_blend(),
        1.0,
        told,
        evaluation.network,
        None if evaluation.sounds is None else music_detection.fit(evaluation.sounds),
        {label: family for label in sorted(labels) if (family := family_of(label)) != label},
    )
    known = held_out(evaluation)
    strange = stranger_probabilities(artifact, strangers)
    least = sureness.least_by_genre(known.genres, known.probabilities, known.truth, known.collections, strange)
    return replace(artifact, sure_from=max(least.values()), sure_by_genre=least)


def stranger_probabilities(artifact: Artifact, strangers: Sequence[Track]) -> NDArray[np.float64]:
    """Ask a release about songs of genres that it does not know; shape (n, genres)."""
    if not strangers:
        return np.zeros((0, len(artifact.ensemble.genres)))
    rows = feature_matrix.build(strangers, jobs=1, copies=False)
    every = np.arange(len(strangers))
    stored = {family: rows.single(family, every) for family in rows.families if rows.having(family).all()}
    opinions = {expert.name: expert.opinion_of(stored, len(strangers)) for expert in artifact.experts}
    return artifact.ensemble.probabilities(opinions)


@dataclass(frozen=True, eq=False)
class HeldOutAnswers:
    """The ensemble's answers about n tracks that it had not learnt from.

    Attributes
    ----------
    tracks
        Places of the tracks, shape (n,).
    genres
        Of the columns of ``probabilities``.
    truth, collections, groups
        Class of each track, where it is from, and its artist or recording, shape (n,).
    probabilities
        Shape (n, genres).
    """

    tracks: NDArray[np.int64]
    genres: tuple[str, ...]
    truth: NDArray[np.str_]
    collections: NDArray[np.str_]
    groups: NDArray[np.str_]
    probabilities: NDArray[np.float64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the answer is right, shape (n,)."""
        return np.array(self.genres)[self.probabilities.argmax(axis=1)] == self.truth

    def sure_figures(self, strange: NDArray[np.float64]) -> list[Figure]:
        """Count how many of the sure and of the other answers were right, and how many are sure, by collection.

        The bounds are chosen without the songs that they are measured on, artists apart.

        Parameters
        ----------
        strange
            What the release answers about songs of genres that it does not know, shape (m, genres).
        """
        sure, told = sureness.held_out_sure(
            self.genres, self.probabilities, self.truth, self.collections, self.groups, strange
        )
        found = []
        for collection in dict.fromkeys(self.collections.tolist()):
            mine = self.collections == collection
            name = collection or "all"
            found.append(Figure.count("sure", name, "sure answers that are right", self.right[mine & sure]))
            found.append(Figure.count("sure", name, "other answers that are right", self.right[mine & ~sure]))
            found.append(Figure.count("sure", name, "answers that are sure", sure[mine]))
        if len(strange):
            found.append(Figure.count("sure", "genres that are not known", "answers that are sure", told))
        return found


def held_out(evaluation: Evaluation) -> HeldOutAnswers:
    """Return the ensemble's answers about every track when it was held out.

    Where the release has MusiCNN, songs of GTZAN whose taggram is not published are left out: no song that is sent to
    the bot lacks it. Where no song has one, none is left out.
    """
    answers = evaluation.whole
    tracks = np.concatenate([found.tracks for found in answers])
    probabilities = np.concatenate([found.probabilities for found in answers])
    tagged = evaluation.rows.having(TAGS)[tracks]
    if evaluation.network is not None and tagged.any():
        whole = tagged | (evaluation.collection[tracks] == TRADITIONAL)
        tracks, probabilities = tracks[whole], probabilities[whole]
    return HeldOutAnswers(
        tracks,
        answers[0].genres,
        evaluation.rows.genres[tracks],
        evaluation.collection[tracks],
        evaluation.rows.groups[tracks],
        probabilities,
    )


def content(artifact: Artifact) -> bytes:
    """Return the artifact's file."""
    buffer = io.BytesIO()
    joblib.dump(artifact, buffer, compress=("zlib", COMPRESSION))
    return buffer.getvalue()


def name_of(artifact: Artifact, packed: bytes) -> str:
    """Name a release for what it knows and holds."""
    return f"{len(artifact.genres)}-genres-{hashlib.sha256(packed).hexdigest()[:8]}"


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
        "genres": list(artifact.genres),
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
        "styles": {group.family: list(group.styles) for group in artifact.styles},
        "sure_from": artifact.sure_from,
        "sure_by_genre": dict(artifact.sure_by_genre),
        **about,
        "versions": {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}},
        "files": {
            file: {"bytes": len(packed), "sha256": hashlib.sha256(packed).hexdigest()} for file, packed in files.items()
        },
    }
