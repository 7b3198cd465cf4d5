"""The configuration of a study in TOML: data, cleaning, split, scaling, reduction, models and plots, with validation.

``classifier.studies.study_table`` checks the tables themselves; ``model_runner`` fits the models.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

BUNDLED_STUDIES: Final = Path(__file__).parent / "shipped"
QUICK_SONGS_PER_GENRE: Final = 15
QUICK_SETTINGS: Final = {"n_estimators": 5, "epochs": 2, "layers": 1, "units": 8}
"""Upper limits of slow settings in a quick run."""
SLOW_PLOTS: Final = ("distributions", "tsne")
PLOTS: Final = ("counts", "distributions", "correlation", "variance", "pca", "tsne")

Plot = Literal["counts", "distributions", "correlation", "variance", "pca", "tsne"]
Kind = Literal[
    "knn",
    "svm",
    "network",
    "stacking",
    "logistic_regression",
    "sgd",
    "random_forest",
    "decision_tree",
    "gradient_boosting",
]


class StudyError(Exception):
    """The configuration or the table of a study is not valid; the message is one sentence that says what to do."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a pattern: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JoinedFile(_Strict):
    """A JSON file of columns to join with the table; rows that are not in both are omitted."""

    file: str
    on: str


class GroupColumn(_Strict):
    """The column that groups rows which must not be in both training and test set.

    Attributes
    ----------
    column, pattern
        The group is the column's value, or the first capture group of the pattern in it.
    called
        Name of these groups in the plural.
    votes
        Whether a group is a song, so that its rows can vote for one genre.
    """

    column: str
    pattern: Pattern | None = None
    called: str = "songs"
    votes: bool = True


class DataSource(_Strict):
    """The table of a study.

    Attributes
    ----------
    table, merge
        Paths relative to the data folder.
    row
        What a row describes, if known.
    features
        Feature columns; if empty, all columns that have no other purpose.
    ignore
        Columns that are not features.
    group
        None if rows are independent.
    splits
        Table of the published artist folds, for GTZAN.
    released_model_knows
        Whether the released model was evaluated on these songs.
    """

    table: str
    label: str
    row: str = ""
    merge: JoinedFile | None = None
    features: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    group: GroupColumn | None = None
    splits: str | None = None
    released_model_knows: bool = False


class Cleaning(_Strict):
    """Cleaning of the table before training."""

    drop: Pattern | None = None
    missing: Literal["refuse", "drop", "median"] = "refuse"
    duplicates: Literal["keep", "drop"] = "keep"


class StudySplit(_Strict):
    """The study's own protocol: rows drawn at random.

    Attributes
    ----------
    test, validation
        Shares of the rows.
    apart_folds
        Number of folds for the repetition with groups kept apart.
    """

    test: float = Field(default=0.2, gt=0, lt=0.9)
    validation: float = Field(default=0.0, ge=0, lt=0.5)
    stratify: bool = True
    seed: int = Field(default=0, ge=0)
    apart_folds: int = Field(default=5, ge=2, le=20)


class Reduction(_Strict):
    """Principal component analysis: a number of components, or the share of variance to explain."""

    components: Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)]


class StudyModel(_Strict):
    """A model.

    Attributes
    ----------
    settings
        Parameters of the scikit-learn estimator.
    grid
        Parameter grid, searched by cross-validation or with the validation set.
    of, passthrough
        For stacking: names of the base models, and whether the features are used beside their predictions.
    printed
        Published accuracy.
    """

    name: str = Field(min_length=1, max_length=60)
    kind: Kind
    settings: dict[str, Any] = {}
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}
    choose_by: Literal["folds", "validation"] = "folds"
    folds: int = Field(default=5, ge=2, le=20)
    of: tuple[str, ...] = ()
    passthrough: bool = True
    printed: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind == "stacking") != bool(self.of):
            raise ValueError("'of' names the base models of a stacking model and is not allowed for other kinds")
        if self.kind == "stacking" and self.grid:
            raise ValueError("a stacking model has no grid; set it for the base models")
        return self


class Balancing(_Strict):
    """Balancing of the genres, to compare with the table as it is."""

    method: Literal["undersample"] = "undersample"
    seed: int = Field(default=0, ge=0)


class GenrePair(_Strict):
    """A pair of genres for a binary classification with the same models.

    Attributes
    ----------
    stand_in
        Pair to use instead if the table lacks one of the genres.
    """

    genres: tuple[str, str]
    stand_in: tuple[str, str] | None = None


