"""What the browser asks for about all songs that were sent: deletion, table, playlists, statistics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from bot.core.errors import ButtonExpired
from bot.core.localization import language_of
from bot.core.palette import THEMES
from bot.web import history_files
from bot.web.history_store import EntryState
from bot.web.request import language_asked, person_of
from classifier.library.grouping import genres_named_in
from common.genres import load_genres

if TYPE_CHECKING:
    from bot.core.identity import Person
    from bot.core.localization import Localizer
    from bot.web.chat import LocalChat
    from bot.web.history_store import HistoryEntry

# The latest songs are compared with each other.
COMPARED_SONGS = 60
TAG_CHARACTERS = 100


class HistoryRoutes:
    """The handlers of what a person does with all their songs together."""

    def __init__(self, chat: LocalChat) -> None:
        self._chat = chat

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say which address is answered by what."""
        router.add_delete(r"/history/{id:\d{1,15}}", self.delete)
        router.add_get(r"/history/{id:\d{1,15}}/closest", self.closest)
        router.add_get(r"/history/{id:\d{1,15}}/tag", self.tag)
        router.add_get("/history/songs.csv", self.csv)
        router.add_get("/history/playlists.zip", self.playlists)
        router.add_get(r"/history/statistics-{theme}.png", self.statistics)

    async def delete(self, request: web.Request) -> web.Response:
        """Forget one song and what its sender said of it."""
        entry, person = await self._entry(request)
        if entry.state in {EntryState.WAITING, EntryState.COLLECTION}:
            raise web.HTTPConflict()
        await self._chat.forget_entry(entry, person)
        words = self._chat.conversation.words(language_asked(request))
        return web.json_response({"notice": words.translate("page-removed")})

    async def closest(self, request: web.Request) -> web.Response:
        """Say which of the person's other songs sound most like one."""
        entry, _ = await self._entry(request)
        latest = await self._chat.history.of_person(entry.person, limit=COMPARED_SONGS)
        titles = {one.reply: one.title for one in latest if one.reply and one.title and one.id != entry.id}
        alike = [] if entry.reply is None else await self._chat.conversation.closest(entry.reply, list(titles))
        words = self._words(request)
        songs = words.translate("page-list-and").join(f"“{titles[reply]}”" for reply in alike)
        return web.json_response({"text": words.translate("page-why-closest", songs=songs) if alike else None})

    async def tag(self, request: web.Request) -> web.Response:
        """Say whether the genre in a file's own tag agrees with the answer."""
        entry, person = await self._entry(request)
        words, tag = self._words(request), request.query.get("text", "")[:TAG_CHARACTERS].strip()
        if entry.reply is None or not tag:
            return web.json_response({"text": None})
        view = await self._chat.conversation.answer_view(entry.reply, person, words.language)
        genres = load_genres()
        named = genres_named_in(tag, [genre.id for genre in genres])
        heard = view.report.genre
        kind = "unknown" if not named or heard is None else "differs"
        if heard is not None and any(genres.agrees(genre, heard) or genres.agrees(heard, genre) for genre in named):
            kind = "agrees"
        said = {"unknown": "page-tag", "agrees": "page-tag-agrees", "differs": "page-tag-differs"}[kind]
        return web.json_response({"text": words.translate(said, tag=tag)})

    async def csv(self, request: web.Request) -> web.Response:
        words = self._words(request)
        songs = await self._chat.answered_songs(person_of(request), words.language)
        # With a mark of the byte order, spreadsheets read it as UTF-8.
        body = "\ufeff" + history_files.table(songs, words)
        return _download(body.encode(), "text/csv", words.translate("page-history-file"), "csv")

    async def playlists(self, request: web.Request) -> web.Response:
        words = self._words(request)
        songs = await self._chat.answered_songs(person_of(request), words.language)
        packed = await asyncio.to_thread(history_files.playlists, songs, words)
        return _download(packed, "application/zip", words.translate("page-history-file"), "zip")

    async def statistics(self, request: web.Request) -> web.Response:
        theme = next((theme for theme in THEMES if theme == request.match_info["theme"]), None)
        words = self._words(request)
        songs = await self._chat.answered_songs(person_of(request), words.language)
        if theme is None or not songs:
            raise web.HTTPNotFound()
        png = await asyncio.to_thread(history_files.statistics, songs, words, theme)
        if "save" in request.query:
            return _download(png, "image/png", words.translate("page-history-file"), "png")
        return web.Response(body=png, content_type="image/png")

    async def _entry(self, request: web.Request) -> tuple[HistoryEntry, Person]:
        person = person_of(request)
        entry = await self._chat.history.get(int(request.match_info["id"]))
        if entry is None or entry.person != self._chat.conversation.key_of(person):
            raise ButtonExpired()
        return entry, person

    def _words(self, request: web.Request) -> Localizer:
        language = language_of(request.query.get("language")) or language_asked(request)
        return self._chat.conversation.words(language)


def _download(body: bytes, content_type: str, name: str, suffix: str) -> web.Response:
    """Return a file to be saved under a name in any script, after RFC 6266."""
    disposition = f"attachment; filename=\"songs.{suffix}\"; filename*=UTF-8''{quote(name, safe='')}.{suffix}"
    return web.Response(body=body, content_type=content_type, headers={"Content-Disposition": disposition})
