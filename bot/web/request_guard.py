"""Who may talk to the page's server: requests of the page itself, and of nobody else's page.

Against cross-site requests, DNS rebinding, framing, script injection; and a password where others can reach it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.http_server import host_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler, Middleware

OPEN_PATHS: Final = frozenset({"/healthz"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# Wrong passwords are answered one after the other, each after this time, whoever sends them.
WRONG_PASSWORD_SECONDS = 0.5
WRONG_PASSWORDS_WAITING = 20

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            # Songs are played from the browser's own memory.
            "media-src 'self' blob:",
            "manifest-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types share-worker",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class RequestGuard:
    """Lets a request pass or refuses it.

    Parameters
    ----------
    password
        Asked of everybody (HTTP Basic, any user name); None asks nobody and takes only loopback names as host.
    host
        Where the page listens: a name of this machine, too.
    below
        Another guard for the addresses that begin with a prefix, by that prefix; what opens it opens everything.
    realm
        By which browsers tell passwords of one server apart.
    """

    def __init__(
        self,
        password: str | None,
        host: str,
        below: Mapping[str, RequestGuard] | None = None,
        *,
        realm: str = "genre-bot",
    ) -> None:
        self._password = password
        self._below = below or {}
        self._realm = realm
        self._names: set[str | None] = {*LOOPBACK_NAMES, host.lower()}
        self._one_wrong_at_a_time = asyncio.Semaphore(1)
        self._wrong_waiting = 0

    def middleware(self) -> Middleware:
        """Return the guard as an aiohttp middleware."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path not in OPEN_PATHS:
                stricter = (guard for prefix, guard in self._below.items() if request.path.startswith(prefix))
                await next(stricter, self)._check(request)
            return await handler(request)

        return check

    async def _check(self, request: web.Request) -> None:
        # A name of an attacker's own that resolves to this machine would make their page same-origin with this one.
        # A browser that was never given the password for that name does not send it, so with one any name will do.
        if self._password is None and not host_names(request) <= self._names:
            raise web.HTTPForbidden(text="This page answers only to localhost.")
        if not _same_origin(request):
            raise web.HTTPForbidden(text="This page answers only to itself.")
        known = self._knows_password(request) or any(guard._knows_password(request) for guard in self._below.values())
        if self._password is not None and not known:
            await self._refuse_wrong(request)

    def _knows_password(self, request: web.Request) -> bool:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic" or self._password is None:
            return False
        try:
            given = base64.b64decode(encoded, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self._password.encode())

    async def _refuse_wrong(self, request: web.Request) -> None:
        if "Authorization" in request.headers:
            if self._wrong_waiting >= WRONG_PASSWORDS_WAITING:
                raise web.HTTPTooManyRequests(text="Too many wrong passwords.")
            self._wrong_waiting += 1
            try:
                async with self._one_wrong_at_a_time:
                    await asyncio.sleep(WRONG_PASSWORD_SECONDS)
            finally:
                self._wrong_waiting -= 1
        challenge = {"WWW-Authenticate": f'Basic realm="{self._realm}", charset="UTF-8"'}
        raise web.HTTPUnauthorized(text="A password is needed.", headers=challenge)


def _same_origin(request: web.Request) -> bool:
    """Whether the page itself asks: browsers say so in ``Origin`` and ``Sec-Fetch-Site``, which no script can forge."""
    safe = request.method in SAFE_METHODS
    site = request.headers.get("Sec-Fetch-Site")
    navigates = safe and request.headers.get("Sec-Fetch-Mode") == "navigate" and request.path == "/"
    if site not in {None, "same-origin", "none"} and not navigates:
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return safe
    try:
        # The scheme is left out: a proxy that ends TLS changes it.
        return urlsplit(origin).netloc == request.headers.get("Host")
    except ValueError:
        return False
