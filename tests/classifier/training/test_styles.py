"""Styles told apart on made-up features: numbers around a point of each style's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.features.families import EMBEDDING
from classifier.training import experts, styles
from classifier.training.feature_matrix import Rows
from classifier.training.splits import Trial

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from classifier.inference.ensemble import StyleGroup

ARTISTS = 12
SONGS = 4
WIDTH = 40


def rows(distance: float) -> Rows:
    """Return pop of two styles, whose songs lie ``distance`` apart, and rock."""
    draw = np.random.default_rng(0)
    labels = np.repeat(["pop", "vpop", "rock"], ARTISTS * SONGS)
    artists = np.tile(np.repeat(np.arange(ARTISTS), SONGS), 3)
    shift = np.where(labels == "vpop", distance, 0)[:, None] * np.eye(WIDTH)[0]
    features = (draw.normal(0, 1, (len(labels), WIDTH)) + shift).astype(np.float32)
    return Rows(
        names=np.array([f"{label} {place}" for place, label in enumerate(labels)]),
        genres=np.where(labels == "vpop", "pop", labels),
        groups=np.array([f"{label} {artist}" for label, artist in zip(labels, artists, strict=True)]),
        families={EMBEDDING: features},
        starts={EMBEDDING: np.arange(len(labels) + 1)},
        labels=labels,
    )


def only(matrix: Rows, tracks: NDArray[np.int64]) -> Rows:
    assert matrix.labels is not None
    return Rows(
        names=matrix.names[tracks],
        genres=matrix.genres[tracks],
        groups=matrix.groups[tracks],
        families={EMBEDDING: matrix.families[EMBEDDING][tracks]},
        starts={EMBEDDING: np.arange(len(tracks) + 1)},
        labels=matrix.labels[tracks],
    )


def trials(matrix: Rows) -> list[Trial]:
    fold = np.array([int(str(group).split()[1]) % 3 for group in matrix.groups])
    return [Trial(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(3)]


def learn(matrix: Rows, known: set[str], taught: Collection[str] = ()) -> tuple[StyleGroup, ...]:
    spaces = experts.fit_spaces(matrix, np.arange(len(matrix.names)), [EMBEDDING])
    return styles.learn(matrix, trials(matrix), spaces, known, taught=taught, jobs=1)


def test_a_style_that_can_be_told_apart_is_told() -> None:
    matrix = rows(4)
    [group] = learn(matrix, {"vpop"})
    assert (group.family, group.styles) == ("pop", ("vpop",))
    mine = np.flatnonzero(matrix.genres == "pop")
    votes = np.array(group.expert.opinion(matrix.single(EMBEDDING, mine)).votes())
    assert (votes == matrix.styles[mine]).mean() > 0.9
    assert 0.5 <= group.least <= 1


def test_a_style_that_cannot_be_told_apart_is_not() -> None:
    assert learn(rows(0), {"vpop"}) == ()


def test_how_many_songs_there_are_of_each_does_not_decide_from_when_on_a_style_is_told() -> None:
    matrix = rows(1.8)
    [even] = learn(matrix, {"vpop"})
    few = np.flatnonzero((matrix.labels != "vpop") | (np.arange(len(matrix.names)) % SONGS == 0))
    [rare] = learn(only(matrix, few), {"vpop"})
    assert even.least == 0.5
    assert rare.least == 0.5


def test_a_style_that_people_have_begun_to_teach_is_told_sooner() -> None:
    vague = rows(1.1)
    assert learn(vague, {"vpop"}) == ()
    [group] = learn(vague, {"vpop"}, {"vpop"})
    assert group.least < 1
    [clear] = learn(rows(4), {"vpop"}, {"vpop"})
    assert clear.least < 0.5


def test_a_style_that_nobody_stands_behind_is_not_told() -> None:
    assert learn(rows(4), set()) == ()


def test_it_is_measured_on_tracks_held_out() -> None:
    matrix = rows(4)
    chosen = np.ones(len(matrix.names), dtype=bool)
    found = styles.figures(matrix, trials(matrix), {"vpop"}, chosen, jobs=1)
    assert {figure.condition: figure.of for figure in found} == {
        "pop within pop": ARTISTS * SONGS,
        "vpop within pop": ARTISTS * SONGS,
    }
    assert all(figure.share > 0.85 for figure in found)
    assert all(figure.standard_error == pytest.approx(figure.grouped_error) for figure in found)
