from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.studies import config, study_table
from classifier.studies.protocols import ARTISTS, ROWS, SONGS, inner_folds, protocols

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.studies.config import Study
    from classifier.studies.protocols import Protocol


def own(path: Path, group: str | None = "song") -> tuple[Study, study_table.StudyTable]:
    study = config.for_table(path, "genre", group, ignore=("piece",), missing="refuse")
    return study, study_table.load(study, path.parent)


def with_validation(study: Study) -> Study:
    return study.model_copy(update={"split": study.split.model_copy(update={"test": 0.25, "validation": 0.25})})


def sides(protocol: Protocol, groups: NDArray[np.str_]) -> list[tuple[set[str], set[str], set[str]]]:
    parts = [(trial.train, trial.validation, trial.test) for trial in protocol.trials]
    return [(set(groups[a]), set(groups[b]), set(groups[c])) for a, b, c in parts]


def test_only_random_rows_split_the_excerpts_of_a_song(table: Path) -> None:
    study, found = own(table)
    rows, songs = protocols(study, found)
    assert (rows.name, songs.name) == (ROWS, SONGS)
    assert found.groups is not None
    ((train, _, test),) = sides(rows, found.groups)
    assert train & test
    for train, _, test in sides(songs, found.groups):
        assert not train & test


def test_every_row_is_tested_once_with_songs_apart(table: Path) -> None:
    study, found = own(table)
    tested = np.concatenate([trial.test for trial in protocols(study, found)[1].trials])
    assert sorted(tested) == list(range(len(found.genres)))


def test_validation_rows_are_neither_trained_on_nor_tested(table: Path) -> None:
    study, found = own(table)
    for protocol in protocols(with_validation(study), found):
        for trial in protocol.trials:
            parts = [set(part.tolist()) for part in (trial.train, trial.validation, trial.test)]
            assert all(parts)
            assert not parts[0] & parts[1]
            assert not parts[1] & parts[2]
            assert not parts[0] & parts[2]


def test_with_songs_apart_validation_songs_are_separate_too(table: Path) -> None:
    study, found = own(table)
    assert found.groups is not None
    for train, validation, test in sides(protocols(with_validation(study), found)[1], found.groups):
        assert not train & validation
        assert not validation & test


def test_without_song_groups_there_is_only_the_random_protocol(table: Path) -> None:
    study, found = own(table, group=None)
    assert [protocol.name for protocol in protocols(study, found)] == [ROWS]


@pytest.mark.parametrize("groups", [True, False])
def test_inner_folds_keep_songs_apart_where_the_protocol_does(table: Path, groups: bool) -> None:
    _, found = own(table)
    assert found.groups is not None
    folds = inner_folds(found.genres, found.groups if groups else None, 4, 0)
    shared = [set(found.groups[learnt]) & set(found.groups[asked]) for learnt, asked in folds]
    assert any(shared) is not groups


def test_a_genre_with_too_few_songs_has_no_inner_folds() -> None:
    assert inner_folds(np.array(["a", "a", "b"]), None, 5, 0) == []
    assert inner_folds(np.array(["a", "a", "b", "b"]), np.array(["1", "2", "3", "3"]), 5, 0) == []


def test_published_folds_keep_artists_apart_and_omit_other_songs(shared_data: Path) -> None:
    study = config.read(config.find("audionome"))
    found = study_table.load(study, shared_data)
    artists = next(protocol for protocol in protocols(study, found) if protocol.name == ARTISTS)
    assert found.folds is not None
    assert found.groups is not None
    tested = np.concatenate([trial.test for trial in artists.trials])
    assert set(tested.tolist()) == set(np.flatnonzero(found.folds != "").tolist())
    assert len(set(found.groups[tested])) == pytest.approx(947, abs=3)
    for trial in artists.trials:
        assert not set(found.folds[trial.test]) & set(found.folds[trial.train])
