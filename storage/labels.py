"""Labels: known and proposed genres, their aliases, and search. ``label_text`` folds the names."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from common.genres import load_genres
from storage.database import LARGEST_NUMBER, lock
from storage.errors import MergeRefused, RowNotFound
from storage.label_aliases import FEEDBACK_LOCK, add_label, add_terms, label_values, merge_labels, owner_of, verdict_is
from storage.label_text import bare_key, clean_name, name_key
from storage.tables import CorrectionRow, LabelRow, TermRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database

SIMILAR_ENOUGH = 0.75
"""``difflib``'s ratio of two names from which one may be a misspelling of the other: "jaz" and "jazz" have 0.86."""
SIMILAR_CHARACTERS = 3
"""A shorter text resembles too many names."""


class LabelStatus(StrEnum):
    """The state of a label; ``MERGED`` ones are kept so that old buttons and ids lead to their replacement."""

    KNOWN = "known"
    PROPOSED = "proposed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Label:
    """A genre that people can choose.

    Attributes
    ----------
    id
        ASCII where the name allows it (``cailuong``), else lower-case NFC text. Letters, digits, underscores.
    number
        Small and permanent, for button payloads, where an id may be too long.
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
    """One page of search results, best first, and the total number of results."""

    labels: tuple[Label, ...]
    total: int


@dataclass(frozen=True, slots=True)
class LabelMerge:
    """The result of a merge: the label that remains, and how many corrections moved to it."""

    label: Label
    corrections: int


@uncancellable
class Labels:
    """Reached as ``storage.labels``. Every method that takes an id follows merges."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, label_id: str) -> Label | None:
        """Return a label by its id."""
        return (await self.get_many([label_id])).get(label_id)

    async def get_by_number(self, number: int) -> Label | None:
        """Return a label by its number."""
        if not 0 < number <= LARGEST_NUMBER:
            return None
        async with self._database.reading() as connection:
            query = select(LabelRow.id).where(LabelRow.number == number)
            label_id = (await connection.execute(query)).scalar()
            return None if label_id is None else (await load_labels(connection, [label_id])).get(label_id)

    async def get_many(self, label_ids: Sequence[str]) -> dict[str, Label]:
        """Return several labels by id; unknown ids are left out."""
        async with self._database.reading() as connection:
            return await load_labels(connection, label_ids)

    async def find(self, text: str) -> Label | None:
        """Find a label by id, name or alias, ignoring case, spaces and punctuation.

        A text without diacritics also finds a name with them ("cai luong"), if only one label fits.
        """
        async with self._database.reading() as connection:
            label_id = await _find(connection, text)
            return None if label_id is None else (await load_labels(connection, [label_id]))[label_id]

    async def search(
        self,
        text: str = "",
        *,
        limit: int = 25,
        offset: int = 0,
        known_only: bool = False,
        first: Sequence[str] = (),
    ) -> LabelPage:
        """Return labels for autocomplete, best first: whole name, its beginning, a word's beginning, anywhere.

        Labels that fit equally well come in the order of ``common.genres``; an empty text lists every label so,
        those with an id in ``first`` before all others. Proposed labels follow known ones; they
        are offered while somebody holds them and no moderator rejected it, unless ``known_only``.
        """
        if text.strip() and not name_key(text):
            return LabelPage((), 0)
        async with self._database.reading() as connection:
            ranked = await _ranked(connection, text, known_only=known_only)
            leading = {} if name_key(text) else dict.fromkeys(label_id for label_id in first if label_id in ranked)
            ranked = [*leading, *(label_id for label_id in ranked if label_id not in leading)]
            return await _page(connection, ranked, limit, offset)

    async def similar(self, text: str, *, limit: int = 3) -> tuple[Label, ...]:
        """Return the labels of which a text may be a misspelling, most similar first; diacritics make no difference."""
        bare = bare_key(text)
        if len(bare) < SIMILAR_CHARACTERS:
            return ()
        async with self._database.reading() as connection:
            offered = select(TermRow.bare, TermRow.label_id).join(LabelRow, LabelRow.id == TermRow.label_id)
            owners = dict((await connection.execute(offered.where(_is_offered()))).all())
            # Several names of one label may resemble the text.
            close = difflib.get_close_matches(bare, owners, n=3 * limit, cutoff=SIMILAR_ENOUGH)
            ids = list(dict.fromkeys(owners[term] for term in close))[:limit]
            labels = await load_labels(connection, ids)
        return tuple(labels[label_id] for label_id in ids)

    async def propose(self, text: str, person: str | None = None) -> Label:
        """Return the label with this name; if there is none, add it as proposed.

        Parameters
        ----------
        text
            What a person typed: 1–60 characters, one line, at least one letter, nothing invisible.
        person
            Keyed hash of who proposes it.

        Raises
        ------
        BadLabel
            If the text cannot be a label's name.
        """
        name = clean_name(text)
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            label_id = await _find(connection, name)
            if label_id is None:
                label_id = await _free_id(connection, name)
                now = self._database.now()
                new = label_values(label_id, (name, name), LabelStatus.PROPOSED, now, proposed_by=person)
                await add_label(connection, new)
            return (await load_labels(connection, [label_id]))[label_id]

    async def proposed(self, *, limit: int = 25, offset: int = 0) -> LabelPage:
        """List proposed labels in use, most used first, for moderators."""
        uses = func.count(CorrectionRow.id)
        query = (
            select(LabelRow.id)
            .join(CorrectionRow, _holds_unrejected())
            .where(LabelRow.status == LabelStatus.PROPOSED)
            .group_by(LabelRow.id, LabelRow.number)
            .order_by(uses.desc(), LabelRow.number)
        )
        async with self._database.reading() as connection:
            return await _page(connection, list((await connection.execute(query)).scalars()), limit, offset)

    async def approve(self, label_id: str, *, name_en: str | None = None, name_vi: str | None = None) -> Label:
        """Turn a proposed label into a known one, and set its names if given; a known label only gets the names.

        Raises
        ------
        RowNotFound
            If there is no such label.
        BadLabel
            If a name cannot be one.
        """
        names = {"name_en": name_en, "name_vi": name_vi}
        values = {column: clean_name(name) for column, name in names.items() if name is not None}
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            label = await require_label(connection, label_id)
            await connection.execute(
                update(LabelRow).where(LabelRow.id == label.id).values(status=LabelStatus.KNOWN, **values)
            )
            await add_terms(connection, label.id, values.values(), is_alias=False)
            return await require_label(connection, label.id)

    async def merge(self, source_id: str, target_id: str) -> LabelMerge:
        """Merge a proposed label into a known one: corrections follow, its names become aliases.

        Raises
        ------
        RowNotFound
            If one of them does not exist.
        MergeRefused
            If the source is not proposed, the target not known, or both are the same.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            source = await require_label(connection, source_id)
            target = await require_label(connection, target_id)
            if source.status is not LabelStatus.PROPOSED or target.status is not LabelStatus.KNOWN:
                raise MergeRefused
            corrections = await merge_labels(connection, source.id, target.id)
            return LabelMerge(await require_label(connection, target.id), corrections)

    async def add_alias(self, label_id: str, alias: str) -> Label:
        """Add an alias to a label, unless some label already has it.

        Raises
        ------
        RowNotFound, BadLabel
            If there is no such label, or the alias cannot be a name.
        """
        name = clean_name(alias)
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            label = await require_label(connection, label_id)
            await add_terms(connection, label.id, [name], is_alias=True)
            return await require_label(connection, label.id)

    async def ensure_known(self, genre: str, name_en: str | None = None, name_vi: str | None = None) -> Label:
        """Make a genre of the serving release a known label, and return it.

        For releases trained on genres that are not listed in ``common.genres``; call it for each genre at start. The
        label's id can differ from the release's spelling (``drum_and_bass`` → ``drumandbass``).

        Raises
        ------
        BadLabel
            If a name (by default the genre itself) cannot be one.
        """
        genre = clean_name(genre)
        english = clean_name(name_en or genre)
        names = (english, clean_name(name_vi or english))
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            owner = await owner_of(connection, genre)
            if owner is None:
                label_id = await _free_id(connection, genre)
                now = self._database.now()
                await add_label(connection, label_values(label_id, names, LabelStatus.KNOWN, now))
                await add_terms(connection, label_id, [genre], is_alias=False)
            else:
                label_id = owner.label_id
                promoted = update(LabelRow).where(LabelRow.id == label_id).values(status=LabelStatus.KNOWN)
                await connection.execute(promoted)
            return await require_label(connection, label_id)


async def load_labels(connection: AsyncConnection, label_ids: Sequence[str]) -> dict[str, Label]:
    """Return labels by the requested ids, following merges; unknown ids are left out."""
    # An id is letters, marks and digits in folded form, and underscores; a forged one need not reach the database.
    possible = [label_id for label_id in label_ids if label_id and name_key(label_id) == label_id.replace("_", "")]
    if not possible:
        return {}
    lead = func.coalesce(LabelRow.merged_into, LabelRow.id).label("lead")
    merged = select(LabelRow.id, lead).where(LabelRow.id.in_(possible))
    leads_to = {row.id: row.lead for row in await connection.execute(merged)}
    wanted = set(leads_to.values())
    terms = select(TermRow.label_id, TermRow.text).where(TermRow.label_id.in_(wanted), TermRow.is_alias)
    aliases: dict[str, set[str]] = {}
    for label_id, text in await connection.execute(terms):
        aliases.setdefault(label_id, set()).add(text)
    query = select(LabelRow.id, LabelRow.number, LabelRow.name_en, LabelRow.name_vi, LabelRow.status)
    labels = {
        row.id: Label(*row[:4], LabelStatus(row.status), tuple(sorted(aliases.get(row.id, ()))))
        for row in await connection.execute(query.where(LabelRow.id.in_(wanted)))
    }
    return {asked: labels[found] for asked, found in leads_to.items()}


async def require_label(connection: AsyncConnection, label_id: str) -> Label:
    """Return a label by its id, following merges.

    Raises
    ------
    RowNotFound
        If there is none.
    """
    label = (await load_labels(connection, [label_id])).get(label_id)
    if label is None:
        raise RowNotFound(f"There is no label {label_id!r}.")
    return label


async def _find(connection: AsyncConnection, text: str) -> str | None:
    owner = await owner_of(connection, text)
    if owner is not None:
        return owner.label_id
    key = name_key(text)
    if not key or bare_key(key) != key:
        return None
    fitting = select(TermRow.label_id).where(TermRow.bare == key).distinct().limit(2)
    found = (await connection.execute(fitting)).scalars().all()
    return found[0] if len(found) == 1 else None


async def _free_id(connection: AsyncConnection, name: str) -> str:
    """Choose the id of a new label: ASCII if the name allows it and it finds no other label."""
    bare = bare_key(name)
    return bare if bare.isascii() and await owner_of(connection, bare) is None else name_key(name)


def _holds_unrejected() -> ColumnElement[bool]:
    return (CorrectionRow.status != "rejected") & verdict_is(LabelRow.id)


def _is_offered() -> ColumnElement[bool]:
    held = select(CorrectionRow.id).where(_holds_unrejected()).exists()
    return or_(LabelRow.status == LabelStatus.KNOWN, (LabelRow.status == LabelStatus.PROPOSED) & held)


async def _ranked(connection: AsyncConnection, text: str, *, known_only: bool) -> list[str]:
    """Return the ids of the labels that a text could mean, best first; all labels for an empty text."""
    bare = bare_key(text)
    query = (
        select(LabelRow.id, LabelRow.status, LabelRow.number, TermRow.key, TermRow.bare, TermRow.words)
        .join(TermRow, TermRow.label_id == LabelRow.id)
        .where(TermRow.bare.contains(bare, autoescape=True))
        .where(_is_offered())
    )
    if known_only:
        query = query.where(LabelRow.status == LabelStatus.KNOWN)
    best: dict[str, tuple[int, bool, float, int]] = {}
    # Not the position in the database, which keeps the order of the version that added the label.
    places = {genre.id: place for place, genre in enumerate(load_genres())}
    for row in await connection.execute(query):
        fit = _fit(text, bare, row.key, row.bare, row.words)
        rank = (fit, row.status != LabelStatus.KNOWN, places.get(row.id, float("inf")), row.number)
        best[row.id] = min(rank, best.get(row.id, rank))
    return sorted(best, key=lambda label_id: best[label_id])


def _fit(text: str, bare: str, key: str, term: str, words: str) -> int:
    """Rank how well a term matches the typed text; 0 is best."""
    if not bare:
        return 0
    if key == name_key(text):
        return 0
    if term == bare:
        return 1
    if term.startswith(bare):
        return 2
    parts = words.split()
    if any("".join(parts[first:]).startswith(bare) for first in range(1, len(parts))):
        return 3
    return 4


async def _page(connection: AsyncConnection, ranked: list[str], limit: int, offset: int) -> LabelPage:
    shown = ranked[offset : offset + limit]
    labels = await load_labels(connection, shown)
    return LabelPage(tuple(labels[label_id] for label_id in shown), len(ranked))
