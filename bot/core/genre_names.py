"""The names of all genres, those that were added after the release included, and localizers that know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.localization import Language, Localizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage import Label, Storage

LABELS_PER_QUERY = 200


class GenreNames:
    """Keeps what genres are called, so that no message needs the database for a name.

    Parameters
    ----------
    storage
        Where labels and their names are kept.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._names: dict[Language, dict[str, str]] = {"en": {}, "vi": {}}

    async def load(self, genres: Iterable[str]) -> None:
        """Make the genres of the serving release choosable, and learn the names of all labels."""
        for genre in genres:
            await self._storage.labels.ensure_known(genre)
        page, listed = await self._storage.labels.search(limit=LABELS_PER_QUERY), 0
        while page.labels:
            for label in page.labels:
                self.learn(label)
            listed += len(page.labels)
            page = await self._storage.labels.search(limit=LABELS_PER_QUERY, offset=listed)

    def learn(self, label: Label) -> None:
        """Remember a label's names."""
        for language, names in self._names.items():
            names[label.id] = label.name(language)

    def localizer(self, language: Language) -> Localizer:
        """Return the texts of a language with the names of all genres."""
        return Localizer(language, self._names[language])
