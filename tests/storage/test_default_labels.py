"""The labels that every database starts with."""

from __future__ import annotations

from itertools import combinations

from storage.default_labels import GENRES
from storage.label_text import clean_name, name_key

RELEASED = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]
RELEASED += ["cailuong", "catru", "chauvan", "cheo", "hatxam"]


def test_the_fifteen_genres_of_the_first_release_lead() -> None:
    assert [genre.id for genre in GENRES[: len(RELEASED)]] == RELEASED


def test_every_name_is_one_that_a_person_could_have_typed() -> None:
    for genre in GENRES:
        for text in (genre.name_en, genre.name_vi, *genre.aliases):
            assert clean_name(text) == text
        assert genre.id.isascii()
        assert name_key(genre.id) == genre.id


def test_no_text_finds_two_genres() -> None:
    keys = {
        genre.id: {name_key(text) for text in (genre.id, genre.name_en, genre.name_vi, *genre.aliases)}
        for genre in GENRES
    }
    assert len(keys) == len(GENRES)
    for one, other in combinations(keys, 2):
        assert not keys[one] & keys[other], (one, other)


def test_no_alias_says_what_folding_already_finds() -> None:
    for genre in GENRES:
        texts = [genre.name_en, *({genre.name_vi} - {genre.name_en}), *genre.aliases]
        keys = [name_key(text) for text in texts]
        assert len(keys) == len(set(keys)), genre.id
