"""The genres that the project knows, and what an operator's own file may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from common.genres import BadGenres, load_genres

if TYPE_CHECKING:
    from pathlib import Path

RELEASED = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]
RELEASED += ["cailuong", "catru", "chauvan", "cheo", "hatxam"]

GLITCH = """
[[genre]]
id = "glitch"
parent = "electronic"
name_en = "Glitch"
name_vi = "Glitch"
about_en = "Music of errors."
about_vi = "Nhạc của lỗi."
"""


def own(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_genres_of_the_first_release_are_there() -> None:
    assert set(RELEASED) <= {genre.id for genre in load_genres()}


def test_genres_that_people_ask_for_come_before_styles_of_traditional_music() -> None:
    order = [genre.id for genre in load_genres()]
    assert max(order.index(genre) for genre in ("rnb", "soul", "folk", "electronic")) < order.index("catru")


@pytest.mark.parametrize(
    ("style", "family"),
    [
        ("vpop", "pop"),
        ("kpop", "pop"),
        ("rapviet", "hiphop"),
        ("techno", "electronic"),
        ("salsa", "latin"),
        *((style, "vietnamese_traditional") for style in ("cailuong", "catru", "chauvan", "cheo", "hatxam")),
        ("zouk", "zouk"),
        *((genre, genre) for genre in RELEASED[:10]),
    ],
)
def test_a_style_belongs_to_its_family(style: str, family: str) -> None:
    genres = load_genres()
    assert genres.family_of(style) == family
    assert genres.is_within(style, family)
    assert family in genres.families
    assert style == family or style in genres.children(family)


def test_every_genre_says_in_both_languages_what_it_is() -> None:
    for genre in load_genres():
        for language in ("en", "vi"):
            assert genre.about(language).endswith(".")
            assert genre.about(language).count(". ") == 0
        assert genre.about_en != genre.about_vi


def test_a_genre_that_is_not_listed_is_a_family_without_styles() -> None:
    genres = load_genres()
    assert "proposed" not in genres
    assert genres.family_of("proposed") == "proposed"
    assert genres.children("proposed") == genres.aliases("proposed") == ()
    assert genres.get("proposed") is None
    assert genres.parent("proposed") is None
    assert not genres.is_within("pop", "proposed")


def test_names_come_in_the_language_asked_for() -> None:
    genres = load_genres()
    assert genres.names("en")["classical"] == genres.names("de")["classical"] == "Classical"
    assert genres.names("vi")["classical"] == genres.names("vi-VN")["classical"] == "Nhạc cổ điển"


def test_an_operators_genres_follow_the_shipped_ones_and_may_replace_them(tmp_path: Path) -> None:
    renamed = (
        GLITCH.replace("glitch", "noise").replace('"Glitch"', '"Harsh noise"').replace('parent = "electronic"', "")
    )
    jazz = GLITCH.replace('"Glitch"', '"Glitch 2"').replace('"glitch"', '"glitch2"').replace("electronic", "glitch3")
    family = '[[genre]]\nid = "glitch3"\nname_en = "B"\nname_vi = "B"\nabout_en = "b."\nabout_vi = "b."\n'
    genres = load_genres(own(tmp_path, renamed + jazz + family))
    assert len(genres) == len(load_genres()) + 2
    assert genres.names("en")["noise"] == "Harsh noise"
    assert genres.children("glitch3") == ("glitch2",)
    assert [genre.id for genre in genres][-2:] == ["glitch2", "glitch3"]
    assert load_genres().names("en")["noise"] == "Noise"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("genre = 3", "genre"),
        ("[genres]", "'genres'"),
        ("[[genre]", "own.toml"),
        (GLITCH + GLITCH, "'glitch' is there twice"),
        (GLITCH.replace("parent", "family"), "unknown key 'family'"),
        (GLITCH.replace("electronic", "nothing"), "no family 'nothing'"),
        (GLITCH.replace("electronic", "techno"), "'techno' is a style, not a family"),
        (GLITCH.replace("electronic", "glitch"), "'glitch' is a style, not a family"),
        (GLITCH.replace('"glitch"', '"Be-bop"'), "letters a to z"),
        (GLITCH.replace('"glitch"', "7"), "'id' must be a text"),
        (GLITCH.replace('"Nhạc của lỗi."', '" "'), "'about_vi' must be a text"),
        (GLITCH.replace('name_vi = "Glitch"', ""), "'name_vi' must be a text"),
        (GLITCH.replace('"electronic"', "4"), "'parent' must be the id of a family"),
        (GLITCH + 'aliases = "clicks"', "'aliases' must be a list"),
        (GLITCH.replace("Glitch", "Techno"), "'Techno' names both 'techno' and 'glitch'"),
        (GLITCH + GLITCH.replace('"glitch"', '"glitch2"'), "'Glitch' names both 'glitch' and 'glitch2'"),
    ],
)
def test_a_file_that_does_not_fit_together_is_refused_with_what_is_wrong(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(BadGenres) as caught:
        load_genres(own(tmp_path, text))
    assert problem in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadGenres, match=r"missing\.toml"):
        load_genres(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("label", "answer", "agrees"),
    [
        ("pop", "pop", True),
        ("pop", "vpop", True),
        ("vpop", "pop", False),
        ("vpop", "kpop", False),
        ("rock", "vpop", False),
        ("pop", "", False),
    ],
)
def test_the_family_of_a_style_agrees_with_it_but_a_style_is_more_than_its_family(
    label: str, answer: str, agrees: bool
) -> None:
    assert load_genres().agrees(label, answer) is agrees
