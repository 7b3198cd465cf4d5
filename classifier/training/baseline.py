"""The classic recipe on the 57 features: KNN, SVM and network with its grids, and their stacking.

Measured as it stands, under honest protocols and under the leaky one that its printed figures come from.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from classifier.features.gtzan57 import COLUMNS
from classifier.training import experts
from classifier.training.accuracy import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Names = NDArray[np.str_]

ROW_TEST_SHARE: Final = 0.2


def figures(split: str, condition: str, train: tuple[Matrix, Names, Names], test: tuple[Matrix, Names]) -> list[Figure]:
    """Measure the four systems.

    Parameters
    ----------
    train
        Features, shape (n, 57), genres, and groups that the inner folds keep apart.
    test
        Features and genres.
    """
    X, y, groups = train
    chosen: dict[str, Any] = {}
    for recipe in experts.CLASSIC:
        estimator = recipe.make()
        chosen[recipe.name] = experts.search(estimator, recipe.grid, X, y, groups) if recipe.grid else estimator
    judged = {name: _fitted(estimator, X, y, groups).predict_proba(test[0]) for name, estimator in chosen.items()}
    classes = np.unique(y)
    counted = [
        Figure.count(split, name, condition, classes[probabilities.argmax(axis=1)] == test[1])
        for name, probabilities in judged.items()
    ]
    stacked = _stack(chosen, X, y, groups)
    answers = stacked.predict(np.hstack([*judged.values(), _scaled(chosen["svm"], test[0])]))
    return [*counted, Figure.count(split, "stack", condition, answers == test[1])]


def _fitted(estimator: Any, X: Matrix, y: Names, groups: Names) -> Any:
    settings = {"expert__groups": groups} if "nn" in _kind(estimator) else {}
    return clone(estimator).fit(X, y, **settings)


def _kind(estimator: Any) -> str:
    return "nn" if type(estimator["expert"]).__name__ == "KerasNetwork" else "other"


def _scaled(svm: Any, X: Matrix) -> Matrix:
    return svm["scale"].transform(X)


def _stack(chosen: dict[str, Any], X: Matrix, y: Names, groups: Names) -> LogisticRegression:
    """Fit the stacking: logistic regression over the three's probabilities on songs held out, and the features."""
    inner = np.zeros((len(X), len(chosen) * len(np.unique(y))))
    for learnt, held_out in experts.inner_folds(X, y, groups):
        inner[held_out] = np.hstack(
            [
                _fitted(estimator, X[learnt], y[learnt], groups[learnt]).predict_proba(X[held_out])
                for estimator in chosen.values()
            ]
        )
    return LogisticRegression(max_iter=2000).fit(np.hstack([inner, _scaled(chosen["svm"], X)]), y)


def leaky(table: Path, *, seed: int = 0) -> list[Figure]:
    """Repeat the protocol of the printed figures: rows of ten seconds drawn at random, songs on both sides.

    Parameters
    ----------
    table
        The public ``features_10_sec.csv``.
    """
    with table.open(encoding="utf-8", newline="") as file:
        content = list(csv.DictReader(file))
    X = np.array([[float(row[column]) for column in COLUMNS] for row in content], dtype=np.float32)
    y = np.array([row["label"] for row in content])
    rows = np.arange(len(y)).astype(str)  # every row a group of its own: the leak is in the search as well
    train, test = train_test_split(np.arange(len(y)), test_size=ROW_TEST_SHARE, stratify=y, random_state=seed)
    return figures("rows (leaky)", "clean", (X[train], y[train], rows[train]), (X[test], y[test]))
