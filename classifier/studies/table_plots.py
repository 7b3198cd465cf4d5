"""Plots of a study's table. Plots of its results are in ``plots``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from classifier.studies.figure_canvas import draw
from classifier.studies.plots import MAX_ANNOTATED_CELLS, SHAPES, WIDTH, write_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from classifier.studies.exploration import Exploration
    from classifier.studies.figure_canvas import Picture, Theme
    from classifier.studies.study_table import StudyTable

HISTOGRAM_BINS: Final = 30
MAX_HISTOGRAMS: Final = 60
OUTSIDE_PERCENT: Final = 0.5
"""Share omitted at each end of a distribution, so that outliers do not compress the rest."""


def counts(explored: Exploration) -> Picture:
    """Plot the number of rows per genre."""
    genres = list(explored.counts)

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        drawn = axes.barh(genres, list(explored.counts.values()), 0.7, color=theme.series[1])
        axes.bar_label(drawn, fmt="{:,.0f}", padding=4, color=theme.text, fontsize=9)
        axes.set_ylim(len(genres) - 0.5, -0.5)
        axes.margins(x=0.1)
        axes.set_xlabel("rows")

    alt = ", ".join(f"{genre} {count:,}" for genre, count in explored.counts.items())
    return draw("counts", "Rows of each genre", alt, (WIDTH, 0.9 + 0.3 * len(genres)), paint)


def distributions(table: StudyTable) -> Picture:
    """Plot a histogram of each column."""
    columns = table.columns[:MAX_HISTOGRAMS]
    across = 5 if len(columns) > 12 else 4
    down = -(-len(columns) // across)

    def paint(figure: Figure, theme: Theme) -> None:
        for place, column in enumerate(columns):
            axes = figure.add_subplot(down, across, place + 1)
            values = table.X[:, place]
            low, high = np.percentile(values, [OUTSIDE_PERCENT, 100 - OUTSIDE_PERCENT])
            inside = values[(values >= low) & (values <= high)]
            axes.hist(inside, HISTOGRAM_BINS, color=theme.series[1])
            axes.set_title(column, fontsize=8)
            axes.set_yticks([])
            axes.locator_params(axis="x", nbins=3)
            axes.tick_params(axis="x", labelsize=7)
            axes.spines["left"].set_visible(False)
            axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
            axes.xaxis.get_offset_text().set_fontsize(7)

    alt = f"Histograms of {len(columns)} columns: {', '.join(columns)}."
    some = f", the first {len(columns)} of {len(table.columns):,}" if len(columns) < len(table.columns) else ""
    return draw("distributions", f"Distributions of the features{some}", alt, (WIDTH, 1.15 * down + 0.3), paint)


def correlation(explored: Exploration) -> Picture:
    """Plot the correlation matrix of the columns."""
    names = list(explored.correlated)
    numbers = len(names) <= MAX_ANNOTATED_CELLS

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        shown = axes.imshow(explored.correlation, cmap=theme.diverging, vmin=-1, vmax=1)
        small = 9 if numbers else 7.5
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=small)
        axes.set_yticks(range(len(names)), names, fontsize=small)
        axes.spines[:].set_visible(False)
        if numbers:
            write_numbers(axes, explored.correlation, shown, "{:.2f}")
        figure.colorbar(shown, ax=axes, shrink=0.7, label="correlation")

    size = (WIDTH, 7.5 if len(names) > 8 else 6.2)
    return draw("correlation", "Correlation of the features", _strongest(names, explored.correlation), size, paint)


def _strongest(names: Sequence[str], matrix: NDArray[np.float64]) -> str:
    if len(names) < 2:
        return "Only one column."
    first, second = np.triu_indices(len(names), 1)
    best = int(np.abs(matrix[first, second]).argmax())
    a, b = names[int(first[best])], names[int(second[best])]
    return f"Correlations of {len(names)} columns; the strongest is {matrix[first, second][best]:.2f}, of {a} and {b}."


def variance(explored: Exploration) -> Picture:
    """Plot the variance explained by the first components, individually and cumulatively."""
    shares = explored.explained[:30]
    places = np.arange(1, len(shares) + 1)

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        axes.bar(places, shares, 0.75, color=theme.series[1], label="each")
        axes.plot(places, np.cumsum(shares), "o-", color=theme.series[0], ms=4, label="together")
        axes.axhline(0.9, color=theme.quiet, ls=(0, (4, 3)), lw=1, label="90 %")
        axes.set_ylim(0, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("principal component")
        axes.set_ylabel("variance explained")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside lower center", ncols=3)

    alt = f"The first two components explain {shares[:2].sum():.0%}; {explored.components_for(0.9)} explain 90 %."
    return draw("variance", "How much the principal components explain", alt, (WIDTH, 3.8), paint)


def scatter(name: str, title: str, coordinates: NDArray[np.float64], genres: NDArray[np.str_], axes_of: str) -> Picture:
    """Plot rows as points, with a colour and a shape for each genre."""
    known = sorted(set(genres.tolist()))

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for place, genre in enumerate(known):
            points = coordinates[genres == genre]
            colour = theme.series[place % (len(theme.series) - 1)]
            shape = SHAPES[place % len(SHAPES)]
            axes.scatter(
                points[:, 0], points[:, 1], s=14, marker=shape, color=colour, alpha=0.65, linewidths=0, label=genre
            )
        axes.set_xlabel(f"{axes_of} 1")
        axes.set_ylabel(f"{axes_of} 2")
        # Outliers would compress all other points.
        for low, high, limit in zip(
            *np.percentile(coordinates, [0.3, 99.7], axis=0), (axes.set_xlim, axes.set_ylim), strict=True
        ):
            edge = 0.06 * (high - low) or 1
            limit(low - edge, high + edge)
        figure.legend(loc="outside lower center", ncols=min(6, len(known)), markerscale=2)

    alt = f"{len(coordinates):,} rows of {len(known)} genres: {', '.join(known)}."
    return draw(name, title, alt, (WIDTH, 6.6), paint)
