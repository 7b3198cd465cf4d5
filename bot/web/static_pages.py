"""The page's own files: the HTML worded in each language, the script, the style, the font."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.canvas import FONT
from bot.core.localization import LANGUAGES, OWN_NAMES, Language, say
from bot.web.collection_service import MOST_SONGS
from common.media_types import FILE_PICKER_ACCEPT, MUSIC_SUFFIXES
from common.units import MEGABYTE

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.web.upload_store import Example

PAGE = Path(__file__).parent / "page"
SERVED = ("chat.css", "chat.js", "collections.js", "entries.js", "folders.js", "genres.js", "server.js", "icon.svg")

_PLACE = re.compile(r"\{\{([a-z0-9-]+)\}\}")


class Pages:
    """The page in every language, worded once at the start.

    Parameters
    ----------
    settings
        For the limits that the page names.
    examples
        Songs to try; without any, the page does not offer them.
    """

    def __init__(self, settings: Settings, examples: tuple[Example, ...]) -> None:
        self._settings = settings
        self._examples = examples
        template = (PAGE / "index.html").read_text(encoding="utf-8")
        self._html = {language: self._worded(template, language) for language in LANGUAGES}

    def html(self, language: Language) -> str:
        """Return the page in a language."""
        return self._html[language]

    def file(self, name: str) -> Path | None:
        """Return one of the files that the page is made of; None for any other name."""
        if name == FONT.name:
            return FONT
        return PAGE / name if name in SERVED else None

    def _worded(self, template: str, language: Language) -> str:
        limits = {"megabytes": self._settings.max_megabytes, "minutes": self._settings.max_minutes}
        special = {
            "language": language,
            "languages": "".join(_language_option(option, option == language) for option in LANGUAGES),
            "examples": "".join(_example_option(example, language) for example in self._examples),
            "no-examples": "" if self._examples else "hidden",
            "most-songs": str(MOST_SONGS),
            "music-suffixes": " ".join(sorted(MUSIC_SUFFIXES)),
            "file-picker-accept": FILE_PICKER_ACCEPT,
            "max-bytes": str(round(self._settings.max_megabytes * MEGABYTE)),
            "error-too-large": html.escape(say(language, "error-too-large", megabytes=self._settings.max_megabytes)),
            "page-formats": html.escape(say(language, "page-formats", **limits)),
        }

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            return special[name] if name in special else html.escape(say(language, name))

        return _PLACE.sub(fill, template)


def _language_option(language: Language, current: bool) -> str:
    pressed = "true" if current else "false"
    name = html.escape(OWN_NAMES[language])
    return (
        f'<button type="button" lang="{language}" data-language="{language}" aria-pressed="{pressed}">{name}</button>'
    )


def _example_option(example: Example, language: Language) -> str:
    title = example.titles[language]
    label = html.escape(say(language, "page-example", title=title), quote=True)
    return (
        f'<li><button type="button" data-example="{html.escape(example.file, quote=True)}" aria-label="{label}">'
        f"{html.escape(title)}</button></li>"
    )
