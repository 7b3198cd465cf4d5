"""Validates the names of genres, and folds them so that different spellings of one name compare equal.

Pure functions on strings; ``labels`` keeps the labels.
"""

from __future__ import annotations

import unicodedata

from storage.errors import LabelEmpty, LabelTooLong, LabelUnprintable, LabelWithoutLetter

LABEL_CHARACTERS = 60

_FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Letters and marks by category that are invisible.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# Phones add these after a symbol to choose its emoji or text form.
_VARIATION_SELECTORS = dict.fromkeys([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
# Latin letters whose stroke is not a combining mark in Unicode.
_STROKES = str.maketrans({"đ": "d", "ħ": "h", "ł": "l", "ø": "o", "ŧ": "t", "ı": "i"})


def clean_name(text: str) -> str:
    """Normalise a genre's name for display: NFC, single spaces, no surrounding space.

    Raises
    ------
    LabelEmpty, LabelTooLong, LabelUnprintable, LabelWithoutLetter
        If it cannot be a name.
    """
    name = unicodedata.normalize("NFC", text.strip().translate(_VARIATION_SELECTORS))
    if not name:
        raise LabelEmpty
    if any(character in _BLANK or unicodedata.category(character) in _FORBIDDEN for character in name):
        raise LabelUnprintable
    name = " ".join(name.split())
    if len(name) > LABEL_CHARACTERS:
        raise LabelTooLong(limit=LABEL_CHARACTERS)
    if not any(unicodedata.category(character).startswith("L") for character in name_key(name)):
        raise LabelWithoutLetter
    return name


def name_key(text: str) -> str:
    """Fold a text so that "Hip-Hop", "hip hop" and "ＨＩＰＨＯＰ" are the same: letters, marks and digits, no case.

    The result is in NFC and folds to itself; it is empty for a text without any of them.
    """
    key = text.translate(_VARIATION_SELECTORS)
    while True:
        folded = unicodedata.normalize("NFKC", key).casefold()
        # Repeat, since removing a hyphen can let a mark combine with its letter.
        folded = unicodedata.normalize("NFKC", "".join(c for c in folded if unicodedata.category(c)[0] in "LMN"))
        if folded == key:
            return key
        key = folded


def bare_key(text: str) -> str:
    """Fold a text like ``name_key``, and take the diacritics off Latin letters: "Cải lương" → "cailuong".

    Marks of other scripts stay, because they distinguish words there (が is not か).
    """
    bare: list[str] = []
    is_latin = False
    for character in unicodedata.normalize("NFD", name_key(text)):
        if unicodedata.combining(character):
            if is_latin:
                continue
        else:
            is_latin = unicodedata.name(character, "").startswith("LATIN")
        bare.append(character)
    return unicodedata.normalize("NFC", "".join(bare).translate(_STROKES))


def bare_words(text: str) -> str:
    """Return the words of a text, each as its ``bare_key``, with single spaces between: "Drum & Bass" → "drum bass"."""
    spaced = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return " ".join(filter(None, map(bare_key, spaced.split())))


def clean_title(text: str, limit: int) -> str | None:
    """Return a song's title as one line of at most ``limit`` visible characters; None if nothing is left."""
    kept = "".join(
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
        for c in unicodedata.normalize("NFC", text)
        if unicodedata.category(c) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return " ".join(kept.split())[:limit].strip() or None
