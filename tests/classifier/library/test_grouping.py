"""A song goes on one shelf; what tags say is understood in whatever words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.library.collection import Found, State
from classifier.library.grouping import NOT_SURE, Heard, Song, copies, disagreements, meant_by, shelf_of, shelves, title
from classifier.library.state_db import Answer
from classifier.library.tags import Tags

GENRES = ("blues", "classical", "disco", "hiphop", "metal", "pop", "rock", "catru")


def heard(name: str, genre: str, confidence: float = 0.9, *, tag: str = "", sure: bool = True) -> Heard:
    answer = Answer(genre, confidence, sure, 200)
    song = Song(Found(Path(name), State(1, 2, 3, 4)), name.encode()[:1], Tags(genre=tag))
    return Heard(song, answer, shelf_of(answer, None))


@pytest.mark.parametrize(
    ("minimum", "sure", "shelf"),
    [
        (None, True, "rock"),
        (None, False, NOT_SURE),
        (0.5, False, "rock"),
        (0.6, True, NOT_SURE),
        (0.5001, True, NOT_SURE),
    ],
)
def test_a_minimum_confidence_decides_in_place_of_the_release(minimum: float | None, sure: bool, shelf: str) -> None:
    assert shelf_of(Answer("rock", 0.5, sure, 200), minimum) == shelf


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("Hip-Hop/Rap", {"hiphop"}),
        ("hip hop", {"hiphop"}),
        ("Pop Rock", {"pop", "rock"}),
        ("ROCK & ROLL", {"rock"}),
        ("Ca Trù", {"catru"}),
        ("Ca Tru\N{COMBINING GRAVE ACCENT}", {"catru"}),
        ("Popular", set()),
        ("Soundtrack", set()),
        ("", set()),
    ],
)
def test_a_tag_is_understood_in_other_words(tag: str, meant: set[str]) -> None:
    assert meant_by(tag, GENRES) == meant


@given(st.sampled_from(GENRES))
def test_what_is_written_into_a_tag_is_understood_when_read(genre: str) -> None:
    assert meant_by(title(genre), GENRES) == {genre}


def test_tag_and_ear_disagree_only_where_both_are_of_a_clear_opinion() -> None:
    songs = [
        heard("agrees", "rock", tag="Pop Rock"),
        heard("unknown", "rock", tag="Soundtrack"),
        heard("untagged", "rock"),
        heard("not sure", "rock", sure=False, tag="Disco"),
        heard("disagrees", "rock", 0.7, tag="Disco"),
        heard("very", "metal", 0.9, tag="Classical"),
    ]
    assert [song.song.path.name for song in disagreements(songs, GENRES)] == ["very", "disagrees"]


def test_shelves_are_ordered_by_size_and_the_doubtful_come_last() -> None:
    songs = [heard("a", "rock", sure=False), heard("b", "rock", sure=False), heard("c", "pop"), heard("d", "metal")]
    assert list(shelves([*songs, heard("e", "pop")])) == ["pop", "metal", NOT_SURE]


def test_files_of_one_content_are_copies() -> None:
    songs = [heard("a1", "rock"), heard("b1", "rock"), heard("a2", "rock")]
    assert [[song.song.path.name for song in group] for group in copies(songs)] == [["a1", "a2"]]
