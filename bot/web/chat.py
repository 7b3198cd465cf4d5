"""The page as a chat among chats: what happens to a song becomes an entry, and news for the pages that are open."""

from __future__ import annotations

import logging
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.core.callbacks import PlaylistCallback
from bot.core.chat import LINK_SOURCE, Submission
from bot.core.errors import ButtonExpired, OurFault
from bot.core.expert_roles import ExpertRoles
from bot.core.localization import DEFAULT_LANGUAGE
from bot.core.messages import clean_title
from bot.core.size_limits import max_bytes
from bot.http_chat import DAYS_KEPT, HttpChat
from bot.logging import ADDRESS_LOGGER
from bot.web import collection_view, entry_view
from bot.web.collection_corrections import CollectionCorrections
from bot.web.collection_service import Collections
from bot.web.history_files import AnsweredSong
from bot.web.history_store import EntryState, HistoryStore
from bot.web.open_browser import open_page_once
from bot.web.request_guard import HEADERS
from bot.web.upload_store import EXAMPLE_PREFIX, PageUploadStore, read_examples
from links import parse_link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from bot.core.chat import Answered, OutgoingMessage, PendingSong, Stage
    from bot.core.conversation import Conversation
    from bot.core.identity import Person
    from bot.core.localization import Language
    from bot.settings import Settings
    from bot.web.history_store import HistoryEntry
    from common.addresses import Address
    from common.errors import UserError
    from links import PlaylistItem

PLATFORM = "local"

log = logging.getLogger(__name__)
address_log = logging.getLogger(ADDRESS_LOGGER)


