"""What may be a genre's name, and when two names are the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.errors import BadLabel, LabelEmpty, LabelTooLong, LabelUnprintable, LabelWithoutLetter
from storage.label_text import LABEL_CHARACTERS, bare_key, bare_words, clean_name, clean_title, name_key


@pytest.mark.parametrize("text", ["Hip hop", "hip-hop", "HIPHOP", " hip  hop ", "ＨＩＰ　ＨＯＰ", "hip_hop", "hip·hop"])
def test_spelling_that_people_do_not_notice_is_folded_away(text: str) -> None:
    assert name_key(text) == "hiphop"


@pytest.mark.parametrize(
    ("text", "bare"),
    [("Cải lương", "cailuong"), ("Đờn ca tài tử", "doncataitu"), ("CHÈO", "cheo"), ("Raï", "rai"), ("Łódź", "lodz")],
)
def test_latin_letters_lose_their_diacritics(text: str, bare: str) -> None:
    assert bare_key(text) == bare
    assert bare_key(unicodedata.normalize("NFD", text)) == bare


@pytest.mark.parametrize("text", ["が", "नृत्य", "ราชมงคล", "й"])
def test_marks_that_tell_words_apart_in_other_scripts_stay(text: str) -> None:
    assert bare_key(text) == name_key(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(("text", "words"), [("Drum & Bass", "drum bass"), ("Cải-lương", "cai luong"), ("R&B", "r b")])
def test_words_are_kept_apart_for_searching(text: str, words: str) -> None:
    assert bare_words(text) == words


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", LabelEmpty),
        (" \n ", LabelEmpty),
        ("a" * (LABEL_CHARACTERS + 1), LabelTooLong),
        ("two\nlines", LabelUnprintable),
        ("tab\there", LabelUnprintable),
        ("nul\0", LabelUnprintable),
        ("right\u202eto left", LabelUnprintable),
        ("zero\u200bwidth", LabelUnprintable),
        ("line\u2028separator", LabelUnprintable),
        ("half a pair \ud83c", LabelUnprintable),
        ("hangul filler \u3164", LabelUnprintable),
        ("private \ue000", LabelUnprintable),
        ("1984", LabelWithoutLetter),
        ("🎸", LabelWithoutLetter),
        ("---", LabelWithoutLetter),
    ],
)
def test_what_cannot_be_a_name_is_refused_with_a_sentence(text: str, error: type[BadLabel]) -> None:
    with pytest.raises(error) as caught:
        clean_name(text)
    assert str(caught.value).endswith(".")
    assert "{" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Cải   lương ", "Cải lương"),
        (unicodedata.normalize("NFD", "Chầu văn"), "Chầu văn"),
        ("rock ❤️", "rock ❤"),
        ("8-bit", "8-bit"),
        ("演歌", "演歌"),
        ("no\u00a0break", "no break"),
        ("a" * LABEL_CHARACTERS, "a" * LABEL_CHARACTERS),
    ],
)
def test_a_name_is_kept_as_a_person_would_print_it(text: str, name: str) -> None:
    assert clean_name(text) == name


@given(st.text())
@example("a-\u0301")
@example("\ufdfa ß ŉ")
def test_folding_twice_changes_nothing(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key
    assert bare_key(key) == bare_key(text)
    assert bare_key(bare_key(text)) == bare_key(text)


@given(st.text())
def test_case_never_matters(text: str) -> None:
    assert name_key(text.casefold()) == name_key(text)


@given(st.text())
def test_a_name_is_either_refused_or_short_visible_and_stable(text: str) -> None:
    try:
        name = clean_name(text)
    except BadLabel:
        return
    assert 1 <= len(name) <= LABEL_CHARACTERS
    assert clean_name(name) == name
    assert name_key(name)
    assert name == name.strip()
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(), st.integers(1, 50))
def test_a_title_is_one_short_line_or_nothing(text: str, limit: int) -> None:
    title = clean_title(text, limit)
    assert title is None or (0 < len(title) <= limit and title.strip() == title and title.isprintable())
