"""Reads playlists from yt-dlp's results, in the child process: selects one entry or describes them all."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.utils import unsmuggle_url

from links.error_mapping import CodedFailure
from links.playlist import MAX_PLAYLIST_SONGS

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLE_CHARACTERS: Final = 200
_LINKED: Final = frozenset({"url", "url_transparent"})


def entry_of(result: Mapping[str, Any], item: int | None, most: int) -> dict[str, Any]:
    """Return the requested entry of a playlist, or its only one.

    Parameters
    ----------
    result
        yt-dlp's unprocessed result for the playlist.
    item
        Number of the entry, from 1; None if a single song is expected.
    most
        The largest number of songs to describe if there are several.

    Raises
    ------
    CodedFailure
        ``link-list`` with the songs, if there are several and no item was named.
    """
    looked_at = most if item is None else item
    if not 0 < looked_at <= MAX_PLAYLIST_SONGS:
        raise CodedFailure("link-not-found")
    # One extra entry shows whether there are more.
    entries = _first(result, looked_at + 1)
    if item is not None:
        meant = entries[item - 1] if item <= len(entries) else None
        if meant is None:
            raise CodedFailure("link-not-found" if entries else "link-no-music")
        return meant
    numbered = [(number, entry) for number, entry in enumerate(entries, 1) if entry]
    if not numbered:
        raise CodedFailure("link-no-music")
    if len(numbered) > 1:
        raise CodedFailure("link-list", playlist=_report(result, numbered[:most], complete=len(entries) <= most))
    return numbered[0][1]


def _first(result: Mapping[str, Any], most: int) -> list[dict[str, Any] | None]:
    entries = result.get("entries") or ()
    if _is_feed(result):
        # Most feeds list the newest episode first, but they need not.
        return sorted(entries, key=lambda entry: -(entry.get("timestamp") or 0))[:most]
    if hasattr(entries, "getslice"):
        return list(entries.getslice(0, most))
    return list(itertools.islice(entries, most))


def _is_feed(result: Mapping[str, Any]) -> bool:
    entries = result.get("entries")
    return (
        result.get("extractor") == "generic"
        and isinstance(entries, list)
        and all(isinstance(entry, dict) and "timestamp" in entry for entry in entries)
    )


def _report(result: Mapping[str, Any], numbered: list[tuple[int, Any]], *, complete: bool) -> dict[str, Any]:
    """Return the report on a playlist that ``playlist_parsing`` in the parent process reads."""
    entries, counted = result.get("entries"), result.get("playlist_count")
    known = len(entries) if isinstance(entries, list) else counted if isinstance(counted, int) else 0
    return {
        "title": _text(result.get("title")),
        "songs": [_song(number, entry) for number, entry in numbered],
        "count": max(known, len(numbered)),
        "complete": complete or known > len(numbered),
        "newest_first": _is_feed(result),
    }


def _song(number: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    song: dict[str, Any] = {"number": number, "title": _text(entry.get("title"))}
    song["uploader"] = _text(entry.get("artist") or entry.get("uploader") or entry.get("channel"))
    # In other results, a "url" may be an id that only the site's extractor understands.
    if entry.get("_type") in _LINKED and str(entry.get("url")).startswith(("https://", "http://")):
        song["link"] = unsmuggle_url(entry["url"])[0]
    return song


def _text(value: object) -> str | None:
    return value[:TITLE_CHARACTERS] if isinstance(value, str) else None
