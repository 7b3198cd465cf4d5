"""Submissions as stored jobs, and stored jobs as the songs that a chat knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.chat import FROM_PLAYLIST, LINK_SOURCE, PendingSong
from bot.core.localization import DEFAULT_LANGUAGE, Language, language_of
from bot.core.messages import clean_title
from bot.core.teaching import TAUGHT
from storage import NewJob

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bot.core.chat import Submission
    from bot.core.genre_names import GenreNames
    from bot.core.identity import IdHasher
    from links import PlaylistItem
    from storage import Job, Storage


class PendingSongs:
    """Translates between submissions, jobs and pending songs.

    Parameters
    ----------
    storage
        Knows which language a person chose.
    keys
        Turns people and chats into keyed hashes.
    names
        Names of genres.
    """

    def __init__(self, storage: Storage, keys: IdHasher, names: GenreNames) -> None:
        self._storage = storage
        self._keys = keys
        self._names = names

    async def chosen_language(self, person: str) -> Language | None:
        """Return the language that a person (by keyed hash) chose; None if they never did."""
        return language_of(await self._storage.people.language(person))

    async def of(self, job: Job) -> PendingSong:
        """Return a job as the song that its chat knows."""
        language = await self.chosen_language(job.person) or language_of(job.message.get("language"))
        message = job.message.get("back", {})
        return PendingSong(
            job_id=job.id,
            person=job.person,
            words=self._names.localizer(language or DEFAULT_LANGUAGE),
            title=job.message.get("title"),
            message=message,
            payload=job.payload,
            noted=job.progress,
            # Jobs of the version before have these two where their chat kept them.
            named=job.message.get("named", bool(message.get("named"))),
            shared=job.message.get("shared", message.get("private") is False),
            unasked=bool(job.message.get("unasked")),
            alone=bool(job.message.get("alone")),
        )

    def job_for(self, submission: Submission) -> NewJob:
        """Return the job to store for a submission."""
        person = submission.person
        key = None if submission.key is None else self._keys.message(person.platform, submission.key)
        return NewJob(
            platform=person.platform,
            chat=self._keys.chat(person.platform, submission.chat_id),
            person=self._keys.person(person),
            message={
                "language": submission.language,
                "title": clean_title(submission.title),
                "named": submission.named,
                "shared": submission.shared,
                **({"unasked": True} if submission.unasked else {}),
                **({"alone": True} if submission.alone else {}),
                "back": dict(submission.message),
            },
            payload=submission.payload,
            source=submission.source,
            key=key,
        )

    def job_for_item(self, playlist: Job, number: int, item: PlaylistItem, message: Mapping[str, Any]) -> NewJob:
        """Return the job to store for one song (from 1) of a playlist, whose link was sent as another job.

        Parameters
        ----------
        message
            The way back to the song's message, as ``Submission.message``.
        """
        taught = {name: playlist.payload[name] for name in (TAUGHT,) if name in playlist.payload}
        return NewJob(
            platform=playlist.platform,
            chat=playlist.chat,
            person=playlist.person,
            message={
                **{
                    name: playlist.message[name] for name in ("language", "shared", "alone") if name in playlist.message
                },
                "title": clean_title(item.title),
                "named": True,
                "back": dict(message),
            },
            payload={"link": item.link, "item": item.item, "title": item.title, FROM_PLAYLIST: True, **taught},
            source=LINK_SOURCE,
            # A button that is pressed twice, perhaps after a crash in between, takes the same song.
            key=self._keys.message(playlist.platform, f"list:{playlist.id}:{number}"),
        )
