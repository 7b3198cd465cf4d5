"""A language together with the names of genres in it: what every answer, picture and list is worded with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.localization import Language, has, say

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Words:
    """What things are called in one language.

    Attributes
    ----------
    language
        The person's.
    learned
        Label id → name, for genres that came after the first release and that only storage can name.
    """

    language: Language
    learned: Mapping[str, str] = field(default_factory=dict)

    def say(self, message: str, **values: float | str) -> str:
        """Return a message, its placeholders filled (see ``bot.core.localization.say``)."""
        return say(self.language, message, **values)

    def genre(self, genre: str) -> str:
        """Return a genre's name as it stands in a sentence; one that nobody named is called by its id."""
        message = f"genre-{genre}"
        return self.say(message) if has(self.language, message) else self.learned.get(genre, genre)

    def genre_title(self, genre: str) -> str:
        """Return a genre's name with a capital, for lists and headings."""
        name = self.genre(genre)
        return name[:1].upper() + name[1:]

    def genre_short(self, genre: str) -> str:
        """Return a genre's name without what goes without saying, for where there is little room."""
        name = self.genre(genre)
        return name.removeprefix("nhạc ") if self.language == "vi" else name

    def genre_about(self, genre: str) -> str:
        """Return a few words for people who do not know the genre; empty where nobody wrote any."""
        message = f"genre-{genre}"
        return self.say(f"{message}.about") if has(self.language, message) else ""

    def expert(self, expert: str) -> str:
        """Return what an expert is called; one that has no name is called by its id."""
        message = f"expert-{expert}"
        return self.say(message) if has(self.language, message) else expert
