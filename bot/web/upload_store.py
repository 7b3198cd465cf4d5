"""Songs that were sent to the page, and the example songs that come with the bot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.upload_store import UploadStore

if TYPE_CHECKING:
    from bot.core.localization import Language

EXAMPLES = Path(__file__).parent / "examples"
EXAMPLE_PREFIX = "example:"


@dataclass(frozen=True, slots=True)
class Example:
    """A song that the project made itself, to try the page with.

    Attributes
    ----------
    file
        Name of the file beside ``index.json``.
    titles, kinds
        What it is called and what to expect of it in a word, in each language.
    genre
        What a release must be sure that it is; a style's family will do.
    """

    file: str
    titles: dict[Language, str]
    kinds: dict[Language, str]
    genre: str


def read_examples(folder: Path = EXAMPLES) -> tuple[Example, ...]:
    """Return the example songs of a folder's ``index.json``; none where there is none."""
    index = folder / "index.json"
    if not index.is_file():
        return ()
    listed = json.loads(index.read_text(encoding="utf-8"))
    return tuple(
        Example(
            song["file"],
            {"en": song["title_en"], "vi": song["title_vi"]},
            {"en": song.get("kind_en", ""), "vi": song.get("kind_vi", "")},
            song.get("genre", ""),
        )
        for song in listed
        if (folder / song["file"]).is_file() and Path(song["file"]).name == song["file"]
    )


class PageUploadStore(UploadStore):
    """What was sent to the page; an example song counts as sent, and stays."""

    def path(self, name: str) -> Path:
        """Return where a song is; raises ``FileGone`` if it is no longer there."""
        if _is_example(name):
            return EXAMPLES / name.removeprefix(EXAMPLE_PREFIX)
        return super().path(name)

    def delete(self, name: str) -> None:
        """Delete a song unless it is an example."""
        if not _is_example(name):
            super().delete(name)


def _is_example(name: str) -> bool:
    return name.startswith(EXAMPLE_PREFIX)
