"""What experts hold of tracks that they were not trained on, the raw matter of pooling and of measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.features.families import columns_of, has_family
from classifier.inference.ensemble import Opinion
from classifier.training import experts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Expert
    from classifier.training.feature_matrix import Rows
    from classifier.training.splits import Trial

    Views = Mapping[str, Mapping[str, NDArray[np.float32]]]
    Opinions = Mapping[str, Mapping[str, Opinion]]

CLEAN: Final = "clean"
CHANGED: Final = "changed"
"""The first changed copy of each track, as the training saw others changed."""


def held_out(rows: Rows, trials: Sequence[Trial], views: Views, *, jobs: int = -1) -> list[Opinions]:
    """Fit every expert for every trial and ask it about the tracks held out.

    Parameters
    ----------
    views
        Name → family → features of all tracks of ``rows``, shape (n, width), to be asked about besides the clean and
        the changed ones; a track whose row is not finite is not asked about. A family may be missing.

    Returns
    -------
    For each trial: view → expert → opinion of the trial's test tracks. Where a track lacks the expert's family, its
    probabilities are NaN.
    """
    families = list(dict.fromkeys(recipe.family for recipe in experts.RECIPES))
    tasks = [(place, family) for place in range(len(trials)) for family in families]
    results = Parallel(n_jobs=jobs)(delayed(_judge)(rows, family, trials[place], views) for place, family in tasks)
    gathered: list[dict[str, dict[str, Opinion]]] = [{} for _ in trials]
    for (place, _), judged in zip(tasks, results, strict=True):
        for view, opinions in judged.items():
            gathered[place].setdefault(view, {}).update(opinions)
    return list(gathered)


def _judge(rows: Rows, family: str, trial: Trial, views: Views) -> Mapping[str, Mapping[str, Opinion]]:
    """Return view → expert → opinion, for the experts of one family."""
    able = rows.having(family)[trial.test]
    tracks = trial.test[able]
    spaces = experts.fit_spaces(rows, trial.train, [family])
    judged: dict[str, dict[str, Opinion]] = {}
    for recipe in experts.RECIPES:
        expert = experts.fit(recipe, rows, spaces, trial.train) if recipe.family == family else None
        if expert is None:
            continue
        for copy, view in enumerate((CLEAN, CHANGED)):
            features = rows.single(family, tracks, copy=copy) if tracks.size else None
            judged.setdefault(view, {})[recipe.name] = _opinion(expert, features, able)
        for name, view_families in views.items():
            if has_family(family, view_families):
                features = columns_of(family, view_families)[trial.test]
                finite = np.isfinite(features.sum(axis=1))
                judged.setdefault(name, {})[recipe.name] = _opinion(expert, features[finite], finite)
    return judged


def _opinion(expert: Expert, features: NDArray[np.float32] | None, able: NDArray[np.bool_]) -> Opinion:
    probabilities = np.full((len(able), len(expert.genres)), np.nan)
    if features is not None and len(features):
        probabilities[able] = expert.opinion(features).probabilities
    return Opinion(expert.genres, probabilities)


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


def without_gaps(opinions: Mapping[str, Opinion], count: int, wanted: Iterable[str]) -> Mapping[str, Opinion]:
    """Let experts that were not asked about some of n tracks prefer no genre there; shape (n, genres) each.

    Parameters
    ----------
    wanted
        Names of the experts that must be there; one that has no opinion at all prefers nothing of what the others know.
    """
    every = max((opinion.genres for opinion in opinions.values()), key=len)
    filled = {}
    for name in wanted:
        opinion = opinions.get(name, Opinion(every, np.full((count, len(every)), np.nan)))
        even = 1 / len(opinion.genres)
        filled[name] = Opinion(opinion.genres, np.where(np.isnan(opinion.probabilities), even, opinion.probabilities))
    return filled
