"""Fits one model in one trial of a study: parameter search, fit, and predictions for the held-out rows.

A task depends only on its arguments, so its result can be saved, reproduced, or computed in another process.
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

    from classifier.studies.config import Study, StudyModel
    from classifier.studies.protocols import StudyTrial

SCALERS: Final = {"minmax": MinMaxScaler, "standard": StandardScaler}
N_NEIGHBORS: Final = "n_neighbors"
STACKED_ITERATIONS: Final = 3000


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions of a fitted model.

    Attributes
    ----------
    settings
        The settings chosen from the grid.
    tried
        All settings of the grid with their accuracy, in order.
    train, validation, test
        Predicted genres for the parts of the trial.
    scores
        Scores for the test set, one column per genre (for two genres possibly one column), for stacking.
    held_out
        Out-of-fold scores for the training set; None if not requested.
    fit_seconds, answer_seconds
        Time to fit the model with the chosen settings, and to predict the test set; the search is not included.
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
class FitTask:
    """A model to fit in a trial.

    Attributes
    ----------
    model, scaling, components, seed
        The model and its preprocessing.
    X, genres, groups
        All rows of the table; ``groups`` if the protocol keeps groups apart.
    trial
        The rows for training, validation and test.
    stacked_folds
        Number of folds for the out-of-fold scores; 0 for none.
    """

    model: StudyModel
    scaling: str
    components: float | None
    seed: int
    X: NDArray[np.float64]
    genres: NDArray[np.str_]
    groups: NDArray[np.str_] | None
    trial: StudyTrial
    stacked_folds: int

    def key(self) -> tuple[Any, ...]:
        """Return everything that the predictions depend on, as the key of a checkpoint."""
        model = self.model
        model_key = (model.kind, dict(model.settings), dict(model.grid), model.choose_by, model.folds)
        parts = (self.trial.train, self.trial.validation, self.trial.test)
        return (
            model_key,
            self.scaling,
            self.components,
            self.seed,
            self.X,
            self.genres,
            self.groups,
            parts,
            self.stacked_folds,
        )


def estimator(model: StudyModel, *, seed: int) -> Any:
    """Return the unfitted estimator of a model.

    Raises
    ------
    StudyError
        If the estimator has no such setting.
    """
    made: Any = _ESTIMATORS[model.kind](seed)
    for setting in (*model.settings, *model.grid):
        if setting not in made.get_params():
            known = ", ".join(sorted(made.get_params()))
            raise StudyError(f"{model.name}: {model.kind} has no setting {setting}; it has {known}.")
    return made.set_params(**model.settings)


_ESTIMATORS: Final[Mapping[str, Any]] = {
    "knn": lambda _: KNeighborsClassifier(),
    "svm": lambda seed: SVC(random_state=seed, cache_size=500),
    "network": lambda seed: KerasNetwork(seed=seed),
    "logistic_regression": lambda seed: LogisticRegression(random_state=seed),
    # tol=None disables early stopping: the projects specify the number of passes.
    "sgd": lambda seed: SGDClassifier(random_state=seed, tol=None),
    "random_forest": lambda seed: RandomForestClassifier(random_state=seed),
    "decision_tree": lambda seed: DecisionTreeClassifier(random_state=seed),
    "gradient_boosting": lambda seed: GradientBoostingClassifier(random_state=seed),
    "stacking": lambda seed: LogisticRegression(random_state=seed, max_iter=STACKED_ITERATIONS),
}


def pipeline(task: FitTask) -> Pipeline:
    """Return the pipeline of scaler, reduction and model, so that all are fitted on training rows only."""
    steps: list[tuple[str, Any]] = []
    if task.scaling in SCALERS:
        steps.append(("scale", SCALERS[task.scaling]()))
    if task.components is not None:
        most = min(task.X.shape[1], len(task.trial.train) - 1)
        count = task.components if task.components < 1 else min(int(task.components), most)
        steps.append(("reduce", PCA(count, random_state=task.seed)))
    return Pipeline([*steps, ("model", estimator(task.model, seed=task.seed))])


def answer(task: FitTask) -> Predictions:
    """Run a task."""
    with warnings.catch_warnings():
        # With the published settings some models do not converge; they are evaluated as published.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _answer(task)


def _answer(task: FitTask) -> Predictions:
    trial, X = task.trial, task.X
    y = task.genres[trial.train]
    settings, tried = _search(task)
    estimator_pipeline = pipeline(task).set_params(**{f"model__{name}": value for name, value in settings.items()})
    started = time.perf_counter()
    fitted = _fit(estimator_pipeline, task, trial.train)
    fit_seconds = time.perf_counter() - started
    started = time.perf_counter()
    predicted = fitted.predict(X[trial.test])
    answer_seconds = time.perf_counter() - started
    held_out = None
    if task.stacked_folds:
        held_out = np.zeros((len(y), scores(fitted, X[trial.train[:1]]).shape[1]))
        groups = None if task.groups is None else task.groups[trial.train]
        for train_rows, test_rows in inner_folds(y, groups, task.stacked_folds, task.seed):
            copy = _fit(clone(estimator_pipeline), task, trial.train[train_rows])
            held_out[test_rows] = scores(copy, X[trial.train[test_rows]])
    return Predictions(
        settings=settings,
        tried=tried,
        train=_text(fitted.predict(X[trial.train])),
        validation=_text(fitted.predict(X[trial.validation]) if len(trial.validation) else np.empty(0)),
        test=_text(predicted),
        scores=scores(fitted, X[trial.test]),
        held_out=held_out,
        fit_seconds=fit_seconds,
        answer_seconds=answer_seconds,
    )


def _fit(estimator_pipeline: Pipeline, task: FitTask, places: NDArray[np.int64]) -> Pipeline:
    """Fit a pipeline; a network gets the groups too, because it holds out rows for early stopping."""
    extra: dict[str, Any] = {}
    if isinstance(estimator_pipeline["model"], KerasNetwork) and task.groups is not None:
        extra["model__groups"] = task.groups[places]
    estimator_pipeline.fit(task.X[places], task.genres[places], **extra)
    return estimator_pipeline


def scores(estimator_pipeline: Any, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities if the model has them, else decision values, shape (rows, genres or 1)."""
    known = (
        estimator_pipeline.predict_proba(X)
        if hasattr(estimator_pipeline, "predict_proba")
        else estimator_pipeline.decision_function(X)
    )
    return np.asarray(known, dtype=np.float64).reshape(len(X), -1)


