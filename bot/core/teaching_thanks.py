"""Tells people once that a genre is recognised now, also thanks to songs of theirs."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from classifier.inference.manifest import BadRelease, read_manifest

if TYPE_CHECKING:
    from bot.core.localization import Localizer
    from bot.settings import Settings
    from storage import Storage


class TeachingThanks:
    """Looks up which of a person's songs the serving release has learnt.

    Parameters
    ----------
    storage, settings
        Where corrections are kept, and where the release is.
    """

    def __init__(self, storage: Storage, settings: Settings) -> None:
        self._storage = storage
        self._settings = settings

    async def lines(self, person: str, release: str, words: Localizer) -> list[str]:
        """Return a sentence for each taught genre that the release learnt from a person's songs; each only once.

        What is returned is noted as told: call this only where it is shown.

        Parameters
        ----------
        person
            Keyed hash.
        release
            Name of the release that serves.
        """
        lines = []
        for label, learnt in (await asyncio.to_thread(self._taught, release)).items():
            mine = await self._storage.people.taught_songs(person, label)
            songs = len(learnt.intersection(map(_digest, mine)))
            if songs and await self._storage.people.thank_once(person, label):
                lines.append(words.translate("taught-thanks", genre=words.genre_title(label), songs=songs))
        return lines

    def _taught(self, release: str) -> dict[str, frozenset[str]]:
        """Return the genres that people taught a release, with the digests of their songs."""
        with suppress(BadRelease, KeyError, TypeError):
            manifest = read_manifest(self._settings.release_dir)
            if manifest["name"] == release:
                return {str(label): frozenset(manifest["songs"].get(label, ())) for label in manifest["taught"]}
        return {}


def _digest(song: str) -> str:
    """Return what a release remembers a song by that it learnt from (``classifier.training.feedback_reader``)."""
    return hashlib.sha256(song.encode()).hexdigest()[:16]
