"""Parses what the fetch process reports about a playlist; a site may have written any of it, so nothing is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from links.address import clean_name, parse_link
from links.errors import LinkError
from links.playlist import MAX_PLAYLIST_SONGS, Playlist, PlaylistItem, full_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def parse_playlist(report: object, link: str, hosts: Collection[str]) -> Playlist:
    """Return the playlist at a link from the fetch process's report.

    Raises
    ------
    LinkError
        If the report is malformed or names no song that can be fetched.
    """
    if not isinstance(report, dict) or not isinstance(report.get("songs"), list):
        raise LinkError
    songs = [song for song in report["songs"][:MAX_PLAYLIST_SONGS] if isinstance(song, dict)]
    items = tuple(item for item in (_item(song, link, hosts) for song in songs) if item is not None)
    if not items:
        raise LinkError
    count = report.get("count")
    return Playlist(
        title=clean_name(report.get("title")),
        items=items,
        count=max(len(items), count) if type(count) is int and count < 10**6 else len(items),
        complete=report.get("complete") is True,
        newest_first=report.get("newest_first") is True,
    )


def _item(song: Mapping[str, Any], link: str, hosts: Collection[str]) -> PlaylistItem | None:
    title = full_name(clean_name(song.get("title")), clean_name(song.get("uploader")))
    own = song.get("link")
    if isinstance(own, str):
        try:
            return PlaylistItem(parse_link(own, hosts), None, title)
        except LinkError:
            # The person is told what is wrong with it when this song is fetched.
            pass
    number = song.get("number")
    return PlaylistItem(link, number, title) if type(number) is int and 0 < number <= MAX_PLAYLIST_SONGS else None
