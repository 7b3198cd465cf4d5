"""A study from table to figures: every model under every protocol, then balanced, pair by pair, and cross-validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.model_selection import StratifiedKFold

from classifier.studies import model_runner, scores
from classifier.studies.protocols import ARTISTS, ROWS, SONGS, Protocol, Trial, protocols

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.studies.checkpoints import Steps
    from classifier.studies.config import Model, Pair, Study
    from classifier.studies.model_runner import Answers, Task
    from classifier.studies.scores import Measured
    from classifier.studies.study_table import Table

FOLDS: Final = "folds"
SLOW: Final = ("network", "gradient_boosting")


@dataclass(frozen=True, eq=False)
class Section:
    """Figures of one table.

    Attributes
    ----------
    title
        What was told apart.
    table, protocols
        On what, and how.
    measured
        All models under the first protocol, then under the next.
    remark
        A sentence on it, may be empty.
    """

    title: str
    table: Table
    protocols: Sequence[Protocol]
    measured: Sequence[Measured]
    remark: str = ""

    def of(self, protocol: str) -> list[Measured]:
        """Return the figures of one protocol."""
        return [one for one in self.measured if one.protocol == protocol]

    def figure(self, model: str, protocol: str) -> Measured | None:
        """Return a model's figures under a protocol, if it is among them."""
        return next((one for one in self.of(protocol) if one.model == model), None)


@dataclass(frozen=True, eq=False)
class Results:
    """All sections of a study: as it is, balanced (if asked for), each pair, and the cross-validations."""

    study: Study
    main: Section
    balanced: Section | None
    pairs: Sequence[Section]
    cross_validated: Sequence[Section]

    @property
    def apart(self) -> str | None:
        """Name the strictest protocol that there is besides the study's own."""
        names = [protocol.name for protocol in self.main.protocols]
        return next((name for name in (ARTISTS, SONGS) if name in names), None)


def run(study: Study, table: Table, steps: Steps) -> Results:
    """Measure everything that a study asks for."""
    model_runner.check(study)
    main = _section(study, table, protocols(study, table), steps, "All genres", "The study")
    balanced = None
    if study.balancing is not None:
        level = undersampled(table, study.balancing.seed)
        remark = f"{len(level.genres):,} of {len(table.genres):,} rows: as many of every genre, drawn at random."
        balanced = _section(study, level, protocols(study, level), steps, "Balanced", "Balanced", remark)
    pairs = [_pair(study, table, pair, steps) for pair in study.pairs]
    crossed = []
    if study.cross_validation is not None:
        for section in (main, balanced):
            if section is not None:
                how = [crosswise(study, section.table)]
                crossed.append(_section(study, section.table, how, steps, section.title, "Cross-validation"))
    return Results(study, main, balanced, pairs, crossed)


def _pair(study: Study, table: Table, pair: Pair, steps: Steps) -> Section:
    present = {_plain(genre): genre for genre in table.classes}
    complete = all(_plain(genre) in present for genre in pair.genres)
    genres = pair.genres if complete or pair.stand_in is None else pair.stand_in
    title, remark = " / ".join(pair.genres), ""
    if genres != pair.genres:
        remark = f"{' / '.join(genres)} stands in for {title}, which the table lacks."
    places = np.flatnonzero(np.isin(table.genres, [present.get(_plain(genre), "") for genre in genres]))
    if len(set(table.genres[places].tolist())) < 2:
        return Section(title, table, [], [], f"The table lacks {title}; it is left out.")
    part = table.rows(places)
    return _section(study, part, protocols(study, part), steps, title, title, remark)


def _plain(genre: str) -> str:
    """Return a genre's letters only: Hip-Hop, hip hop and hiphop are one."""
    return "".join(sign for sign in genre.casefold() if sign.isalnum())


def undersampled(table: Table, seed: int) -> Table:
    """Draw as many rows of every genre as the rarest has."""
    draw = np.random.default_rng(seed)
    fewest = int(np.unique(table.genres, return_counts=True)[1].min())
    drawn = [draw.permutation(np.flatnonzero(table.genres == genre))[:fewest] for genre in table.classes]
    return table.rows(np.sort(np.concatenate(drawn)))


def crosswise(study: Study, table: Table) -> Protocol:
    """Return folds over rows, as exercises cross-validate."""
    smallest = int(np.unique(table.genres, return_counts=True)[1].min())
    count = max(2, min(study.cross_validation or 2, smallest))
    folds = StratifiedKFold(count, shuffle=True, random_state=study.split.seed)
    nothing = np.empty(0, dtype=np.int64)
    trials = [Trial(train, nothing, test) for train, test in folds.split(table.X, table.genres)]
    return Protocol(FOLDS, f"{count}-fold cross-validation", f"{count} folds of rows drawn at random.", trials, None)


def _section(
    study: Study,
    table: Table,
    held: Sequence[Protocol],
    steps: Steps,
    title: str,
    doing: str,
    remark: str = "",
) -> Section:
    """Fit all models in all trials of all protocols, those that stand on others last."""
    spots = [(model, protocol, trial) for protocol in held for model in study.models for trial in protocol.trials]
    stacked = {below: model.folds for model in study.models for below in model.of}
    # What takes longest first, so that no core waits at the end for another.
    base = sorted((spot for spot in spots if spot[0].kind != "stacking"), key=lambda spot: spot[0].kind not in SLOW)
    tasks = [_task(study, table, *spot, stacked.get(spot[0].name, 0)) for spot in base]
    answered = steps.all(doing, model_runner.answer, tasks, [task.key() for task in tasks])
    said: dict[tuple[str, int], Answers] = {
        (model.name, id(trial)): answers for (model, _, trial), answers in zip(base, answered, strict=True)
    }
    said |= _stacked(study, table, [spot for spot in spots if spot[0].kind == "stacking"], said, steps, doing)
    measured = [
        scores.measure(model, protocol, [said[model.name, id(trial)] for trial in protocol.trials], table)
        for protocol in held
        for model in study.models
    ]
    return Section(title, table, held, measured, remark)


def _stacked(
    study: Study,
    table: Table,
    spots: Sequence[tuple[Model, Protocol, Trial]],
    said: Mapping[tuple[str, int], Answers],
    steps: Steps,
    doing: str,
) -> dict[tuple[str, int], Answers]:
    tasks = [(_task(study, table, *spot, 0), [said[name, id(spot[2])] for name in spot[0].of]) for spot in spots]
    keys = [
        (task.key(), task.model.passthrough, [(part.held_out, part.scores) for part in below]) for task, below in tasks
    ]
    answered = steps.all(f"{doing}, stacked", model_runner.stack, tasks, keys) if tasks else []
    return {(model.name, id(trial)): found for (model, _, trial), found in zip(spots, answered, strict=True)}


def _task(study: Study, table: Table, model: Model, protocol: Protocol, trial: Trial, stacked_folds: int) -> Task:
    return model_runner.Task(
        model=model,
        scaling=study.scaling,
        components=study.reduction.components if study.reduction else None,
        seed=study.split.seed,
        X=table.X,
        genres=table.genres,
        groups=protocol.groups,
        trial=trial,
        stacked_folds=stacked_folds,
    )


def printed_order(results: Results) -> tuple[int, int] | None:
    """Count pairs of models that the re-run puts in the printed order; None where nothing was printed."""
    known = [one for one in results.main.of(ROWS) if one.printed is not None]
    if len(known) < 2:
        return None
    return scores.order_kept([one.printed or 0 for one in known], [one.accuracy for one in known])
