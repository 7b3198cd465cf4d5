"""A release small enough to be trained in a test, and songs of feedback that fit it; all of it made up.

Features are of few columns: a genre's songs lie around a point of its own, and changed copies beside them.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from classifier.__main__ import main
from classifier.features.families import TEXTURE, TEXTURE40
from classifier.inference.ensemble import Branch, Ensemble, Expert
from classifier.inference.estimators import GroupScaler, WeightedLDA
from classifier.inference.model import Artifact
from classifier.training import base_dataset, release_writer
from classifier.training.feature_matrix import Rows
from classifier.training.retraining import reference
from classifier.training.splits import Trial

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

GENRES = ("blues", "jazz", "rock")
WIDTH = 24
TRACKS = 18  # of each genre
COPIES = 2
FOLDS = 3
SCATTER = 0.7
NEW = "cheo"
"""A genre that the release does not know."""
PROMOTED, FAILED, REFUSED, NOT_ENOUGH = 0, 1, 3, 4


def centre(genre: str) -> NDArray[np.float32]:
    """Return where a genre's songs lie; the same for the same name."""
    seed = list(genre.encode())
    return np.random.default_rng(seed).normal(0, 1, WIDTH).astype(np.float32)


def features(genre: str, seed: int, count: int = 1) -> NDArray[np.float32]:
    """Return features of one song's segments, shape (count, WIDTH)."""
    draw = np.random.default_rng([seed, *genre.encode()])
    around = centre(genre) + draw.normal(0, SCATTER, WIDTH)
    return (around + draw.normal(0, 0.1, (count, WIDTH))).astype(np.float32)


def _rows(genres: Sequence[str]) -> Rows:
    names = [f"{genre}.{number}" for genre in genres for number in range(TRACKS)]
    matrix = np.concatenate([features(genre, number, 1 + COPIES) for genre in genres for number in range(TRACKS)])
    starts = np.arange(len(names) + 1) * (1 + COPIES)
    # Two tracks in a row are one artist's.
    groups = [f"{genre} {number // 2}" for genre in genres for number in range(TRACKS)]
    return Rows(
        np.array(names),
        np.repeat(np.array(genres), TRACKS),
        np.array(groups),
        {TEXTURE: matrix, TEXTURE40: matrix},
        {TEXTURE: starts, TEXTURE40: starts},
    )


def _expert(name: str, family: str, rows: Rows) -> Expert:
    every = np.arange(len(rows.names))
    X, y = rows.matrix(family, every)
    steps = [("scale", GroupScaler([WIDTH])), ("reduce", PCA(12, random_state=0)), ("expert", WeightedLDA())]
    return Expert(name, family, Pipeline(steps).fit(X, y))


def put_release(directory: Path, genres: Sequence[str] = GENRES) -> str:
    """Train and write a release with its base material; return its name."""
    rows = _rows(genres)
    fold = np.repeat(np.arange(TRACKS) // 2 % FOLDS, 1)
    fold = np.tile(fold, len(genres))
    trials = [Trial(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(FOLDS)]
    experts = (_expert("texture", TEXTURE, rows), _expert("texture40", TEXTURE40, rows))
    pool = Ensemble((Branch(tuple(genres), {"texture": 1.0, "texture40": 1.0}),), {})
    artifact = Artifact(experts, pool, 0.5)
    packed = release_writer.content(artifact)
    name = release_writer.name_of(artifact, packed)
    content = base_dataset.pack(reference(rows, trials, artifact, np.full(len(rows.names), ""), jobs=1))
    files = {release_writer.file_of(name): packed, base_dataset.file_of(content): content}
    release_writer.write(directory, name, artifact, files, {"trained_on": dict.fromkeys(genres, TRACKS)})
    return name


def line(song: str, label: str, genre: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a row of feedback: a song that sounds like one genre and is called another, or the same."""
    vector = features(genre or label, sum(song.encode()) + 1000)[0].tolist()
    facts = {"segment": 0, "weight": 1, "use": "train", "source": "local", "people": 2, "reviewed": "false"}
    return {
        "filename": f"{label}.{song}.0.wav",
        "length": 30 * 22_050,
        **{f"{family}_{place}": value for family in (TEXTURE, TEXTURE40) for place, value in enumerate(vector)},
        "label": label,
        "song": song,
        **facts,
        "model": "before",
        "heard_as": "rock",
        **more,
    }


def write_csv(path: Path, lines: Iterable[Mapping[str, Any]]) -> Path:
    """Write a feedback file."""
    lines = list(lines)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def write_json_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> Path:
    """Write a feedback file."""
    path.write_text("".join(json.dumps(dict(values)) + "\n" for values in lines), "utf-8")
    return path


def corrections(label: str, count: int, genre: str | None = None, **more: Any) -> list[dict[str, Any]]:
    """Return rows of so many songs of feedback."""
    return [line(f"{label} {number}", label, genre, **more) for number in range(count)]


def retrain(models: Path, lines: list[dict[str, Any]], *words: str) -> int:
    """Run the command on rows of feedback; return its exit status."""
    file = write_csv(models.parent / "feedback.csv", lines)
    return main(["retrain", "--feedback", str(file), "--models", str(models), "--jobs", "1", *words])
