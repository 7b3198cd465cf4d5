"""The songs behind a link that leads to several of them: a playlist, an album, a podcast feed or a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_PLAYLIST_SONGS: Final = 25
"""Songs of a playlist that are listed unless the caller asks for more."""
MAX_PLAYLIST_SONGS: Final = 500


@dataclass(frozen=True, slots=True)
class PlaylistItem:
    """One song of a playlist, as ``Fetcher.fetch`` takes it.

    Attributes
    ----------
    link
        Its own link, or the playlist's if it has none.
    item
        Its number in the playlist, from 1, if ``link`` is the playlist's; else None.
    title
        What the playlist calls it, cleaned for display; None if it gives no title.
    """

    link: str
    item: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """The songs at a link in the order of the playlist; those of a feed come newest first.

    Attributes
    ----------
    title
        The playlist's title, cleaned for display; None if it has none.
    items
        The first of its songs.
    count
        How many songs there are; a lower bound if ``complete`` is False.
    newest_first
        Whether it is a feed.
    """

    title: str | None
    items: tuple[PlaylistItem, ...]
    count: int
    complete: bool = True
    newest_first: bool = False


def full_name(title: str | None, uploader: str | None) -> str | None:
    """Return title and uploader in one line."""
    if title and uploader and uploader.casefold() not in title.casefold():
        return f"{uploader} – {title}"
    return title or uploader
