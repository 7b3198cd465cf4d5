"""One step of a study: a model's settings chosen, the model fitted, and what it answers about rows held out.

A step depends on nothing but its arguments, so it can be kept, repeated elsewhere, or done in another process.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from classifier.studies.config import StudyError
from classifier.studies.protocols import inner_folds
from classifier.training.keras_network import KerasNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.studies.config import Model, Study
    from classifier.studies.protocols import Trial

SCALERS: Final = {"minmax": MinMaxScaler, "standard": StandardScaler}
NEIGHBOURS: Final = "n_neighbors"
STACKED_ITERATIONS: Final = 3000


@dataclass(frozen=True, eq=False)
class Answers:
    """What a fitted model said.

    Attributes
    ----------
    settings
        Those that were chosen from its grid.
    tried
        Settings and the share of right answers that they were judged by, in the order of the grid.
    train, validation, test
        Its answers for the parts of the trial.
    scores
        For the test part, one column per genre (two genres may have one column only): what a stacking stands on.
    held_out
        The same for the training part, by copies of the model that had not seen the row; None where nobody asked.
    fit_seconds, answer_seconds
        Time taken to fit with the chosen settings, and to answer the test part. Searching is not counted.
    """

    settings: Mapping[str, Any]
    tried: Sequence[tuple[Mapping[str, Any], float]]
    train: NDArray[np.str_]
    validation: NDArray[np.str_]
    test: NDArray[np.str_]
    scores: NDArray[np.float64]
    held_out: NDArray[np.float64] | None
    fit_seconds: float
    answer_seconds: float


@dataclass(frozen=True, eq=False)
class Task:
    """A step: one model in one trial.

    Attributes
    ----------
    model, scaling, components, seed
        What is fitted.
    X, genres, groups
        All rows of the table; ``groups`` where a protocol keeps such apart.
    trial
        Which of them train and test.
    stacked_folds
        In how many folds the training part is to be answered by copies; 0 where that is not wanted.
    """

    model: Model
    scaling: str
    components: float | None
    seed: int
    X: NDArray[np.float64]
    genres: NDArray[np.str_]
    groups: NDArray[np.str_] | None
    trial: Trial
    stacked_folds: int

    def key(self) -> tuple[Any, ...]:
        """Return all that the answers depend on; names and printed figures are not among it."""
        model = self.model
        recipe = (model.kind, dict(model.settings), dict(model.grid), model.choose_by, model.folds)
        parts = (self.trial.train, self.trial.validation, self.trial.test)
        return (
            recipe,
            self.scaling,
            self.components,
            self.seed,
            self.X,
            self.genres,
            self.groups,
            parts,
            self.stacked_folds,
        )


def estimator(model: Model, *, seed: int) -> Any:
    """Return a model's estimator, not fitted.

    Raises
    ------
    StudyError
        If it knows no such setting.
    """
    made: Any = _MAKERS[model.kind](seed)
    for setting in (*model.settings, *model.grid):
        if setting not in made.get_params():
            known = ", ".join(sorted(made.get_params()))
            raise StudyError(f"{model.name}: {model.kind} has no setting {setting}; it has {known}.")
    return made.set_params(**model.settings)


_MAKERS: Final[Mapping[str, Any]] = {
    "knn": lambda _: KNeighborsClassifier(),
    "svm": lambda seed: SVC(random_state=seed, cache_size=500),
    "network": lambda seed: KerasNetwork(seed=seed),
    "logistic_regression": lambda seed: LogisticRegression(random_state=seed),
    # All passes are made: the projects count them and do not stop early.
    "sgd": lambda seed: SGDClassifier(random_state=seed, tol=None),
    "random_forest": lambda seed: RandomForestClassifier(random_state=seed),
    "decision_tree": lambda seed: DecisionTreeClassifier(random_state=seed),
    "gradient_boosting": lambda seed: GradientBoostingClassifier(random_state=seed),
    "stacking": lambda seed: LogisticRegression(random_state=seed, max_iter=STACKED_ITERATIONS),
}


def pipeline(task: Task) -> Pipeline:
    """Return scaler, reduction and model in a row: what is scaled is learnt from training rows only."""
    steps: list[tuple[str, Any]] = []
    if task.scaling in SCALERS:
        steps.append(("scale", SCALERS[task.scaling]()))
    if task.components is not None:
        most = min(task.X.shape[1], len(task.trial.train) - 1)
        count = task.components if task.components < 1 else min(int(task.components), most)
        steps.append(("reduce", PCA(count, random_state=task.seed)))
    return Pipeline([*steps, ("model", estimator(task.model, seed=task.seed))])


def answer(task: Task) -> Answers:
    """Do a step."""
    with warnings.catch_warnings():
        # The printed settings stop some models before they have converged; they are measured as printed.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _answer(task)


def _answer(task: Task) -> Answers:
    trial, X = task.trial, task.X
    y = task.genres[trial.train]
    settings, tried = _choose(task)
    machine = pipeline(task).set_params(**{f"model__{name}": value for name, value in settings.items()})
    begun = time.perf_counter()
    fitted = _fit(machine, task, trial.train)
    fit_seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    said = fitted.predict(X[trial.test])
    answer_seconds = time.perf_counter() - begun
    held_out = None
    if task.stacked_folds:
        held_out = np.zeros((len(y), scores(fitted, X[trial.train[:1]]).shape[1]))
        groups = None if task.groups is None else task.groups[trial.train]
        for learnt, asked in inner_folds(y, groups, task.stacked_folds, task.seed):
            copy = _fit(clone(machine), task, trial.train[learnt])
            held_out[asked] = scores(copy, X[trial.train[asked]])
    return Answers(
        settings=settings,
        tried=tried,
        train=_text(fitted.predict(X[trial.train])),
        validation=_text(fitted.predict(X[trial.validation]) if len(trial.validation) else np.empty(0)),
        test=_text(said),
        scores=scores(fitted, X[trial.test]),
        held_out=held_out,
        fit_seconds=fit_seconds,
        answer_seconds=answer_seconds,
    )


def _fit(machine: Pipeline, task: Task, places: NDArray[np.int64]) -> Pipeline:
    """Fit; a network holds rows out of its own, and must keep groups apart there too."""
    extra: dict[str, Any] = {}
    if isinstance(machine["model"], KerasNetwork) and task.groups is not None:
        extra["model__groups"] = task.groups[places]
    machine.fit(task.X[places], task.genres[places], **extra)
    return machine


def scores(machine: Any, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities where a model has them, margins otherwise, shape (rows, genres or 1)."""
    known = machine.predict_proba(X) if hasattr(machine, "predict_proba") else machine.decision_function(X)
    return np.asarray(known, dtype=np.float64).reshape(len(X), -1)


