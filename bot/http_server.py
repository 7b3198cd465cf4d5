"""HTTP servers that tell nothing about themselves, not even in answer to what is no HTTP."""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAIN_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class QuietRunner(web.AppRunner):
    """Runs an application, all of whose responses carry the same headers and no version.

    Parameters
    ----------
    application
        What is served.
    headers
        Put on every response that does not have them yet, also on errors that no handler sees.
    shutdown_seconds
        What requests in progress have at the end.
    """

    def __init__(
        self,
        application: web.Application,
        headers: Mapping[str, str] = PLAIN_HEADERS,
        *,
        shutdown_seconds: float = 60.0,
    ) -> None:
        super().__init__(application, access_log=None, handle_signals=False, shutdown_timeout=shutdown_seconds)
        self._headers = headers

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        # Malformed requests reach no handler, no middleware and no signal of the application, but they are requests.
        make: Any = server.request_factory
        server.request_factory = partial(make, _cls=_request_class(self._headers))
        return server


def _request_class(headers: Mapping[str, str]) -> type[web.Request]:
    class QuietRequest(web.Request):
        async def _prepare_hook(self, response: web.StreamResponse) -> None:
            await super()._prepare_hook(response)
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            response.headers.pop("Server", None)

    return QuietRequest


def host_names(request: web.Request) -> set[str | None]:
    """Return every host that a request is for: the one of its Host header, and that of an absolute target.

    None stands for a host that cannot be read.
    """
    return {_name(request.headers.get("Host", "")), _name(request.host)}


def is_private_name(host: str | None) -> bool:
    """Return whether a host is an IP address or a single word, which no name of an attacker's can be.

    Such a name could be made to resolve to this machine, and a browser would then let the attacker's page read what is
    answered (DNS rebinding).
    """
    if not host:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host.rstrip(".")
    return True


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
