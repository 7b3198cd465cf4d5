"""The base material: the training matrix that travels inside a release, so that the next one needs no download.

It holds every track's features, as it is and changed, in the reduced space of the release's own machines, a byte a
number; who is whose artist as a number; which tracks the gate's trials hold out; and what machines that learnt from
nothing else answered there. No picture and no sound can be had back from it. Feedback is never put into it: a release
learns from what an export holds on the day, so that whatever was taken back is gone from the next one.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np

from classifier.features.families import LEARNT_FAMILIES
from classifier.inference.manifest import BadRelease, read_manifest, read_verified_file
from classifier.training.classes import TRADITIONAL as TRADITIONAL_FAMILY
from classifier.training.classes import family_of
from classifier.training.data_loading import GTZAN, TRADITIONAL
from classifier.training.experts import spaces_of
from classifier.training.splits import Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.inference.model import Artifact
    from classifier.training.feature_matrix import Rows

PREFIX: Final = "base-"
SUFFIX: Final = ".npz"
VERSION: Final = 2
_READ: Final = (1, VERSION)
"""Versions that can be read. The first knew no styles and did not say where a track is from."""
_LEVELS: Final = 255
_NEVER: Final = -1


@dataclass(frozen=True, eq=False)
class Base:
    """The base material of n tracks.

    Attributes
    ----------
    genres
        Of the tracks, shape (n,).
    groups
        Number of the artist, song or recording, shape (n,).
    trials
        What learns and what is held out in each of the gate's trials.
    families
        Family → reduced features, shape (all rows of the family, components), float32.
    starts
        Family → first row of each track, shape (n + 1,), as in ``classifier.training.feature_matrix``.
    answers
        What experts without any feedback answered of each track when it was held out, shape (n,); empty where it never
        was.
    labels
        The most specific genre of each track, shape (n,).
    collections
        Where each track is from, shape (n,).
    """

    genres: NDArray[np.str_]
    groups: NDArray[np.int32]
    trials: tuple[Trial, ...]
    families: Mapping[str, NDArray[np.float32]]
    starts: Mapping[str, NDArray[np.int64]]
    answers: NDArray[np.str_]
    labels: NDArray[np.str_]
    collections: NDArray[np.str_]

    def having(self, family: str) -> NDArray[np.bool_]:
        """Tell which tracks have a family, shape (n,)."""
        return np.diff(self.starts[family]) > 0

    @property
    def accuracy(self) -> float:
        """Share of right ones among the answers."""
        asked = self.answers != ""
        return round(float((self.answers == self.genres)[asked].mean()), 4)


def of(rows: Rows, trials: Sequence[Trial], artifact: Artifact, collections: NDArray[np.str_]) -> Base:
    """Make the base material of a training matrix; its ``answers`` are still to be had."""
    reduction = spaces_of(artifact.experts)
    every = np.arange(len(rows.names))
    _, groups = np.unique(rows.groups, return_inverse=True)
    return Base(
        genres=rows.genres,
        groups=groups.astype(np.int32),
        trials=tuple(trials),
        families={family: space(rows.matrix(family, every)[0]) for family, space in reduction.items()},
        starts={family: np.concatenate([[0], np.cumsum(rows.counts(family))]) for family in reduction},
        answers=np.full(len(rows.genres), "", dtype=rows.genres.dtype),
        labels=rows.styles,
        collections=collections,
    )


def pack(base: Base) -> bytes:
    """Write the base material down; NumPy's own compressed archive, read without pickle."""
    genres, places = np.unique(base.genres, return_inverse=True)
    labels, label_places = np.unique(base.labels, return_inverse=True)
    collections, collection_places = np.unique(base.collections, return_inverse=True)
    answers = np.array([_NEVER if not answer else int(np.searchsorted(genres, answer)) for answer in base.answers])
    tests, learns = np.full(len(base.genres), _NEVER), np.zeros((len(base.trials), len(base.genres)), dtype=bool)
    for number, trial in enumerate(base.trials):
        tests[trial.test] = number
        learns[number, trial.train] = True
    arrays: dict[str, NDArray[Any]] = {
        "version": np.array(VERSION),
        "names": genres,
        "genres": places.astype(np.int16),
        "groups": base.groups,
        "tests": tests.astype(np.int8),
        "learns": learns,
        "answers": answers.astype(np.int16),
        "label_names": labels,
        "labels": label_places.astype(np.int16),
        "collection_names": collections,
        "collections": collection_places.astype(np.int8),
    }
    for family, matrix in base.families.items():
        low, step = _scale(matrix)
        arrays[f"rows:{family}"] = np.round((matrix - low) / step).astype(np.uint8)
        arrays[f"low:{family}"], arrays[f"step:{family}"] = low, step
        arrays[f"counts:{family}"] = np.diff(base.starts[family]).astype(np.uint8)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def _scale(matrix: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    low = matrix.min(axis=0)
    step = (matrix.max(axis=0) - low) / _LEVELS
    return low, np.where(step > 0, step, 1).astype(np.float32)


def unpack(content: bytes) -> Base:
    """Read what ``pack`` wrote.

    Raises
    ------
    BadRelease
        If it is of another version or no such archive.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            if int(arrays["version"]) not in _READ:
                raise BadRelease("The release's base material is of another version. Train it again.")
            return _unpacked(arrays)
    except (OSError, EOFError, BadZipFile, KeyError, ValueError) as error:
        raise BadRelease(f"The release's base material cannot be read: {error}") from error


def _unpacked(arrays: Any) -> Base:
    names, tests, answers = arrays["names"], arrays["tests"], arrays["answers"]
    families, starts = {}, {}
    for family in LEARNT_FAMILIES:
        if f"rows:{family}" in arrays:
            families[family] = arrays[f"rows:{family}"] * arrays[f"step:{family}"] + arrays[f"low:{family}"]
            starts[family] = np.concatenate([[0], np.cumsum(arrays[f"counts:{family}"], dtype=np.int64)])
    genres = names[arrays["genres"]]
    known = int(arrays["version"]) > 1
    return Base(
        genres=genres,
        groups=arrays["groups"],
        trials=tuple(
            Trial(np.flatnonzero(learns), np.flatnonzero(tests == number))
            for number, learns in enumerate(arrays["learns"])
        ),
        families=families,
        starts=starts,
        answers=np.where(answers == _NEVER, "", names[answers]),
        labels=arrays["label_names"][arrays["labels"]] if known else genres,
        collections=arrays["collection_names"][arrays["collections"]] if known else _from_published_sets(genres),
    )


def _from_published_sets(genres: NDArray[np.str_]) -> NDArray[np.str_]:
    """Tell where the tracks of a base of the first version are from: it had GTZAN and traditional Vietnamese clips."""
    return np.where([family_of(str(genre)) == TRADITIONAL_FAMILY for genre in genres], TRADITIONAL, GTZAN)


def with_answers(base: Base, answers: NDArray[np.str_]) -> Base:
    """Return the same material with what machines without feedback answered."""
    return replace(base, answers=answers)


def file_of(content: bytes) -> str:
    """Name the file after its content, so that releases with the same base share the name and no other does."""
    return f"{PREFIX}{hashlib.sha256(content).hexdigest()[:8]}{SUFFIX}"


def find(directory: Path) -> tuple[str, bytes]:
    """Return name and content of the base material of the release that lies in a folder.

    Raises
    ------
    BadRelease
        If it carries none, or not the one that its manifest vouches for.
    """
    manifest = read_manifest(directory)
    names = [str(file) for file in manifest["files"] if str(file).startswith(PREFIX) and str(file).endswith(SUFFIX)]
    if len(names) != 1:
        raise BadRelease(
            f"The release in {directory} carries no base material: train it again, then it can be retrained."
        )
    return names[0], read_verified_file(directory, names[0], manifest)
