"""Songs are grouped by genre, and genres in tags are recognized by their synonyms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.library.collection import CollectionFile, FileState
from classifier.library.grouping import (
    NOT_MUSIC,
    NOT_SURE,
    ClassifiedSong,
    CollectionSong,
    disagreements,
    exact_copies,
    genre_name,
    genres_named_in,
    group_of,
    group_songs,
)
from classifier.library.state_db import StoredAnswer
from classifier.library.tags import FileTags

GENRES = ("blues", "classical", "disco", "hiphop", "metal", "pop", "rock", "catru")


def classified(name: str, genre: str, confidence: float = 0.9, *, tag: str = "", sure: bool = True) -> ClassifiedSong:
    answer = StoredAnswer(genre, confidence, sure, 200)
    song = CollectionSong(CollectionFile(Path(name), FileState(1, 2, 3, 4)), name.encode()[:1], FileTags(genre=tag))
    return ClassifiedSong(song, answer, group_of(answer, None))


@pytest.mark.parametrize(
    ("minimum", "sure", "group"),
    [
        (None, True, "rock"),
        (None, False, NOT_SURE),
        (0.5, False, "rock"),
        (0.6, True, NOT_SURE),
        (0.5001, True, NOT_SURE),
    ],
)
def test_a_minimum_confidence_overrides_the_release(minimum: float | None, sure: bool, group: str) -> None:
    assert group_of(StoredAnswer("rock", 0.5, sure, 200), minimum) == group


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
def test_a_genre_is_recognized_by_its_synonyms_in_tags(tag: str, meant: set[str]) -> None:
    assert genres_named_in(tag, GENRES) == meant


@given(st.sampled_from(GENRES))
def test_a_written_genre_is_recognized_when_read(genre: str) -> None:
    assert genres_named_in(genre_name(genre), GENRES) == {genre}


def test_only_a_named_genre_and_a_sure_answer_can_disagree() -> None:
    songs = [
        classified("agrees", "rock", tag="Pop Rock"),
        classified("unknown", "rock", tag="Soundtrack"),
        classified("untagged", "rock"),
        classified("not sure", "rock", sure=False, tag="Disco"),
        classified("disagrees", "rock", 0.7, tag="Disco"),
        classified("very", "metal", 0.9, tag="Classical"),
    ]
    assert [song.song.path.name for song in disagreements(songs, GENRES)] == ["very", "disagrees"]


def test_groups_are_sorted_by_size_with_not_sure_last() -> None:
    songs = [
        classified("a", "rock", sure=False),
        classified("b", "rock", sure=False),
        classified("c", "pop"),
        classified("d", "metal"),
    ]
    assert list(group_songs([*songs, classified("e", "pop")])) == ["pop", "metal", NOT_SURE]


def test_files_with_the_same_content_are_exact_copies() -> None:
    songs = [classified("a1", "rock"), classified("b1", "rock"), classified("a2", "rock")]
    assert [[song.song.path.name for song in group] for group in exact_copies(songs)] == [["a1", "a2"]]


def test_what_is_not_music_has_the_last_group_whatever_the_minimum() -> None:
    songs = [classified("a", "", sure=False), classified("b", "", sure=False), classified("c", "rock", sure=False)]
    assert list(group_songs(songs)) == [NOT_SURE, NOT_MUSIC]
    assert group_of(StoredAnswer("", 0.0, False, 10), 0.0) == NOT_MUSIC
    assert genre_name(NOT_MUSIC) == "Not music"
    assert disagreements([classified("a", "", tag="rock")], GENRES) == []


def test_a_song_tagged_with_the_family_of_its_style_does_not_disagree() -> None:
    assert disagreements([classified("a", "vpop", tag="Pop")], (*GENRES, "vpop")) == []
