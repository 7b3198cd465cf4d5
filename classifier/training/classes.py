"""What the experts tell apart: families, and the traditional Vietnamese styles, known from pictures alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from common.genres import Genres, load_genres

if TYPE_CHECKING:
    from collections.abc import Iterable

TRADITIONAL: Final = "vietnamese_traditional"
"""The family whose styles are told apart by the experts themselves."""
LEAST_SONGS: Final = 20
"""Songs that a class of the base needs beside those of the artist who has most of it: one artist is no genre."""


@lru_cache(maxsize=1)
def genres() -> Genres:
    """Return the genres that the project knows."""
    return load_genres()


def family_of(label: str) -> str:
    """Return the family of a label; a label that nobody knows is a family of its own."""
    return genres().family_of(label)


def class_of(label: str) -> str:
    """Return the class that songs with a label are learnt as."""
    family = family_of(label)
    return label if family == TRADITIONAL else family


def is_right(answer: str, label: str) -> bool:
    """Tell whether an answer is right: the label itself, or the family of a style that was not told."""
    return answer in (label, class_of(label))


def borne_out(labels: Iterable[tuple[str, str, str]]) -> set[str]:
    """Return the labels that enough songs of enough artists stand behind.

    Parameters
    ----------
    labels
        Label, artist and song of every track.
    """
    songs: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for label, artist, song in labels:
        songs[label].add((artist, song))
    chosen = set()
    for label, mine in songs.items():
        most = max(Counter(artist for artist, _ in mine).values())
        if len(mine) - most >= LEAST_SONGS:
            chosen.add(label)
    return chosen
