"""Writes a study's report: a self-contained HTML page, and the same results as JSON, CSV and PNG files.

The sentences come from ``conclusions``, the plots from ``report_figures``; the page's template, style and script are in
``page``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from classifier.studies import conclusions, figure_export, report_figures
from classifier.studies.baseline_comparison import UNKNOWN
from classifier.studies.protocols import ARTISTS, ROWS, SONGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.studies.baseline_comparison import ReleasedModelScore
    from classifier.studies.exploration import Exploration
    from classifier.studies.figure_canvas import Picture
    from classifier.studies.runner import Results, Section
    from classifier.studies.scores import ModelScores

PAGE: Final = Path(__file__).parent / "page"
NOTHING: Final = "–"
KIBIBYTE: Final = 1024
MAX_DESCRIBED: Final = 200
"""Maximum number of columns with statistics on the page; the CSV file has all."""


@dataclass(frozen=True)
class ReportTable:
    """A table of the page; the first cell of each row is its name."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    foot: Sequence[Sequence[str]] = ()


def write(
    out: Path,
    results: Results,
    explored: Exploration,
    released_scores: Mapping[str, ReleasedModelScore],
    *,
    command: str,
    with_times: bool = False,
) -> Path:
    """Write the report; return the path of the page.

    Parameters
    ----------
    out
        An existing folder; files of earlier runs are replaced.
    released_scores
        Protocol → score of the released model; empty if it was not evaluated on these songs.
    command
        The command line that reproduces the page.
    with_times
        Whether to show the training and prediction times, which differ from run to run.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    pictures = _pictures(results, explored, released_scores, with_times=with_times)
    folder = out / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        (folder / f"{picture.name}.png").write_bytes(picture.light)
        (folder / f"{picture.name}-dark.png").write_bytes(picture.dark)
    figures = json.dumps(figure_export.as_json(results, explored, released_scores), ensure_ascii=False) + "\n"
    files = {"figures.json": figures, **figure_export.tables(results, explored)}
    for name, text in files.items():
        (out / name).write_text(text, "utf-8")
    (out / "times.csv").write_text(figure_export.times(results), "utf-8")
    if with_times:
        files["times.csv"] = figure_export.times(results)
    page = out / "report.html"
    page.write_text(_page(results, explored, released_scores, pictures, files, command, with_times=with_times), "utf-8")
    return page


def _page(
    results: Results,
    explored: Exploration,
    released_scores: Mapping[str, ReleasedModelScore],
    pictures: Sequence[Picture],
    files: Mapping[str, str],
    command: str,
    *,
    with_times: bool,
) -> str:
    script, style = (PAGE / "report.js").read_text("utf-8"), (PAGE / "report.css").read_text("utf-8")
    names = [picture.name for picture in pictures]
    titles = {protocol.name: protocol.title for protocol in results.main.protocols}
    environment = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2").render(
        # Only the inline script and style may run, whatever the names of a table's columns contain.
        policy=f"default-src 'none'; script-src {_allowed(script)}; style-src {_allowed(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        script=_Safe(script),
        style=_Safe(style),
        study=results.study,
        pictures={picture.name: _shown(picture) for picture in pictures},
        against_print=conclusions.against_print(results),
        generalization_gap=conclusions.generalization_gap(results),
        about_released_model=conclusions.about_released_model(results, released_scores),
        headline=headline(results, released_scores),
        headline_note=_headline_note(results),
        leak=conclusions.leak(results),
        released_scores=[
            {"title": titles[p], "share": percent(one.figure.share), "of": f"{one.figure.of:,}", "about": one.about}
            for p, one in released_scores.items()
            if p in titles
        ],
        unknown=UNKNOWN,
        **_grids(results, explored, titles, names, with_times=with_times),
        notes=[*results.study.notes, *results.main.table.remarks],
        downloads=[_download(name, text) for name, text in files.items()],
        command=command,
    )


def _grids(
    results: Results, explored: Exploration, titles: Mapping[str, str], pictures: Sequence[str], *, with_times: bool
) -> dict[str, Any]:
    """Return the tables of the page and the names of the figures among them."""
    return {
        "balanced": _balanced(results),
        "crossed": _crossed(results),
        "pairs": _pairs(results),
        "details": [_details(results.main, protocol) for protocol in titles],
        "times": _times(results.main) if with_times else None,
        "searches": [name for name in pictures if name.startswith("sweep-")],
        "settings": _settings(results.main, titles),
        "confusions": [name for name in pictures if name.startswith("confusion-")],
        "by_genre": [_by_genre(one, titles) for one in results.main.measured],
        "facts": _facts(results, explored),
        "explored": [
            name for name in ("counts", "distributions", "correlation", "variance", "pca", "tsne") if name in pictures
        ],
        "statistics": _statistics(explored),
        "missing": ReportTable(
            "Empty cells", ("column", "empty"), [(n, f"{c:,}") for n, c in sorted(results.main.table.missing.items())]
        ),
    }


class _Safe(str):
    """Trusted text of this package that is not escaped in the page."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def _allowed(source: str) -> str:
    """Return the content security policy source that allows this piece of inline code."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _shown(picture: Picture) -> dict[str, Any]:
    return {
        "title": picture.title,
        "alt": picture.alt,
        "width": picture.width,
        "height": picture.height,
        "light": _link("image/webp", picture.light_on_page),
        "dark": _link("image/webp", picture.dark_on_page),
    }


def _link(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _download(name: str, text: str) -> dict[str, str]:
    content = text.encode()
    kind = "application/json" if name.endswith(".json") else "text/csv"
    return {"name": name, "link": _link(kind, content), "size": f"{max(1, round(len(content) / KIBIBYTE))} KB"}


def percent(share: float | None) -> str:
    """Format a share as a percentage, or as a dash if there is none."""
    return NOTHING if share is None else conclusions.percent(share)


def _with_error(share: float | None, error: float | None) -> str:
    return NOTHING if share is None or error is None else f"{conclusions.percent(share)} ± {100 * error:.1f}"


def _signed(away: float | None) -> str:
    return NOTHING if away is None else f"{away:+.1f}".replace("-", "−")


def headline(results: Results, released_scores: Mapping[str, ReleasedModelScore]) -> ReportTable:
    """Return the table of published, re-run and grouped scores of every model, and of the released model."""
    section = results.main
    printed = any(one.printed is not None for one in section.measured)
    header = ["model", *(["published", "re-run", "difference"] if printed else ["as the study drew"])]
    held = [protocol for protocol in section.protocols if protocol.name != ROWS]
    for protocol in held:
        header += [f"{protocol.title}, rows", *([f"{protocol.title}, songs"] if _voted(section, protocol.name) else [])]
    rows = []
    for one in section.of(ROWS):
        cells = [one.model, *([percent(one.printed)] if printed else []), _with_error(one.accuracy, one.standard_error)]
        cells += [_signed(conclusions.points(one))] if printed else []
        for protocol in held:
            same = section.figure(one.model, protocol.name)
            cells.append(_with_error(same.accuracy, same.standard_error) if same else NOTHING)
            if same and _voted(section, protocol.name):
                cells.append(_with_error(same.song_accuracy, same.song_standard_error))
        rows.append(cells)
    foot = ["this bot", *([NOTHING] if printed else []), NOTHING, *([NOTHING] if printed else [])]
    for protocol in held:
        known = released_scores.get(protocol.name)
        foot.append(NOTHING)
        if _voted(section, protocol.name):
            foot.append(_with_error(known.figure.share, known.figure.standard_error) if known else NOTHING)
    return ReportTable("Accuracy", header, rows, [foot] if released_scores else [])


def _voted(section: Section, protocol: str) -> bool:
    return any(one.song_accuracy is not None for one in section.of(protocol))


def _headline_note(results: Results) -> str:
    sentences = [f"{protocol.title.capitalize()}: {protocol.about}" for protocol in results.main.protocols]
    if any(_voted(results.main, protocol) for protocol in (SONGS, ARTISTS)):
        sentences.append("For scores by song, the rows of a song vote for one genre.")
    sentences.append("± is the standard error, clustered by song. Differences are in percentage points.")
    return " ".join(sentences)


def _details(section: Section, protocol: str) -> ReportTable:
    title = next(p.title for p in section.protocols if p.name == protocol)
    rows = [
        (
            one.model,
            f"{one.rows:,}",
            *map(percent, (one.train, one.validation, one.accuracy, one.precision, one.recall, one.f1)),
        )
        for one in section.of(protocol)
    ]
    header = ("model", "rows tested", "accuracy on train", "on validation", "on test", "precision", "recall", "F1")
    return ReportTable(f"{title.capitalize()}", header, rows)


def _times(section: Section) -> ReportTable:
    rows = [(one.model, f"{one.fit_seconds:.2f} s", f"{1000 * one.answer_seconds:.1f} ms") for one in section.of(ROWS)]
    return ReportTable(
        "Training and prediction times on this computer", ("model", "training", "predicting the test set"), rows
    )


def _settings(section: Section, titles: Mapping[str, str]) -> ReportTable:
    rows = [
        (
            one.model,
            titles[one.protocol],
            "; ".join(dict.fromkeys(figure_export.settings_text(s) for s in one.settings)),
        )
        for one in section.measured
        if one.tried
    ]
    return ReportTable("Settings chosen in each trial", ("model", "protocol", "chosen"), rows)


def _by_genre(one: ModelScores, titles: Mapping[str, str]) -> ReportTable:
    rows = [
        (genre.genre, percent(genre.precision), percent(genre.recall), percent(genre.f1), f"{genre.rows:,}")
        for genre in one.genres
    ]
    return ReportTable(f"{one.model}, {titles[one.protocol]}", ("genre", "precision", "recall", "F1", "rows"), rows)


def _facts(results: Results, explored: Exploration) -> ReportTable:
    table, study = results.main.table, results.study
    rows = [("rows", f"{len(table.genres):,}" + (f", each of {study.data.row}" if study.data.row else ""))]
    if table.groups is not None and study.data.group is not None:
        rows.append((study.data.group.called, f"{len(set(table.groups.tolist())):,}"))
    rows += [
        ("genres", f"{len(table.classes)}: {', '.join(table.classes)}"),
        ("features", f"{len(table.columns)}"),
        (
            "scaling",
            {"minmax": "to the range 0 to 1", "standard": "to mean 0 and standard deviation 1", "none": "none"}[
                study.scaling
            ],
        ),
    ]
    if study.reduction is not None:
        rows.append(("reduction", f"{study.reduction.components:g} principal components"))
    rows.append(("components for 90 % of the variance", f"{explored.components_for(0.9)}"))
    rows.append(("seed", f"{study.split.seed}"))
    rows.append(("fingerprint of the files", table.fingerprint))
    return ReportTable("Data and preprocessing", ("property", "value"), rows)


def _statistics(explored: Exploration) -> ReportTable:
    names = list(next(iter(explored.statistics.values())))
    rows = [(column, *(f"{value:.4g}" for value in of.values())) for column, of in explored.statistics.items()]
    more = f", the first {MAX_DESCRIBED} of {len(rows):,} columns" if len(rows) > MAX_DESCRIBED else ""
    return ReportTable(f"Descriptive statistics{more}", ("column", *names), rows[:MAX_DESCRIBED])


def _balanced(results: Results) -> dict[str, Any] | None:
    if results.balanced is None:
        return None
    rows = []
    for called, section in (("as it is", results.main), ("balanced", results.balanced)):
        titles = {protocol.name: protocol.title for protocol in section.protocols}
        for one in section.measured:
            cells = [f"{one.model}, {called}", titles[one.protocol], _with_error(one.accuracy, one.standard_error)]
            rows.append([*cells, percent(one.recall), *(percent(genre.recall) for genre in one.genres)])
    genres = [f"recall of {genre}" for genre in results.main.table.classes]
    header = ("model and table", "protocol", "accuracy", "mean recall", *genres)
    return {"remark": results.balanced.remark, "table": ReportTable("Accuracy, and recall of each genre", header, rows)}


def _crossed(results: Results) -> ReportTable | None:
    rows = [
        (
            f"{one.model}, {section.title.lower()}",
            f"{len(one.trials)}",
            *map(percent, (one.accuracy, min(one.trials), max(one.trials))),
        )
        for section in results.cross_validated
        for one in section.measured
    ]
    return (
        ReportTable("Accuracy over folds of rows", ("model and table", "folds", "mean", "lowest", "highest"), rows)
        if rows
        else None
    )


def _pairs(results: Results) -> dict[str, Any] | None:
    if not results.pairs:
        return None
    shown = [section for section in results.pairs if section.measured]
    titles = {protocol.name: protocol.title for section in shown for protocol in section.protocols}
    printed = results.study.pairs_printed
    rows = [
        [f"{section.title}: {one.model}", *([printed] if printed else [])]
        + [_pair_cell(section.figure(one.model, protocol)) for protocol in titles]
        for section in shown
        for one in section.of(ROWS)
    ]
    header = ("pair and model", *(["published, all"] if printed else []), *titles.values())
    remarks = [section.remark for section in results.pairs if section.remark]
    return {"remarks": remarks, "table": ReportTable("Accuracy by row", header, rows)}


def _pair_cell(one: ModelScores | None) -> str:
    return NOTHING if one is None else _with_error(one.accuracy, one.standard_error)


def _pictures(
    results: Results, explored: Exploration, released_scores: Mapping[str, ReleasedModelScore], *, with_times: bool
) -> list[Picture]:
    """Return all figures of the report."""
    drawn = [
        report_figures.gap(results, released_scores),
        report_figures.parts(results),
        *report_figures.searches(results),
    ]
    drawn += report_figures.confusions(results)
    drawn += report_figures.exploration(results, explored)
    if results.balanced is not None:
        drawn.append(report_figures.bias(results.main, results.balanced))
    if results.cross_validated:
        drawn.append(report_figures.folds(results))
    if any(section.measured for section in results.pairs):
        drawn.append(report_figures.pairs(results))
    if with_times:
        drawn.append(report_figures.times(results.main))
    return drawn
