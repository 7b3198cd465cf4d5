"""What is at a link that leads to several songs, as the parent process knows it: a playlist, an album, a feed, a page.

What the child tells of it (``entries``) is believed no further than it can be read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from links.address import clean_name, parse_link
from links.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DEFAULT_PLAYLIST_SONGS: Final = 25
"""As many songs of a list are looked at, unless the caller asks for more."""
MAX_PLAYLIST_SONGS: Final = 500


@dataclass(frozen=True, slots=True)
class PlaylistItem:
    """One song of a list, as ``Fetcher.fetch`` takes it.

    Attributes
    ----------
    link
        Its own link; that of the list where it has none.
    item
        Its number in the list, from 1, where ``link`` is the list's; None otherwise.
    title
        What the list calls it, fit to be shown; None where it says nothing.
    """

    link: str
    item: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """The songs at a link, in the order of the list; of a feed the newest first.

    Attributes
    ----------
    title
        What the list is called, fit to be shown; None where nobody says.
    items
        The first of its songs.
    count
        How many there are; at least so many where ``complete`` is False.
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


def parse_playlist(told: object, link: str, hosts: Collection[str]) -> Playlist:
    """Return what a child tells of the list at a link.

    Raises
    ------
    LinkError
        If it told nothing that could be understood.
    """
    if not isinstance(told, dict) or not isinstance(told.get("songs"), list):
        raise LinkError
    songs = [song for song in told["songs"][:MAX_PLAYLIST_SONGS] if isinstance(song, dict)]
    items = tuple(item for item in (_item(song, link, hosts) for song in songs) if item is not None)
    if not items:
        raise LinkError
    count = told.get("count")
    return Playlist(
        title=clean_name(told.get("title")),
        items=items,
        count=max(len(items), count) if type(count) is int and count < 10**6 else len(items),
        complete=told.get("complete") is True,
        newest_first=told.get("newest_first") is True,
    )


def _item(song: Mapping[str, Any], link: str, hosts: Collection[str]) -> PlaylistItem | None:
    title = full_name(clean_name(song.get("title")), clean_name(song.get("uploader")))
    own = song.get("link")
    if isinstance(own, str):
        try:
            return PlaylistItem(parse_link(own, hosts), None, title)
        except LinkError:
            # What is wrong with it is told when its turn comes, as for any other song.
            pass
    number = song.get("number")
    return PlaylistItem(link, number, title) if type(number) is int and 0 < number <= MAX_PLAYLIST_SONGS else None
