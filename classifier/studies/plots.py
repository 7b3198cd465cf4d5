"""Plots of a study's results. Rendering for light and dark pages is in ``figure_canvas``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter, PercentFormatter

from classifier.studies.figure_canvas import draw
from classifier.studies.protocols import ARTISTS, ROWS, SONGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from classifier.studies.figure_canvas import Picture, Theme
    from classifier.studies.scores import ModelScores

WIDTH: Final = 9.0
"""Inches."""
MARKS: Final = {ROWS: ("o", 0), SONGS: ("s", 1), ARTISTS: ("^", 2)}
"""Protocol → marker, index of the colour in the theme."""
SHAPES: Final = "o^sDvPX*<>hd"
MAX_ANNOTATED_CELLS: Final = 12
MAX_LINES: Final = 8
MIN_BAR_WITH_TEXT: Final = 0.08
ROUND_STEPS: Final = [1, 2, 5, 10]
"""Tick steps that are whole percentages, so that rounded labels are exact."""


@dataclass(frozen=True)
class GapRow:
    """One line of the gap plot: a model's accuracy under each protocol."""

    label: str
    printed: float | None
    accuracies: Mapping[str, float]


@dataclass(frozen=True)
class GapPlot:
    """The content of the gap plot.

    Attributes
    ----------
    gaps
        Models from top to bottom.
    titles
        Protocol → its title.
    released_scores
        Protocol → accuracy of the released model.
    printed_range
        Lowest and highest published accuracy, if only the range is known.
    """

    gaps: Sequence[GapRow]
    titles: Mapping[str, str]
    released_scores: Mapping[str, float] = field(default_factory=dict)
    printed_range: tuple[float, float] | None = None


def gap(content: GapPlot, name: str, title: str) -> Picture:
    """Plot the accuracy of each model with random rows, songs apart and artists apart."""
    height = 1.9 + 0.42 * len(content.gaps)

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        legend: dict[str, Any] = {}
        if content.printed_range is not None:
            legend["published, range of all"] = axes.axvspan(*content.printed_range, color=theme.line, alpha=0.5, lw=0)
        for height_of, one in enumerate(content.gaps):
            _gap_line(axes, theme, height_of, one, content.titles, legend)
        for protocol, accuracy in content.released_scores.items():
            colour = theme.series[MARKS[protocol][1]]
            label = f"this bot, by song, {content.titles[protocol]}"
            legend[label] = axes.axvline(accuracy, color=colour, ls=(0, (4, 3)), lw=1.5)
        axes.set_yticks(range(len(content.gaps)), [one.label for one in content.gaps])
        axes.set_ylim(len(content.gaps) - 0.5, -0.6)
        axes.set_xlim(0, 1.08)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x")
        axes.set_xlabel("right answers")
        figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=4 if len(legend) < 5 else 3)

    alt = "; ".join(
        f"{one.label}: " + ", ".join(f"{content.titles[p]} {a:.0%}" for p, a in one.accuracies.items())
        for one in content.gaps
    )
    return draw(name, title, alt, (WIDTH, height), paint)


def _gap_line(axes: Axes, theme: Theme, y: int, one: GapRow, titles: Mapping[str, str], legend: dict[str, Any]) -> None:
    known = list(one.accuracies.values())
    axes.plot([min(known), max(known)], [y, y], color=theme.quiet, lw=1.5, zorder=1)
    for protocol, accuracy in one.accuracies.items():
        marker, colour = MARKS[protocol]
        (line,) = axes.plot(accuracy, y, marker, color=theme.series[colour], ms=9, zorder=3)
        legend.setdefault(titles[protocol], Line2D([], [], marker=marker, ls="", color=line.get_color(), ms=9))
    if one.printed is not None:
        axes.plot(one.printed, y, "D", mfc="none", mec=theme.text, mew=1.4, ms=9, zorder=4)
        legend.setdefault("published", Line2D([], [], marker="D", ls="", mfc="none", mec=theme.text, mew=1.4, ms=8))
    if len(known) > 1:
        points = round(100 * (known[-1] - known[0]))
        axes.annotate(
            f"{points:+d}".replace("-", "−"),
            (max(*known, one.printed or 0), y),
            (9, 0),
            textcoords="offset points",
            va="center",
            color=theme.text,
            fontsize=9,
            zorder=5,
            bbox={"facecolor": theme.card, "edgecolor": "none", "pad": 1},
        )