class LocalChat(HttpChat):
    """The local page.

    Parameters
    ----------
    conversation, settings
        What is said, and the limits.
    address
        Where to listen.
    make_application
        Builds the server around the chat.
    """

    platform = PLATFORM

    def __init__(
        self,
        conversation: Conversation,
        settings: Settings,
        address: Address,
        make_application: Callable[[LocalChat], web.Application],
    ) -> None:
        uploads = PageUploadStore(settings.data_dir / "spool", max_bytes(settings))
        super().__init__(conversation, settings, uploads, address)
        self._make_application = make_application
        self.examples = read_examples()
        self._roles = ExpertRoles(settings.model_dir)
        self._history: HistoryStore | None = None
        self._collections: Collections | None = None

    @property
    def history(self) -> HistoryStore:
        """What was said on the page."""
        if self._history is None:
            raise RuntimeError("the page has not been started")
        return self._history

    @property
    def collections(self) -> Collections:
        """The folders that were dropped on the page."""
        if self._collections is None:
            raise RuntimeError("the page has not been started")
        return self._collections

    # The life of the server

    async def start(self) -> None:
        """Listen; songs that a killed process left half-way are taken up first."""
        self._history = await HistoryStore.open(self.settings.data_dir / "local-chat.db")
        await self._history.forget_older(DAYS_KEPT)
        await self._take_up()
        self._collections = Collections(
            self.conversation, self._history, self.uploads, self.settings.data_dir / "collections", self.tell
        )
        await self._collections.sweep()
        await self._listen(self._make_application(self), "LOCAL_CHAT", HEADERS)
        address_log.info("the page is at http://%s", self.url_host)
        await open_page_once(self.settings, self.address, f"http://{self.url_host}")

    @property
    def url_host(self) -> str:
        """Host and port, as a browser's address line takes them."""
        host = "localhost" if self.address.host in {"0.0.0.0", "::"} else self.address.host  # noqa: S104 - only compared
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    async def close(self) -> None:
        """End all streams, stop listening and close what is stored."""
        await super().close()
        if self._collections is not None:
            await self._collections.close()
            self._collections = None
        if self._history is not None:
            await self._history.close()
            self._history = None

    async def _take_up(self) -> None:
        for entry in await self.history.waiting():
            if entry.job is None:
                # Cut off while it was being sent: the sender was never told that it had arrived.
                await self.history.remove(entry.id)
            elif await self.conversation.stage(entry.job) is None:
                await self.history.failed(entry.id, OurFault.code, {})
        self.uploads.keep_only({entry.file for entry in await self.history.waiting()})

    # What people do on the page

    async def take_link(self, person: Person, language: Language, link: str) -> HistoryEntry:
        """Take a link; until its site has named the song, it is called after the site."""
        site = urlsplit(parse_link(link, self.settings.link_hosts)).hostname
        return await self.take(person, language, site, "", link=link)

    async def take_list(self, entry: HistoryEntry, person: Person, count: int) -> list[HistoryEntry]:
        """Take so many songs of the list that an entry asks about; none is an answer, too. Return their entries."""
        made: set[int] = set()
        used: list[int] = []

        async def back(item: PlaylistItem) -> Mapping[str, Any]:
            title = clean_title(item.title) or urlsplit(item.link).hostname
            one = await self.history.add(entry.person, title, "", secrets.token_hex(16))
            made.add(one.id)
            return {"entry": one.id}

        try:
            for job in await self.conversation.playlists.answer(PlaylistCallback(entry.job or 0, count), person, back):
                # Of a song that was taken before and has ended, nobody knows the way back any more.
                place = job.message.get("back", {}).get("entry")
                if place is not None:
                    await self.history.set_job(place, job.id)
                    used.append(place)
        finally:
            for number in made.difference(used):
                await self.history.remove(number)
        found = [await self.history.get(number) for number in used]
        return [one for one in found if one is not None]

    async def take(
        self, person: Person, language: Language, title: str | None, file: str, *, link: str | None = None
    ) -> HistoryEntry:
        """Take a song whose bytes are here (or behind a link), and write it down before any work starts."""
        token = secrets.token_hex(16)
        entry = await self.history.add(self.conversation.key_of(person), clean_title(title), file, token)
        submission = Submission(
            person=person,
            language=language,
            chat_id=person.id,
            title=title,
            source=LINK_SOURCE if link else "example" if file.startswith(EXAMPLE_PREFIX) else "upload",
            message={"entry": entry.id},
            payload={"link": link} if link else {"file": file},
            key=token,
            alone=True,
        )
        await self._submit(
            submission,
            file,
            note=lambda job: self.history.set_job(entry.id, job.id),
            remove=lambda: self.history.remove(entry.id),
        )
        return entry

    async def forget(self, person: Person) -> tuple[int, int]:
        """Delete all that is kept of a person; return how many songs and opinions that was."""
        forgotten = await self.conversation.privacy.forget(person, [person.id])
        entries = await self.history.forget(self.conversation.key_of(person))
        for entry in entries:
            self.uploads.delete(entry.file)
            if entry.state is EntryState.COLLECTION:
                await self.collections.forget(entry)
        return len(entries), forgotten.corrections

    async def forget_entry(self, entry: HistoryEntry, person: Person) -> None:
        """Delete one song that has ended, and what its sender said of it."""
        if entry.reply is not None:
            try:
                await self.conversation.undo(entry.reply, person, DEFAULT_LANGUAGE)
            except ButtonExpired:
                log.debug("the answer of a song that is deleted was gone already")
        await self.history.remove(entry.id)
        self.uploads.delete(entry.file)

    async def answered_songs(self, person: Person, language: Language) -> list[AnsweredSong]:
        """Return all songs of a person that have an answer, oldest first."""
        found = []
        for entry in await self.history.of_person(self.conversation.key_of(person), limit=-1):
            if entry.state is EntryState.ANSWERED and entry.reply is not None:
                try:
                    view = await self.conversation.answer_view(entry.reply, person, language)
                except ButtonExpired:
                    continue
                found.append(AnsweredSong(entry.title, view.report, view.correction))
        return found

    async def my_data(self, person: Person) -> dict[str, Any]:
        """Return all that is kept of a person, the page's own memory included."""
        entries = await self.history.of_person(self.conversation.key_of(person), limit=-1)
        page = [{"title": entry.title, "state": entry.state} | await self.collections.kept(entry) for entry in entries]
        return {**await self.conversation.privacy.my_data(person, [person.id]), "page": page}

    async def show_entry(
        self, entry_id: int, person: Person, language: Language, stage: Stage | None = None
    ) -> dict[str, Any] | None:
        """Return an entry as the page shows it, None if it is gone; ``stage`` if that is known.

        ``seen`` says when it was so: answers and news overtake each other on their way to the page.
        """
        seen = _steady_microseconds()
        entry = await self.history.get(entry_id)
        if entry is None:
            return None
        return await self._view(entry, person, language, stage) | {"seen": seen}

    async def _view(
        self, entry: HistoryEntry, person: Person, language: Language, stage: Stage | None
    ) -> dict[str, Any]:
        words = self.conversation.words(language)
        if entry.state is EntryState.COLLECTION:
            look = await self.collections.look(entry, words)
            corrections = CollectionCorrections(self.conversation, self.history)
            lesson = await corrections.lesson(look.collection, entry.title, language)
            return collection_view.collected(entry, look, words, lesson)
        if entry.state is EntryState.ANSWERED and entry.reply is not None:
            try:
                view = await self.conversation.answer_view(entry.reply, person, language)
                return entry_view.answered(entry, view, words, self._roles.deciding(view.report))
            except ButtonExpired as expired:
                return entry_view.expired(entry, expired, words)
        if entry.state is EntryState.WAITING:
            if stage is None and entry.job is not None:
                stage = await self.conversation.stage(entry.job)
            if stage is not None and stage.kind == "asking" and entry.job is not None:
                question = await self.conversation.playlist_question(entry.job, words)
                if question is not None:
                    return entry_view.asking(entry, question)
            return entry_view.waiting(entry, stage, words)
        return entry_view.ended(entry, words)

    # What the queue tells (see ``bot.core.chat.Chat``)

    async def show(self, song: PendingSong, stage: Stage) -> Mapping[str, Any] | None:
        """Tell the person's open pages."""
        await self.tell(song.message["entry"], stage)
        return None

    async def ask(self, song: PendingSong, question: OutgoingMessage) -> None:  # noqa: ARG002 - worded anew for every page
        """Show the question on the person's open pages."""
        await self.tell(song.message["entry"])

    async def answer(self, song: PendingSong, answered: Answered) -> Mapping[str, Any]:
        """Remember the answer, and tell the person's open pages."""
        entry = song.message["entry"]
        if "link" in song.payload and song.title:
            await self.history.rename(entry, song.title)
        await self.history.answered(entry, answered.reply.id, known=answered.known)
        await self.tell(entry)
        return {"entry": entry}

    async def refuse(self, song: PendingSong, error: UserError) -> None:
        """Remember why there is no answer, and tell the person's open pages."""
        await self.history.failed(song.message["entry"], error.code, error.values)
        await self.tell(song.message["entry"])

    async def stopped(self, song: PendingSong) -> None:
        """Remember that the song was stopped, and tell the person's open pages."""
        await self.history.stopped(song.message["entry"])
        await self.tell(song.message["entry"])

    async def _tell_places(self) -> None:
        for somebody in self.listeners.subjects():
            for entry in await self.history.waiting(somebody):
                await self.tell(entry.id)

    async def tell(self, entry_id: int, stage: Stage | None = None) -> None:
        """Send an entry as it now stands to all pages that its sender has open; ``stage`` if that is known."""
        entry = await self.history.get(entry_id)
        for listener in () if entry is None else self.listeners.of(entry.person):
            shown = await self.show_entry(entry_id, listener.person, listener.language, stage)
            if shown is not None:
                listener.tell("entry", shown)


_BEGAN_NANOSECONDS = time.time_ns() - time.monotonic_ns()


def _steady_microseconds() -> int:
    """Return the microseconds since 1970 as if the clock had not been set since the start: they only ever grow."""
    return (_BEGAN_NANOSECONDS + time.monotonic_ns()) // 1000
