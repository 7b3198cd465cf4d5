"""The bot's texts in every language it speaks: Fluent messages by name, and the names of genres and experts.

Other modules decide which message is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import ast

from common.genres import load_genres

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from classifier.song_report import SongReport

Language = Literal["en", "vi"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "en"
OWN_NAMES: dict[Language, str] = {"en": "English", "vi": "Tiếng Việt"}

LONG_CHARACTERS = 900
"""Fluent refuses values of more than a thousand characters; longer ones than this are put in after formatting."""

# Names of genres that keep their capital letter within a sentence begin with one of these words.
_PROPER_WORDS = frozenset(
    {"Arabic", "Balkan", "Bollywood", "Celtic", "Christmas", "Indian", "Latin", "Trịnh", "Vietnamese"}
)

_LOCALES = Path(__file__).parents[1] / "locales"


@cache
def resource(language: Language) -> ast.Resource:
    """Parse a language's messages; a syntax error in them is a bug and raises ``ValueError``."""
    parsed = FluentResource((_LOCALES / f"{language}.ftl").read_text(encoding="utf-8"))
    junk = [entry.content for entry in parsed.body if isinstance(entry, ast.Junk)]
    if junk:
        raise ValueError(f"{language}.ftl: cannot be parsed: {junk[0]!r}")
    return parsed


@cache
def _bundle(language: Language) -> FluentBundle:
    # Isolation marks show as boxes in some chats; what people wrote is cleaned of direction marks before it gets here.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(resource(language))
    return bundle


def translate(language: Language, message: str, **values: float | str) -> str:
    """Return a message in a language, its placeholders filled.

    Parameters
    ----------
    message
        Name of the message, or ``name.attribute``.
    **values
        The placeholders; ``-`` in a name is written ``_``.

    Raises
    ------
    LookupError
        When there is no such message or a placeholder was left empty: a bug, caught by the tests.
    """
    name, _, attribute = message.partition(".")
    found = _bundle(language).get_message(name)
    pattern = found.attributes[attribute] if attribute else found.value
    if pattern is None:
        raise LookupError(f"{language}: {message} has no text")
    given = {key.replace("_", "-"): value for key, value in values.items()}
    long = {name: value for name, value in given.items() if isinstance(value, str) and len(value) > LONG_CHARACTERS}
    text, errors = _bundle(language).format_pattern(pattern, given | {name: _stand_in(name) for name in long})
    if errors:
        raise LookupError(f"{language}: {message}: {errors[0]}")
    said = cast("str", text)
    for name, value in long.items():
        said = said.replace(_stand_in(name), value)
    return said


def _stand_in(name: str) -> str:
    """Return what stands for a long value while Fluent, which takes only short ones, puts a message together."""
    return f"\ue000{name}\ue001"


def has(language: Language, message: str) -> bool:
    """Whether a language has a message of that name."""
    return _bundle(language).has_message(message)


def language_of(tag: str | None) -> Language | None:
    """Return the language that a platform's tag (``vi``, ``vi-VN``, ``en_US``) means, if the bot speaks it."""
    primary = (tag or "").replace("_", "-").partition("-")[0].lower()
    return next((language for language in LANGUAGES if language == primary), None)


def preferred_language(accept_language: str | None) -> Language:
    """Return the best language for an ``Accept-Language`` header, after RFC 9110, section 12.5.4."""
    ranked: list[tuple[float, Language]] = []
    for part in (accept_language or "").split(","):
        tag, *parameters = part.split(";")
        language = language_of(tag.strip())
        weight = _quality(parameters)
        if language is not None and weight > 0:
            ranked.append((weight, language))
    # max() keeps the first of equals: the order of the header decides a tie.
    return max(ranked, key=lambda item: item[0])[1] if ranked else DEFAULT_LANGUAGE


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(1.0, float(value))
            except ValueError:
                return 0.0
    return 1.0


def clock(seconds: float) -> str:
    """Return a time within a song as ``m:ss``, or ``h:mm:ss`` from an hour on."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def percent(probability: float) -> int:
    """Return a probability as whole percents that never claim certainty: 1 to 99."""
    return min(99, max(1, round(100 * probability)))


@dataclass(frozen=True, slots=True)
class Localizer:
    """Texts, and the names of genres and experts, in one language.

    Attributes
    ----------
    language
        The language.
    learned
        Label id → name, for genres that are not in ``common.genres`` and are named by storage.
    """

    language: Language
    learned: Mapping[str, str] = field(default_factory=dict)

    def translate(self, message: str, **values: float | str) -> str:
        """Return a message, its placeholders filled."""
        return translate(self.language, message, **values)

    def genre(self, genre: str) -> str:
        """Return a genre's name as used within a sentence; its id if it has no name.

        Parameters
        ----------
        genre
            Id of a label; empty for an answer that is not music, as storage keeps it.
        """
        if not genre:
            return self.translate("not-music")
        known = load_genres().get(genre)
        return self.learned.get(genre, genre) if known is None else _within_sentence(known.name(self.language))

    def genre_title(self, genre: str) -> str:
        """Return a genre's name with a capital letter, for lists and headings."""
        name = self.genre(genre)
        return name[:1].upper() + name[1:]

    def answer_name(self, report: SongReport) -> str:
        """Return what a song was answered with, as within a sentence: a genre, a style with its family, or else."""
        if report.genre is None:
            return self.kind(report.kind)
        if report.family in (None, report.genre):
            return self.genre(report.genre)
        return f"{self.genre(report.family or '')} · {self.genre(report.genre)}"

    def kind(self, kind: str) -> str:
        """Return the name of what a sound is that is not music, as used within a sentence."""
        return self.translate(f"kind-{kind}")

    def tag(self, tag: str) -> str:
        """Return a tag in this language; the tag itself if it has no translation."""
        message = f"tag-{tag.lower().replace(' ', '-')}"
        return self.translate(message) if has(self.language, message) else tag

    def genre_about(self, genre: str) -> str:
        """Return a short description of a genre; empty if there is none."""
        known = load_genres().get(genre)
        return "" if known is None else known.about(self.language)

    def expert(self, expert: str) -> str:
        """Return an expert's name; its id if it has no name."""
        message = f"expert-{expert}"
        return self.translate(message) if has(self.language, message) else expert


def _within_sentence(name: str) -> str:
    """Return a genre's name with a small first letter, unless it is an abbreviation or a proper name."""
    if not name[1:2].islower() or name.split()[0] in _PROPER_WORDS:
        return name
    return name[:1].lower() + name[1:]
