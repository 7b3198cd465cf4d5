"""The page's server: what the browser asks for, and who is asking. What is answered is the chat's (``LocalChat``)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError

from bot.core.errors import BodyUnreadable, ButtonExpired, GenreUnknown, OurFault
from bot.core.identity import Person
from bot.core.localization import Language, language_of
from bot.core.messages import sentence
from bot.core.palette import THEMES
from bot.core.playlist_question import PLAYLIST_SONGS
from bot.core.request import Requester
from bot.core.size_limits import max_bytes
from bot.web.collection_routes import CollectionRoutes
from bot.web.desk_routes import PREFIX, DeskRoutes, desk_guard, has_desk
from bot.web.history_routes import HistoryRoutes
from bot.web.person_routes import PersonRoutes
from bot.web.request import (
    COOKIE_SECONDS,
    IDENTITY_COOKIE,
    chunks_of,
    identity_of,
    is_tls,
    json_of,
    language_asked,
    person_of,
)
from bot.web.request_guard import RequestGuard
from bot.web.static_pages import MANIFEST, Pages
from bot.web.upload_store import EXAMPLE_PREFIX, EXAMPLES
from common.errors import StorageUnavailable, TooLarge, UserError
from links import LinkTooLong

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from bot.web.chat import LocalChat
    from bot.web.history_store import HistoryEntry

IDENTITY_BYTES = 16
JSON_BYTES = 4096
UPLOAD_SECONDS = 1800.0
MAX_SEARCH_CHARACTERS = 100
# What is sent compressed.
TEXTS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
OUTAGE_RETRY_SECONDS = 60

log = logging.getLogger(__name__)


def make_application(chat: LocalChat) -> web.Application:
    """Build the server around a chat."""
    password = chat.settings.local_chat_password
    guard = RequestGuard(
        None if password is None else password.get_secret_value(),
        chat.address.host,
        {PREFIX: desk_guard(chat.settings, chat.address.host)},
    )
    application = web.Application(middlewares=[guard.middleware(), _say_what_is_wrong], client_max_size=JSON_BYTES)
    PageRoutes(chat).add_routes(application.router)
    return application


@web.middleware
async def _say_what_is_wrong(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except StorageUnavailable as error:
        said = {"error": sentence(error, language_asked(request))}
        return web.json_response(said, status=503, headers={"Retry-After": str(OUTAGE_RETRY_SECONDS)})
    except UserError as error:
        status = 413 if isinstance(error, TooLarge) else 404 if isinstance(error, ButtonExpired) else 422
        body = {"error": sentence(error, language_asked(request)), "code": error.code}
        return web.json_response(body, status=status)
    except (TimeoutError, ConnectionError):
        return web.Response(status=408)
    except (web.RequestPayloadError, ContentEncodingError):
        return web.json_response({"error": sentence(BodyUnreadable(), language_asked(request))}, status=400)
    except web.HTTPException:
        raise
    except Exception:
        log.exception("a request failed because of a bug")
        return web.json_response({"error": sentence(OurFault(), language_asked(request))}, status=500)


class PageRoutes:
    """The handlers, one for each thing that a person does on the page."""

    def __init__(self, chat: LocalChat) -> None:
        self._chat = chat
        self._pages = Pages(chat.settings, chat.examples)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say which address is answered by what."""
        router.add_get("/", self.page)
        router.add_get("/healthz", self.alive)
        router.add_get("/page/{file}", self.file)
        router.add_get("/examples/{file}", self.example)
        router.add_post("/hello", self.hello)
        router.add_get("/events", self.events)
        router.add_post("/songs", self.send_song)
        router.add_post("/links", self.send_link)
        router.add_post("/examples/{file}", self.send_example)
        router.add_delete(r"/songs/{id:\d{1,15}}", self.stop_song)
        router.add_post(r"/songs/{id:\d{1,15}}/list", self.take_list)
        router.add_post(r"/songs/{id:\d{1,15}}/opinion", self.give_opinion)
        router.add_delete(r"/songs/{id:\d{1,15}}/opinion", self.take_opinion_back)
        router.add_get(r"/songs/{id:\d{1,15}}/timeline-{theme}.png", self.picture)
        CollectionRoutes(self._chat).add_routes(router)
        HistoryRoutes(self._chat).add_routes(router)
        PersonRoutes(self._chat).add_routes(router)
        if has_desk(self._chat.settings):
            DeskRoutes(self._chat).add_routes(router)
        router.add_get("/genres", self.genres)

    # The page itself

    async def page(self, request: web.Request) -> web.Response:
        page = self._pages.html(language_asked(request))
        response = web.Response(text=page, content_type="text/html", charset="utf-8")
        response.enable_compression()
        return response

    async def alive(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def file(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["file"] == MANIFEST:
            language = language_of(request.query.get("language")) or language_asked(request)
            return web.json_response(self._pages.manifest(language), content_type="application/manifest+json")
        path = self._pages.file(request.match_info["file"])
        if path is None:
            raise web.HTTPNotFound()
        if path.suffix not in TEXTS:
            return web.FileResponse(path, headers={"Cache-Control": "no-cache"})
        text = self._pages.text(path.name)
        tag = hashlib.sha256(text).hexdigest()[:32]
        if request.if_none_match and any(known.value == tag for known in request.if_none_match):
            raise web.HTTPNotModified(headers={"ETag": f'"{tag}"', "Cache-Control": "no-cache"})
        response = web.Response(body=text, content_type=TEXTS[path.suffix], charset="utf-8")
        response.etag = tag
        response.headers["Cache-Control"] = "no-cache"
        response.enable_compression()
        return response

    async def example(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(EXAMPLES / self._example(request).file, headers={"Cache-Control": "no-cache"})

    async def hello(self, request: web.Request) -> web.Response:
        """Who the browser is, and what was result so far.

        The identity is made here and not with the page: a browser that comes by a link from elsewhere does not send
        a Strict cookie with its first request, and would lose its conversation to a new one.
        """
        identity = identity_of(request) or secrets.token_urlsafe(IDENTITY_BYTES)
        person = Person("local", identity)
        entries = await self._chat.history.of_person(self._chat.conversation.key_of(person))
        language = language_asked(request)
        question = await self._chat.conversation.privacy.open_question(person, language)
        shown = [await self._chat.show_entry(entry.id, person, language) for entry in entries]
        response = web.json_response(
            {
                "entries": [entry for entry in shown if entry is not None],
                "question": None if question is None else question.text,
            }
        )
        response.set_cookie(
            IDENTITY_COOKIE, identity, max_age=COOKIE_SECONDS, httponly=True, samesite="Strict", secure=is_tls(request)
        )
        return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        person = person_of(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await stream.prepare(request)
        with self._chat.listeners.listening(
            self._chat.conversation.key_of(person), person, language_asked(request)
        ) as page:
            await stream.write(b"retry: 2000\n\n")
            async for news in page.stream():
                await stream.write(news)
        return stream

    # Songs

    async def send_song(self, request: web.Request) -> web.Response:
        person, language = person_of(request), language_asked(request)
        await self._chat.conversation.check_limits(person)
        if (request.content_length or 0) > max_bytes(self._chat.settings):
            raise TooLarge(megabytes=self._chat.settings.max_megabytes)
        async with asyncio.timeout(UPLOAD_SECONDS):
            file = await self._chat.uploads.receive(chunks_of(request), self._chat.conversation.key_of(person))
        title = unquote(request.headers.get("X-File-Name", ""), errors="replace")
        return await self._taken(person, language, title, file)

    async def send_link(self, request: web.Request) -> web.Response:
        person, language = person_of(request), language_asked(request)
        try:
            link = (await json_of(request)).get("link")
        except web.HTTPRequestEntityTooLarge:
            raise LinkTooLong() from None
        if not isinstance(link, str):
            raise web.HTTPBadRequest()
        entry = await self._chat.take_link(person, language, link)
        return web.json_response(await self._chat.show_entry(entry.id, person, language), status=201)

    async def send_example(self, request: web.Request) -> web.Response:
        person, language = person_of(request), language_asked(request)
        example = self._example(request)
        return await self._taken(person, language, example.titles[language], EXAMPLE_PREFIX + example.file)

    async def _taken(self, person: Person, language: Language, title: str, file: str) -> web.Response:
        entry = await self._chat.take(person, language, title or None, file)
        return web.json_response(await self._chat.show_entry(entry.id, person, language), status=201)

    async def take_list(self, request: web.Request) -> web.Response:
        entry, person = await self._entry(request)
        count = (await json_of(request)).get("count")
        if type(count) is not int or not 0 <= count <= PLAYLIST_SONGS:
            raise web.HTTPBadRequest()
        taken = await self._chat.take_list(entry, person, count)
        language = language_asked(request)
        songs = [await self._chat.show_entry(one.id, person, language) for one in taken]
        shown = await self._chat.show_entry(entry.id, person, language)
        return web.json_response({"entry": shown, "songs": songs})

    async def stop_song(self, request: web.Request) -> web.Response:
        entry, person = await self._entry(request)
        if entry.job is not None:
            words = self._chat.conversation.words(language_asked(request))
            requester = Requester(person, words, chat_id=person.id, private=True)
            await self._chat.conversation.cancel(entry.job, requester)
        return await self._shown(request, entry)

    async def picture(self, request: web.Request) -> web.Response:
        entry, person = await self._entry(request)
        theme = next((theme for theme in THEMES if theme == request.match_info["theme"]), None)
        if theme is None or entry.reply is None:
            raise web.HTTPNotFound()
        language = language_of(request.query.get("language")) or language_asked(request)
        view = await self._chat.conversation.answer_view(entry.reply, person, language)
        words = self._chat.conversation.words(language)
        png = await self._chat.conversation.picture(view.report, words, theme)
        headers = {"Cache-Control": "private, max-age=86400"}
        if "save" in request.query:
            name = quote(f"{entry.title or words.translate('page-title')}.png", safe="")
            headers["Content-Disposition"] = f"attachment; filename=\"answer.png\"; filename*=UTF-8''{name}"
        return web.Response(body=png, content_type="image/png", headers=headers)

    # Opinions

    async def give_opinion(self, request: web.Request) -> web.Response:
        entry, person = await self._entry(request)
        body, language = await json_of(request), language_asked(request)
        if entry.reply is None:
            raise web.HTTPConflict()
        label = body.get("genre")
        if isinstance(label, str):
            if body.get("new") is not True:
                label = await self._chat.conversation.genres.named(label, language)
            result = await self._chat.conversation.correct(entry.reply, person, language, label)
        else:
            result = await self._chat.conversation.agree(entry.reply, person, language)
        question = None if result.question is None else result.question.text
        return await self._shown(request, entry, question=question)

    async def take_opinion_back(self, request: web.Request) -> web.Response:
        entry, person = await self._entry(request)
        if entry.reply is None:
            raise web.HTTPConflict()
        result = await self._chat.conversation.undo(entry.reply, person, language_asked(request))
        return await self._shown(request, entry, notice=result.message.text)

    async def genres(self, request: web.Request) -> web.Response:
        language = language_asked(request)
        text = request.query.get("q", "")[:MAX_SEARCH_CHARACTERS].strip()
        genres, words = self._chat.conversation.genres, self._chat.conversation.words(language)
        reading = await genres.read(text, language)
        choices, total = await genres.choices(text, language, first=await self._likely(request))
        found = words.translate("page-genre-known-count", count=total)
        if not choices and reading.similar:
            choices = list(reading.similar)
            found = sentence(genres.unclear(reading), language)
        elif not choices and reading.new is None:
            found = sentence(GenreUnknown(), language)
        return web.json_response(
            {
                "genres": [{"id": choice.label, "name": choice.name, "about": choice.about} for choice in choices],
                "new": None if reading.new is None else words.translate("page-genre-new", label=reading.new),
                "found": found,
            }
        )

    async def _likely(self, request: web.Request) -> list[str]:
        """Return the labels that lead the list for the song that is corrected."""
        number, person = request.query.get("song", ""), person_of(request)
        entry = await self._chat.history.get(int(number)) if re.fullmatch("[0-9]{1,18}", number) else None
        if entry is None or entry.reply is None or entry.person != self._chat.conversation.key_of(person):
            return []
        try:
            view = await self._chat.conversation.answer_view(entry.reply, person, language_asked(request))
        except ButtonExpired:
            return []
        return await self._chat.conversation.genres.likely(view.reply, view.report)

    # What several of them need

    def _example(self, request: web.Request) -> Any:
        named = request.match_info["file"]
        found = next((example for example in self._chat.examples if example.file == named), None)
        if found is None:
            raise web.HTTPNotFound()
        return found

    async def _entry(self, request: web.Request) -> tuple[HistoryEntry, Person]:
        person = person_of(request)
        entry = await self._chat.history.get(int(request.match_info["id"]))
        # Somebody else's entry is answered like one that never was: its number alone tells nothing.
        if entry is None or entry.person != self._chat.conversation.key_of(person):
            raise ButtonExpired()
        return entry, person

    async def _shown(self, request: web.Request, entry: HistoryEntry, **more: str | None) -> web.Response:
        shown = await self._chat.show_entry(entry.id, person_of(request), language_asked(request))
        await self._chat.tell(entry.id)
        return web.json_response({"entry": shown, **more})
