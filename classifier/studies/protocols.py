"""Splits of the rows into training, validation and test sets: at random, with songs apart, with artists apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, StratifiedKFold, train_test_split

from classifier.studies.config import StudyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classifier.studies.config import Study, StudySplit
    from classifier.studies.study_table import StudyTable

    Places = NDArray[np.int64]

ROWS: Final = "rows"
SONGS: Final = "songs"
ARTISTS: Final = "artists"


@dataclass(frozen=True, eq=False)
class StudyTrial:
    """Indices of the training, validation (possibly none) and test rows."""

    train: Places
    validation: Places
    test: Places


@dataclass(frozen=True, eq=False)
class Protocol:
    """A way to split the rows.

    Attributes
    ----------
    name
        ``rows``, ``songs`` or ``artists``.
    title, about
        Texts for the report.
    trials
        The splits; no row is tested twice.
    groups
        Group of each row, shape (rows,), kept together also within the training set; None if rows are independent.
    votes
        Whether a group is a song, whose rows vote for one genre.
    """

    name: str
    title: str
    about: str
    trials: Sequence[StudyTrial]
    groups: NDArray[np.str_] | None
    votes: bool = False


def protocols(study: Study, table: StudyTable) -> list[Protocol]:
    """Return the study's own protocol, then those with songs and artists kept apart, if they are known."""
    found = [_rows(study, table)]
    called = study.data.group.called if study.data.group else "songs"
    votes = study.data.group is not None and study.data.group.votes
    if table.groups is not None:
        trials = apart(table.genres, table.groups, study.split)
        about = f"{len(trials)} folds; no {called} are split between training and test, and every row is tested once."
        found.append(Protocol(SONGS, f"{called} apart", about, trials, table.groups, votes))
    if table.folds is not None and table.groups is not None:
        trials = _by_folds(table.genres, table.groups, table.folds, study.split)
        if trials:
            about = (
                f"{len(trials)} published folds that share no artists; exact copies and damaged recordings are "
                "omitted (Foleiss and Tavares 2020)."
            )
            found.append(Protocol(ARTISTS, "artists apart", about, trials, table.groups, votes))
    return found


def _rows(study: Study, table: StudyTable) -> Protocol:
    split, places = study.split, np.arange(len(table.genres))
    held = split.test + split.validation

    def drawn(of: Places, share: float) -> tuple[Places, Places]:
        by = table.genres[of] if split.stratify else None
        try:
            kept, taken = train_test_split(of, test_size=share, random_state=split.seed, stratify=by)
        except ValueError as error:
            raise StudyError(f"There are too few rows to draw a test set from: {error}.") from error
        return kept, taken

    train, rest = drawn(places, held)
    validation, test = np.empty(0, dtype=np.int64), rest
    if split.validation:
        # The first half is the test set and the second the validation set, as in the original projects.
        test, validation = drawn(rest, split.validation / held)
    drawing = "drawn at random, " + ("stratified by genre" if split.stratify else "not stratified by genre")
    shares = f"{100 * (1 - held):.0f} % of the rows for training" + (
        f", {100 * split.validation:.0f} % for validation" if split.validation else ""
    )
    about = f"{shares}, {100 * split.test:.0f} % for test; {drawing}."
    title = "rows at random" if table.groups is not None else "as the study drew them"
    return Protocol(ROWS, title, about, [StudyTrial(train, validation, test)], None)


def apart(genres: NDArray[np.str_], groups: NDArray[np.str_], split: StudySplit) -> list[StudyTrial]:
    """Return folds in which no group is in both training and test set."""
    fewest = min(len(np.unique(groups[genres == genre])) for genre in np.unique(genres))
    count = max(2, min(split.apart_folds, fewest))
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=split.seed)
    return [_with_validation(train, test, groups, split) for train, test in folds.split(genres, genres, groups)]


def _by_folds(
    genres: NDArray[np.str_], groups: NDArray[np.str_], folds: NDArray[np.str_], split: StudySplit
) -> list[StudyTrial]:
    used = np.flatnonzero(folds != "")
    trials = []
    for fold in sorted(set(folds[used].tolist())):
        train, test = used[folds[used] != fold], used[folds[used] == fold]
        if set(genres[test].tolist()) - set(genres[train].tolist()):
            return []
        trials.append(_with_validation(train, test, groups, split))
    return trials if len(trials) > 1 else []


def _with_validation(train: Places, test: Places, groups: NDArray[np.str_], split: StudySplit) -> StudyTrial:
    if not split.validation:
        return StudyTrial(train, np.empty(0, dtype=np.int64), test)
    share = split.validation / (1 - split.test)
    draw = GroupShuffleSplit(1, test_size=share, random_state=split.seed)
    learnt, chosen = next(draw.split(train, groups=groups[train]))
    return StudyTrial(train[learnt], train[chosen], test)


def inner_folds(
    genres: NDArray[np.str_], groups: NDArray[np.str_] | None, count: int, seed: int
) -> list[tuple[Places, Places]]:
    """Return folds within a training set, groups kept apart; an empty list if it is too small."""
    if groups is None:
        count = min(count, int(np.unique(genres, return_counts=True)[1].min()))
        if count < 2:
            return []
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(genres, genres))
    count = min(count, *(len(np.unique(groups[genres == genre])) for genre in np.unique(genres)))
    if count < 2:
        return []
    return list(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(genres, genres, groups))
