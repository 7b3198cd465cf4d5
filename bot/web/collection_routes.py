"""What the browser asks for about folders; what is done with them is the matter of ``bot.web.collection_service``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from bot.core.errors import ButtonExpired, FolderTooFull, FolderWithoutMusic
from bot.core.localization import language_of
from bot.web.collection_corrections import CollectionCorrections
from bot.web.collection_service import MOST_SONGS
from bot.web.collection_store import CollectionState, ListedFile
from bot.web.collection_view import MINIMUMS
from bot.web.history_store import EntryState
from bot.web.request import chunks_of, json_of, language_asked, person_of

if TYPE_CHECKING:
    from bot.core.identity import Person
    from bot.core.localization import Localizer
    from bot.web.chat import LocalChat
    from bot.web.history_store import HistoryEntry

LIST_BYTES = 2_000_000
LONGEST_PATH = 4096
UPLOAD_SECONDS = 1800.0
_ID = r"{id:\d{1,15}}"
_NUMBER = r"{number:\d{1,9}}"


class CollectionRoutes:
    """The handlers of all that a person does with a folder."""

    def __init__(self, chat: LocalChat) -> None:
        self._chat = chat

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say which address is answered by what."""
        router.add_post("/collections", self.begin)
        router.add_delete(f"/collections/{_ID}", self.stop)
        router.add_get(f"/collections/{_ID}/room", self.room)
        router.add_post(f"/collections/{_ID}/songs/{_NUMBER}", self.receive)
        router.add_delete(f"/collections/{_ID}/songs/{_NUMBER}", self.unreadable)
        router.add_post(f"/collections/{_ID}/songs/{_NUMBER}/genre", self.give_genre)
        router.add_post(f"/collections/{_ID}/confidence", self.rely_from)
        router.add_post(f"/collections/{_ID}/lesson", self.teach)
        router.add_get(f"/collections/{_ID}/report", self.report)
        router.add_get(f"/collections/{_ID}/playlists.zip", self.playlists)

    async def begin(self, request: web.Request) -> web.Response:
        """Take the list of a folder's songs; the songs themselves come one by one."""
        person = person_of(request)
        body = await json_of(request, LIST_BYTES)
        name, count = body.get("name"), body.get("count")
        if not isinstance(name, str) or type(count) is not int:
            raise web.HTTPBadRequest()
        if count > MOST_SONGS:
            raise FolderTooFull(count=count, limit=MOST_SONGS)
        files = _files(body.get("files"))
        if not files:
            raise FolderWithoutMusic()
        if len(files) > MOST_SONGS:
            raise FolderTooFull(count=len(files), limit=MOST_SONGS)
        key = self._chat.conversation.key_of(person)
        entry, missing = await self._chat.collections.begin(key, _clean(name), files)
        shown = await self._chat.show_entry(entry.id, person, language_asked(request))
        await self._chat.tell(entry.id)
        listed = [[song.number, song.file.path] for song in missing]
        return web.json_response({"entry": shown, "missing": listed}, status=201)

    async def receive(self, request: web.Request) -> web.Response:
        """Take a song of a folder."""
        entry, _ = await self._entry(request)
        async with asyncio.timeout(UPLOAD_SECONDS):
            number = int(request.match_info["number"])
            room = await self._chat.collections.receive(entry, number, chunks_of(request))
        return web.json_response({"room": room})

    async def unreadable(self, request: web.Request) -> web.Response:
        """Note that the browser cannot read a file that it listed."""
        entry, _ = await self._entry(request)
        await self._chat.collections.unreadable(entry, int(request.match_info["number"]))
        return web.json_response({"room": True})

    async def room(self, request: web.Request) -> web.Response:
        """Wait until another song may be sent, and say which are still missing."""
        entry, _ = await self._entry(request)

        def gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        room = await self._chat.collections.wait_for_room(entry, gone)
        collection = await self._chat.history.collections.get(entry.id)
        going = collection is not None and collection.state is CollectionState.OPEN
        missing = await self._chat.collections.missing(entry) if going else []
        listed = [[song.number, song.file.path] for song in missing]
        return web.json_response({"room": room, "going": going, "missing": listed})

    async def stop(self, request: web.Request) -> web.Response:
        entry, person = await self._entry(request)
        await self._chat.collections.stop(entry)
        return await self._shown(request, entry, person)

    async def rely_from(self, request: web.Request) -> web.Response:
        """Sort the songs anew, by the least confidence that is relied on."""
        entry, person = await self._entry(request)
        percent = (await json_of(request)).get("percent")
        if percent is not None and percent not in MINIMUMS:
            raise web.HTTPBadRequest()
        await self._chat.collections.rely_from(entry, None if percent is None else percent / 100)
        return await self._shown(request, entry, person)

    async def give_genre(self, request: web.Request) -> web.Response:
        """Put a song under another genre; without one, under that of the answer."""
        entry, person = await self._entry(request)
        body, language = await json_of(request), language_asked(request)
        genre, number = body.get("genre"), int(request.match_info["number"])
        collection = await self._chat.history.collections.get(entry.id)
        if collection is None or not (genre is None or isinstance(genre, str)):
            raise web.HTTPBadRequest()
        corrections = CollectionCorrections(self._chat.conversation, self._chat.history)
        if genre is None:
            result = await corrections.take_back(collection, number, person, language)
        else:
            is_new = body.get("new") is True
            result = await corrections.correct(collection, number, person, language, genre, is_new=is_new)
        question = None if result is None or result.question is None else result.question.text
        notice = None if result is None else result.message.text
        return await self._shown(request, entry, person, question=question, notice=notice)

    async def teach(self, request: web.Request) -> web.Response:
        """Take the answer to the question whether a folder's name is the genre of its songs."""
        entry, person = await self._entry(request)
        teach, language = (await json_of(request)).get("teach"), language_asked(request)
        collection = await self._chat.history.collections.get(entry.id)
        if collection is None or not isinstance(teach, bool):
            raise web.HTTPBadRequest()
        corrections = CollectionCorrections(self._chat.conversation, self._chat.history)
        lesson = await corrections.lesson(collection, entry.title, language)
        await self._chat.history.collections.decide_lesson(entry.id)
        if lesson is None or not teach:
            return await self._shown(request, entry, person)
        result = await corrections.teach(collection, lesson, person, language)
        question = None if result is None or result.question is None else result.question.text
        words = self._words(request)
        notice = words.translate("page-lesson-taught", songs=lesson.songs, genre=words.genre(lesson.label))
        return await self._shown(request, entry, person, question=question, notice=notice)

    async def report(self, request: web.Request) -> web.Response:
        entry, _ = await self._entry(request)
        page, policy = await self._chat.collections.report(entry, self._words(request))
        # The page's own policy forbids what is written into a page; this one is made of it, and says so by checksum.
        headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
        return web.Response(text=page, content_type="text/html", charset="utf-8", headers=headers)

    async def playlists(self, request: web.Request) -> web.Response:
        entry, _ = await self._entry(request)
        words = self._words(request)
        packed = await self._chat.collections.playlists(entry, words)
        name = quote(f"{words.translate('page-collection-file', name=entry.title or '…')}.zip", safe="")
        disposition = f"attachment; filename=\"playlists.zip\"; filename*=UTF-8''{name}"
        return web.Response(body=packed, content_type="application/zip", headers={"Content-Disposition": disposition})

    def _words(self, request: web.Request) -> Localizer:
        language = language_of(request.query.get("language")) or language_asked(request)
        return self._chat.conversation.words(language)

    async def _entry(self, request: web.Request) -> tuple[HistoryEntry, Person]:
        person = person_of(request)
        entry = await self._chat.history.get(int(request.match_info["id"]))
        theirs = entry is not None and entry.person == self._chat.conversation.key_of(person)
        if entry is None or not theirs or entry.state is not EntryState.COLLECTION:
            raise ButtonExpired()
        return entry, person

    async def _shown(
        self, request: web.Request, entry: HistoryEntry, person: Person, **more: str | None
    ) -> web.Response:
        shown = await self._chat.show_entry(entry.id, person, language_asked(request))
        await self._chat.tell(entry.id)
        return web.json_response({"entry": shown, **more})


def _files(listed: Any) -> list[ListedFile]:
    """Return a list of files as the browser sends it, each path once; anything that is no such list is refused."""
    if not isinstance(listed, list):
        raise web.HTTPBadRequest()
    found: dict[str, ListedFile] = {}
    for item in listed:
        match item:
            case [str(path), int(size), int(modified)] if is_inside(path) and 0 <= size < 2**53 > abs(modified):
                found.setdefault(_clean(path), ListedFile(_clean(path), size, modified))
            case _:
                raise web.HTTPBadRequest()
    return list(found.values())


def is_inside(path: str) -> bool:
    """Whether a path leads to something within a folder, and nowhere else."""
    return len(path) <= LONGEST_PATH and "\0" not in path and not {"", ".", ".."} & set(path.split("/"))


def _clean(name: str) -> str:
    """Return a name without halves of letters, which some browsers make of bytes that are no text."""
    return name.encode("utf-8", "replace").decode()
