"""Learns to tell the styles of a family apart, where the songs of enough artists bear that out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.inference.ensemble import TAUGHT_PRIOR, StyleGroup
from classifier.training import experts
from classifier.training.accuracy import Figure
from classifier.training.classes import borne_out, class_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.training.data_loading import Track
    from classifier.training.experts import FeatureSpace
    from classifier.training.feature_matrix import Rows
    from classifier.training.splits import Trial

LEAST_ACCURACY: Final = 0.75
"""Styles that are told apart less well than this on artists held out, mean of the recalls, are not told at all."""
LEAST_TAUGHT_ACCURACY: Final = 0.65
"""The same for families with a style that people have begun to teach: the gate judges what became of it."""
LEAST_SHARE: Final = 0.5
LEAST_TAUGHT_SHARE: Final = 1 / (1 + TAUGHT_PRIOR)
"""A style is told from this probability on at the earliest: sooner where people have begun to teach it.

As genres that corrections taught have more weight than others. Of 13 to 15 V-pop songs by artists that were not among
the 20 taught ones, 0.49 instead of 0.44 are told, mean of five draws; false alarms among other songs of today rise from
4.1 to 4.8 % (``benchmarks/learning_curve.py --label vpop --songs 20``).
"""
WANTED_PRECISION: Final = 0.75
"""Of the songs that are told to be of a style this share must be, were its songs as many as the others of the family.

How many there happen to be in a training set says nothing about what people send: twenty taught songs stand beside
hundreds of the base.
"""


def known_styles(tracks: Sequence[Track]) -> set[str]:
    """Return the styles that enough songs of enough artists stand behind."""
    named = [track for track in tracks if class_of(track.genre) != track.genre]
    return borne_out((track.genre, track.group, track.splits.get("song", track.group)) for track in named)


def figures(
    rows: Rows, trials: Sequence[Trial], known: Collection[str], chosen: NDArray[np.bool_], *, jobs: int
) -> list[Figure]:
    """Measure each family's styles on tracks held out, given that the family is right.

    Parameters
    ----------
    known
        The styles.
    chosen
        The tracks to measure on, shape (n,).
    """
    found = []
    for family, names in _candidates(rows, known).items():
        tracks, truth, shares = held_out(rows, trials, family, names, jobs)
        mine = chosen[tracks]
        answers = np.array(names)[shares.argmax(axis=1)]
        groups = rows.groups[tracks]
        for name in names:
            same = mine & (truth == name)
            condition = f"{name} within {family}"
            right = (answers == name)[same]
            found.append(Figure.count("modern", "styles", condition, right, groups[same].tolist()))
    return found


def learn(
    rows: Rows,
    trials: Sequence[Trial],
    spaces: Mapping[str, FeatureSpace],
    known: Collection[str],
    *,
    taught: Collection[str] = (),
    reduced: bool = False,
    jobs: int,
) -> tuple[StyleGroup, ...]:
    """Return the families whose styles can be told apart, each with its expert fitted on all tracks.

    Parameters
    ----------
    spaces
        How the features of the released experts are reduced.
    known
        The styles that enough artists or people stand behind.
    taught
        Those of them that are known from corrections alone.
    reduced
        Whether the rows are reduced already.
    """
    groups: list[StyleGroup] = []
    if experts.STYLE_RECIPE.family not in spaces:
        return ()
    for family, names in _candidates(rows, known).items():
        _, truth, shares = held_out(rows, trials, family, names, jobs, reduced=reduced)
        answers = np.array(names)[shares.argmax(axis=1)]
        recalls = [float((answers == name)[truth == name].mean()) for name in names]
        begun = not set(taught).isdisjoint(names)
        if np.mean(recalls) < (LEAST_TAUGHT_ACCURACY if begun else LEAST_ACCURACY):
            continue
        least = max(LEAST_TAUGHT_SHARE if begun else LEAST_SHARE, _precise_from(family, names, truth, shares))
        space = spaces[experts.STYLE_RECIPE.family]
        estimator = _fit(rows, None if reduced else space, family, names, np.arange(len(rows.names)))
        expert = experts.as_expert(experts.STYLE_RECIPE, space, estimator)
        groups.append(StyleGroup(family, expert, least))
    return tuple(groups)


def _fit(rows: Rows, space: FeatureSpace | None, family: str, names: Sequence[str], tracks: NDArray[np.int64]) -> Any:
    """Fit the estimator of a family's styles on those of the tracks that are of the family."""
    recipe = experts.STYLE_RECIPE
    mine = tracks[(rows.genres[tracks] == family) & rows.having(recipe.family)[tracks]]
    features = rows.single(recipe.family, mine)
    if space is not None:
        features = space(features)
    return experts.fit_estimator(recipe, features, _styles(rows, family, names)[mine], np.ones(len(mine)))


