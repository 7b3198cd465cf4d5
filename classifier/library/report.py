"""The report: one page of HTML that holds all it needs, to be opened from the disk.

What is on it is put together here; how it looks and moves is the matter of the files in ``page``.
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

from classifier.features.recording_identity import groups
from classifier.library.grouping import NOT_SURE, copies, disagreements, shelves, title
from classifier.library.playlists import relative, replace
from classifier.library.similarity import near_duplicates, positions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.library.findings import Findings
    from classifier.library.grouping import Heard
    from classifier.library.state_db import Notebook

PAGE: Final = Path(__file__).parent / "page"
COORDINATE_DIGITS: Final = 4
LANGUAGES: Final = ("en", "vi")
_WORDS_OF_THE_SCRIPT: Final = ("summary", "summaryOne", "notSure", "notSureOr", "cannotPlay", "more")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def write(path: Path, findings: Findings, notebook: Notebook, language: str = "en") -> None:
    """Write the page to where it will be opened from: songs are linked relative to it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    replace(path, page(contents(findings, path.parent.resolve(), notebook), language).encode())


def policy() -> str:
    """Return the content security policy of the page: it may do what it says itself and nothing else.

    It stands in the page; where a server sends the page, it has to allow as much.
    """
    return (
        f"default-src 'none'; script-src {_allowed(_part('report.js'))}; style-src {_allowed(_part('report.css'))}; "
        "media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def page(shown: Mapping[str, Any], language: str = "en") -> str:
    """Return the page.

    Parameters
    ----------
    shown
        As ``contents`` puts it together.
    language
        One of ``LANGUAGES``.
    """
    words: dict[str, str] = json.loads(_part("words.json"))[language]
    if shown["songs"] and all(song["link"] is None for song in shown["songs"]):
        words["mapHint"] = words["mapHintSilent"]
    # Escaped to ASCII: no name can end the element that the data is in, and bytes that are no text survive.
    data = json.dumps({**shown, "words": {name: words[name] for name in _WORDS_OF_THE_SCRIPT}}, separators=(",", ":"))
    filling = {
        **{name: html.escape(text) for name, text in words.items()},
        "language": language,
        "policy": html.escape(policy()),
        "title": html.escape(words["inOrder"].replace("{name}", shown["folder"])),
        "style": _part("report.css"),
        "script": _part("report.js"),
        "data": data.replace("<", "\\u003c"),
    }
    return re.sub(r"\{(\w+)\}", lambda mark: filling[mark[1]], _part("report.html"))


def _part(name: str) -> str:
    return (PAGE / name).read_text("utf-8")


def _text(name: str | Path) -> str:
    """Return a name as text that can be shown, whatever bytes it is made of."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", str(name))


def _allowed(source: str) -> str:
    """Return what a content security policy calls this very piece of code by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def contents(findings: Findings, folder: Path | None, notebook: Notebook) -> dict[str, Any]:
    """Put together what the page shows.

    Parameters
    ----------
    folder
        Where the page lies: songs are linked relative to it. None where there is no way from it to the songs.
    """
    heard = findings.heard
    found = shelves(heard)
    order = list(found)
    place = {id(song): number for number, song in enumerate(heard)}
    first_of: dict[bytes, int] = {}
    for number, song in enumerate(heard):
        first_of.setdefault(song.song.content, number)
    distinct = list(first_of)
    spots = dict(zip(distinct, positions(distinct, notebook).round(COORDINATE_DIGITS).tolist(), strict=True))
    lengths = [heard[first_of[content]].answer.duration for content in distinct]
    pairs = near_duplicates(distinct, lengths, notebook)
    return {
        "folder": _text(findings.title),
        "release": findings.release,
        "shelves": [{"title": title(shelf), "count": len(found[shelf]), "sure": shelf != NOT_SURE} for shelf in order],
        "songs": [_song(song, order, spots[song.song.content], findings.folder, folder) for song in heard],
        "disagreements": [place[id(song)] for song in disagreements(heard, findings.genres)],
        "near": [[first_of[distinct[number]] for number in group] for group in groups(pairs)],
        "copies": [[place[id(song)] for song in group] for group in copies(heard)],
        "failures": [
            [_text(path.relative_to(findings.folder)), failure.message] for path, failure in findings.failures
        ],
    }


def _song(
    song: Heard, order: Sequence[str], spot: Sequence[float], collection: Path, folder: Path | None
) -> dict[str, Any]:
    path, answer = song.song.path, song.answer
    return {
        "title": _text(song.song.title),
        "path": _text(path.relative_to(collection)),
        "link": None if folder is None else quote(os.fsencode(relative(path, folder))),
        "shelf": order.index(song.shelf),
        "ear": title(answer.genre),
        "second": title(answer.second),
        "confidence": round(answer.confidence, 3),
        "seconds": round(answer.duration),
        "tag": _text(song.song.tags.genre),
        "x": spot[0],
        "y": spot[1],
    }
