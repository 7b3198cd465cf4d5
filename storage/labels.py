"""The names of genres: known and proposed labels, their aliases, search; leaves the folding of text to ``names``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.database import Database


class LabelStatus(StrEnum):
    """``MERGED`` labels are kept only so that old buttons and ids still lead to the label that took their place."""

    KNOWN = "known"
    PROPOSED = "proposed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Label:
    """A genre that people can choose.

    Attributes
    ----------
    id
        ASCII where the name allows it (``cailuong``), else lower-case NFC text; letters and digits only.
    number
        Small and lasting: for button data, where an id may be too long.
    name_en, name_vi
        For people.
    status
        Known to the project, or proposed by a person.
    aliases
        Other names that find it.
    """

    id: str
    number: int
    name_en: str
    name_vi: str
    status: LabelStatus
    aliases: tuple[str, ...]

    def name(self, language: str) -> str:
        """Return the name in a language (``vi…`` or anything else, which gets English)."""
        return self.name_vi if language.lower().startswith("vi") else self.name_en


@dataclass(frozen=True, slots=True)
class LabelPage:
    """Some of the labels that a search found, best first, and how many there are in all."""

    labels: tuple[Label, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: the label that stays, and how many corrections moved to it."""

    label: Label
    corrections: int


class Labels:
    """Reached as ``storage.labels``. Every method that takes an id follows merges."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, label_id: str) -> Label | None:
        """Return a label by its id."""
        raise NotImplementedError

    async def by_number(self, number: int) -> Label | None:
        """Return a label by the number in a button."""
        raise NotImplementedError

    async def named(self, label_ids: Sequence[str]) -> dict[str, Label]:
        """Return several labels by id at once; ids that name none are left out."""
        raise NotImplementedError

    async def find(self, text: str) -> Label | None:
        """Return the label that a text names: by id, name or alias, case, spaces and punctuation aside.

        A text without diacritics also finds a name with them ("cai luong"), if only one label fits.
        """
        raise NotImplementedError

    async def search(self, text: str = "", *, limit: int = 25, offset: int = 0) -> LabelPage:
        """Return labels for autocomplete, best first: whole name, its beginning, a word's beginning, anywhere.

        An empty text lists every label: known before proposed, the release's first genres leading.
        """
        raise NotImplementedError

    async def propose(self, text: str, person: str | None = None) -> Label:
        """Return the label that a text names; where there is none, add it as proposed.

        Parameters
        ----------
        text
            What a person typed: 1–60 characters, one line, at least one letter, nothing invisible.
        person
            Keyed hash of who proposes it.

        Raises
        ------
        BadLabel
            With a sentence for the person, if the text cannot be a label's name.
        """
        raise NotImplementedError

    async def proposed(self, *, limit: int = 25, offset: int = 0) -> LabelPage:
        """List proposed labels, most often chosen first, for moderators."""
        raise NotImplementedError

    async def approve(self, label_id: str, *, name_en: str | None = None, name_vi: str | None = None) -> Label:
        """Make a proposed label a known one, with better names if given.

        Raises
        ------
        UnknownRow
            If there is no such label.
        BadLabel
            If a name cannot be one.
        """
        raise NotImplementedError

    async def merge(self, source_id: str, target_id: str) -> Merged:
        """Merge a proposed label into a known one: corrections follow, its names become aliases.

        Raises
        ------
        UnknownRow
            If one of them is no label.
        MergeRefused
            If the source is not proposed, the target not known, or both are the same.
        """
        raise NotImplementedError

    async def add_alias(self, label_id: str, alias: str) -> Label:
        """Add another name that finds a label; nothing happens if some label already has it.

        Raises
        ------
        UnknownRow, BadLabel
            If there is no such label, or the alias cannot be a name.
        """
        raise NotImplementedError

    async def ensure_known(self, label_id: str, name_en: str | None = None, name_vi: str | None = None) -> Label:
        """Make sure that a genre of the serving release is a known label, and return it.

        For releases trained on genres that this project has never heard of; call it for each genre at start.
        """
        raise NotImplementedError
