"""Writes the report of a collection: a self-contained HTML page that works when opened from the disk.

This module collects the data; the page's markup, style and script are in ``page``.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from classifier.features.recording_identity import groups as connected_groups
from classifier.library.grouping import NOT_MUSIC, WITHOUT_GENRE, disagreements, exact_copies, genre_name, group_songs
from classifier.library.playlists import relative_path, write_atomically
from classifier.library.similarity import near_duplicates, positions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.library.grouping import ClassifiedSong
    from classifier.library.scan_result import ScanResult
    from classifier.library.state_db import StateDatabase

PAGE: Final = Path(__file__).parent / "page"
COORDINATE_DIGITS: Final = 4
LANGUAGES: Final = ("en", "vi")
_SCRIPT_TEXTS: Final = ("summary", "summaryOne", "notSure", "notSureOr", "cannotPlay", "more")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def write(path: Path, result: ScanResult, state_db: StateDatabase, language: str = "en") -> None:
    """Write the report; it links the songs relative to its own path.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_atomically(path, render(report_data(result, path.parent.resolve(), state_db, language), language).encode())


def content_security_policy() -> str:
    """Return the page's content security policy, which allows its own script and style and nothing else.

    The page contains it as well; a server that sends the page must not send a stricter one.
    """
    return (
        f"default-src 'none'; script-src {_allowed(_part('report.js'))}; style-src {_allowed(_part('report.css'))}; "
        "media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def render(data: Mapping[str, Any], language: str = "en") -> str:
    """Return the page as HTML.

    Parameters
    ----------
    data
        The result of ``report_data``.
    language
        One of ``LANGUAGES``.
    """
    texts: dict[str, str] = json.loads(_part("words.json"))[language]
    if data["songs"] and all(song["link"] is None for song in data["songs"]):
        texts["mapHint"] = texts["mapHintSilent"]
    # ASCII only, so that lone surrogates of undecodable file names survive.
    embedded = json.dumps({**data, "texts": {name: texts[name] for name in _SCRIPT_TEXTS}}, separators=(",", ":"))
    values = {
        **{name: html.escape(text) for name, text in texts.items()},
        "language": language,
        "policy": html.escape(content_security_policy()),
        "title": html.escape(texts["inOrder"].replace("{name}", data["folder"])),
        "style": _part("report.css"),
        "script": _part("report.js"),
        "data": embedded.replace("<", "\\u003c"),  # no name can close the element that contains the data
    }
    return re.sub(r"\{(\w+)\}", lambda placeholder: values[placeholder[1]], _part("report.html"))


def _part(name: str) -> str:
    return (PAGE / name).read_text("utf-8")


def _text(name: str | Path) -> str:
    """Return a name as valid text; undecodable bytes become replacement characters."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", str(name))


def _allowed(source: str) -> str:
    """Return the content security policy source that allows this piece of inline code."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def report_data(
    result: ScanResult, folder: Path | None, state_db: StateDatabase, language: str = "en"
) -> dict[str, Any]:
    """Return the data that the page shows.

    Parameters
    ----------
    folder
        The folder of the page, which the songs are linked relative to; None where the page cannot link to them.
    language
        Language of the genre names, one of ``LANGUAGES``.
    """
    songs = result.songs
    by_group = group_songs(songs)
    order = list(by_group)
    index_of = {id(song): index for index, song in enumerate(songs)}
    first_with: dict[bytes, int] = {}
    for index, song in enumerate(songs):
        first_with.setdefault(song.song.content, index)
    contents = list(first_with)
    coordinates = dict(zip(contents, positions(contents, state_db).round(COORDINATE_DIGITS).tolist(), strict=True))
    durations = [songs[first_with[content]].answer.duration for content in contents]
    near = near_duplicates(contents, durations, state_db)
    return {
        "folder": _text(result.title),
        "release": result.release,
        "groups": [
            {"title": genre_name(group, language), "count": len(by_group[group]), "sure": group not in WITHOUT_GENRE}
            for group in order
        ],
        "songs": [
            _song(song, order, coordinates[song.song.content], result.folder, folder, language) for song in songs
        ],
        "disagreements": [index_of[id(song)] for song in disagreements(songs, result.genres)],
        "near": [[first_with[contents[index]] for index in group] for group in connected_groups(near)],
        "copies": [[index_of[id(song)] for song in group] for group in exact_copies(songs)],
        "failures": [[_text(path.relative_to(result.folder)), failure.message] for path, failure in result.failures],
    }


def _song(
    song: ClassifiedSong,
    order: Sequence[str],
    position: Sequence[float],
    collection: Path,
    folder: Path | None,
    language: str,
) -> dict[str, Any]:
    path, answer = song.song.path, song.answer
    return {
        "title": _text(song.song.title),
        "path": _text(path.relative_to(collection)),
        "link": None if folder is None else quote(os.fsencode(relative_path(path, folder))),
        "group": order.index(song.group),
        "genre": genre_name(answer.genre or NOT_MUSIC, language),
        "second": genre_name(answer.second, language),
        "confidence": round(answer.confidence, 3),
        "seconds": round(answer.duration),
        "tag": _text(song.song.tags.genre),
        "x": position[0],
        "y": position[1],
    }
