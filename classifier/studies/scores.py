"""Scores of predictions: accuracy with standard error, precision, recall and F1, by row and by song."""

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

    from classifier.studies.config import StudyModel
    from classifier.studies.model_runner import Predictions
    from classifier.studies.protocols import Protocol
    from classifier.studies.study_table import StudyTable

DIGITS: Final = 4


@dataclass(frozen=True)
class GenreScores:
    """The scores of one genre; ``rows`` is its number of test rows."""

    genre: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class ModelScores:
    """The scores of a model under a protocol, over all trials.

    Attributes
    ----------
    model, protocol, printed
        ``printed`` is the published accuracy.
    rows, accuracy, standard_error
        Number of test rows, share of correct predictions, and its standard error, clustered by song.
    precision, recall, f1
        Means over the genres.
    train, validation
        Accuracy on the training and validation sets.
    songs, song_accuracy, song_standard_error
        The same by vote of a song's rows; None if songs are unknown or not kept apart.
    genres, confusion
        Scores per genre; confusion matrix with true genres as rows.
    settings
        Settings chosen in each trial.
    tried
        Parameter search of the first trial.
    trials
        Accuracy of each trial.
    fit_seconds, answer_seconds
        Means over the trials.
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
    genres: tuple[GenreScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    settings: tuple[Mapping[str, Any], ...]
    tried: tuple[tuple[Mapping[str, Any], float], ...]
    trials: tuple[float, ...]
    fit_seconds: float
    answer_seconds: float

    @property
    def best(self) -> tuple[float, float]:
        """Accuracy by song if known, else by row, and its standard error."""
        if self.song_accuracy is not None and self.song_standard_error is not None:
            return self.song_accuracy, self.song_standard_error
        return self.accuracy, self.standard_error

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data, without the times, which differ from run to run."""
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


def measure(
    model: StudyModel, protocol: Protocol, predictions: Sequence[Predictions], table: StudyTable
) -> ModelScores:
    """Compute the scores of a model over all trials of a protocol."""
    test_rows = np.concatenate([trial.test for trial in protocol.trials])
    answers = np.concatenate([part.test for part in predictions])
    truth, right = table.genres[test_rows], answers == table.genres[test_rows]
    classes = list(table.classes)
    per_class = precision_recall_fscore_support(truth, answers, labels=classes, zero_division=0)
    precision, recall, f1, rows = (np.asarray(values, dtype=float) for values in per_class)
    groups = None if table.groups is None else table.groups[test_rows]
    by_song: tuple[int | None, float | None, float | None] = (None, None, None)
    if groups is not None and protocol.votes and len(np.unique(groups)) < len(groups):
        by_song = votes(groups, answers, truth)
    learnt = [table.genres[trial.train] for trial in protocol.trials]
    chosen = [table.genres[trial.validation] for trial in protocol.trials]
    return ModelScores(
        model=model.name,
        protocol=protocol.name,
        printed=model.printed if protocol.name == ROWS else None,
        rows=len(test_rows),
        accuracy=float(right.mean()),
        standard_error=clustered_error(right, groups),
        precision=float(precision.mean()),
        recall=float(recall.mean()),
        f1=float(f1.mean()),
        train=_share([part.train for part in predictions], learnt) or 0.0,
        validation=_share([part.validation for part in predictions], chosen),
        songs=by_song[0],
        song_accuracy=by_song[1],
        song_standard_error=by_song[2],
        genres=tuple(
            GenreScores(genre, float(p), float(r), float(f), int(n))
            for genre, p, r, f, n in zip(classes, precision, recall, f1, rows, strict=True)
        ),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion_matrix(truth, answers, labels=classes)),
        settings=tuple(part.settings for part in predictions),
        tried=tuple(predictions[0].tried),
        trials=tuple(
            float((part.test == table.genres[trial.test]).mean())
            for part, trial in zip(predictions, protocol.trials, strict=True)
        ),
        fit_seconds=float(np.mean([part.fit_seconds for part in predictions])),
        answer_seconds=float(np.mean([part.answer_seconds for part in predictions])),
    )


def _share(answers: Sequence[NDArray[np.str_]], truth: Sequence[NDArray[np.str_]]) -> float | None:
    of = sum(len(part) for part in truth)
    # Stacking models have no validation predictions, because they have no settings to choose.
    if not of or any(len(a) != len(t) for a, t in zip(answers, truth, strict=True)):
        return None
    return sum(int((a == t).sum()) for a, t in zip(answers, truth, strict=True)) / of


def clustered_error(right: NDArray[np.bool_], groups: NDArray[np.str_] | None) -> float:
    """Return the standard error of an accuracy, clustered by group."""
    away = right - right.mean()
    if groups is not None:
        _, place = np.unique(groups, return_inverse=True)
        away = np.bincount(place, weights=away)
    return math.sqrt(float((away**2).sum())) / len(right)


def votes(groups: NDArray[np.str_], answers: NDArray[np.str_], truth: NDArray[np.str_]) -> tuple[int, float, float]:
    """Return the number of songs, the accuracy by majority vote of their rows, and its standard error.

    In a tie of n genres, the true genre counts as 1/n correct.
    """
    names, place = np.unique(groups, return_inverse=True)
    genres, predictions = np.unique(np.concatenate([answers, truth]), return_inverse=True)
    ballots = np.zeros((len(names), len(genres)))
    np.add.at(ballots, (place, predictions[: len(answers)]), 1)
    first = np.unique(place, return_index=True)[1]
    true = predictions[len(answers) :][first]
    most = ballots == ballots.max(axis=1, keepdims=True)
    right = most[np.arange(len(names)), true] / most.sum(axis=1)
    return len(names), float(right.mean()), math.sqrt(float(((right - right.mean()) ** 2).sum())) / len(names)


def order_kept(printed: Sequence[float], measured: Sequence[float]) -> tuple[int, int]:
    """Return the number of model pairs in the published order, and of all pairs with different published scores."""
    pairs = [(a, b) for a, b in combinations(range(len(printed)), 2) if printed[a] != printed[b]]
    kept = sum((printed[a] - printed[b]) * (measured[a] - measured[b]) > 0 for a, b in pairs)
    return kept, len(pairs)
