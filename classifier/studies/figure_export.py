"""Exports a study's results as CSV and JSON for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from classifier.studies.baseline_comparison import ReleasedModelScore
    from classifier.studies.exploration import Exploration
    from classifier.studies.runner import Results, Section
    from classifier.studies.scores import ModelScores

FIGURE_COLUMNS: Final = (
    "model",
    "protocol",
    "printed",
    "rows",
    "accuracy",
    "standard_error",
    "precision",
    "recall",
    "f1",
    "train",
    "validation",
    "songs",
    "song_accuracy",
    "song_standard_error",
)


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else value


def sections(results: Results) -> list[Section]:
    """Return all sections of a study, in the order of the report."""
    balanced = [results.balanced] if results.balanced else []
    return [results.main, *balanced, *results.pairs, *results.cross_validated]


def tables(results: Results, explored: Exploration) -> dict[str, str]:
    """Return file name → CSV: figures, genres, confusion, settings, statistics and correlations."""
    parts = [(section, one) for section in sections(results) for one in section.measured]
    shown = {
        "figures.csv": to_csv(
            ("of", *FIGURE_COLUMNS),
            [(section.title, *(getattr(one, column) for column in FIGURE_COLUMNS)) for section, one in parts],
        ),
        "genres.csv": to_csv(
            ("of", "model", "protocol", "genre", "precision", "recall", "f1", "rows"),
            [
                (section.title, one.model, one.protocol, g.genre, g.precision, g.recall, g.f1, g.rows)
                for section, one in parts
                for g in one.genres
            ],
        ),
        "confusion.csv": to_csv(
            ("of", "model", "protocol", "genre", "answered", "rows"),
            [
                (section.title, one.model, one.protocol, truth.genre, said.genre, count)
                for section, one in parts
                for truth, row in zip(one.genres, one.confusion, strict=True)
                for said, count in zip(one.genres, row, strict=True)
            ],
        ),
        "statistics.csv": to_csv(
            ("column", *next(iter(explored.statistics.values()))),
            [(column, *(f"{v:.6g}" for v in numbers.values())) for column, numbers in explored.statistics.items()],
        ),
        "correlation.csv": to_csv(
            ("column", *explored.correlated),
            [(c, *(f"{v:.3f}" for v in row)) for c, row in zip(explored.correlated, explored.correlation, strict=True)],
        ),
        "variance.csv": to_csv(
            ("component", "explained"), [(n + 1, float(share)) for n, share in enumerate(explored.explained)]
        ),
    }
    if tried := list(_tried(results.main.measured)):
        shown["searches.csv"] = to_csv(("model", "protocol", "settings", "accuracy"), tried)
    return shown


def _tried(measured: Iterable[ModelScores]) -> Iterable[tuple[str, str, str, float]]:
    for one in measured:
        for settings, share in one.tried:
            yield one.model, one.protocol, settings_text(settings), share


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as text."""
    return ", ".join(f"{name} = {value}" for name, value in settings.items())


def times(results: Results) -> str:
    """Return the fit and prediction times as CSV; they differ from run to run."""
    return to_csv(
        ("of", "model", "protocol", "fit_seconds", "answer_seconds"),
        [
            (section.title, one.model, one.protocol, one.fit_seconds, one.answer_seconds)
            for section in sections(results)
            for one in section.measured
        ],
    )


def as_json(
    results: Results, explored: Exploration, released_scores: Mapping[str, ReleasedModelScore]
) -> dict[str, Any]:
    """Return all results as plain JSON data."""
    table = results.main.table
    return {
        "study": results.study.name,
        "title": results.study.title,
        "quick": results.study.quick,
        "table": {
            "rows": len(table.genres),
            "groups": None if table.groups is None else len(set(table.groups.tolist())),
            "genres": list(table.classes),
            "features": list(table.columns),
            "missing": dict(table.missing),
            "fingerprint": table.fingerprint,
            "remarks": list(table.remarks),
        },
        "sections": [
            {
                "title": section.title,
                "remark": section.remark,
                "protocols": [{"name": p.name, "title": p.title, "about": p.about} for p in section.protocols],
                "figures": [one.as_dict() for one in section.measured],
            }
            for section in [results.main, *([results.balanced] if results.balanced else []), *results.pairs]
        ],
        "cross_validation": [
            {"title": section.title, "figures": [one.as_dict() for one in section.measured]}
            for section in results.cross_validated
        ],
        "ours": [one.as_dict() for one in released_scores.values()],
        "exploration": explored.as_dict(),
    }
