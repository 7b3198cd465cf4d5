"""Exploratory analysis of a table: counts, statistics, correlations, two-dimensional projections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from classifier.studies.model_runner import SCALERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.studies.checkpoints import Checkpoints
    from classifier.studies.config import Study
    from classifier.studies.study_table import StudyTable

MAX_CORRELATED: Final = 40
"""A heat map with more columns is illegible."""
MAX_MAPPED: Final = 3000
"""Maximum number of rows in a map; a random sample is drawn from more."""
MAP_PERPLEXITY: Final = 30
CHANCE_OF_VARIANCE: Final = (0.85, 0.9, 0.95)
STATISTICS: Final = ("mean", "std", "min", "25%", "50%", "75%", "max")


@dataclass(frozen=True, eq=False)
class Exploration:
    """The results of the analysis.

    Attributes
    ----------
    counts
        Genre → number of rows.
    statistics
        Column → mean, std, min, quartiles, max.
    correlated, correlation
        Columns, and their correlation matrix, shape (columns, columns).
    explained
        Share of the variance explained by each principal component.
    mapped
        Indices of the rows in the maps.
    pca, tsne
        Maps, shape (mapped, 2); None if not requested.
    """

    counts: Mapping[str, int]
    statistics: Mapping[str, Mapping[str, float]]
    correlated: Sequence[str]
    correlation: NDArray[np.float64]
    explained: NDArray[np.float64]
    mapped: NDArray[np.int64]
    pca: NDArray[np.float64] | None
    tsne: NDArray[np.float64] | None

    def components_for(self, share: float) -> int:
        """Return the number of components needed to explain a share of the variance."""
        return int(np.searchsorted(np.cumsum(self.explained), share - 1e-9) + 1)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data, without the maps."""
        return {
            "counts": dict(self.counts),
            "statistics": {
                column: {name: _significant(value) for name, value in numbers.items()}
                for column, numbers in self.statistics.items()
            },
            "correlation": {
                "columns": list(self.correlated),
                "matrix": [[round(float(cell), 3) for cell in row] for row in self.correlation],
            },
            "explained_variance": [round(float(share), 4) for share in self.explained],
        }


def _significant(value: float) -> float:
    return float(f"{value:.6g}")


def explore(study: Study, table: StudyTable, steps: Checkpoints) -> Exploration:
    """Analyse a table with the scaling of the study."""
    seed = study.split.seed
    scaled = SCALERS[study.scaling]().fit_transform(table.X) if study.scaling in SCALERS else table.X
    pca = PCA(random_state=seed).fit(scaled)
    draw = np.random.default_rng(seed)
    mapped = np.sort(draw.permutation(len(scaled))[:MAX_MAPPED])
    tsne = None
    if "tsne" in study.plots:
        task = (scaled[mapped], seed)
        (tsne,) = steps.all("Map", tsne_map, [task], [task])
    correlated = _for_heat_map(table)
    places = [table.columns.index(column) for column in correlated]
    genres, counts = np.unique(table.genres, return_counts=True)
    described = pd.DataFrame(table.X, columns=list(table.columns)).describe().loc[list(STATISTICS)]
    return Exploration(
        counts={str(genre): int(count) for genre, count in zip(genres, counts, strict=True)},
        statistics={str(c): {str(s): float(described[c][s]) for s in STATISTICS} for c in described.columns},
        correlated=correlated,
        correlation=np.corrcoef(table.X[:, places], rowvar=False).reshape(len(places), len(places)),
        explained=pca.explained_variance_ratio_,
        mapped=mapped,
        pca=pca.transform(scaled[mapped])[:, :2] if "pca" in study.plots and scaled.shape[1] > 1 else None,
        tsne=tsne,
    )


def _for_heat_map(table: StudyTable) -> list[str]:
    """Return the columns for the heat map: those that vary, or only their means if there are means."""
    varied = [column for column, spread in zip(table.columns, np.ptp(table.X, axis=0), strict=True) if spread > 0]
    means = [column for column in varied if column.endswith("_mean")]
    return (means if len(means) > 1 else varied)[:MAX_CORRELATED]


def tsne_map(task: tuple[NDArray[np.float64], int]) -> NDArray[np.float64]:
    """Return a t-SNE map of rows, shape (rows, 2)."""
    rows, seed = task
    perplexity = min(MAP_PERPLEXITY, max(2, (len(rows) - 1) // 3))
    start = "pca" if rows.shape[1] > 1 else "random"
    found: NDArray[np.float64] = TSNE(2, perplexity=perplexity, init=start, random_state=seed, n_jobs=1).fit_transform(
        rows
    )
    return found
