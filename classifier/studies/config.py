"""What a study is: data, cleaning, split, scaling, reduction, models, plots, declared in TOML and checked here.

``classifier.studies.study_table`` checks what the tables hold; ``model_runner`` fits the models.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

SHIPPED: Final = Path(__file__).parent / "shipped"
QUICK_SONGS_PER_GENRE: Final = 15
QUICK_SETTINGS: Final = {"n_estimators": 5, "epochs": 2, "layers": 1, "units": 8}
"""The most that a quick run allows of what takes long."""
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
    """A study cannot be made of what was given; the text is one sentence that says what to do about it."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a pattern: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Merge(_Strict):
    """A JSON file of columns that joins the table: rows that only one of them has are left out."""

    file: str
    on: str


class Group(_Strict):
    """What rows have in common that must not stand on both sides of a split.

    Attributes
    ----------
    column, pattern
        The group's name is this column, or the first bracket of the pattern within it.
    called
        What such groups are, in the plural.
    votes
        Whether a group is one song, whose rows may vote for one answer.
    """

    column: str
    pattern: Pattern | None = None
    called: str = "songs"
    votes: bool = True


class Data(_Strict):
    """Where rows come from.

    Attributes
    ----------
    table, merge
        Paths within the data folder.
    row
        What one row is of, where that is known.
    features
        Columns to learn from; all that are not otherwise spoken for where empty.
    ignore
        Columns that are not to be learnt from.
    group
        Absent where every row stands for itself.
    splits
        The GTZAN table of published artist folds, where it applies.
    released_model_knows
        Whether the released model was measured on these very songs.
    """

    table: str
    label: str
    row: str = ""
    merge: Merge | None = None
    features: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    group: Group | None = None
    splits: str | None = None
    released_model_knows: bool = False


class Cleaning(_Strict):
    """What is done to the table before anything is learnt."""

    drop: Pattern | None = None
    missing: Literal["refuse", "drop", "median"] = "refuse"
    duplicates: Literal["keep", "drop"] = "keep"


class Split(_Strict):
    """The study's own protocol: rows drawn at random.

    Attributes
    ----------
    test, validation
        Shares of all rows.
    apart_folds
        In how many folds the same is repeated with groups kept apart.
    """

    test: float = Field(default=0.2, gt=0, lt=0.9)
    validation: float = Field(default=0.0, ge=0, lt=0.5)
    stratify: bool = True
    seed: int = Field(default=0, ge=0)
    apart_folds: int = Field(default=5, ge=2, le=20)


class Reduction(_Strict):
    """Principal components: so many, or as many as explain such a share."""

    components: Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)]


class Model(_Strict):
    """A model.

    Attributes
    ----------
    settings
        Of the estimator, in scikit-learn's words.
    grid
        Settings to choose from, by cross-validation or by the validation part.
    of, passthrough
        For stacking: names of the models below, and whether the features join their answers.
    printed
        The accuracy that was published for it.
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
            raise ValueError("'of' names the models that a stacking stands on, and belongs to nothing else")
        if self.kind == "stacking" and self.grid:
            raise ValueError("a stacking has no grid of its own: the models that it stands on have theirs")
        return self


class Balancing(_Strict):
    """Genres made equally frequent, to compare with the table as it is."""

    method: Literal["undersample"] = "undersample"
    seed: int = Field(default=0, ge=0)


class Pair(_Strict):
    """Two genres told apart by the same models.

    Attributes
    ----------
    stand_in
        What to take in their place where the table lacks them.
    """

    genres: tuple[str, str]
    stand_in: tuple[str, str] | None = None


class Study(_Strict):
    """A whole study; ``notes`` are sentences for its report."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    title: str
    about: str
    data: Data
    cleaning: Cleaning = Cleaning()
    split: Split = Split()
    scaling: Literal["minmax", "standard", "none"] = "standard"
    reduction: Reduction | None = None
    models: Annotated[tuple[Model, ...], Field(min_length=1)]
    balancing: Balancing | None = None
    cross_validation: Annotated[int, Field(ge=2, le=20)] | None = None
    pairs: tuple[Pair, ...] = ()
    pairs_printed: str = ""
    plots: tuple[Plot, ...] = PLOTS
    notes: tuple[str, ...] = ()
    quick: bool = False

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [model.name for model in self.models]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two models are called {min(twice)}")
        bases = {model.name for model in self.models if model.kind != "stacking"}
        for model in self.models:
            if unknown := set(model.of) - bases:
                raise ValueError(f"{model.name} stands on {min(unknown)}, which is not a model that can be stacked")
            if model.choose_by == "validation" and model.grid and not self.split.validation:
                raise ValueError(f"{model.name} is to be chosen by validation, but the split has no validation part")
        return self


def shipped_names() -> list[str]:
    """Name the studies that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def find(name: str) -> Path:
    """Return the file of a study, given by its name or its path.

    Raises
    ------
    StudyError
        If there is no such study.
    """
    if name in shipped_names():
        return SHIPPED / f"{name}.toml"
    path = Path(name)
    if path.is_file():
        return path
    known = ", ".join(shipped_names())
    raise StudyError(f"There is no study {name}: name one of {known}, or a TOML file.")


def read(path: Path) -> Study:
    """Read a study.

    Raises
    ------
    StudyError
        If it is not TOML, or says something that a study cannot say.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not TOML: {error}.") from error
    return parse(content, str(path))


def parse(content: dict[str, Any], source: str) -> Study:
    """Check what a study says; ``source`` names it in errors."""
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise StudyError(f"{source}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        said = "a study knows no such thing"
    elif first["type"] == "missing":
        said = "this is missing"
    else:
        said = first["msg"].removeprefix("Value error, ")
    others = error.error_count() - 1
    more = f" ({others} more after it)" if others else ""
    return f"{place + ': ' if place else ''}{said}{more}."


def quick(study: Study) -> Study:
    """Make a study small enough to be tried in seconds: fewer songs, fewer settings; its figures mean nothing."""
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


def _smaller(model: Model) -> dict[str, Any]:
    small = {name: min(value, QUICK_SETTINGS.get(name, value)) for name, value in _numbers(model.settings).items()}
    network = QUICK_SETTINGS if model.kind == "network" else {}
    return {**model.settings, **{name: most for name, most in network.items() if name != "n_estimators"}, **small}


def _numbers(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name in QUICK_SETTINGS}


def for_table(table: Path, label: str, group: str | None, *, ignore: tuple[str, ...], missing: str) -> Study:
    """Declare a study with sensible defaults for somebody's own table."""
    content: dict[str, Any] = {
        "name": "own",
        "title": table.name,
        "about": f"The genres in column {label} of {table.name}, told apart by four usual models.",
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
    """Return a study on another table of its shape; nothing is known of that one's artists or of our model on it."""
    data = Data(
        table=table.name,
        label=label,
        ignore=tuple(ignore),
        group=None if group is None else Group(column=group),
    )
    return study.model_copy(update={"data": data})


def with_missing(study: Study, missing: Literal["refuse", "drop", "median"]) -> Study:
    """Return a study that deals otherwise with rows that lack a number."""
    return study.model_copy(update={"cleaning": study.cleaning.model_copy(update={"missing": missing})})
