"""The genres that the project knows by name: families and their styles, with names, aliases and a sentence on each.

They stand in ``genres.toml``, in the order in which they are offered to people. An operator can add a file of the
same form. Which of them a release can recognise is the release's business, and people may propose others.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OWN_FILE: Final = "GENRES_FILE"
"""The setting that names an operator's own file; processes that the bot starts inherit it."""
SHIPPED: Final = Path(__file__).with_name("genres.toml")
_ID: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_TEXTS: Final = ("id", "name_en", "name_vi", "about_en", "about_vi")
_KEYS: Final = frozenset({*_TEXTS, "parent", "aliases"})


class BadGenres(ValueError):
    """A file of genres cannot be used; the message names the file, the genre and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Genre:
    """A family of music, or one of its styles.

    Attributes
    ----------
    id
        Lower-case ASCII; the label that answers and corrections are stored under.
    parent
        The id of the family that a style belongs to; None for a family.
    name_en, name_vi
        For people.
    aliases
        Other names that find it, in any language.
    about_en, about_vi
        One sentence on what it is.
    """

    id: str
    parent: str | None
    name_en: str
    name_vi: str
    aliases: tuple[str, ...]
    about_en: str
    about_vi: str

    def name(self, language: str) -> str:
        """Return the name in a language: Vietnamese for ``vi…``, English for any other."""
        return self.name_vi if language.lower().startswith("vi") else self.name_en

    def about(self, language: str) -> str:
        """Return the sentence in a language: Vietnamese for ``vi…``, English for any other."""
        return self.about_vi if language.lower().startswith("vi") else self.about_en


class Genres:
    """All genres by id, in order. A genre that is not listed is treated as a family without styles."""

    def __init__(self, genres: Iterable[Genre]) -> None:
        self._genres = {genre.id: genre for genre in genres}
        children: dict[str, list[str]] = {}
        for genre in self._genres.values():
            if genre.parent is not None:
                children.setdefault(genre.parent, []).append(genre.id)
        self._children = {parent: tuple(ids) for parent, ids in children.items()}

    def __iter__(self) -> Iterator[Genre]:
        return iter(self._genres.values())

    def __len__(self) -> int:
        return len(self._genres)

    def __contains__(self, genre_id: object) -> bool:
        return genre_id in self._genres

    def get(self, genre_id: str) -> Genre | None:
        """Return a genre, or None if it is not listed."""
        return self._genres.get(genre_id)

    @property
    def families(self) -> tuple[str, ...]:
        """The ids of all families."""
        return tuple(genre.id for genre in self if genre.parent is None)

    def parent(self, genre_id: str) -> str | None:
        """Return the family that a style belongs to; None for a family."""
        genre = self._genres.get(genre_id)
        return None if genre is None else genre.parent

    def children(self, family: str) -> tuple[str, ...]:
        """Return the ids of a family's styles."""
        return self._children.get(family, ())

    def family_of(self, genre_id: str) -> str:
        """Return the family of a style; a family is its own."""
        return self.parent(genre_id) or genre_id

    def is_within(self, style: str, family: str) -> bool:
        """Tell whether a genre is this family or one of its styles."""
        return family in (style, self.parent(style))

    def agrees(self, label: str, answer: str) -> bool:
        """Tell whether somebody who calls a song this finds an answer right: they may name a style's family."""
        return bool(answer) and self.is_within(answer, label)

    def names(self, language: str) -> dict[str, str]:
        """Return the name of every genre by id, in a language (``vi…``, or English)."""
        return {genre.id: genre.name(language) for genre in self}

    def aliases(self, genre_id: str) -> tuple[str, ...]:
        """Return the other names of a genre; none if it is not listed."""
        genre = self._genres.get(genre_id)
        return () if genre is None else genre.aliases


def load_genres(path: Path | None = None) -> Genres:
    """Return the genres that come with the project, and those of an operator's own file.

    Parameters
    ----------
    path
        A TOML file with ``[[genre]]`` tables like the shipped one's, by default the one that ``GENRES_FILE`` names in
        the environment, if any. A genre with the id of a shipped one replaces it; the others follow it.

    Raises
    ------
    BadGenres
        If a file cannot be read or what it says does not fit together.
    """
    own = path or os.environ.get(OWN_FILE)
    return _with_own(Path(own).resolve()) if own else _shipped()


@cache
def _shipped() -> Genres:
    return _checked(SHIPPED, _read(SHIPPED))


@cache
def _with_own(path: Path) -> Genres:
    return _checked(path, {genre.id: genre for genre in _shipped()} | _read(path))


def _checked(path: Path, genres: dict[str, Genre]) -> Genres:
    _check_parents(path, genres)
    _check_names(path, genres)
    return Genres(genres.values())


def _read(path: Path) -> dict[str, Genre]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadGenres(f"{path}: {error}") from error
    tables = content.pop("genre", [])
    if content or not isinstance(tables, list):
        raise BadGenres(f"{path}: only [[genre]] tables may stand here, not {', '.join(map(repr, content)) or 'genre'}")
    genres: dict[str, Genre] = {}
    for number, table in enumerate(tables, 1):
        genre = _genre(path, number, table)
        if genre.id in genres:
            raise BadGenres(f"{path}: genre {genre.id!r} is there twice")
        genres[genre.id] = genre
    return genres


def _genre(path: Path, number: int, table: Any) -> Genre:
    if not isinstance(table, dict):
        raise BadGenres(f"{path}: genre number {number} is not a table")
    where = f"{path}: genre {table.get('id', f'number {number}')!r}"
    if unknown := sorted(table.keys() - _KEYS):
        raise BadGenres(f"{where}: unknown key {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}")
    for key in _TEXTS:
        text = table.get(key)
        if not isinstance(text, str) or not text.strip() or text != text.strip():
            raise BadGenres(f"{where}: {key!r} must be a text that is not empty and has no spaces around it")
    if not _ID.fullmatch(table["id"]):
        raise BadGenres(f"{where}: an id consists of the letters a to z, digits and single underscores between them")
    parent, aliases = table.get("parent"), table.get("aliases", [])
    if not (parent is None or isinstance(parent, str)):
        raise BadGenres(f"{where}: 'parent' must be the id of a family")
    if not isinstance(aliases, list) or not all(isinstance(alias, str) and alias.strip() for alias in aliases):
        raise BadGenres(f"{where}: 'aliases' must be a list of texts that are not empty")
    return Genre(parent=parent, aliases=tuple(aliases), **{key: table[key] for key in _TEXTS})


def _check_parents(path: Path, genres: Mapping[str, Genre]) -> None:
    for genre in genres.values():
        if genre.parent is None:
            continue
        if genre.parent not in genres:
            raise BadGenres(f"{path}: genre {genre.id!r}: there is no family {genre.parent!r}")
        if genre.parent == genre.id or genres[genre.parent].parent is not None:
            raise BadGenres(f"{path}: genre {genre.id!r}: its parent {genre.parent!r} is a style, not a family")


def _check_names(path: Path, genres: Mapping[str, Genre]) -> None:
    owners: dict[str, str] = {}
    for genre in genres.values():
        for text in (genre.id, genre.name_en, genre.name_vi, *genre.aliases):
            owner = owners.setdefault(text.casefold(), genre.id)
            if owner != genre.id:
                raise BadGenres(f"{path}: {text!r} names both {owner!r} and {genre.id!r}")
