"""The process that fetches one link: ``python -m links.subprocess_main``, with its order on standard input.

It reports progress and its result as lines of JSON, and confines itself before it opens the link.
"""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

from common.transfer_rate import MinimumRate, TooSlow
from links.guard import SandboxGuard
from links.limits import FetchLimits, apply_limits, die_with_parent, loosen_for_script

if TYPE_CHECKING:
    from collections.abc import Sequence

NEWS_SECONDS: Final = 0.3
REASON_CHARACTERS: Final = 400
NAME_CHARACTERS: Final = 500
PROXY_PORTS: Final = {"http": 80, "https": 443}
SOCKS_PORT: Final = 1080


def runs_tamely(arguments: Sequence[str]) -> bool:
    """Tell whether Deno's arguments grant no permission to read, write, connect, import, or see the environment."""
    loose = re.compile(r"--(allow|permission|unsafely|inspect|env-file|preload|import)|-[A-Z]")
    return arguments[:1] in (["--version"], ["run"]) and (
        arguments[0] == "--version"
        or ("--no-remote" in arguments and not any(loose.match(argument) for argument in arguments))
    )


PROGRAMS: Final = {"deno": runs_tamely}
"""Runs YouTube's JavaScript; yt-dlp's default choice."""


class ParentChannel:
    """The channel to the parent process; whatever the code prints cannot get into it."""

    def __init__(self) -> None:
        self._end = os.dup(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    def tell(self, **message: object) -> None:
        os.write(self._end, json.dumps(message).encode() + b"\n")

    def end(self, **message: object) -> NoReturn:
        """Send the last message and exit immediately."""
        try:
            self.tell(**message)
        finally:
            os._exit(0)


class ByteMeter:
    """Counts the bytes received from the network, before decompression, and enforces their limit and minimum rate."""

    def __init__(self, parent: ParentChannel, limits: FetchLimits) -> None:
        self._parent = parent
        self._most = limits.file_bytes + limits.page_bytes
        self._rate = MinimumRate(limits.bytes_per_second, limits.grace_seconds)
        self._told = 0.0
        self.received = 0

    def install(self) -> None:
        """Wrap the reads of all sockets, encrypted ones included."""
        read = socket.SocketIO.readinto

        def counted(source: socket.SocketIO, buffer: Any) -> int | None:
            began = time.monotonic()
            count = read(source, buffer)
            self._add(count or 0, time.monotonic() - began)
            return count

        socket.SocketIO.readinto = counted  # type: ignore[method-assign, assignment]

    def _add(self, count: int, seconds: float) -> None:
        self.received += count
        if self.received > self._most:
            self._parent.end(error="too-large")
        try:
            self._rate.waited(seconds, count)
        except TooSlow:
            self._parent.end(error="link-too-slow")
        now = time.monotonic()
        if now - self._told >= NEWS_SECONDS:
            self._told = now
            self._parent.tell(bytes=self.received)


def main() -> None:
    """Fetch the link that standard input names."""
    order = json.loads(sys.stdin.buffer.readline())
    die_with_parent(order["parent"])
    parent, limits, folder = ParentChannel(), FetchLimits(**order["limits"]), Path.cwd()
    try:
        parent.end(**_fetch(order, parent, limits, folder))
    except BaseException as error:
        from links.error_mapping import code_of

        parent.end(error=code_of(error), list=getattr(error, "playlist", None), why=_reason(error))


def _reason(error: BaseException) -> str:
    """Return an error's text for the log, with URLs shortened to their host, since paths may hold secrets."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = re.sub(r"(https?://[^/\s]+)/[^\s'\")]*", r"\1/…", f"{type(error).__name__}: {error}")
    return f"{said[:REASON_CHARACTERS]} ({Path(where.filename).name}:{where.lineno})"


def _fetch(order: dict[str, Any], parent: ParentChannel, limits: FetchLimits, folder: Path) -> dict[str, object]:
    # Native code would bypass the guard, so hide it from yt-dlp if it is installed.
    sys.modules["curl_cffi"] = None  # type: ignore[assignment]
    from links import ytdlp_runner
    from links.error_mapping import CodedFailure

    proxy = order["proxy"]
    cookies = folder / "cookies.txt" if order["cookies"] else None
    raise_script_limits(limits)
    ytdlp_runner.bound_parsing()
    apply_limits(limits)
    ByteMeter(parent, limits).install()
    SandboxGuard(folder, PROGRAMS, partial(parent.end, error="link-inside"), _addresses(proxy)).arm()
    with (
        ytdlp_runner.YtDlpClient(folder, limits, order["hosts"], proxy, cookies) as downloader,
        downloader.missing_script_told(),
    ):
        if order["most"] is not None:
            return {"done": {"list": downloader.songs(order["link"], order["most"])}}
        song = downloader.fetch(order["link"], order["item"])
    path = folder / ytdlp_runner.SONG_NAME
    if not path.exists():
        raise CodedFailure("link-no-music")
    if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > limits.file_bytes:
        raise CodedFailure("too-large")
    names = {"title": song.get("title"), "uploader": song.get("artist") or song.get("uploader") or song.get("channel")}
    return {"done": {key: name[:NAME_CHARACTERS] for key, name in names.items() if isinstance(name, str)}}


def raise_script_limits(limits: FetchLimits) -> None:
    """Start yt-dlp's programs under limits that a JavaScript engine can live with."""
    from yt_dlp.utils import Popen

    start = Popen.__init__
    Popen.__init__ = lambda self, *args, **options: start(
        self, *args, **{**options, "preexec_fn": partial(loosen_for_script, limits)}
    )


def _addresses(proxy: str) -> set[tuple[str, int]]:
    """Return the proxy's IP addresses and port."""
    if not proxy:
        return set()
    parts = urlsplit(proxy)
    port = parts.port or PROXY_PORTS.get(parts.scheme, SOCKS_PORT)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    return {(str(address[0]), int(address[1])) for *_, address in found}


if __name__ == "__main__":
    main()
