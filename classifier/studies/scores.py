"""What answers are worth: accuracy with its standard error, precision, recall, F1, by row and by song."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from classifier.studies.protocols import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.studies.config import Model
    from classifier.studies.model_runner import Answers
    from classifier.studies.protocols import Protocol
    from classifier.studies.study_table import Table

DIGITS: Final = 4


@dataclass(frozen=True)
class Genre:
    """How one genre fared; ``rows`` is how many of it were tested."""

    genre: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class Measured:
    """One model under one protocol, over all its trials.

    Attributes
    ----------
    model, protocol, printed
        Which; ``printed`` is the accuracy that was published for it.
    rows, accuracy, standard_error
        Rows tested and share of right answers; its error takes rows of one song for what they are, one song.
    precision, recall, f1
        Means over the genres.
    train, validation
        Share of right answers on the other parts.
    songs, song_accuracy, song_standard_error
        By vote of a song's rows; None where rows of a song stand on both sides, or nothing is known of songs.
    genres, confusion
        Genre by genre; rows of the matrix are the truth.
    settings
        Chosen in each trial.
    tried
        What the search of the first trial saw.
    trials
        Accuracy of each trial.
    fit_seconds, answer_seconds
        Mean over the trials.
    """

    model: str
    protocol: str
    printed: float | None
    rows: int
    accuracy: float
    standard_error: float
    precision: float
    recall: float
    f1: float
    train: float
    validation: float | None
    songs: int | None
    song_accuracy: float | None
    song_standard_error: float | None
    genres: tuple[Genre, ...]
    confusion: tuple[tuple[int, ...], ...]
    settings: tuple[Mapping[str, Any], ...]
    tried: tuple[tuple[Mapping[str, Any], float], ...]
    trials: tuple[float, ...]
    fit_seconds: float
    answer_seconds: float

    @property
    def best(self) -> tuple[float, float]:
        """Accuracy by song where it is known, by row otherwise, and its standard error."""
        if self.song_accuracy is not None and self.song_standard_error is not None:
            return self.song_accuracy, self.song_standard_error
        return self.accuracy, self.standard_error

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data, without the times, which no two runs have in common."""
        numbers = ("accuracy", "standard_error", "precision", "recall", "f1", "train", "validation")
        return {
            "model": self.model,
            "protocol": self.protocol,
            "printed": self.printed,
            "rows": self.rows,
            **{name: _rounded(getattr(self, name)) for name in numbers},
            "songs": self.songs,
            "song_accuracy": _rounded(self.song_accuracy),
            "song_standard_error": _rounded(self.song_standard_error),
            "genres": [
                {
                    "genre": one.genre,
                    "precision": _rounded(one.precision),
                    "recall": _rounded(one.recall),
                    "f1": _rounded(one.f1),
                    "rows": one.rows,
                }
                for one in self.genres
            ],
            "confusion": [list(row) for row in self.confusion],
            "settings": [dict(settings) for settings in self.settings],
            "tried": [{"settings": dict(settings), "accuracy": _rounded(share)} for settings, share in self.tried],
            "trials": [_rounded(share) for share in self.trials],
        }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DIGITS)


def measure(model: Model, protocol: Protocol, said: Sequence[Answers], table: Table) -> Measured:
    """Count a model's answers over all trials of a protocol."""
    asked = np.concatenate([trial.test for trial in protocol.trials])
    answers = np.concatenate([part.test for part in said])
    truth, right = table.genres[asked], answers == table.genres[asked]
    classes = list(table.classes)
    one_by_one = precision_recall_fscore_support(truth, answers, labels=classes, zero_division=0)
    precision, recall, f1, rows = (np.asarray(values, dtype=float) for values in one_by_one)
    groups = None if table.groups is None else table.groups[asked]
    by_song: tuple[int | None, float | None, float | None] = (None, None, None)
    if groups is not None and protocol.votes and len(np.unique(groups)) < len(groups):
        by_song = votes(groups, answers, truth)
    learnt = [table.genres[trial.train] for trial in protocol.trials]
    chosen = [table.genres[trial.validation] for trial in protocol.trials]
    return Measured(
        model=model.name,
        protocol=protocol.name,
        printed=model.printed if protocol.name == ROWS else None,
        rows=len(asked),
        accuracy=float(right.mean()),
        standard_error=clustered_error(right, groups),
        precision=float(precision.mean()),
        recall=float(recall.mean()),
        f1=float(f1.mean()),
        train=_share([part.train for part in said], learnt) or 0.0,
        validation=_share([part.validation for part in said], chosen),
        songs=by_song[0],
        song_accuracy=by_song[1],
        song_standard_error=by_song[2],
        genres=tuple(
            Genre(genre, float(p), float(r), float(f), int(n))
            for genre, p, r, f, n in zip(classes, precision, recall, f1, rows, strict=True)
        ),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion_matrix(truth, answers, labels=classes)),
        settings=tuple(part.settings for part in said),
        tried=tuple(said[0].tried),
        trials=tuple(
            float((part.test == table.genres[trial.test]).mean())
            for part, trial in zip(said, protocol.trials, strict=True)
        ),
        fit_seconds=float(np.mean([part.fit_seconds for part in said])),
        answer_seconds=float(np.mean([part.answer_seconds for part in said])),
    )


def _share(answers: Sequence[NDArray[np.str_]], truth: Sequence[NDArray[np.str_]]) -> float | None:
    of = sum(len(part) for part in truth)
    # A stacking is given no validation part, having nothing to choose.
    if not of or any(len(a) != len(t) for a, t in zip(answers, truth, strict=True)):
        return None
    return sum(int((a == t).sum()) for a, t in zip(answers, truth, strict=True)) / of


def clustered_error(right: NDArray[np.bool_], groups: NDArray[np.str_] | None) -> float:
    """Return the standard error of a share of right answers, rows of one group counted as drawn together."""
    away = right - right.mean()
    if groups is not None:
        _, place = np.unique(groups, return_inverse=True)
        away = np.bincount(place, weights=away)
    return math.sqrt(float((away**2).sum())) / len(right)


def votes(groups: NDArray[np.str_], answers: NDArray[np.str_], truth: NDArray[np.str_]) -> tuple[int, float, float]:
    """Let a song's rows vote; return songs, share of songs right, its standard error.

    A tie that the right genre is part of counts as the share of it that a fair draw would give.
    """
    names, place = np.unique(groups, return_inverse=True)
    genres, said = np.unique(np.concatenate([answers, truth]), return_inverse=True)
    ballots = np.zeros((len(names), len(genres)))
    np.add.at(ballots, (place, said[: len(answers)]), 1)
    first = np.unique(place, return_index=True)[1]
    true = said[len(answers) :][first]
    most = ballots == ballots.max(axis=1, keepdims=True)
    right = most[np.arange(len(names)), true] / most.sum(axis=1)
    return len(names), float(right.mean()), math.sqrt(float(((right - right.mean()) ** 2).sum())) / len(names)


def order_kept(printed: Sequence[float], measured: Sequence[float]) -> tuple[int, int]:
    """Count pairs of models that stand in the printed order, and all pairs whose printed figures differ."""
    pairs = [(a, b) for a, b in combinations(range(len(printed)), 2) if printed[a] != printed[b]]
    kept = sum((printed[a] - printed[b]) * (measured[a] - measured[b]) > 0 for a, b in pairs)
    return kept, len(pairs)
