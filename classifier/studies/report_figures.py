"""Chooses the figures of a study's report. They are drawn in ``plots`` and ``table_plots``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from classifier.studies import plots, table_plots
from classifier.studies.protocols import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classifier.studies.baseline_comparison import ReleasedModelScore
    from classifier.studies.exploration import Exploration
    from classifier.studies.figure_canvas import Picture
    from classifier.studies.runner import Results, Section


def _file(kind: str, place: int, model: str) -> str:
    """Return a file name for a model's figure; the model's number keeps names in other scripts distinct."""
    letters = re.sub(r"[^a-z0-9]+", "-", model.casefold()).strip("-")
    return f"{kind}-{place + 1}-{letters or 'model'}"


def _titles(section: Section) -> dict[str, str]:
    return {protocol.name: protocol.title for protocol in section.protocols}


def _accuracies(section: Section, model: str) -> dict[str, float]:
    return {one.protocol: one.accuracy for one in section.measured if one.model == model}


def gap(results: Results, released_scores: Mapping[str, ReleasedModelScore]) -> Picture:
    """Return the gap plot of all models."""
    section = results.main
    gaps = [plots.GapRow(one.model, one.printed, _accuracies(section, one.model)) for one in section.of(ROWS)]
    titles = _titles(section)
    known = {protocol: one.figure.share for protocol, one in released_scores.items() if protocol in titles}
    return plots.gap(plots.GapPlot(gaps, titles, known), "gap", "Accuracy of each model when the music is new to it")


def pairs(results: Results) -> Picture:
    """Return the gap plot of all pairs of genres."""
    shown = [section for section in results.pairs if section.measured]
    gaps = [
        plots.GapRow(f"{section.title}: {one.model}", None, _accuracies(section, one.model))
        for section in shown
        for one in section.of(ROWS)
    ]
    low, _, high = results.study.pairs_printed.partition("–")
    printed = (float(low), float(high)) if low and high else None
    content = plots.GapPlot(gaps, _titles(shown[0]), printed_range=printed)
    return plots.gap(content, "pairs", "Two genres at a time")


def parts(results: Results) -> Picture:
    """Return the accuracy on training, validation and test set under the study's own protocol."""
    measured = results.main.of(ROWS)
    series = {"train": [one.train for one in measured]}
    if all(one.validation is not None for one in measured):
        series["validation"] = [one.validation or 0.0 for one in measured]
    series["test"] = [one.accuracy for one in measured]
    title = "Accuracy on training and held-out rows, rows at random"
    return plots.bars("parts", title, [one.model for one in measured], series)


def searches(results: Results) -> list[Picture]:
    """Return the parameter searches under the study's own protocol."""
    measured = enumerate(results.main.of(ROWS))
    drawn = [plots.sweep(_file("sweep", place, one.model), one) for place, one in measured if one.tried]
    return [picture for picture in drawn if picture is not None]


def confusions(results: Results) -> list[Picture]:
    """Return each model's confusion matrices under the study's own and the strictest protocol."""
    titles, drawn = _titles(results.main), []
    seen: set[object] = set()
    for place, one in enumerate(results.main.of(ROWS)):
        if one.confusion in seen:  # the same model under another name
            continue
        seen.add(one.confusion)
        shown = [(titles[ROWS], one)]
        if results.apart is not None and (strict := results.main.figure(one.model, results.apart)):
            shown.append((titles[results.apart], strict))
        drawn.append(plots.confusion(_file("confusion", place, one.model), one.model, shown))
    return drawn


def exploration(results: Results, explored: Exploration) -> list[Picture]:
    """Return the requested plots of the table."""
    table, wanted = results.main.table, results.study.plots
    genres = table.genres[explored.mapped]
    drawn = []
    if "counts" in wanted:
        drawn.append(table_plots.counts(explored))
    if "distributions" in wanted:
        drawn.append(table_plots.distributions(table))
    if "correlation" in wanted and len(explored.correlated) > 1:
        drawn.append(table_plots.correlation(explored))
    if "variance" in wanted:
        drawn.append(table_plots.variance(explored))
    if explored.pca is not None:
        title = "The rows on the plane of the first two principal components"
        drawn.append(table_plots.scatter("pca", title, explored.pca, genres, "component"))
    if explored.tsne is not None:
        drawn.append(table_plots.scatter("tsne", "The rows by similarity (t-SNE)", explored.tsne, genres, "t-SNE"))
    return drawn


def bias(as_it_is: Section, balanced: Section) -> Picture:
    """Return the recall of each genre, before and after balancing."""
    labels, before, after = [], [], []
    for one in as_it_is.of(ROWS):
        same = balanced.figure(one.model, ROWS)
        for place, genre in enumerate(one.genres):
            labels.append(f"{one.model}: {genre.genre}")
            before.append(genre.recall)
            after.append(same.genres[place].recall if same else 0.0)
    series = {"as it is": before, "balanced": after}
    return plots.bars("bias", "Share of each genre that is recognised (recall)", labels, series)


def folds(results: Results) -> Picture:
    """Return the accuracy of every fold of the cross-validations."""
    shares = {
        f"{one.model}, {section.title.lower()}": one.trials
        for section in results.cross_validated
        for one in section.measured
    }
    return plots.strips("folds", "Every fold of the cross-validation", shares)


def times(section: Section) -> Picture:
    """Return the training and prediction times."""
    seconds = {one.model: (one.fit_seconds, one.answer_seconds) for one in section.of(ROWS)}
    return plots.times(seconds)
