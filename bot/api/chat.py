"""The API as a chat among chats: what happens to a song is stored for whoever asks, and told to open streams."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.api import song_view
from bot.api.errors import AnswerExpired, KeyInUse, KeyReused
from bot.api.song_store import ApiSong, ApiSongState, SongStore
from bot.api.tokens import PLATFORM
from bot.core.callbacks import PlaylistCallback
from bot.core.chat import LINK_SOURCE, Submission
from bot.core.errors import ButtonExpired, OurFault, PlaylistCutShort, PlaylistDeclined, PlaylistTaken
from bot.core.messages import clean_title
from bot.core.size_limits import max_bytes
from bot.core.upload_store import UploadStore
from bot.http_chat import DAYS_KEPT, HttpChat
from links import parse_link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from bot.core.chat import Answered, OutgoingMessage, PendingSong, Stage
    from bot.core.conversation import Conversation
    from bot.core.identity import Person
    from bot.core.localization import Language
    from bot.settings import Settings
    from common.errors import UserError
    from links import PlaylistItem

log = logging.getLogger(__name__)


class ApiChat(HttpChat):
    """The API for programs.

    Parameters
    ----------
    conversation, settings
        What is said, and the limits.
    make_application
        Builds the server around the chat.
    """

    platform = PLATFORM

    def __init__(
        self, conversation: Conversation, settings: Settings, make_application: Callable[[ApiChat], web.Application]
    ) -> None:
        uploads = UploadStore(settings.data_dir / "api-spool", max_bytes(settings))
        super().__init__(conversation, settings, uploads, settings.api_listen)
        self._make_application = make_application
        self._songs: SongStore | None = None

    @property
    def songs(self) -> SongStore:
        """The songs that programs sent."""
        if self._songs is None:
            raise RuntimeError("the API has not been started")
        return self._songs

    async def start(self) -> None:
        """Listen; songs that a killed process left half-way are settled first."""
        self._songs = await SongStore.open(self.settings.data_dir / "api.db")
        await self._songs.forget_older(DAYS_KEPT)
        await self._take_up()
        await self._listen(self._make_application(self), "API_LISTEN")
        log.info("the API is at port %d of %s", self.port, self.address.host)

    async def close(self) -> None:
        """End all streams, stop listening and close the store."""
        await super().close()
        if self._songs is not None:
            await self._songs.close()
            self._songs = None

    async def _take_up(self) -> None:
        for song in await self.songs.pending():
            if song.job is None:
                # Cut off while it was being sent: the sender was never told that it had arrived.
                await self.songs.remove(song.id)
            elif await self.conversation.stage(song.job) is None:
                await self.songs.ended(song.id, ApiSongState.FAILED, OurFault.code)
        self.uploads.keep_only({song.file for song in await self.songs.pending()})

    # What programs do

    async def take(
        self,
        person: Person,
        language: Language,
        title: str | None,
        *,
        file: str = "",
        link: str = "",
        key: str | None = None,
        fingerprint: str | None = None,
    ) -> tuple[ApiSong, bool]:
        """Take a song whose bytes are here, or behind a link; return it, and whether it is new.

        Raises
        ------
        KeyInUse, KeyReused
            If the idempotency key belongs to a request that is being processed, or to another song.
        """
        if link:
            title = title or urlsplit(parse_link(link, self.settings.link_hosts)).hostname
        owner = self.conversation.key_of(person)
        song = await self.songs.add(owner, clean_title(title), file, key=key, fingerprint=fingerprint)
        if song is None:
            self.uploads.delete(file)
            return await self._sent_before(owner, key or "", fingerprint), False
        submission = Submission(
            person=person,
            language=language,
            chat_id=person.id,
            title=title,
            source=LINK_SOURCE if link else "upload",
            message={"song": song.id},
            payload={"link": link} if link else {"file": file},
            key=song.id,
        )
        await self._submit(
            submission,
            file,
            note=lambda job: self.songs.set_job(song.id, job.id),
            remove=lambda: self.songs.remove(song.id),
        )
        return await self.songs.get(song.id) or song, True

    async def _sent_before(self, owner: str, key: str, fingerprint: str | None) -> ApiSong:
        song = await self.songs.by_key(owner, key)
        if song is None or song.job is None:
            raise KeyInUse()
        if song.fingerprint != fingerprint:
            raise KeyReused()
        return song

    async def take_playlist(self, song: ApiSong, person: Person, count: int) -> list[ApiSong]:
        """Take so many songs of the playlist that a link led to; return them."""
        made: list[str] = []

        async def reply_target(item: PlaylistItem) -> Mapping[str, Any]:
            title = clean_title(item.title) or urlsplit(item.link).hostname
            one = await self.songs.add(song.person, title, "")
            if one is None:  # only a song with an idempotency key can be known
                raise RuntimeError("a song of a playlist was not stored")
            made.append(one.id)
            return {"song": one.id}

        used: list[str] = []
        try:
            for job in await self.conversation.playlists.answer(
                PlaylistCallback(song.job or 0, count), person, reply_target
            ):
                song_id = job.message.get("back", {}).get("song")
                if song_id is not None:
                    await self.songs.set_job(song_id, job.id)
                    used.append(song_id)
        finally:
            for song_id in set(made).difference(used):
                await self.songs.remove(song_id)
        found = [await self.songs.get(song_id) for song_id in used]
        return [one for one in found if one is not None]

    async def my_data(self, person: Person) -> dict[str, Any]:
        """Return all that is stored about a token's holder."""
        songs = await self.songs.of_person(self.conversation.key_of(person))
        sent = [{"id": song.id, "title": song.title, "state": song.state, "created": song.created} for song in songs]
        return {**await self.conversation.privacy.my_data(person, [person.id]), "api": sent}

    async def forget(self, person: Person) -> None:
        """Delete all that is stored about a token's holder; their songs that wait are stopped."""
        await self.conversation.privacy.forget(person, [person.id])
        for song in await self.songs.forget(self.conversation.key_of(person)):
            self.uploads.delete(song.file)

    async def show_song(self, song: ApiSong, language: Language, person: Person, stage: Stage | None = None) -> Any:
        """Return a song as JSON data; ``stage`` if it is known how far it has come."""
        words = self.conversation.words(language)
        if song.state is ApiSongState.ANSWERED and song.reply is not None:
            try:
                return song_view.answered(song, await self.conversation.answer_view(song.reply, person, language))
            except ButtonExpired:
                return song_view.failed(song, AnswerExpired.code, {}, language)
        if song.state is ApiSongState.FAILED:
            return song_view.failed(song, song.error or OurFault.code, song.error_values, language)
        if song.state is ApiSongState.PENDING:
            if stage is None and song.job is not None:
                stage = await self.conversation.stage(song.job)
            question = None
            if stage is not None and stage.kind == "asking" and song.job is not None:
                question = await self.conversation.playlist_question(song.job, words)
            return song_view.pending(song, stage, None if question is None else question.text)
        return song_view.ended(song)

    # What the queue tells (see ``bot.core.chat.Chat``)

    async def show(self, song: PendingSong, stage: Stage) -> Mapping[str, Any] | None:
        """Tell the song's open streams."""
        await self._tell(song.message["song"], stage)
        return None

    async def ask(self, song: PendingSong, question: OutgoingMessage) -> None:  # noqa: ARG002 - worded anew for every reader
        """Show the question to the song's open streams."""
        await self._tell(song.message["song"])

    async def answer(self, song: PendingSong, answered: Answered) -> Mapping[str, Any]:
        """Remember the answer, and tell the song's open streams."""
        song_id = song.message["song"]
        await self.songs.answered(song_id, song.title, answered.reply.id, known=answered.known)
        await self._tell(song_id)
        return {"song": song_id}

    async def refuse(self, song: PendingSong, error: UserError) -> None:
        """Remember why there is no answer, and tell the song's open streams."""
        if isinstance(error, PlaylistTaken | PlaylistCutShort):
            await self._ended(song, ApiSongState.EXPANDED)
        elif isinstance(error, PlaylistDeclined):
            await self._ended(song, ApiSongState.CANCELLED)
        else:
            await self._ended(song, ApiSongState.FAILED, error)

    async def stopped(self, song: PendingSong) -> None:
        """Remember that the song was stopped, and tell its open streams."""
        await self._ended(song, ApiSongState.CANCELLED)

    async def _ended(self, song: PendingSong, state: ApiSongState, error: UserError | None = None) -> None:
        song_id = song.message["song"]
        if error is None:
            await self.songs.ended(song_id, state)
        else:
            await self.songs.ended(song_id, state, error.code, error.values)
        await self._tell(song_id)

    async def _tell_places(self) -> None:
        for song_id in self.listeners.subjects():
            song = await self.songs.get(song_id)
            stage = None if song is None or song.job is None else await self.conversation.stage(song.job)
            if stage is not None and stage.kind == "queued":
                await self._tell(song_id, stage)

    async def _tell(self, song_id: str, stage: Stage | None = None) -> None:
        song = await self.songs.get(song_id)
        if song is None:
            return
        for listener in self.listeners.of(song_id):
            shown = await self.show_song(song, listener.language, listener.person, stage)
            listener.tell("song", shown)
            if song.state is not ApiSongState.PENDING:
                listener.finish()
