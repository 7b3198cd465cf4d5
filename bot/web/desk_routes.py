"""The moderators' page: what their browser asks for. What is shown and done is ``bot.core.review_desk``'s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from bot.core.localization import language_of
from bot.core.palette import THEMES
from bot.web.request import json_of, language_asked
from bot.web.request_guard import RequestGuard
from bot.web.static_pages import desk_page
from common.community import Community
from storage import ReviewStatus

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.web.chat import LocalChat

PREFIX: Final = "/moderate"
LABEL_CHARACTERS: Final = 100


def has_desk(settings: Settings) -> bool:
    """Tell whether there is a moderators' page: with a password of its own, or for whoever is alone with the bot."""
    return settings.moderation_password is not None or settings.used_by is Community.PRIVATE


def desk_guard(settings: Settings, host: str) -> RequestGuard:
    """Return the guard of the page: its own password, or the one of the whole server."""
    password = settings.moderation_password or settings.local_chat_password
    return RequestGuard(None if password is None else password.get_secret_value(), host, realm="genre-bot moderation")


class DeskRoutes:
    """The handlers of the moderators' page."""

    def __init__(self, chat: LocalChat) -> None:
        self._chat = chat

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say which address is answered by what."""
        router.add_get(PREFIX, self.page)
        router.add_get(f"{PREFIX}/state", self.state)
        router.add_post(f"{PREFIX}/rulings", self.rule)
        router.add_post(f"{PREFIX}/releases", self.promote)
        router.add_get(PREFIX + r"/answers/{id:\d{1,15}}/timeline-{theme}.png", self.picture)

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=desk_page(language_asked(request)), content_type="text/html", charset="utf-8")

    async def state(self, request: web.Request) -> web.Response:
        words = self._chat.conversation.words(language_asked(request))
        pending = request.query.get("show") != "all"
        return web.json_response(await self._chat.conversation.desk.show(words, pending=pending))

    async def rule(self, request: web.Request) -> web.Response:
        body, words = await json_of(request), self._chat.conversation.words(language_asked(request))
        numbers, status, label = body.get("corrections"), body.get("status"), body.get("label")
        if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
            raise web.HTTPBadRequest()
        named = isinstance(label, str) and 0 < len(label) <= LABEL_CHARACTERS
        if status not in set(ReviewStatus) or (status == ReviewStatus.RELABELLED) != named:
            raise web.HTTPBadRequest()
        chosen = label if isinstance(label, str) and named else None
        notice = await self._chat.conversation.desk.rule(numbers, ReviewStatus(status), chosen, words)
        return web.json_response({"notice": notice})

    async def promote(self, request: web.Request) -> web.Response:
        name = (await json_of(request)).get("name")
        if name is not None and not isinstance(name, str):
            raise web.HTTPBadRequest()
        words = self._chat.conversation.words(language_asked(request))
        return web.json_response({"notice": await self._chat.conversation.desk.promote(name, words)})

    async def picture(self, request: web.Request) -> web.Response:
        theme = next((theme for theme in THEMES if theme == request.match_info["theme"]), None)
        report = await self._chat.conversation.desk.report(int(request.match_info["id"]))
        if theme is None or report is None:
            raise web.HTTPNotFound()
        words = self._chat.conversation.words(language_of(request.query.get("language")) or language_asked(request))
        png = await self._chat.conversation.picture(report, words, theme)
        return web.Response(body=png, content_type="image/png", headers={"Cache-Control": "private, max-age=86400"})
