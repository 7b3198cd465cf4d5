"""Reads, cleans and checks a study's table, or refuses it with one sentence that says what to do.

The split into training and test rows is in ``protocols``.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from classifier.studies.config import QUICK_SONGS_PER_GENRE, StudyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.studies.config import GroupColumn, Study

MIN_ROWS_PER_GENRE: Final = 5
MIN_GROUPS_PER_GENRE: Final = 2
MAX_GENRES: Final = 60
"""A label column with more values probably contains names or numbers of songs."""
BOOKKEEPING: Final = frozenset(
    {
        "filename",
        "length",
        "label",
        "genre",
        "song",
        "song_id",
        "segment",
        "start",
        "end",
        "title",
        "artist",
        "album",
        "source",
        "person",
        "people",
        "votes",
        "agreement",
        "predicted",
        "confidence",
        "model",
        "chat",
        "platform",
        "license",
        "created_at",
        "corrected_at",
        "content",
        "content_hash",
        "duration",
    }
)
"""Names of columns in tables of songs that are not features."""
GROUP_COLUMNS: Final = ("song", "song_id")
"""Names of the column that identifies the song, in tables of this project."""
DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE_BYTES: Final = 65536


@dataclass(frozen=True, eq=False)
class StudyTable:
    """The rows of a study.

    Attributes
    ----------
    X
        Features, shape (n, columns).
    columns
        Names of the features.
    genres
        Genre of each row, shape (n,).
    groups
        Song (or other group) of each row, shape (n,); None if unknown.
    folds
        Published artist fold of each row, '' if its song is in none; None if there are no such folds.
    missing
        Column → number of empty cells in the file.
    remarks
        Sentences about the cleaning.
    fingerprint
        First digits of the SHA-256 of the files.
    """

    X: NDArray[np.float64]
    columns: tuple[str, ...]
    genres: NDArray[np.str_]
    groups: NDArray[np.str_] | None
    folds: NDArray[np.str_] | None
    missing: dict[str, int]
    remarks: tuple[str, ...]
    fingerprint: str
    classes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(sorted(set(self.genres.tolist()))))

    def rows(self, places: NDArray[np.int64]) -> StudyTable:
        """Return a table with only the given rows."""
        return replace(
            self,
            X=self.X[places],
            genres=self.genres[places],
            groups=None if self.groups is None else self.groups[places],
            folds=None if self.folds is None else self.folds[places],
        )


def load(study: Study, folder: Path) -> StudyTable:
    """Read and clean a study's table.

    Raises
    ------
    StudyError
        If it cannot be read, or is not suitable for training.
    """
    data, path = study.data, folder / study.data.table
    frame = read_csv(path)
    sources = [path]
    remarks: list[str] = []
    if data.label not in frame.columns:
        raise StudyError(f"{path.name} has no column {data.label}; it has {_listed(frame.columns)}.")
    if data.merge is not None:
        sources.append(folder / data.merge.file)
        frame = _merged(frame, sources[1], data.merge.on, path.name, remarks)
    if data.splits is not None and (folder / data.splits).is_file():
        sources.append(folder / data.splits)
    if study.cleaning.duplicates == "drop":
        frame = _without_copies(frame, remarks)
    columns = _feature_columns(frame, study, path.name, remarks)
    missing = {str(name): int(count) for name, count in frame.isna().sum().items() if count}
    frame = _labelled(frame, data.label, path.name)
    groups = None if data.group is None else _groups(frame, data.group, path.name)
    X = _numbers(frame, columns, path.name)
    X, kept = _filled(X, columns, study.cleaning.missing, path.name, remarks)
    genres = frame[data.label].astype(str).to_numpy(dtype=np.str_)[kept]
    table = StudyTable(
        X=X[kept],
        columns=columns,
        genres=genres,
        groups=None if groups is None else groups[kept],
        folds=None,
        missing=missing,
        remarks=tuple(remarks),
        fingerprint=_fingerprint(sources),
    )
    _check_size(table, path.name)
    if data.splits is not None and table.groups is not None and len(sources) > 1 + (data.merge is not None):
        table = replace(table, folds=_artist_folds(folder / data.splits, table.groups))
    return _few(table, study.split.seed) if study.quick else table


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file.

    Raises
    ------
    StudyError
        If it is not a table of comma-separated values with a header and at least one row.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            sample = file.read(_SAMPLE_BYTES)
    except UnicodeDecodeError as error:
        raise StudyError(f"{path.name} is not UTF-8 text; save it as CSV (UTF-8).") from error
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}.") from error
    if not sample.strip():
        raise StudyError(f"{path.name} is empty; a table needs a line of column names and a row for each song.")
    header = sample.splitlines()[0]
    names = next(csv.reader([header]))
    if len(names) == 1:
        for sign, called in DELIMITERS.items():
            if sign in header:
                raise StudyError(f"{path.name} is separated by {called}; save it with commas between the columns.")
        raise StudyError(f"{path.name} has only one column; a table needs features and a label, separated by commas.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise StudyError(
            f"{path.name} has more than one column called {twice[0] or '(no name)'}; give each its own name."
        )
    try:
        frame = pd.read_csv(path, encoding="utf-8-sig", low_memory=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise StudyError(f"{path.name} is not a valid table: {' '.join(str(error).split())}.") from error
    if frame.empty:
        raise StudyError(f"{path.name} has column names but no rows.")
    return frame


def _merged(frame: pd.DataFrame, path: Path, on: str, name: str, remarks: list[str]) -> pd.DataFrame:
    try:
        content: Any = json.loads(path.read_text("utf-8"))
        metrics = pd.DataFrame({column: pd.Series(cells) for column, cells in content.items()})
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise StudyError(f"{path.name} cannot be read as JSON columns: {error}.") from error
    for table, called in ((frame, name), (metrics, path.name)):
        if on not in table.columns:
            raise StudyError(f"{called} has no column {on} to be joined by; it has {_listed(table.columns)}.")
    both = [column for column in metrics.columns if column in frame.columns and column != on]
    joined: pd.DataFrame = frame.merge(metrics.drop(columns=both), on=on, how="inner")
    remarks.append(
        f"{len(frame):,} rows of {name} and {len(metrics):,} of {path.name} have {len(joined):,} {on} in common; "
        "the others are omitted."
    )
    if joined.empty:
        raise StudyError(f"{name} and {path.name} have no {on} in common.")
    return joined


def _without_copies(frame: pd.DataFrame, remarks: list[str]) -> pd.DataFrame:
    kept: pd.DataFrame = frame.drop_duplicates()
    remarks.append(f"{len(frame) - len(kept):,} rows were exact copies of others and are omitted.")
    return kept.reset_index(drop=True)


def _feature_columns(frame: pd.DataFrame, study: Study, name: str, remarks: list[str]) -> tuple[str, ...]:
    data = study.data
    if absent := [column for column in (*data.features, *data.ignore) if column not in frame.columns]:
        raise StudyError(f"{name} has no column {absent[0]}; it has {_listed(frame.columns)}.")
    not_features = {data.label, *data.ignore, *([data.group.column] if data.group else [])}
    if data.features:
        columns = list(data.features)
    else:
        columns = [column for column in frame.columns if column not in not_features]
        aside = [column for column in columns if column.lower() in BOOKKEEPING]
        if aside:
            remarks.append(
                f"Not used as features, because they describe the row and not the sound: {', '.join(aside)}."
            )
        columns = [column for column in columns if column not in aside]
    if study.cleaning.drop is not None:
        kept = [column for column in columns if pd.Series([column]).str.contains(study.cleaning.drop).item() is False]
        remarks.append(
            f"{len(columns) - len(kept)} of {len(columns)} feature columns are dropped ({study.cleaning.drop})."
        )
        columns = kept
    if not columns:
        raise StudyError(f"{name} has no features: it needs columns of numbers in addition to the label.")
    return tuple(columns)


def _labelled(frame: pd.DataFrame, label: str, name: str) -> pd.DataFrame:
    unlabelled = frame[label].isna()
    if unlabelled.any():
        row = int(np.flatnonzero(unlabelled)[0]) + 2
        raise StudyError(
            f"{name} has {int(unlabelled.sum()):,} rows without a {label}, the first in line {row}; fill them."
        )
    return frame


def _groups(frame: pd.DataFrame, group: GroupColumn, name: str) -> NDArray[np.str_]:
    if group.column not in frame.columns:
        raise StudyError(f"{name} has no column {group.column}; it has {_listed(frame.columns)}.")
    named = frame[group.column]
    if group.pattern is not None:
        found = named.astype(str).str.extract(f"({group.pattern})" if "(" not in group.pattern else group.pattern)
        named = found[0]
    if named.isna().any():
        row = int(np.flatnonzero(named.isna())[0]) + 2
        raise StudyError(f"{name} has no value for the {group.called} in column {group.column}, line {row}.")
    groups: NDArray[np.str_] = named.astype(str).to_numpy(dtype=np.str_)
    return groups


def _numbers(frame: pd.DataFrame, columns: Sequence[str], name: str) -> NDArray[np.float64]:
    """Return the features as numbers; empty cells become NaN."""
    X = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        cells = pd.to_numeric(frame[column], errors="coerce")
        wrong = cells.isna() & frame[column].notna()
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            text = str(frame[column].iloc[row])[:40]
            raise StudyError(
                f"Column {column} of {name} holds text ({text!r} in line {row + 2}) where a number is expected; "
                f"correct it, or omit the column with --ignore {column}."
            )
        X[:, place] = cells
    return X


def _filled(
    X: NDArray[np.float64], columns: Sequence[str], missing: str, name: str, remarks: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Handle missing and infinite values; return the features and a mask of the rows to keep."""
    everything = np.ones(len(X), dtype=bool)
    infinite, empty = np.isinf(X), np.isnan(X)
    if not (infinite.any() or empty.any()):
        return X, everything
    what, cells = ("infinite values", infinite) if infinite.any() else ("empty cells or NaN", empty)
    row, place = (int(number) for number in np.argwhere(cells)[0])
    if missing == "refuse":
        raise StudyError(
            f"{name} has {what} in {int(cells.any(axis=0).sum())} of its feature columns, the first in line {row + 2}, "
            f"column {columns[place]}; fill them, or add --missing drop or --missing median."
        )
    X = np.where(infinite, np.nan, X)
    if missing == "drop":
        kept: NDArray[np.bool_] = np.logical_not(np.isnan(X).any(axis=1))
        remarks.append(f"{int((~kept).sum()):,} rows lack a feature and are omitted.")
        return X, kept
    if (hollow := np.isnan(X).all(axis=0)).any():
        raise StudyError(
            f"Column {columns[int(np.flatnonzero(hollow)[0])]} of {name} holds no number at all; --ignore it."
        )
    remarks.append(f"{int(np.isnan(X).sum()):,} cells without a number are given the median of their column.")
    return np.where(np.isnan(X), np.nanmedian(X, axis=0), X), everything


