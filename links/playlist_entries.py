"""Lists as yt-dlp tells of them, in the child process: which entry is meant, and what there is to choose from."""

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
    """Return the entry that is meant, or the only one that there is.

    Parameters
    ----------
    result
        A list's result, not processed.
    item
        Which one, from 1; None if a list is not expected.
    most
        As many are told of where there are several.

    Raises
    ------
    Found
        ``link-list`` with what there is, where no item was named.
    """
    looked_at = most if item is None else item
    if not 0 < looked_at <= MAX_PLAYLIST_SONGS:
        raise CodedFailure("link-not-found")
    # One more tells whether there are more.
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
        raise CodedFailure("link-list", listing=_told(result, numbered[:most], complete=len(entries) <= most))
    return numbered[0][1]


def _first(result: Mapping[str, Any], most: int) -> list[dict[str, Any] | None]:
    entries = result.get("entries") or ()
    if _is_feed(result):
        # Most feeds begin with the newest episode, but none has to.
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


def _told(result: Mapping[str, Any], numbered: list[tuple[int, Any]], *, complete: bool) -> dict[str, Any]:
    """Return a list as the parent is told of it (``listing.read_listing``)."""
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
    # Elsewhere, what looks like a link may be an id that only its site's extractor understands.
    if entry.get("_type") in _LINKED and str(entry.get("url")).startswith(("https://", "http://")):
        song["link"] = unsmuggle_url(entry["url"])[0]
    return song


def _text(value: object) -> str | None:
    return value[:TITLE_CHARACTERS] if isinstance(value, str) else None
