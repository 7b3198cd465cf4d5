"""The server of the API: who asks, and what is answered. ``openapi.json`` describes it for programs."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot.api import song_view
from bot.api.bodies import (
    CorrectionBody,
    LinkBody,
    PlaylistBody,
    fingerprint_of_file,
    fingerprint_of_link,
    idempotency_key,
    read_body,
    receive,
)
from bot.api.errors import AnswerExpired, NoQuestionOpen, NotAnsweredYet, RequestUnclear, SongNotFound, TokenNeeded
from bot.api.problems import answer_problems
from bot.api.tokens import Tokens
from bot.core.errors import ButtonExpired
from bot.core.identity import Person
from bot.core.localization import preferred_language
from bot.core.request import Requester
from classifier.__main__ import installed_version

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from bot.api.chat import ApiChat
    from bot.api.song_store import ApiSong
    from bot.core.localization import Language

OPENAPI_PATH: Final = "/v1/openapi.json"
PERSON: Final = web.RequestKey("person", Person)
JSON_BYTES: Final = 16 * 1024
UPLOADS_PER_TOKEN: Final = 4
UPLOAD_SECONDS: Final = 1800.0
SEARCH_CHARACTERS: Final = 100


def make_application(chat: ApiChat) -> web.Application:
    """Build the server around a chat."""
    application = web.Application(
        middlewares=[answer_problems, _know_tokens(Tokens(chat.settings.api_token_values))],
        client_max_size=JSON_BYTES,
    )
    ApiRoutes(chat).add_routes(application.router)
    return application


def _know_tokens(tokens: Tokens) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is None and request.path != OPENAPI_PATH:
            person = tokens.person(request.headers.get("Authorization", ""))
            if person is None:
                raise TokenNeeded()
            request[PERSON] = person
        return await handler(request)

    return check


def read_document() -> dict[str, Any]:
    """Return the OpenAPI document, with the version of the program."""
    document: dict[str, Any] = json.loads((resources.files("bot.api") / "openapi.json").read_text("utf-8"))
    document["info"]["version"] = installed_version()
    return document


class ApiRoutes:
    """The handlers, one for each operation of the API."""

    def __init__(self, chat: ApiChat) -> None:
        self._chat = chat
        self._document = read_document()
        self._uploads: defaultdict[Person, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(UPLOADS_PER_TOKEN)
        )

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say which address is answered by what."""
        router.add_get(OPENAPI_PATH, self.openapi, allow_head=False)
        router.add_post("/v1/songs", self.send_song)
        router.add_get("/v1/songs/{id}", self.song, allow_head=False)
        router.add_delete("/v1/songs/{id}", self.stop_song)
        router.add_get("/v1/songs/{id}/events", self.events, allow_head=False)
        router.add_post("/v1/songs/{id}/playlist", self.take_playlist)
        router.add_post("/v1/songs/{id}/corrections", self.correct)
        router.add_delete("/v1/songs/{id}/corrections", self.undo_correction)
        router.add_get("/v1/genres", self.genres, allow_head=False)
        router.add_get("/v1/data", self.my_data, allow_head=False)
        router.add_delete("/v1/data", self.forget)

    async def openapi(self, _: web.Request) -> web.Response:
        return web.json_response(self._document)

    # Songs

    async def send_song(self, request: web.Request) -> web.Response:
        """Take a song: JSON with a link, a form with a file, or the file itself."""
        person, language, key = _person(request), _language(request), idempotency_key(request)
        if key is None or await self._chat.songs.by_key(self._owner(person), key) is None:
            await self._chat.conversation.check_limits(person)
        if request.content_type == "application/json":
            body = await read_body(request, LinkBody)
            song, is_new = await self._chat.take(
                person, language, body.title, link=body.link, key=key, fingerprint=fingerprint_of_link(body.link)
            )
        else:
            song, is_new = await self._receive(request, person, language, key)
        headers = {"Location": f"/v1/songs/{song.id}"} | ({} if is_new else {"Idempotent-Replayed": "true"})
        return web.json_response(await self._shown(request, song), status=202, headers=headers)

    async def _receive(
        self, request: web.Request, person: Person, language: Language, key: str | None
    ) -> tuple[ApiSong, bool]:
        uploads = self._chat.uploads
        async with self._uploads[person], asyncio.timeout(UPLOAD_SECONDS):
            upload = await receive(request, uploads)
        fingerprint = None if key is None else await asyncio.to_thread(fingerprint_of_file, uploads, upload.file)
        return await self._chat.take(
            person, language, upload.title or None, file=upload.file, key=key, fingerprint=fingerprint
        )

    async def song(self, request: web.Request) -> web.Response:
        return web.json_response(await self._shown(request, await self._song(request)))

    async def stop_song(self, request: web.Request) -> web.Response:
        """Stop a song; one that has ended stays as it is."""
        song, person = await self._song(request), _person(request)
        if song.job is not None:
            words = self._chat.conversation.words(_language(request))
            requester = Requester(person, words, chat_id=person.id, private=True)
            await self._chat.conversation.cancel(song.job, requester)
        return web.json_response(await self._shown(request, await self._song(request)))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send the song whenever something about it changes, and end once it has ended."""
        song, language = await self._song(request), _language(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        with self._chat.listeners.listening(song.id, _person(request), language) as listener:
            # Asked again now that nothing can be missed any more.
            await stream.prepare(request)
            shown = await self._shown(request, await self._song(request))
            listener.tell("song", shown)
            if shown["status"] in song_view.ENDED:
                listener.finish()
            async for news in listener.stream():
                await stream.write(news)
        return stream

    async def take_playlist(self, request: web.Request) -> web.Response:
        """Take the first songs of a playlist that a link led to; none declines it."""
        song, body = await self._song(request), await read_body(request, PlaylistBody)
        try:
            taken = await self._chat.take_playlist(song, _person(request), body.count)
        except ButtonExpired:
            raise NoQuestionOpen() from None
        return web.json_response({"songs": [await self._shown(request, each) for each in taken]}, status=202)

    # Corrections

    async def correct(self, request: web.Request) -> web.Response:
        """Note the genre that a song has, and whether that may be used for training if the program says so."""
        song, person, language = await self._song(request), _person(request), _language(request)
        body, conversation = await read_body(request, CorrectionBody), self._chat.conversation
        if song.reply is None:
            raise NotAnsweredYet()
        label = body.genre if body.new else await conversation.genres.named(body.genre, language)
        if body.may_train is not None:
            await conversation.privacy.set_consent(person, language, allow=body.may_train)
        try:
            result = await conversation.correct(song.reply, person, language, label)
        except ButtonExpired:
            raise AnswerExpired() from None
        consent = await conversation.privacy.consent(person)
        shown = {} if result.correction is None else song_view.correction(result.correction)
        return web.json_response(shown | {"may_train": bool(consent.may_train), "message": result.message.text})

    async def undo_correction(self, request: web.Request) -> web.Response:
        song = await self._song(request)
        if song.reply is None:
            raise NotAnsweredYet()
        try:
            await self._chat.conversation.undo(song.reply, _person(request), _language(request))
        except ButtonExpired:
            raise AnswerExpired() from None
        return web.Response(status=204)

    async def genres(self, request: web.Request) -> web.Response:
        """Return all genres, or those that a text matches, best first."""
        text, language = request.query.get("q", ""), _language(request)
        if len(text) > SEARCH_CHARACTERS:
            raise RequestUnclear(("q", f"must have at most {SEARCH_CHARACTERS} characters"))
        found, total = await self._chat.conversation.genres.choices(text.strip(), language)
        while len(found) < total:
            more, total = await self._chat.conversation.genres.choices(text.strip(), language, offset=len(found))
            if not more:
                break
            found += more
        shown = [
            {"id": each.label, "name": each.name, "about": each.about, "proposed": each.proposed} for each in found
        ]
        return web.json_response({"genres": shown})

    # What is stored about whoever has the token

    async def my_data(self, request: web.Request) -> web.Response:
        return web.json_response(await self._chat.my_data(_person(request)))

    async def forget(self, request: web.Request) -> web.Response:
        await self._chat.forget(_person(request))
        return web.Response(status=204)

    # What several of them need

    def _owner(self, person: Person) -> str:
        return self._chat.conversation.key_of(person)

    async def _song(self, request: web.Request) -> ApiSong:
        song = await self._chat.songs.get(request.match_info["id"])
        # Somebody else's song is answered like one that never was.
        if song is None or song.person != self._owner(_person(request)):
            raise SongNotFound()
        return song

    async def _shown(self, request: web.Request, song: ApiSong) -> dict[str, Any]:
        shown: dict[str, Any] = await self._chat.show_song(song, _language(request), _person(request))
        return shown


def _person(request: web.Request) -> Person:
    return request[PERSON]


def _language(request: web.Request) -> Language:
    return preferred_language(request.headers.get("Accept-Language"))
