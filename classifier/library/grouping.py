"""Which shelf a song goes on: its genre's, or 'not sure'; and what shelves are called.

Writing them down is the matter of ``classifier.library.playlists`` and ``classifier.library.report``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from classifier.library.collection import Found
    from classifier.library.state_db import Answer
    from classifier.library.tags import Tags

NOT_SURE: Final = "not-sure"
TITLES: Final = {
    "hiphop": "Hip-Hop",
    "cailuong": "Cải lương",
    "catru": "Ca trù",
    "chauvan": "Chầu văn",
    "cheo": "Chèo",
    "hatxam": "Hát xẩm",
    NOT_SURE: "Not sure",
}
"""Genres whose names are more than their ids with a capital."""
_OTHER_WORDS: Final = {
    "hiphop": ("hip hop", "rap", "trap"),
    "classical": ("classic", "baroque", "opera", "symphony", "chamber music"),
    "pop": ("synthpop", "dance pop"),
    "disco": ("nu disco",),
    "metal": ("heavy metal", "metalcore"),
    "reggae": ("dub", "dancehall"),
    "jazz": ("swing", "bebop"),
    "country": ("bluegrass",),
    "cailuong": ("cải lương", "cai luong"),
    "catru": ("ca trù", "ca tru"),
    "chauvan": ("chầu văn", "chau van"),
    "cheo": ("chèo", "hát chèo"),
    "hatxam": ("hát xẩm", "xẩm", "hat xam"),
}
"""What people write in tags and mean one of ours by."""


@dataclass(frozen=True, slots=True)
class Song:
    """A file that could be read: where it is, the SHA-256 of its content, and what its tags say."""

    found: Found
    content: bytes
    tags: Tags

    @property
    def path(self) -> Path:
        return self.found.path

    @property
    def title(self) -> str:
        """Return what a person would call it."""
        if self.tags.title:
            return f"{self.tags.artist} – {self.tags.title}" if self.tags.artist else self.tags.title
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Heard:
    """A song and the shelf that it goes on."""

    song: Song
    answer: Answer
    shelf: str


def shelf_of(answer: Answer, minimum_confidence: float | None) -> str:
    """Choose a shelf.

    Parameters
    ----------
    minimum_confidence
        Least confidence of an answer that is relied on; None to rely on those that the release calls sure.
    """
    relied_on = answer.sure if minimum_confidence is None else answer.confidence >= minimum_confidence
    return answer.genre if relied_on else NOT_SURE


def title(genre: str) -> str:
    """Return a genre's name as it stands in a tag or a heading."""
    return TITLES.get(genre) or genre[:1].upper() + genre[1:]


def shelves(heard: Iterable[Heard]) -> dict[str, list[Heard]]:
    """Sort songs onto shelves: most songs first, 'not sure' last."""
    found: dict[str, list[Heard]] = {}
    for song in heard:
        found.setdefault(song.shelf, []).append(song)
    return dict(sorted(found.items(), key=lambda shelf: (shelf[0] == NOT_SURE, -len(shelf[1]), shelf[0])))


def meant_by(tag: str, genres: Sequence[str]) -> set[str]:
    """Find the genres that a tag names, in whatever words; none if it names no genre of ours."""
    words = f" {_plain(tag)} "
    return {genre for genre in genres if any(f" {_plain(name)} " in words for name in _called(genre))}


def _called(genre: str) -> tuple[str, ...]:
    return (genre, title(genre), *_OTHER_WORDS.get(genre, ()))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold()))


def disagreements(heard: Iterable[Heard], genres: Sequence[str]) -> list[Heard]:
    """Find songs whose tag names one of our genres and whose sound is surely another, surest first."""
    found = [
        song
        for song in heard
        if song.shelf != NOT_SURE
        and (tagged := meant_by(song.song.tags.genre, genres))
        and song.answer.genre not in tagged
    ]
    return sorted(found, key=lambda song: -song.answer.confidence)


def copies(heard: Iterable[Heard]) -> list[list[Heard]]:
    """Group songs whose files are the same to the byte."""
    by_content: dict[bytes, list[Heard]] = {}
    for song in heard:
        by_content.setdefault(song.song.content, []).append(song)
    return [group for group in by_content.values() if len(group) > 1]
