"""Errors as problem documents (RFC 9457), each with a sentence in the language that the program asks for."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot.api.errors import (
    AnswerExpired,
    KeyInUse,
    KeyReused,
    MediaTypeUnknown,
    MethodUnknown,
    NoQuestionOpen,
    NotAnsweredYet,
    NothingThere,
    RequestUnclear,
    SongNotFound,
    TokenNeeded,
    UploadTooSlow,
)
from bot.core.errors import Closing, OurFault, TransferTooSlow
from bot.core.localization import preferred_language
from bot.core.messages import sentence
from common.errors import StorageUnavailable, TooLarge, UserError
from storage import TooManyQueued, TooManyToday

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

PROBLEM_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:genre-bot:problem:"
# What a person can do something about, unless it is listed: a link that leads nowhere, a name that is no genre's.
DEFAULT_STATUS: Final = HTTPStatus.UNPROCESSABLE_ENTITY
STATUSES: Final[Mapping[type[UserError], HTTPStatus]] = {
    RequestUnclear: HTTPStatus.BAD_REQUEST,
    TokenNeeded: HTTPStatus.UNAUTHORIZED,
    NothingThere: HTTPStatus.NOT_FOUND,
    SongNotFound: HTTPStatus.NOT_FOUND,
    AnswerExpired: HTTPStatus.GONE,
    MethodUnknown: HTTPStatus.METHOD_NOT_ALLOWED,
    UploadTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    TransferTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    NotAnsweredYet: HTTPStatus.CONFLICT,
    NoQuestionOpen: HTTPStatus.CONFLICT,
    KeyInUse: HTTPStatus.CONFLICT,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    MediaTypeUnknown: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooManyQueued: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyToday: HTTPStatus.TOO_MANY_REQUESTS,
    Closing: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    OurFault: HTTPStatus.INTERNAL_SERVER_ERROR,
}
RETRY_SECONDS: Final[Mapping[type[UserError], int]] = {
    TooManyQueued: 10,
    TooManyToday: 3600,
    KeyInUse: 2,
    Closing: 60,
    StorageUnavailable: 60,
}

log = logging.getLogger(__name__)


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into a problem document."""
    try:
        return await handler(request)
    except UserError as error:
        return problem(request, error)
    except web.HTTPRequestEntityTooLarge:
        return problem(request, RequestUnclear(("body", "is too long")))
    except web.HTTPMethodNotAllowed as wrong:
        return problem(request, MethodUnknown(), {"Allow": wrong.headers["Allow"]})
    except web.HTTPNotFound:
        return problem(request, NothingThere())
    except (TimeoutError, ConnectionError):
        return problem(request, UploadTooSlow())
    except web.HTTPException:
        raise
    except Exception:
        log.exception("a request to the API failed because of a bug")
        return problem(request, OurFault())


def problem(request: web.Request, error: UserError, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the problem document of an error."""
    kind = type(error)
    status = STATUSES.get(kind, DEFAULT_STATUS)
    language = preferred_language(request.headers.get("Accept-Language"))
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": status.phrase,
        "status": int(status),
        "detail": sentence(error, language),
        "code": error.code,
    }
    if isinstance(error, RequestUnclear) and error.details:
        body["errors"] = [{"where": where, "message": message} for where, message in error.details]
    added = dict(headers or {})
    if kind in RETRY_SECONDS:
        added["Retry-After"] = str(RETRY_SECONDS[kind])
    if isinstance(error, TokenNeeded):
        added["WWW-Authenticate"] = 'Bearer realm="genre-bot"'
    added["Content-Language"] = language
    return web.json_response(body, status=int(status), headers=added, content_type=PROBLEM_TYPE)
