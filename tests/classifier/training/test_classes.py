from __future__ import annotations

import pytest

from classifier.training.classes import borne_out, class_of, family_of, is_right


@pytest.mark.parametrize(
    ("label", "learnt_as", "family"),
    [
        ("vpop", "pop", "pop"),
        ("kpop", "pop", "pop"),
        ("rapviet", "hiphop", "hiphop"),
        ("salsa", "latin", "latin"),
        ("metal", "metal", "metal"),
        ("cheo", "cheo", "vietnamese_traditional"),
        ("a label of somebody's own", "a label of somebody's own", "a label of somebody's own"),
    ],
)
def test_styles_are_learnt_as_their_family_but_for_the_traditional_ones(
    label: str, learnt_as: str, family: str
) -> None:
    assert (class_of(label), family_of(label)) == (learnt_as, family)


def test_a_family_is_right_for_its_styles_and_no_style_for_another() -> None:
    assert is_right("pop", "vpop")
    assert is_right("vpop", "vpop")
    assert not is_right("vpop", "pop")
    assert not is_right("kpop", "vpop")
    assert not is_right("rock", "vpop")


def songs(label: str, *counts: int) -> list[tuple[str, str, str]]:
    """Name songs of one label, so many of each artist."""
    return [
        (label, f"artist {artist}", f"song {artist}.{number}")
        for artist, count in enumerate(counts)
        for number in range(count)
    ]


def test_one_artist_is_no_genre() -> None:
    assert borne_out(songs("many", 10, 10, 10)) == {"many"}
    assert borne_out(songs("one", 60, 5, 5)) == set()
    assert borne_out([*songs("few", 4, 4, 4), *songs("many", 15, 10, 10)]) == {"many"}


def test_excerpts_of_a_song_count_once() -> None:
    twice = [*songs("many", 10, 10), *songs("many", 10, 10)]
    assert borne_out(twice) == set()
