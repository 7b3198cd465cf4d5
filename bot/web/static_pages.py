"""The page's own files: the HTML worded in each language, the script, the style, the font."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.core.canvas import FONT
from bot.core.localization import LANGUAGES, OWN_NAMES, Language, translate
from bot.web.collection_service import MOST_SONGS
from common.media_types import FILE_PICKER_ACCEPT, MUSIC_SUFFIXES
from common.units import MEGABYTE

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.web.upload_store import Example

PAGE = Path(__file__).parent / "page"
MANIFEST = "manifest.webmanifest"
ICONS = ("icon.svg", "icon-192.png", "icon-512.png")
SERVED = frozenset({"chat.css", "desk.css", *(path.name for path in PAGE.glob("*.js")), *ICONS})

# The others are loaded when somebody needs them, or belong to the desk.
LATER_MODULES = frozenset({"desk.js", "recorder.js", "share-worker.js", "shared.js", "tag.js", "tools.js"})
FIRST_MODULES = sorted({path.name for path in PAGE.glob("*.js")} - LATER_MODULES)
# A number that stands for any other than one.
MANY = 7
# What another app may share, see share-worker.js.
SHARED_TEXTS = ("title", "text", "url")
SHARED_FILES = "songs"

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
        self._texts: dict[str, bytes] = {}
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

    def text(self, name: str) -> bytes:
        """Return a script, a style or a drawing."""
        if name not in self._texts:
            self._texts[name] = (PAGE / name).read_bytes()
        return self._texts[name]

    def manifest(self, language: Language) -> dict[str, Any]:
        """Return the manifest of the page as an installed app, to which other apps share songs and links."""
        sizes = {"icon-192.png": "192x192", "icon-512.png": "512x512"}
        return {
            "name": translate(language, "page-title"),
            "short_name": "Genre bot",
            "lang": language,
            "start_url": "../",
            "scope": "../",
            "display": "standalone",
            "background_color": "#eef0f5",
            "theme_color": "#ffffff",
            "icons": [
                {"src": name, "sizes": size, "type": "image/png", "purpose": "any maskable"}
                for name, size in sizes.items()
            ],
            "share_target": {
                "action": "share",
                "method": "POST",
                "enctype": "multipart/form-data",
                "params": {
                    **{name: name for name in SHARED_TEXTS},
                    "files": [{"name": SHARED_FILES, "accept": FILE_PICKER_ACCEPT.split(",")}],
                },
            },
        }

    def _worded(self, template: str, language: Language) -> str:
        limits = {"megabytes": self._settings.max_megabytes, "minutes": self._settings.max_minutes}
        special = {
            "language": language,
            "languages": "".join(_language_option(option, option == language) for option in LANGUAGES),
            "examples": "".join(_example_option(example, language) for example in self._examples),
            "no-examples": "" if self._examples else "hidden",
            "modules": "".join(f'<link rel="modulepreload" href="page/{name}">' for name in FIRST_MODULES),
            "most-songs": str(MOST_SONGS),
            "most-queued": str(self._settings.songs_per_person_queued),
            "music-suffixes": " ".join(sorted(MUSIC_SUFFIXES)),
            "file-picker-accept": FILE_PICKER_ACCEPT,
            "max-bytes": str(round(self._settings.max_megabytes * MEGABYTE)),
            "error-too-large": html.escape(
                translate(language, "error-too-large", megabytes=self._settings.max_megabytes)
            ),
            "count-one": html.escape(translate(language, "page-tools-count", count=1)),
            # The browser counts and puts the number in.
            "count-many": html.escape(translate(language, "page-tools-count", count=MANY).replace(str(MANY), "%n")),
            "count-waiting": html.escape(translate(language, "page-tools-waiting", count="%n")),
            "count-failed": html.escape(translate(language, "page-tools-failed", count="%n")),
            "page-formats": html.escape(translate(language, "page-formats", **limits)),
        }

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            return special[name] if name in special else html.escape(translate(language, name))

        return _PLACE.sub(fill, template)


def desk_page(language: Language) -> str:
    """Return the moderators' page in a language."""
    template = (PAGE / "desk.html").read_text(encoding="utf-8")
    return _PLACE.sub(
        lambda match: language if match[1] == "language" else html.escape(translate(language, match[1])), template
    )


def _language_option(language: Language, current: bool) -> str:
    pressed = "true" if current else "false"
    name = html.escape(OWN_NAMES[language])
    return (
        f'<button type="button" lang="{language}" data-language="{language}" aria-pressed="{pressed}">{name}</button>'
    )


def _example_option(example: Example, language: Language) -> str:
    title = example.titles[language]
    kind = example.kinds[language]
    label = translate(language, "page-example", title=title) + (f": {kind}" if kind else "")
    given = {"data-example": example.file, "data-title": title, "aria-label": label}
    attributes = " ".join(f'{name}="{html.escape(value, quote=True)}"' for name, value in given.items())
    shown = html.escape(title) + (f" <small>{html.escape(kind)}</small>" if kind else "")
    return f'<li><button type="button" {attributes}>{shown}</button></li>'