class Study(_Strict):
    """The configuration of a study; ``notes`` are sentences for its report."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    title: str
    about: str
    data: DataSource
    cleaning: Cleaning = Cleaning()
    split: StudySplit = StudySplit()
    scaling: Literal["minmax", "standard", "none"] = "standard"
    reduction: Reduction | None = None
    models: Annotated[tuple[StudyModel, ...], Field(min_length=1)]
    balancing: Balancing | None = None
    cross_validation: Annotated[int, Field(ge=2, le=20)] | None = None
    pairs: tuple[GenrePair, ...] = ()
    pairs_printed: str = ""
    plots: tuple[Plot, ...] = PLOTS
    notes: tuple[str, ...] = ()
    quick: bool = False

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [model.name for model in self.models]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two models have the name {min(twice)}")
        bases = {model.name for model in self.models if model.kind != "stacking"}
        for model in self.models:
            if unknown := set(model.of) - bases:
                raise ValueError(f"{model.name} is stacked on {min(unknown)}, which is not one of the other models")
            if model.choose_by == "validation" and model.grid and not self.split.validation:
                raise ValueError(f'{model.name} uses choose_by = "validation", but the split has no validation set')
        return self


def bundled_names() -> list[str]:
    """Return the names of the studies that come with the package."""
    return sorted(path.stem for path in BUNDLED_STUDIES.glob("*.toml"))


def find(name: str) -> Path:
    """Return the file of a study by its name or path.

    Raises
    ------
    StudyError
        If there is no such study.
    """
    if name in bundled_names():
        return BUNDLED_STUDIES / f"{name}.toml"
    path = Path(name)
    if path.is_file():
        return path
    known = ", ".join(bundled_names())
    raise StudyError(f"There is no study {name}: name one of {known}, or a TOML file.")


def read(path: Path) -> Study:
    """Read a study.

    Raises
    ------
    StudyError
        If it is not valid TOML, or not a valid study.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not TOML: {error}.") from error
    return parse(content, str(path))


def parse(content: dict[str, Any], source: str) -> Study:
    """Validate the configuration of a study; ``source`` names it in error messages."""
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise StudyError(f"{source}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        message = "this is not a setting of a study"
    elif first["type"] == "missing":
        message = "this is missing"
    else:
        message = first["msg"].removeprefix("Value error, ")
    others = error.error_count() - 1
    more = f" ({others} more after it)" if others else ""
    return f"{place + ': ' if place else ''}{message}{more}."


def quick(study: Study) -> Study:
    """Return a small version of a study that runs in seconds; its scores are meaningless."""
    models = tuple(
        model.model_copy(
            update={
                "settings": _smaller(model),
                "grid": {setting: values[:2] for setting, values in model.grid.items()},
                "folds": 2,
            }
        )
        for model in study.models
    )
    split = study.split.model_copy(update={"apart_folds": 2})
    folds = study.cross_validation and 2
    plots = tuple(plot for plot in study.plots if plot not in SLOW_PLOTS)
    return study.model_copy(
        update={"quick": True, "models": models, "split": split, "cross_validation": folds, "plots": plots}
    )


def _smaller(model: StudyModel) -> dict[str, Any]:
    small = {name: min(value, QUICK_SETTINGS.get(name, value)) for name, value in _numbers(model.settings).items()}
    network = QUICK_SETTINGS if model.kind == "network" else {}
    return {**model.settings, **{name: most for name, most in network.items() if name != "n_estimators"}, **small}


def _numbers(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name in QUICK_SETTINGS}


def for_table(table: Path, label: str, group: str | None, *, ignore: tuple[str, ...], missing: str) -> Study:
    """Return a study with default models for a user's table."""
    content: dict[str, Any] = {
        "name": "own",
        "title": table.name,
        "about": f"The genres in column {label} of {table.name}, classified by four common models.",
        "data": {"table": table.name, "label": label, "ignore": ignore},
        "cleaning": {"missing": missing},
        "models": [
            {"name": "Logistic regression", "kind": "logistic_regression", "settings": {"max_iter": 2000}},
            {"name": "KNN", "kind": "knn", "grid": {"n_neighbors": [1, 3, 5, 9, 15], "weights": ["distance"]}},
            {"name": "SVM", "kind": "svm", "grid": {"C": [1, 10, 100]}},
            {"name": "Random forest", "kind": "random_forest", "settings": {"n_estimators": 200}},
        ],
    }
    if group is not None:
        content["data"]["group"] = {"column": group}
    return parse(content, table.name)


def with_table(study: Study, table: Path, label: str, group: str | None, ignore: list[str]) -> Study:
    """Return a study with another table of the same columns, without artist folds and released model scores."""
    data = DataSource(
        table=table.name,
        label=label,
        ignore=tuple(ignore),
        group=None if group is None else GroupColumn(column=group),
    )
    return study.model_copy(update={"data": data})


def with_missing(study: Study, missing: Literal["refuse", "drop", "median"]) -> Study:
    """Return a study with another treatment of missing values."""
    return study.model_copy(update={"cleaning": study.cleaning.model_copy(update={"missing": missing})})
