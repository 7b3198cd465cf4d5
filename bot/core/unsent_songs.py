"""Songs that are classified without being answered one by one, such as those of a folder, and can be corrected too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import NewReply

if TYPE_CHECKING:
    from bot.core.identity import IdHasher, Person
    from classifier.song_report import Classification
    from storage import Storage


class UnsentSongs:
    """Keeps the answers to such songs, and makes a reply of one when its sender corrects it.

    Parameters
    ----------
    storage, keys
        Where answers are kept, and the keyed hashes of people.
    """

    def __init__(self, storage: Storage, keys: IdHasher) -> None:
        self._storage = storage
        self._keys = keys

    async def keep(self, content_hash: str, classification: Classification, platform: str, title: str | None) -> None:
        """Keep the whole answer to a song and its features, as those of songs that are sent."""
        report, features = classification.report.as_dict(), classification.features
        await self._storage.songs.save_answer(content_hash, report, features, platform=platform, title=title)

    async def reply(self, content_hash: str, release: str, person: Person, chat_id: str) -> str | None:
        """Return the id of a reply that a person's correction of a song can refer to.

        None is returned if the answer is no longer kept, or is of a version that did not keep it.
        """
        answer = await self._storage.songs.find_answer(content_hash, release)
        if answer is None or not answer.has_features:
            return None
        chat = self._keys.chat(person.platform, chat_id)
        new = NewReply(answer.id, platform=person.platform, chat=chat, requester=self._keys.person(person))
        return (await self._storage.replies.add(new)).id
