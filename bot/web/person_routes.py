"""What the browser asks for about the person themselves: consent, their data, their language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.localization import LANGUAGES
from bot.web.request import (
    COOKIE_SECONDS,
    IDENTITY_COOKIE,
    LANGUAGE_COOKIE,
    json_of,
    language_asked,
    person_of,
)

if TYPE_CHECKING:
    from bot.web.chat import LocalChat


class PersonRoutes:
    """The handlers of what a person decides about what is kept of them."""

    def __init__(self, chat: LocalChat) -> None:
        self._chat = chat

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say which address is answered by what."""
        router.add_get("/privacy", self.privacy)
        router.add_post("/consent", self.consent)
        router.add_post("/asking", self.asking)
        router.add_get("/mydata", self.my_data)
        router.add_post("/forget", self.forget)
        router.add_post("/language", self.language)

    async def privacy(self, request: web.Request) -> web.Response:
        """Show what is kept, and what the person agreed to."""
        person = person_of(request)
        notice = await self._chat.conversation.privacy.notice(person, language_asked(request))
        consent = await self._chat.conversation.privacy.consent(person)
        return web.json_response(
            {
                "text": notice.text,
                "allowed": bool(consent.may_train),
                "change": notice.buttons[0].text,
                "asks": bool(await self._chat.conversation.privacy.asks(person)),
                "asking": notice.buttons[1].text if notice.buttons[1:] else None,
            }
        )

    async def consent(self, request: web.Request) -> web.Response:
        """Take whether their corrections may train."""
        allow = (await json_of(request)).get("allow")
        if not isinstance(allow, bool):
            raise web.HTTPBadRequest()
        person, language = person_of(request), language_asked(request)
        notice = await self._chat.conversation.privacy.set_consent(person, language, allow=allow)
        text = notice.text.partition("\n\n")[0]
        if notice.buttons:
            text = f"{text} {self._chat.conversation.words(language).translate('page-asking-offer')}"
        return web.json_response({"notice": text})

    async def asking(self, request: web.Request) -> web.Response:
        """Take whether they want to be asked about songs."""
        allow = (await json_of(request)).get("allow")
        if not isinstance(allow, bool):
            raise web.HTTPBadRequest()
        privacy, language = self._chat.conversation.privacy, language_asked(request)
        return web.json_response(
            {"notice": (await privacy.set_asking(person_of(request), language, agreed=allow)).text}
        )

    async def my_data(self, request: web.Request) -> web.Response:
        """Send all that is kept of them."""
        person = person_of(request)
        data = await self._chat.my_data(person)
        name = self._chat.conversation.words(language_asked(request)).translate("mydata-name")
        return web.json_response(
            data,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
            dumps=lambda value: json.dumps(value, ensure_ascii=False, indent=2),
        )

    async def forget(self, request: web.Request) -> web.Response:
        """Delete all of it."""
        songs, corrections = await self._chat.forget(person_of(request))
        words = self._chat.conversation.words(language_asked(request))
        response = web.json_response({"notice": words.translate("forget-done", songs=songs, corrections=corrections)})
        response.del_cookie(IDENTITY_COOKIE)
        return response

    async def language(self, request: web.Request) -> web.Response:
        """Take the language that they want to be spoken to in."""
        language = (await json_of(request)).get("language")
        if language not in LANGUAGES:
            raise web.HTTPBadRequest()
        await self._chat.conversation.set_language(person_of(request), language)
        response = web.json_response({})
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=COOKIE_SECONDS, samesite="Lax")
        return response