def _search(task: FitTask) -> tuple[dict[str, Any], list[tuple[dict[str, Any], float]]]:
    """Return the best settings of the grid (the first of several), and all with their accuracy."""
    model, trial = task.model, task.trial
    if not model.grid:
        return {}, []
    y = task.genres[trial.train]
    groups = None if task.groups is None else task.groups[trial.train]
    estimator_pipeline = pipeline(task)
    if model.choose_by == "validation" and len(trial.validation):
        tried = []
        for settings in ParameterGrid(_feasible(model.grid, len(y))):
            fitted = _fit(
                clone(estimator_pipeline).set_params(**{f"model__{k}": v for k, v in settings.items()}),
                task,
                trial.train,
            )
            right = fitted.predict(task.X[trial.validation]) == task.genres[trial.validation]
            tried.append((dict(settings), float(right.mean())))
        return max(tried, key=lambda pair: pair[1])[0], tried
    folds = inner_folds(y, groups, model.folds, task.seed)
    if not folds:
        return {}, []
    grid = _feasible(model.grid, min(len(train_rows) for train_rows, _ in folds))
    search = GridSearchCV(
        estimator_pipeline,
        {f"model__{name}": values for name, values in grid.items()},
        cv=folds,
        refit=False,
        error_score="raise",
    ).fit(task.X[trial.train], y)
    judged = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    tried = [({name.removeprefix("model__"): value for name, value in s.items()}, float(m)) for s, m in judged]
    return max(tried, key=lambda pair: round(pair[1], 9))[0], tried


def _feasible(grid: Mapping[str, list[Any]], rows: int) -> dict[str, list[Any]]:
    """Return the grid without numbers of neighbours that exceed the number of rows."""
    if N_NEIGHBORS not in grid:
        return dict(grid)
    return {**grid, N_NEIGHBORS: [count for count in grid[N_NEIGHBORS] if count <= rows] or [1]}


def stack(step: tuple[FitTask, Sequence[Predictions]]) -> Predictions:
    """Fit a stacking model on the out-of-fold scores of its base models.

    Parameters
    ----------
    step
        The task, and the predictions of the base models with ``held_out``.
    """
    task, base_predictions = step
    trial = task.trial
    scaler = SCALERS[task.scaling]().fit(task.X[trial.train]) if task.scaling in SCALERS else None
    own = task.X if scaler is None else scaler.transform(task.X)
    passed = [own] if task.model.passthrough else []
    train_rows = np.hstack(
        [
            *(predicted.held_out for predicted in base_predictions if predicted.held_out is not None),
            *(part[trial.train] for part in passed),
        ]
    )
    test_rows = np.hstack(
        [*(predicted.scores for predicted in base_predictions), *(part[trial.test] for part in passed)]
    )
    model = estimator(task.model, seed=task.seed)
    started = time.perf_counter()
    model.fit(train_rows, task.genres[trial.train])
    fit_seconds = time.perf_counter() - started
    started = time.perf_counter()
    predicted = model.predict(test_rows)
    answer_seconds = time.perf_counter() - started
    return Predictions(
        settings={},
        tried=[],
        train=_text(model.predict(train_rows)),
        validation=_text(np.empty(0)),
        test=_text(predicted),
        scores=scores(model, test_rows),
        held_out=None,
        # Include the base models.
        fit_seconds=fit_seconds + sum(part.fit_seconds for part in base_predictions),
        answer_seconds=answer_seconds + sum(part.answer_seconds for part in base_predictions),
    )


def _text(labels: NDArray[Any]) -> NDArray[np.str_]:
    return np.asarray(labels).astype(np.str_)


def check(study: Study) -> None:
    """Check the settings of all models before anything is fitted.

    Raises
    ------
    StudyError
        If an estimator does not have one of its settings.
    """
    for model in study.models:
        estimator(model, seed=study.split.seed)
