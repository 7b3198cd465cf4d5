"""What experts hold of tracks that they were not trained on, the raw matter of pooling and of measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.inference.ensemble import Opinion
from classifier.training import experts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.training.experts import Recipe
    from classifier.training.feature_matrix import Rows
    from classifier.training.splits import Trial

    Views = Mapping[str, Mapping[str, NDArray[np.float32]]]
    Opinions = Mapping[str, Mapping[str, Opinion]]

CLEAN: Final = "clean"
CHANGED: Final = "changed"
"""The first changed copy of each track, as the training saw others changed."""


def held_out(
    rows: Rows,
    recipes: Sequence[Recipe],
    trials: Sequence[Trial],
    views: Views,
    *,
    jobs: int = -1,
) -> list[Opinions]:
    """Fit every expert for every trial and ask it about the tracks held out.

    Parameters
    ----------
    views
        Name → family → features of all tracks of ``rows``, shape (n, width), to be asked about besides the clean and
        the changed ones. A family may be missing.

    Returns
    -------
    For each trial: view → expert → opinion of the trial's test tracks. Where a track lacks the expert's family, its
    probabilities are NaN.
    """
    tasks = [(place, recipe) for place in range(len(trials)) for recipe in recipes]
    results = Parallel(n_jobs=jobs)(delayed(_judge)(rows, recipe, trials[place], views) for place, recipe in tasks)
    gathered: list[dict[str, dict[str, Opinion]]] = [{} for _ in trials]
    for (place, recipe), judged in zip(tasks, results, strict=True):
        for view, opinion in judged.items():
            gathered[place].setdefault(view, {})[recipe.name] = opinion
    return list(gathered)


def _judge(rows: Rows, recipe: Recipe, trial: Trial, views: Views) -> Mapping[str, Opinion]:
    expert = experts.fit(recipe, rows, trial.train)
    able = rows.having(recipe.family)[trial.test]
    tracks = trial.test[able]

    def opinion(features: NDArray[np.float32]) -> Opinion:
        probabilities = np.full((len(trial.test), len(expert.genres)), np.nan)
        if tracks.size:
            probabilities[able] = expert.opinion(features).probabilities
        return Opinion(expert.genres, probabilities)

    judged = {CLEAN: opinion(rows.single(recipe.family, tracks))}
    if recipe.pooled:
        judged[CHANGED] = opinion(rows.single(recipe.family, tracks, copy=1))
    for name, view in views.items():
        if recipe.family in view:
            judged[name] = opinion(view[recipe.family][tracks])
    return judged


def joined(parts: Sequence[Mapping[str, Opinion]]) -> Mapping[str, Opinion]:
    """Put opinions of several sets of tracks one after another; where an expert was not asked, it holds NaN."""
    names = list(dict.fromkeys(name for part in parts for name in part))
    sizes = [len(next(iter(part.values())).probabilities) for part in parts]
    return {name: _joined([part.get(name) for part in parts], sizes) for name in names}


def _joined(opinions: Sequence[Opinion | None], sizes: Sequence[int]) -> Opinion:
    genres = max((opinion.genres for opinion in opinions if opinion is not None), key=len)
    parts = []
    for opinion, size in zip(opinions, sizes, strict=True):
        spread = np.full((size, len(genres)), np.nan)
        if opinion is not None:
            spread[:] = 0
            spread[:, [genres.index(genre) for genre in opinion.genres]] = opinion.probabilities
        parts.append(spread)
    return Opinion(genres, np.concatenate(parts))