def bars(
    name: str,
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    errors: Mapping[str, Sequence[float]] | None = None,
) -> Picture:
    """Plot shares as grouped bars: one group per label, one colour per series."""
    height = 1.4 + (0.2 * len(series) + 0.16) * len(labels)

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        thick = 0.8 / len(series)
        for place, (called, shares) in enumerate(series.items()):
            y = np.arange(len(labels)) + (place - (len(series) - 1) / 2) * thick
            spread = None if errors is None else errors[called]
            axes.barh(y, shares, thick * 0.9, xerr=spread, label=called, color=theme.series[place], ecolor=theme.quiet)
            for at, share in zip(y, shares, strict=True):
                inside = share > MIN_BAR_WITH_TEXT
                left, colour = (0.008, theme.card) if inside else (share + 0.008, theme.text)
                axes.text(left, at, f"{share:.0%}", va="center", fontsize=8, color=colour, fontweight="bold")
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x")
        figure.legend(loc="outside lower center", ncols=4)

    alt = "; ".join(
        f"{label}: " + ", ".join(f"{called} {shares[place]:.0%}" for called, shares in series.items())
        for place, label in enumerate(labels)
    )
    return draw(name, title, alt, (WIDTH, height), paint)


def write_numbers(axes: Axes, matrix: NDArray[Any], shown: Any, form: str) -> None:
    """Write numbers into the cells of a heat map, in black or white depending on the cell's brightness."""
    for (row, column), value in np.ndenumerate(matrix):
        red, green, blue, _ = shown.cmap(shown.norm(value))
        bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
        text = form.format(value)
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color="#000000" if bright else "#ffffff")


def confusion(name: str, title: str, shown: Sequence[tuple[str, ModelScores]]) -> Picture:
    """Plot confusion matrices under different protocols side by side."""
    genres = [one.genre for one in shown[0][1].genres]

    def paint(figure: Figure, theme: Theme) -> None:
        for place, (called, measured) in enumerate(shown):
            axes = figure.add_subplot(1, len(shown), place + 1)
            matrix = np.array(measured.confusion, dtype=float)
            shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            image = axes.imshow(shares, cmap=theme.heat, vmin=0, vmax=1)
            axes.set_title(f"{called}: {measured.accuracy:.1%}")
            axes.set_xticks(range(len(genres)), genres, rotation=90, fontsize=8)
            axes.set_yticks(range(len(genres)) if place == 0 else [], genres if place == 0 else [], fontsize=8)
            axes.set_xlabel("predicted")
            if place == 0:
                axes.set_ylabel("true genre")
            axes.spines[:].set_visible(False)
            if len(genres) <= MAX_ANNOTATED_CELLS:
                write_numbers(axes, 100 * shares, _Scaled(image), "{:.0f}")

    alt = f"Rows: true genre, columns: predicted genre, in percent of the true genre. {_confused(genres, shown[-1][1])}"
    return draw(name, title, alt, (WIDTH, 3.2 + 0.14 * len(genres)), paint)


class _Scaled:
    """Maps values in percent to an image's colours."""

    def __init__(self, image: Any) -> None:
        self.cmap = image.cmap
        self.norm = lambda percent: image.norm(percent / 100)


def _confused(genres: Sequence[str], measured: ModelScores) -> str:
    matrix = np.array(measured.confusion, dtype=float)
    np.fill_diagonal(matrix, -1)
    row, column = divmod(int(matrix.argmax()), len(genres))
    return f"Most often {genres[row]} was classified as {genres[column]}."