def _check_size(table: StudyTable, name: str) -> None:
    genres, counts = np.unique(table.genres, return_counts=True)
    if not len(genres):
        raise StudyError(f"{name} has no row left to learn from.")
    if len(genres) < 2:
        raise StudyError(f"All rows of {name} are {genres[0]}; there is nothing to tell apart with one genre only.")
    if len(genres) > MAX_GENRES:
        raise StudyError(f"{name} has {len(genres):,} different labels; name the column of genres with --label.")
    if counts.min() < MIN_ROWS_PER_GENRE:
        few = str(genres[counts.argmin()])
        raise StudyError(
            f"{name} has {len(table.genres):,} rows, of {few} only {counts.min()}; every genre needs at least "
            f"{MIN_ROWS_PER_GENRE}."
        )
    if not np.ptp(table.X, axis=0).any():
        raise StudyError(f"All features of {name} are the same in every row, so genres cannot be distinguished.")
    if table.groups is None:
        return
    for genre in genres:
        if len(np.unique(table.groups[table.genres == genre])) < MIN_GROUPS_PER_GENRE:
            raise StudyError(f"All rows of {genre} in {name} are of one song; every genre needs at least two songs.")


def _artist_folds(path: Path, groups: NDArray[np.str_]) -> NDArray[np.str_]:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    try:
        of = dict(zip(frame["track"], frame["artist_fold"], strict=True))
    except KeyError as error:
        raise StudyError(f"{path.name} has no column {error}.") from error
    return np.array([of.get(group, "") for group in groups], dtype=np.str_)


def _few(table: StudyTable, seed: int) -> StudyTable:
    """Draw a few songs of each genre for a quick run."""
    groups = np.arange(len(table.genres)).astype(str) if table.groups is None else table.groups
    draw = np.random.default_rng(seed)
    kept = np.zeros(len(groups), dtype=bool)
    for genre in table.classes:
        songs = np.unique(groups[table.genres == genre])
        chosen = draw.permutation(songs)[:QUICK_SONGS_PER_GENRE]
        kept |= np.isin(groups, chosen) & (table.genres == genre)
    return table.rows(np.flatnonzero(kept))


def _fingerprint(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _listed(names: Sequence[str]) -> str:
    shown = [str(name) for name in names][:8]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def group_column(path: Path) -> str | None:
    """Return the name of the column that identifies the song, if the table has one with a usual name."""
    names = read_csv(path).columns
    return next((name for name in GROUP_COLUMNS if name in names), None)
