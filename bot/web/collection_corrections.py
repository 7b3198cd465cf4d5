"""Corrections of a folder's songs: the song moves to another genre there, and the correction counts like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import GenreUnknown
from bot.core.messages import clean_title
from bot.web.collection_store import CollectedSongState, CollectionState

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.answer_view import CorrectionResult
    from bot.core.background_inference import BackgroundInference
    from bot.core.conversation import Conversation
    from bot.core.identity import Person
    from bot.core.localization import Language
    from bot.web.collection_store import CollectedSong, StoredCollection
    from bot.web.history_store import HistoryStore
    from classifier.song_report import Classification

PLATFORM = "local"


class KeepingClassifier:
    """Classifies one song beside the queue, and keeps the whole answer so that a correction of it can teach.

    Parameters
    ----------
    conversation
        Where the answer is kept.
    content, path
        SHA-256 of the song, and its path within the folder.
    """

    def __init__(self, conversation: Conversation, content: bytes, path: str) -> None:
        self._conversation = conversation
        self._background: BackgroundInference = conversation.queue.background
        self._content_hash = content.hex()
        self._title = clean_title(path.rpartition("/")[2])

    @property
    def release(self) -> str:
        """Name of the serving release."""
        return self._background.release

    async def classify(self, path: Path) -> Classification:
        """Classify the song when its turn comes."""
        classification = await self._background.classify(path)
        await self._conversation.unsent.keep(self._content_hash, classification, PLATFORM, self._title)
        return classification


@dataclass(frozen=True, slots=True)
class Lesson:
    """The genre that a folder is named for, and how many of its songs could be taught as such."""

    label: str
    songs: int


def _unlabelled(collection: StoredCollection) -> list[CollectedSong]:
    return [song for song in collection.having(CollectedSongState.HEARD) if song.label is None]


class CollectionCorrections:
    """Takes corrections of songs in folders, and takes them back.

    Parameters
    ----------
    conversation, history
        Where corrections go, and where folders are remembered.
    """

    def __init__(self, conversation: Conversation, history: HistoryStore) -> None:
        self._conversation = conversation
        self._history = history

    async def correct(
        self, collection: StoredCollection, number: int, person: Person, language: Language, genre: str, *, is_new: bool
    ) -> CorrectionResult | None:
        """Put a song under the genre that its sender gives it; return the correction, None if it cannot teach.

        Raises
        ------
        GenreUnclear, BadLabel, GenreUnknown
            If the text names no genre; an unknown one is taken only if ``is_new`` says so, for a song that can teach.
        """
        label = genre if is_new else await self._conversation.genres.named(genre, language)
        reply = await self._reply(collection, number, person)
        result = None
        if reply is not None:
            result = await self._conversation.correct(reply, person, language, label)
            label = label if result.correction is None else result.correction.label
        elif (known := (await self._conversation.genres.read(label, language)).label) is not None:
            label = known
        else:
            raise GenreUnknown()
        await self._history.collections.set_label(collection.entry, number, label)
        return result

    async def lesson(self, collection: StoredCollection, title: str | None, language: Language) -> Lesson | None:
        """Return the question whether a folder's name is the genre of its songs; None if it was asked, or is none."""
        songs = _unlabelled(collection)
        if collection.state is CollectionState.OPEN or not songs or not title:
            return None
        label = (await self._conversation.genres.read(title, language)).label
        if label is None or not await self._history.collections.is_lesson_open(collection.entry):
            return None
        return Lesson(label, len(songs))

    async def teach(
        self, collection: StoredCollection, lesson: Lesson, person: Person, language: Language
    ) -> CorrectionResult | None:
        """Correct every song of a folder that has no other genre; return a result, None if none can teach.

        Only one of the corrections comes with the question for consent, and that one is returned.
        """
        results = [
            await self.correct(collection, song.number, person, language, lesson.label, is_new=False)
            for song in _unlabelled(collection)
        ]
        taught = [result for result in results if result is not None]
        return next((result for result in taught if result.question is not None), taught[-1] if taught else None)

    async def take_back(
        self, collection: StoredCollection, number: int, person: Person, language: Language
    ) -> CorrectionResult | None:
        """Put a song under the genre of its answer again."""
        await self._history.collections.set_label(collection.entry, number, None)
        reply = await self._reply(collection, number, person)
        return None if reply is None else await self._conversation.undo(reply, person, language)

    async def _reply(self, collection: StoredCollection, number: int, person: Person) -> str | None:
        song: CollectedSong | None = next((song for song in collection.songs if song.number == number), None)
        if song is None or song.content is None or song.release is None:
            return None
        return await self._conversation.unsent.reply(song.content.hex(), song.release, person, person.id)
