"""Groups songs by genre, and compares their genres with their tags.

Playlists are written by ``classifier.library.playlists``, the report by ``classifier.library.report``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from common.genres import load_genres

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from classifier.library.collection import CollectionFile
    from classifier.library.state_db import StoredAnswer
    from classifier.library.tags import FileTags

NOT_SURE: Final = "not-sure"
"""The group of songs whose genre the release is not sure of."""
NOT_MUSIC: Final = "not-music"
"""The group of files that are speech, noise or other sounds; they get no genre."""
WITHOUT_GENRE: Final = (NOT_SURE, NOT_MUSIC)
_GROUP_NAMES: Final = {
    NOT_SURE: {"en": "Not sure", "vi": "Chưa chắc"},
    NOT_MUSIC: {"en": "Not music", "vi": "Không phải nhạc"},
}


@dataclass(frozen=True, slots=True)
class CollectionSong:
    """A readable file with the SHA-256 of its content and its tags."""

    file: CollectionFile
    content: bytes
    tags: FileTags

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def title(self) -> str:
        """Artist and title as tagged; the file name without its suffix where there is no title."""
        if self.tags.title:
            return f"{self.tags.artist} – {self.tags.title}" if self.tags.artist else self.tags.title
        return self.path.stem


@dataclass(frozen=True, slots=True)
class ClassifiedSong:
    """A song, its genre and the group it belongs to: its genre's id, or one of ``WITHOUT_GENRE``."""

    song: CollectionSong
    answer: StoredAnswer
    group: str


def group_of(answer: StoredAnswer, minimum_confidence: float | None) -> str:
    """Return the group that a song belongs to.

    Parameters
    ----------
    minimum_confidence
        Minimum confidence of an answer to be used; None to use the answers that the release is sure of.
    """
    if not answer.genre:
        return NOT_MUSIC
    accepted = answer.sure if minimum_confidence is None else answer.confidence >= minimum_confidence
    return answer.genre if accepted else NOT_SURE


def genre_name(genre: str, language: str = "en") -> str:
    """Return a genre's name as it is written in tags and headings."""
    if genre in _GROUP_NAMES:
        return _GROUP_NAMES[genre][language]
    known = load_genres().get(genre)
    return known.name(language) if known else genre[:1].upper() + genre[1:]


def group_songs(songs: Iterable[ClassifiedSong]) -> dict[str, list[ClassifiedSong]]:
    """Return group → songs, the largest group first and those without a genre last."""
    groups: dict[str, list[ClassifiedSong]] = {}
    for song in songs:
        groups.setdefault(song.group, []).append(song)

    def place(group: str) -> int:
        return 1 + WITHOUT_GENRE.index(group) if group in WITHOUT_GENRE else 0

    return dict(sorted(groups.items(), key=lambda group: (place(group[0]), -len(group[1]), group[0])))


def genres_named_in(tag: str, genres: Sequence[str]) -> set[str]:
    """Return the genres of the release that a genre tag names, by any of their names or by a style of theirs."""
    words = f" {_normalized(tag)} "
    return {genre for genre in genres if any(f" {_normalized(name)} " in words for name in _names_of(genre, genres))}


def same_genre(one: str, other: str) -> bool:
    """Return whether two texts are the same genre, apart from case, punctuation and accents."""
    return _normalized(one) == _normalized(other)


def _names_of(genre: str, genres: Sequence[str]) -> Iterator[str]:
    known = load_genres()
    for name in (genre, *(style for style in known.children(genre) if style not in genres)):
        yield name
        yield from known.aliases(name)
        if (entry := known.get(name)) is not None:
            yield from (entry.name_en, entry.name_vi)


def _normalized(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", plain))


def disagreements(songs: Iterable[ClassifiedSong], genres: Sequence[str]) -> list[ClassifiedSong]:
    """Return songs tagged with one genre of the release but surely classified as another, most confident first."""
    found = [
        song
        for song in songs
        if song.group not in WITHOUT_GENRE
        and (tagged := genres_named_in(song.song.tags.genre, genres))
        and not any(load_genres().agrees(genre, song.answer.genre) for genre in tagged)
    ]
    return sorted(found, key=lambda song: -song.answer.confidence)


def exact_copies(songs: Iterable[ClassifiedSong]) -> list[list[ClassifiedSong]]:
    """Return the groups of songs whose files are byte-for-byte identical."""
    by_content: dict[bytes, list[ClassifiedSong]] = {}
    for song in songs:
        by_content.setdefault(song.song.content, []).append(song)
    return [copies for copies in by_content.values() if len(copies) > 1]