def sweep(name: str, measured: ModelScores) -> Picture | None:
    """Plot accuracy over a searched setting; None if no setting has more than two numeric values."""
    lines = _lines(measured)
    if lines is None:
        return None
    setting, others = lines

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for place, (called, points) in enumerate(others.items()):
            x, y = zip(*sorted(points), strict=True)
            marker = SHAPES[place % len(SHAPES)]
            axes.plot(x, y, f"{marker}-", color=theme.series[place], ms=5, lw=1.3, label=called or None)
        if max(x) > 30 * max(min(x), 1e-9):
            _logarithmic(axes)
        axes.set_xlabel(setting)
        axes.set_ylabel("right answers")
        axes.yaxis.set_major_locator(MaxNLocator(8, steps=ROUND_STEPS))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid()
        if any(others):
            figure.legend(loc="outside lower center", ncols=3)

    best = max(measured.tried, key=lambda pair: pair[1])
    alt = f"Best of {len(measured.tried)}: {', '.join(f'{k} = {v}' for k, v in best[0].items())}, {best[1]:.1%}."
    return draw(name, f"{measured.model}: parameter search", alt, (WIDTH, 4.2), paint)


def _logarithmic(axes: Axes) -> None:
    """Make the x axis logarithmic, with plain numbers as labels."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _lines(measured: ModelScores) -> tuple[str, dict[str, list[tuple[float, float]]]] | None:
    values: dict[str, list[Any]] = {}
    for settings, _ in measured.tried:
        for setting, value in settings.items():
            if value not in values.setdefault(setting, []):
                values[setting].append(value)
    numeric = {s: v for s, v in values.items() if len(v) > 2 and all(type(n) in (int, float) for n in v)}
    if not numeric:
        return None
    along = max(numeric, key=lambda setting: len(numeric[setting]))
    lines: dict[str, list[tuple[float, float]]] = {}
    for settings, share in measured.tried:
        called = ", ".join(f"{s} = {v}" for s, v in settings.items() if s != along and len(values[s]) > 1)
        lines.setdefault(called, []).append((settings[along], share))
    return (along, lines) if len(lines) <= MAX_LINES else None


def strips(name: str, title: str, shares: Mapping[str, Sequence[float]]) -> Picture:
    """Plot the accuracy of every fold, and the mean."""

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for place, folds in enumerate(shares.values()):
            axes.plot(folds, np.full(len(folds), place), "o", color=theme.series[1], alpha=0.7, ms=6)
            axes.plot(np.mean(folds), place, "|", color=theme.series[0], ms=26, mew=3)
        axes.set_yticks(range(len(shares)), list(shares))
        axes.set_ylim(len(shares) - 0.5, -0.5)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=ROUND_STEPS))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x")
        axes.set_xlabel("right answers of each fold; the bar is their mean")

    alt = "; ".join(f"{called}: mean {np.mean(folds):.1%} of {len(folds)} folds" for called, folds in shares.items())
    return draw(name, title, alt, (WIDTH, 1.0 + 0.5 * len(shares)), paint)


def times(seconds: Mapping[str, tuple[float, float]]) -> Picture:
    """Plot the times to train and to predict, on a logarithmic axis."""
    called = list(seconds)

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.add_subplot()
        for part, (marker, label) in enumerate((("o", "to train"), ("s", "to predict the test set"))):
            taken = [max(seconds[model][part], 1e-4) for model in called]
            axes.plot(taken, range(len(called)), marker, color=theme.series[part], ms=9, label=label)
        _logarithmic(axes)
        axes.set_xlabel("seconds")
        axes.set_yticks(range(len(called)), called)
        axes.set_ylim(len(called) - 0.5, -0.5)
        axes.grid()
        figure.legend(loc="outside lower center", ncols=2)

    alt = "; ".join(f"{model}: {fit:.2f} s to train, {ask:.3f} s to predict" for model, (fit, ask) in seconds.items())
    return draw("times", "How long they take", alt, (WIDTH, 1.4 + 0.35 * len(called)), paint)
