"""Finds the genres that people may mean: lists to choose from, and what a typed text says.

``GenreSearch.read`` is the one rule for typed genres, in the chats and on the page: a known name or alias is taken, a
misspelling or the beginning of a name is asked about, and only what resembles nothing may become a proposal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.callbacks import GENRES_PER_PAGE
from bot.core.chat import GenreChoice
from bot.core.errors import ButtonExpired, GenreUnclear
from storage import BadLabel, ChatKey, LabelStatus
from storage.label_text import clean_name, name_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.genre_names import GenreNames
    from bot.core.localization import Language
    from classifier.song_report import SongReport
    from storage import Label, Reply, Storage

RUNNERS_UP_LISTED = 5
MOST_USED_LISTED = 5
GENRES_SUGGESTED = 5
# Fewer letters occur in the middle of too many names.
CHARACTERS_IN_THE_MIDDLE = 4
# What somebody writes in passing is asked about only if it is as short as genres' names are.
NAME_WORDS = 4
NAME_CHARACTERS = 40

_LINK = re.compile(r"https?://|www\.|\w\.(?:com|net|org|vn|be|fm)/", re.IGNORECASE)
# "No, it's jazz!", "I think this is jazz", "không, bài này là jazz mà".
_BEFORE = re.compile(
    r"^(?:(?:no|nope|nah|wrong|không(?: phải)?|sai(?: rồi)?)[\s,.:;!–-]+)?"
    r"(?:i think\s+|i'd say\s+|actually,?\s+|mình nghĩ\s+|chắc\s+)?"
    r"(?:(?:it|this|that)(?:['’]s|\s+is|\s+was|\s+sounds like|\s+should be)\s+|sounds like\s+|more like\s+"
    r"|(?:(?:bài|cái|thể loại)(?: này| đó)?|đây|nó)\s+(?:phải\s+)?là\s+(?:thể loại\s+)?|là\s+)?"
    r"(?:an?\s+(?=\S+\s+(?:song|track)))?",
    re.IGNORECASE,
)
_AFTER = re.compile(r"(?:\s+(?:song|track|mà|chứ|nhé|nha|ạ))*[\s.!?…]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GenreReading:
    """What a typed text says of a genre.

    Attributes
    ----------
    label
        Id of the label that it names; None if it names none.
    similar
        Genres that may be meant, best first; empty if one is named.
    new
        The name that may be proposed; None if one is named, or the text cannot be a genre's name.
    short
        Whether it is as short as genres' names are.
    """

    label: str | None
    similar: tuple[GenreChoice, ...] = ()
    new: str | None = None
    short: bool = False


class GenreSearch:
    """Reached as ``conversation.genres``.

    Parameters
    ----------
    storage, names
        Where labels are kept, and what they are called.
    """

    def __init__(self, storage: Storage, names: GenreNames) -> None:
        self._storage = storage
        self._names = names

    async def choices(
        self,
        text: str,
        language: Language,
        *,
        offset: int = 0,
        known_only: bool = False,
        first: Sequence[str] = (),
    ) -> tuple[list[GenreChoice], int]:
        """Return a page of the genres that a text matches, best first, and how many there are in all.

        Parameters
        ----------
        text
            What was typed so far; empty for all genres.
        known_only
            Whether to leave proposed labels out, into which nothing can be merged.
        first
            Labels that lead the list of all genres; see ``likely``.
        """
        page = await self._storage.labels.search(
            text, limit=GENRES_PER_PAGE, offset=offset, known_only=known_only, first=first
        )
        return [self._choice(label, language) for label in page.labels], page.total

    async def likely(self, reply: Reply, report: SongReport) -> list[str]:
        """Return the labels that lead the list for an answer: its runners-up, then what its chat uses most."""
        runners_up = [genre for genre, _ in report.runners_up(RUNNERS_UP_LISTED)]
        chat = ChatKey(reply.platform, reply.chat)
        used = await self._storage.feedback.most_used(chat, limit=MOST_USED_LISTED)
        return [*runners_up, *used]

    async def read(self, text: str, language: Language) -> GenreReading:
        """Return what a text says of a genre: a name alone, or a short sentence such as "no, it's jazz"."""
        stripped = text.strip()
        if _LINK.search(stripped):
            return GenreReading(None)
        plain = _AFTER.sub("", _BEFORE.sub("", stripped)).strip()
        for name in dict.fromkeys((stripped, plain)):
            label = await self._storage.labels.find(name)
            if label is not None:
                self._names.learn(label)
                return GenreReading(label.id)
        try:
            new = clean_name(plain or stripped)
        except BadLabel:
            return GenreReading(None)
        short = len(new) <= NAME_CHARACTERS and len(new.split()) <= NAME_WORDS
        return GenreReading(None, await self.suggestions(new, language), new, short)

    async def named(self, text: str, language: Language) -> str:
        """Return the label that a text names, or the name to propose; raises ``GenreUnclear`` if it resembles some."""
        reading = await self.read(text, language)
        if reading.similar:
            raise self.unclear(reading)
        return reading.label or reading.new or text

    @staticmethod
    def unclear(reading: GenreReading) -> GenreUnclear:
        """Return the error that says which genres a text may mean."""
        return GenreUnclear(genres=", ".join(choice.name for choice in reading.similar))

    async def suggestions(self, text: str, language: Language) -> tuple[GenreChoice, ...]:
        """Return the genres that a text may mean although it names none: misspellings, then parts of names."""
        similar = await self._storage.labels.similar(text)
        parts: tuple[Label, ...] = ()
        if len(name_key(text)) >= CHARACTERS_IN_THE_MIDDLE:
            parts = (await self._storage.labels.search(text, limit=GENRES_SUGGESTED)).labels
        found = {label.id: label for label in (*similar, *parts)}
        return tuple(self._choice(label, language) for label in list(found.values())[:GENRES_SUGGESTED])

    async def numbered(self, number: int) -> str:
        """Return the id of the label with a number; raises ``ButtonExpired`` if there is none."""
        label = await self._storage.labels.get_by_number(number)
        if label is None:
            raise ButtonExpired()
        return label.id

    def _choice(self, label: Label, language: Language) -> GenreChoice:
        self._names.learn(label)
        words = self._names.localizer(language)
        return GenreChoice(
            label=label.id,
            number=label.number,
            name=words.genre_title(label.id),
            about=words.genre_about(label.id),
            proposed=label.status is LabelStatus.PROPOSED,
        )