def _choose(task: Task) -> tuple[dict[str, Any], list[tuple[dict[str, Any], float]]]:
    """Return the best settings of the grid (the first of equals), and all that were tried."""
    model, trial = task.model, task.trial
    if not model.grid:
        return {}, []
    y = task.genres[trial.train]
    groups = None if task.groups is None else task.groups[trial.train]
    machine = pipeline(task)
    if model.choose_by == "validation" and len(trial.validation):
        tried = []
        for settings in ParameterGrid(_possible(model.grid, len(y))):
            fitted = _fit(
                clone(machine).set_params(**{f"model__{k}": v for k, v in settings.items()}), task, trial.train
            )
            right = fitted.predict(task.X[trial.validation]) == task.genres[trial.validation]
            tried.append((dict(settings), float(right.mean())))
        return max(tried, key=lambda pair: pair[1])[0], tried
    folds = inner_folds(y, groups, model.folds, task.seed)
    if not folds:
        return {}, []
    grid = _possible(model.grid, min(len(learnt) for learnt, _ in folds))
    search = GridSearchCV(
        machine, {f"model__{name}": values for name, values in grid.items()}, cv=folds, refit=False, error_score="raise"
    ).fit(task.X[trial.train], y)
    judged = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    tried = [({name.removeprefix("model__"): value for name, value in s.items()}, float(m)) for s, m in judged]
    return max(tried, key=lambda pair: round(pair[1], 9))[0], tried


def _possible(grid: Mapping[str, list[Any]], rows: int) -> dict[str, list[Any]]:
    """Leave out more neighbours than there are rows to be asked."""
    if NEIGHBOURS not in grid:
        return dict(grid)
    return {**grid, NEIGHBOURS: [count for count in grid[NEIGHBOURS] if count <= rows] or [1]}


def stack(step: tuple[Task, Sequence[Answers]]) -> Answers:
    """Fit a logistic regression on what models below said of rows held out from them, and ask it about the test.

    Parameters
    ----------
    step
        What is fitted, and the answers of the models that it stands on, with ``held_out``.
    """
    task, below = step
    trial = task.trial
    scaler = SCALERS[task.scaling]().fit(task.X[trial.train]) if task.scaling in SCALERS else None
    own = task.X if scaler is None else scaler.transform(task.X)
    passed = [own] if task.model.passthrough else []
    learnt = np.hstack(
        [*(said.held_out for said in below if said.held_out is not None), *(part[trial.train] for part in passed)]
    )
    asked = np.hstack([*(said.scores for said in below), *(part[trial.test] for part in passed)])
    machine = estimator(task.model, seed=task.seed)
    begun = time.perf_counter()
    machine.fit(learnt, task.genres[trial.train])
    fit_seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    said = machine.predict(asked)
    answer_seconds = time.perf_counter() - begun
    return Answers(
        settings={},
        tried=[],
        train=_text(machine.predict(learnt)),
        validation=_text(np.empty(0)),
        test=_text(said),
        scores=scores(machine, asked),
        held_out=None,
        # The models below must be fitted and asked, too.
        fit_seconds=fit_seconds + sum(part.fit_seconds for part in below),
        answer_seconds=answer_seconds + sum(part.answer_seconds for part in below),
    )


def _text(labels: NDArray[Any]) -> NDArray[np.str_]:
    return np.asarray(labels).astype(np.str_)


def check(study: Study) -> None:
    """Find settings that no estimator has, before anything is fitted.

    Raises
    ------
    StudyError
        If there is one.
    """
    for model in study.models:
        estimator(model, seed=study.split.seed)
