"""Runs a study: every model under every protocol, then balanced, pairwise, and cross-validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.model_selection import StratifiedKFold

from classifier.studies import model_runner, scores
from classifier.studies.protocols import ARTISTS, ROWS, SONGS, Protocol, StudyTrial, protocols

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.studies.checkpoints import Checkpoints
    from classifier.studies.config import GenrePair, Study, StudyModel
    from classifier.studies.model_runner import FitTask, Predictions
    from classifier.studies.scores import ModelScores
    from classifier.studies.study_table import StudyTable

FOLDS: Final = "folds"
SLOW: Final = ("network", "gradient_boosting")


@dataclass(frozen=True, eq=False)
class Section:
    """The scores on one table.

    Attributes
    ----------
    title
        Heading, such as the pair of genres.
    table, protocols
        The rows and how they were split.
    measured
        Scores of all models, protocol by protocol.
    remark
        A sentence about the table; may be empty.
    """

    title: str
    table: StudyTable
    protocols: Sequence[Protocol]
    measured: Sequence[ModelScores]
    remark: str = ""

    def of(self, protocol: str) -> list[ModelScores]:
        """Return the scores under a protocol."""
        return [one for one in self.measured if one.protocol == protocol]

    def figure(self, model: str, protocol: str) -> ModelScores | None:
        """Return the scores of a model under a protocol, if there are any."""
        return next((one for one in self.of(protocol) if one.model == model), None)


@dataclass(frozen=True, eq=False)
class Results:
    """All sections of a study: the main one, balanced (if requested), pairs, and cross-validations."""

    study: Study
    main: Section
    balanced: Section | None
    pairs: Sequence[Section]
    cross_validated: Sequence[Section]

    @property
    def apart(self) -> str | None:
        """Name of the strictest protocol besides the study's own."""
        names = [protocol.name for protocol in self.main.protocols]
        return next((name for name in (ARTISTS, SONGS) if name in names), None)


def run(study: Study, table: StudyTable, steps: Checkpoints) -> Results:
    """Compute everything that a study requests."""
    model_runner.check(study)
    main = _section(study, table, protocols(study, table), steps, "All genres", "The study")
    balanced = None
    if study.balancing is not None:
        balanced_table = undersampled(table, study.balancing.seed)
        remark = (
            f"{len(balanced_table.genres):,} of {len(table.genres):,} rows, drawn at random, equally many per genre."
        )
        balanced = _section(
            study, balanced_table, protocols(study, balanced_table), steps, "Balanced", "Balanced", remark
        )
    pairs = [_pair(study, table, pair, steps) for pair in study.pairs]
    cross_validated = []
    if study.cross_validation is not None:
        for section in (main, balanced):
            if section is not None:
                how = [cross_validation_protocol(study, section.table)]
                cross_validated.append(_section(study, section.table, how, steps, section.title, "Cross-validation"))
    return Results(study, main, balanced, pairs, cross_validated)


def _pair(study: Study, table: StudyTable, pair: GenrePair, steps: Checkpoints) -> Section:
    present = {_plain(genre): genre for genre in table.classes}
    complete = all(_plain(genre) in present for genre in pair.genres)
    genres = pair.genres if complete or pair.stand_in is None else pair.stand_in
    title, remark = " / ".join(pair.genres), ""
    if genres != pair.genres:
        remark = f"{' / '.join(genres)} is used instead of {title}, which the table does not have."
    places = np.flatnonzero(np.isin(table.genres, [present.get(_plain(genre), "") for genre in genres]))
    if len(set(table.genres[places].tolist())) < 2:
        return Section(title, table, [], [], f"The table does not have {title}, so it is omitted.")
    part = table.rows(places)
    return _section(study, part, protocols(study, part), steps, title, title, remark)


def _plain(genre: str) -> str:
    """Return the letters and digits of a genre, so that Hip-Hop, hip hop and hiphop are equal."""
    return "".join(sign for sign in genre.casefold() if sign.isalnum())


def undersampled(table: StudyTable, seed: int) -> StudyTable:
    """Draw the same number of rows of every genre, that of the rarest."""
    draw = np.random.default_rng(seed)
    fewest = int(np.unique(table.genres, return_counts=True)[1].min())
    drawn = [draw.permutation(np.flatnonzero(table.genres == genre))[:fewest] for genre in table.classes]
    return table.rows(np.sort(np.concatenate(drawn)))


def cross_validation_protocol(study: Study, table: StudyTable) -> Protocol:
    """Return plain cross-validation over rows."""
    smallest = int(np.unique(table.genres, return_counts=True)[1].min())
    count = max(2, min(study.cross_validation or 2, smallest))
    folds = StratifiedKFold(count, shuffle=True, random_state=study.split.seed)
    nothing = np.empty(0, dtype=np.int64)
    trials = [StudyTrial(train, nothing, test) for train, test in folds.split(table.X, table.genres)]
    return Protocol(FOLDS, f"{count}-fold cross-validation", f"{count} folds of rows drawn at random.", trials, None)


def _section(
    study: Study,
    table: StudyTable,
    protocol_list: Sequence[Protocol],
    steps: Checkpoints,
    title: str,
    doing: str,
    remark: str = "",
) -> Section:
    """Fit all models in all trials of all protocols, stacking models last."""
    fits = [
        (model, protocol, trial) for protocol in protocol_list for model in study.models for trial in protocol.trials
    ]
    stacked = {below: model.folds for model in study.models for below in model.of}
    # Slow models first, so that all cores are busy until the end.
    base = sorted((fit for fit in fits if fit[0].kind != "stacking"), key=lambda fit: fit[0].kind not in SLOW)
    tasks = [_task(study, table, *fit, stacked.get(fit[0].name, 0)) for fit in base]
    answered = steps.all(doing, model_runner.answer, tasks, [task.key() for task in tasks])
    predictions: dict[tuple[str, int], Predictions] = {
        (model.name, id(trial)): answers for (model, _, trial), answers in zip(base, answered, strict=True)
    }
    predictions |= _stacked(study, table, [fit for fit in fits if fit[0].kind == "stacking"], predictions, steps, doing)
    measured = [
        scores.measure(model, protocol, [predictions[model.name, id(trial)] for trial in protocol.trials], table)
        for protocol in protocol_list
        for model in study.models
    ]
    return Section(title, table, protocol_list, measured, remark)


def _stacked(
    study: Study,
    table: StudyTable,
    fits: Sequence[tuple[StudyModel, Protocol, StudyTrial]],
    predictions: Mapping[tuple[str, int], Predictions],
    steps: Checkpoints,
    doing: str,
) -> dict[tuple[str, int], Predictions]:
    tasks = [(_task(study, table, *fit, 0), [predictions[name, id(fit[2])] for name in fit[0].of]) for fit in fits]
    keys = [
        (task.key(), task.model.passthrough, [(part.held_out, part.scores) for part in below]) for task, below in tasks
    ]
    answered = steps.all(f"{doing}, stacked", model_runner.stack, tasks, keys) if tasks else []
    return {(model.name, id(trial)): found for (model, _, trial), found in zip(fits, answered, strict=True)}


def _task(
    study: Study, table: StudyTable, model: StudyModel, protocol: Protocol, trial: StudyTrial, stacked_folds: int
) -> FitTask:
    return model_runner.FitTask(
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
    """Return the number of model pairs in the published order, and of all pairs; None without published scores."""
    known = [one for one in results.main.of(ROWS) if one.printed is not None]
    if len(known) < 2:
        return None
    return scores.order_kept([one.printed or 0 for one in known], [one.accuracy for one in known])