def _candidates(rows: Rows, known: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Return family → itself and those of its styles that are known and have the features."""
    able = rows.having(experts.STYLE_RECIPE.family) & (rows.styles != rows.genres)
    families: dict[str, list[str]] = {}
    for style in sorted(known):
        mine = np.flatnonzero(able & (rows.styles == style))
        if mine.size:
            families.setdefault(str(rows.genres[mine[0]]), []).append(style)
    return {family: (family, *styles) for family, styles in families.items()}


def _styles(rows: Rows, family: str, names: Sequence[str]) -> NDArray[np.str_]:
    return np.where(np.isin(rows.styles, names), rows.styles, family)


def held_out(
    rows: Rows, trials: Sequence[Trial], family: str, names: tuple[str, ...], jobs: int, *, reduced: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.float64]]:
    """Return tracks of a family, their styles, and the probability of each style when they were held out.

    Parameters
    ----------
    names
        The family and its styles, in the order of the columns that are returned.
    """
    able = rows.having(experts.STYLE_RECIPE.family) & (rows.genres == family)
    tests = [trial.test[able[trial.test]] for trial in trials]
    seen: set[int] = set()
    tasks = []
    for trial, test in zip(trials, tests, strict=True):
        fresh = np.array([track for track in test.tolist() if track not in seen], dtype=np.int64)
        seen |= set(fresh.tolist())
        if fresh.size:
            tasks.append((trial.train, fresh))
    results = Parallel(n_jobs=jobs)(delayed(_asked)(rows, family, names, *task, reduced=reduced) for task in tasks)
    tracks = np.concatenate([test for _, test in tasks])
    return tracks, _styles(rows, family, names)[tracks], np.concatenate(results)


def _asked(
    rows: Rows,
    family: str,
    names: tuple[str, ...],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    *,
    reduced: bool,
) -> NDArray[np.float64]:
    recipe = experts.STYLE_RECIPE
    space = None if reduced else experts.fit_spaces(rows, train, [recipe.family])[recipe.family]
    estimator = _fit(rows, space, family, names, train)
    features = rows.single(recipe.family, test)
    probabilities = estimator.predict_proba((features if space is None else space(features))[:, : recipe.columns])
    shares = np.zeros((len(test), len(names)))
    shares[:, [names.index(str(genre)) for genre in estimator.classes_]] = probabilities
    return shares


def _precise_from(family: str, names: Sequence[str], truth: NDArray[np.str_], shares: NDArray[np.float64]) -> float:
    """Return the least probability from which on a style that is told is right often enough; 1 if there is none."""
    styles = np.array([name for name in names if name != family])
    columns = [list(names).index(name) for name in styles]
    best = shares[:, columns].argmax(axis=1)
    confidence, right = shares[:, columns].max(axis=1), styles[best] == truth
    weights = np.array([1 / (truth == name).sum() for name in truth])
    order = np.argsort(-confidence)
    precision = np.cumsum((weights * right)[order]) / np.cumsum(weights[order])
    reached = np.flatnonzero(precision >= WANTED_PRECISION)
    return float(confidence[order][reached[-1]]) if reached.size else 1.0
