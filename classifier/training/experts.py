"""The experts: which families they look at, what they are made of, and which of their settings are searched.

Five families carry the answer: the texture of the whole range and of the loudest 40 dB, MusiCNN's tags, texture and
tags together, and MusiCNN's embedding. Their settings were compared by cross-validation within the train part of the
fault-filtered split, artists apart, and within ``modern/``. The classic recipe's three stand on the 57 features, with
its grids; they are measured for the card and are no part of a release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from classifier.features.families import EMBEDDING, FUSION, GROUPS, TAGS, TEXTURE, TEXTURE40
from classifier.features.texture_columns import GROUP_WIDTHS
from classifier.inference.ensemble import Expert
from classifier.inference.estimators import FirstColumns, GroupScaler, HalfPrecisionPCA, MarginSVC, WeightedLDA
from classifier.training.keras_network import KerasNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from classifier.training.feature_matrix import Rows

INNER_FOLDS: Final = 3
MARGIN_COMPONENTS: Final = 300
LINEAR_COMPONENTS: Final = 600
COMPONENTS: Final[Mapping[str, int]] = {
    TEXTURE: LINEAR_COMPONENTS,
    TEXTURE40: MARGIN_COMPONENTS,
    FUSION: MARGIN_COMPONENTS,
    TAGS: 150,
    EMBEDDING: 412,
}
"""Family → how many numbers are kept of it, at most; of the last two all are, merely turned."""
# A unit of gamma per group of the texture, so that adding a group would not sharpen the kernel.
GAMMA: Final = 0.3 / len(GROUP_WIDTHS)
LARGEST_FACTOR: Final = 5.0
"""How much more than others the rows of a genre may count because it has few."""


@dataclass(frozen=True)
class ExpertRecipe:
    """How an expert is made; it looks at the first ``columns`` of its family's reduced features.

    Attributes
    ----------
    make
        Gives a new estimator, which takes ``sample_weight`` when it is fitted.
    """

    name: str
    family: str
    columns: int
    make: Callable[[], Any]


@dataclass(frozen=True)
class ClassicRecipe:
    """One of the classic recipe's three.

    Attributes
    ----------
    grid
        Settings to search by cross-validation with groups kept apart; empty where nothing is searched.
    """

    name: str
    make: Callable[[], Any]
    grid: Mapping[str, list[Any]]


@dataclass(frozen=True)
class FeatureSpace:
    """How a family's features are scaled and reduced: the first steps of every expert that looks at it."""

    scale: Any
    reduce: Any

    def __call__(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Reduce features of shape (n, width); shape (n, components)."""
        reduced: NDArray[np.float32] = self.reduce.transform(self.scale.transform(np.asarray(features, np.float32)))
        return reduced.astype(np.float32, copy=False)


def _scaled(estimator: Any) -> Pipeline:
    return Pipeline([("scale", MinMaxScaler()), ("expert", estimator)])


def knn() -> Pipeline:
    return _scaled(KNeighborsClassifier())


def svm() -> Pipeline:
    return _scaled(MarginSVC())


def nn() -> Pipeline:
    return _scaled(KerasNetwork())


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
CLASSIC: Final = (ClassicRecipe("knn", knn, KNN_GRID), ClassicRecipe("svm", svm, SVM_GRID), ClassicRecipe("nn", nn, {}))
RECIPES: Final = (
    ExpertRecipe("texture", TEXTURE, MARGIN_COMPONENTS, lambda: MarginSVC(C=10, gamma=GAMMA)),
    ExpertRecipe("texture_linear", TEXTURE, LINEAR_COMPONENTS, lambda: WeightedLDA(shrinkage=0.3)),
    ExpertRecipe("texture40_linear", TEXTURE40, MARGIN_COMPONENTS, lambda: LogisticRegression(C=20, max_iter=300)),
    ExpertRecipe("musicnn_tags", TAGS, COMPONENTS[TAGS], lambda: WeightedLDA(shrinkage=0.2)),
    ExpertRecipe("fusion", FUSION, MARGIN_COMPONENTS, lambda: WeightedLDA(shrinkage=0.2)),
    ExpertRecipe("musicnn_embedding", EMBEDDING, COMPONENTS[EMBEDDING], lambda: WeightedLDA(shrinkage=0.2)),
)
FAMILIES: Final = tuple(dict.fromkeys(recipe.family for recipe in RECIPES))
STYLE_RECIPE: Final = ExpertRecipe("styles", EMBEDDING, COMPONENTS[EMBEDDING], lambda: WeightedLDA(shrinkage=0.5))
"""Tells the styles of one family apart: V-pop from other pop."""


def fit_spaces(rows: Rows, tracks: NDArray[np.int64], families: Iterable[str] = FAMILIES) -> Mapping[str, FeatureSpace]:
    """Learn how every family is scaled and reduced, from those of the tracks that have it."""
    spaces = {}
    for family in families:
        able = tracks[rows.having(family)[tracks]]
        if able.size > 1:
            spaces[family] = _fit_space(family, rows.matrix(family, able)[0])
    return spaces


def _fit_space(family: str, features: NDArray[np.float32]) -> FeatureSpace:
    scale: Any
    if family == TAGS:
        scale = FirstColumns(features.shape[1])  # the logarithms are meant to count most
    elif family in GROUPS and sum(GROUPS[family]) == features.shape[1]:
        scale = GroupScaler(GROUPS[family])
    else:
        scale = StandardScaler()
    scaled = scale.fit(features).transform(features)
    components = min(COMPONENTS[family], *(size - 1 for size in scaled.shape[:1]), scaled.shape[1])
    return FeatureSpace(scale, HalfPrecisionPCA(components).fit(scaled))


def fit_estimator(
    recipe: ExpertRecipe,
    features: NDArray[np.float32],
    genres: NDArray[np.str_],
    weights: NDArray[np.float64],
) -> Any:
    """Fit on reduced features, shape (n, columns); genres count the same, however many rows they have."""
    names, place = np.unique(genres, return_inverse=True)
    masses = np.bincount(place, weights=weights)
    factor = np.minimum(masses.sum() / len(names) / masses, LARGEST_FACTOR)
    return recipe.make().fit(features[:, : recipe.columns], genres, sample_weight=weights * factor[place])


def fit(
    recipe: ExpertRecipe, rows: Rows, spaces: Mapping[str, FeatureSpace], tracks: NDArray[np.int64]
) -> Expert | None:
    """Fit an expert on those of the tracks that have its family; None where they are of fewer than two genres."""
    tracks = tracks[rows.having(recipe.family)[tracks]]
    if recipe.family not in spaces or len(np.unique(rows.genres[tracks])) < 2:
        return None
    features, genres = rows.matrix(recipe.family, tracks)
    weights = rows.even_weights(recipe.family, tracks)
    estimator = fit_estimator(recipe, spaces[recipe.family](features), genres, weights)
    return as_expert(recipe, spaces[recipe.family], estimator)


def as_expert(recipe: ExpertRecipe, space: FeatureSpace, estimator: Any) -> Expert:
    """Put the steps of an expert together."""
    steps = [
        ("scale", space.scale),
        ("reduce", space.reduce),
        ("first", FirstColumns(recipe.columns)),
        ("expert", estimator),
    ]
    return Expert(recipe.name, recipe.family, Pipeline(steps))


def spaces_of(experts: Iterable[Expert]) -> Mapping[str, FeatureSpace]:
    """Return the reductions that experts were made with; of several of a family the one with most components."""
    found: dict[str, FeatureSpace] = {}
    for expert in experts:
        steps = getattr(expert.estimator, "named_steps", {})
        if {"scale", "reduce"} <= set(steps):
            space = FeatureSpace(steps["scale"], steps["reduce"])
            known = found.get(expert.family)
            if known is None or len(space.reduce.components_) > len(known.reduce.components_):
                found[expert.family] = space
    return found


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
