"""What a request says: who asks, in which language, and the JSON or the bytes that it carries."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.core.identity import Person
from bot.core.localization import Language, language_of, preferred_language

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IDENTITY_COOKIE = "listener"
LANGUAGE_COOKIE = "language"
COOKIE_SECONDS = 400 * 24 * 3600
CHUNK_BYTES = 256 * 1024


def identity_of(request: web.Request) -> str | None:
    """Return what the browser was named when it came first; None if it never was."""
    identity = request.cookies.get(IDENTITY_COOKIE, "")
    return identity if re.fullmatch(r"[A-Za-z0-9_-]{22,64}", identity) else None


def person_of(request: web.Request) -> Person:
    """Return who asks; a browser without a name is told to come again."""
    identity = identity_of(request)
    if identity is None:
        raise web.HTTPUnauthorized(text="Reload the page.")
    return Person("local", identity)


def language_asked(request: web.Request) -> Language:
    """Return the language that was chosen on the page, or that the browser prefers."""
    chosen = language_of(request.cookies.get(LANGUAGE_COOKIE))
    return chosen or preferred_language(request.headers.get("Accept-Language"))


def is_tls(request: web.Request) -> bool:
    """Whether nobody on the way can read along."""
    return request.secure or request.headers.get("X-Forwarded-Proto") == "https"


async def json_of(request: web.Request, most_bytes: int | None = None) -> dict[str, Any]:
    """Return the JSON object that a request carries.

    Parameters
    ----------
    most_bytes
        How long it may be; by default as long as the server takes any.
    """
    text = await request.read() if most_bytes is None else await _at_most(request, most_bytes)
    try:
        body = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest() from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest()
    return body


async def _at_most(request: web.Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in chunks_of(request):
        body += chunk
        if len(body) > most_bytes:
            raise web.HTTPRequestEntityTooLarge(most_bytes, len(body))
    return bytes(body)


async def chunks_of(request: web.Request) -> AsyncIterator[bytes]:
    """Yield what a request carries as it comes."""
    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
        yield chunk
