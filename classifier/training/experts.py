"""The experts: which families they look at, what they are made of, and which of their settings are searched.

The classic recipe's three stand on the 57 features, with its grids. What carries the answer are machines on texture,
trained with augmentation; their settings are the published ones of ``texture`` and were not searched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from classifier.features.families import GTZAN57, TEXTURE, TEXTURE40
from classifier.features.texture import GROUP_WIDTHS
from classifier.inference.ensemble import Expert
from classifier.inference.estimators import GroupScaler, MarginSVC
from classifier.training.keras_network import KerasNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from classifier.training.feature_matrix import Rows

INNER_FOLDS: Final = 3
MARGIN_COMPONENTS: Final = 300
LINEAR_COMPONENTS: Final = 600
# A unit of gamma per group of the texture, so that adding a group would not sharpen the kernel.
GAMMA: Final = 0.3 / len(GROUP_WIDTHS)


@dataclass(frozen=True)
class Recipe:
    """How an expert is made.

    Attributes
    ----------
    name, family
        As in ``Expert``.
    make
        Gives a new estimator.
    grid
        Settings to search by cross-validation with groups kept apart; empty where nothing is searched.
    """

    name: str
    family: str
    make: Callable[[], Any]
    grid: Mapping[str, list[Any]]

    @property
    def pooled(self) -> bool:
        """Whether the ensemble may weigh it: only what was trained on changed music can be judged on such."""
        return self.family != GTZAN57


def _scaled(estimator: Any) -> Pipeline:
    return Pipeline([("scale", MinMaxScaler()), ("expert", estimator)])


def _textured(components: int, estimator: Any) -> Pipeline:
    reduction = PCA(components, svd_solver="randomized", iterated_power=2, random_state=0)
    return Pipeline([("scale", GroupScaler(GROUP_WIDTHS)), ("reduce", reduction), ("expert", estimator)])


def knn() -> Pipeline:
    return _scaled(KNeighborsClassifier())


def svm() -> Pipeline:
    return _scaled(MarginSVC())


def nn() -> Pipeline:
    return _scaled(KerasNetwork())


def texture() -> Pipeline:
    return _textured(MARGIN_COMPONENTS, MarginSVC(C=10, gamma=GAMMA))


def texture_linear() -> Pipeline:
    return _textured(LINEAR_COMPONENTS, LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3))


def texture40() -> Pipeline:
    return _textured(MARGIN_COMPONENTS, MarginSVC(C=10, gamma=GAMMA, class_weight="balanced"))


def texture40_linear() -> Pipeline:
    machine = LogisticRegression(C=20, class_weight="balanced", max_iter=300)
    return _textured(MARGIN_COMPONENTS, machine)


NEIGHBOURS: Final = "expert__n_neighbors"
KNN_GRID: Final[Mapping[str, list[Any]]] = {
    NEIGHBOURS: list(range(1, 9)),
    "expert__p": [1, 2, 3],
    "expert__weights": ["uniform", "distance"],
}
SVM_GRID: Final[Mapping[str, list[Any]]] = {
    "expert__C": [1, 10, 100, 200, 500],
    "expert__kernel": ["poly", "rbf", "sigmoid"],
    "expert__gamma": ["scale", "auto"],
}
CLASSIC: Final = (
    Recipe("knn", GTZAN57, knn, KNN_GRID),
    Recipe("svm", GTZAN57, svm, SVM_GRID),
    Recipe("nn", GTZAN57, nn, {}),
)
POOLED: Final = (
    Recipe("texture", TEXTURE, texture, {}),
    Recipe("texture_linear", TEXTURE, texture_linear, {}),
    Recipe("texture40", TEXTURE40, texture40, {}),
    Recipe("texture40_linear", TEXTURE40, texture40_linear, {}),
)
RECIPES: Final = (*CLASSIC, *POOLED)


def fit(recipe: Recipe, rows: Rows, tracks: NDArray[np.int64]) -> Expert:
    """Fit an expert on those of the tracks that have its family.

    Parameters
    ----------
    tracks
        Places in ``rows``; nothing else is looked at.
    """
    tracks = tracks[rows.having(recipe.family)[tracks]]
    X, y = rows.matrix(recipe.family, tracks)
    estimator = recipe.make()
    # A small collection has fewer rows than components.
    if "reduce" in getattr(estimator, "named_steps", {}):
        estimator.set_params(reduce__n_components=min(estimator.get_params()["reduce__n_components"], len(X) - 1))
    groups = rows.groups[tracks]
    if recipe.grid:
        estimator = search(estimator, recipe.grid, X, y, groups)
    elif recipe.family == GTZAN57:
        estimator.fit(X, y, expert__groups=groups)
        estimator.steps[-1] = ("expert", estimator["expert"].served_)  # what is served needs no training package
    else:
        estimator.fit(X, y)
    return Expert(recipe.name, recipe.family, estimator)


def search(
    estimator: Any,
    grid: Mapping[str, list[Any]],
    X: NDArray[np.float32],
    y: NDArray[np.str_],
    groups: NDArray[np.str_],
) -> Any:
    """Choose settings by cross-validation that keeps groups apart; return the best, fitted on everything."""
    folds = inner_folds(X, y, groups)
    if not folds:
        return estimator.fit(X, y)
    fewest = min(len(learnt) for learnt, _ in folds)
    grid = {**grid}
    if NEIGHBOURS in grid:  # a small collection has fewer rows than neighbours to be asked
        grid[NEIGHBOURS] = [count for count in grid[NEIGHBOURS] if count <= fewest]
    return GridSearchCV(estimator, grid, cv=folds).fit(X, y).best_estimator_


def inner_folds(
    X: NDArray[np.float32], y: NDArray[np.str_], groups: NDArray[np.str_]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return what learns and what is held out, groups kept apart and every genre in all that learns.

    Returns
    -------
    Three folds, or as many as a genre has groups; none where a genre has one only, which cannot be held out from
    itself.
    """
    smallest = min(len(np.unique(groups[y == genre])) for genre in np.unique(y))
    if smallest < 2:
        return []
    return list(StratifiedGroupKFold(min(INNER_FOLDS, smallest), shuffle=True, random_state=0).split(X, y, groups))
