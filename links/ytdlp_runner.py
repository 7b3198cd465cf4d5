"""Runs yt-dlp in the child process, restricted in protocols, hosts and bytes.

``error_mapping`` interprets its errors; ``guard`` keeps it from private addresses.
"""

from __future__ import annotations

import itertools
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yt_dlp
from yt_dlp.extractor.generic import GenericIE
from yt_dlp.networking.exceptions import HTTPError

from links.address import allows, is_outside
from links.error_mapping import CodedFailure, code_of
from links.playlist import DEFAULT_PLAYLIST_SONGS
from links.playlist_entries import entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from yt_dlp.networking import RequestHandler, Response

    from links.limits import FetchLimits

SONG_NAME: Final = "song"
HOPS: Final = 8
"""How many embedded pages are followed."""
CHUNK_BYTES: Final = 64 * 1024
_PROTOCOLS: Final = "protocol~='^(https?|m3u8(_native)?|http_dash_segments)$'"
_TAME_HEIGHT: Final = 480
NO_RUNTIME: Final = "No supported JavaScript runtime"
"""How yt-dlp's warning starts."""
_SCRIPTLESS: Final = frozenset({"link-no-music", "link-not-found", "link-failed"})
"""Errors that a site can also cause because its script could not be run."""
PARSED_CHARACTERS: Final = 2 * 1024 * 1024
PARSED_EMBEDS: Final = 500
"""Players of other sites are sought in so much of a page; each takes about 3 ms, for there are 1,700 patterns."""
_EMBED: Final = re.compile(r"<(?:iframe|embed|object|video|audio|source)\b", re.IGNORECASE)
_HANDLERS: Final = ("Requests",)
"""The only request handler that is limited to http(s), streams responses, and uses Python's own sockets."""


class YtDlpClient(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """A yt-dlp client restricted to http(s), the allowed hosts, and the size limits.

    Parameters
    ----------
    folder
        Where the file goes.
    limits, hosts
        What may be received, and from which hosts' pages.
    proxy
        URL of the operator's proxy; empty for none.
    cookies
        A cookie file within ``folder``; None for none.
    """

    def __init__(
        self, folder: Path, limits: FetchLimits, hosts: Collection[str], proxy: str = "", cookies: Path | None = None
    ) -> None:
        self._limits, self._hosts = limits, hosts
        self._words = _WarningCollector()
        self.received_unpacked = 0
        super().__init__({**_options(folder, limits, proxy, cookies), "logger": self._words})

    def build_request_director(self, handlers: Collection[type[RequestHandler]], preferences: Any = None) -> Any:
        """Keep only the allowed request handlers: no native code, ftp, data URLs, files or web sockets."""
        kept = [handler for handler in handlers if handler.RH_KEY in _HANDLERS]
        return super().build_request_director(kept, preferences)

    def extract_info(self, url: str, *args: Any, **options: Any) -> Any:
        """Extract a page if its host is allowed; redirects between pages pass through here, too."""
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and not allows(self._hosts, parts.hostname or ""):
            raise CodedFailure("link-host")
        return super().extract_info(url, *args, **options)

    def urlopen(self, request: Any) -> Any:
        """Open a URL; the bytes read from it are counted after decompression."""
        url = request if isinstance(request, str) else request.url
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            raise CodedFailure("link-no-music")
        if parts.hostname and not is_outside(parts.hostname):
            raise CodedFailure("link-inside")
        try:
            response = super().urlopen(request)
        except HTTPError as error:
            self._count(error.response)
            raise
        if _declared_bytes(response) > self._limits.file_bytes:
            raise CodedFailure("too-large")
        self._count(response)
        return response

    def _count(self, response: Response) -> None:
        """Make a response deliver small chunks, however much is requested at once."""
        read: Callable[[int], bytes] = response.read

        def counted(amount: int | None = None) -> bytes:
            pieces, wanted = [], sys.maxsize if amount is None else amount
            while wanted > 0 and (piece := read(min(wanted, CHUNK_BYTES))):
                wanted -= len(piece)
                self.received_unpacked += len(piece)
                if self.received_unpacked > self._limits.file_bytes + self._limits.page_bytes:
                    raise CodedFailure("too-large")
                pieces.append(piece)
            return b"".join(pieces)

        response.read = counted

    def song(self, link: str, item: int | None, most: int = DEFAULT_PLAYLIST_SONGS) -> dict[str, Any]:
        """Return yt-dlp's description of the song at a link, without downloading it.

        Parameters
        ----------
        item
            Number of the song in a playlist, from 1; None if a single song is expected.
        most
            The largest number of songs of a playlist to describe.

        Raises
        ------
        CodedFailure
            For example ``link-list`` for a playlist if no item was named.
        """
        result = self.extract_info(link, download=False, process=False)
        named: dict[str, Any] = {}
        for _ in range(HOPS):
            kind = (result or {}).get("_type", "video")
            if not result:
                raise CodedFailure("link-no-music")
            if kind == "video":
                return {**result, **named}
            if kind in {"playlist", "multi_video"}:
                entry, item = entry_of(result, item, most), None
                outer = ("extractor", "extractor_key", "webpage_url", "original_url")
                result = {**{key: result[key] for key in outer if key in result}, **entry}
            elif kind in {"url", "url_transparent"}:
                if kind == "url_transparent":
                    named = {key: result[key] for key in ("title", "uploader") if result.get(key)} | named
                result = self.extract_info(result["url"], download=False, ie_key=result.get("ie_key"), process=False)
            else:
                break
        raise CodedFailure("link-no-music")

    def songs(self, link: str, most: int) -> dict[str, Any]:
        """Return the report on the songs at a link for the parent process, without downloading them."""
        try:
            song = self.song(link, None, most)
        except CodedFailure as found:
            if found.playlist is None:
                raise
            return dict(found.playlist)
        self.check(song)
        only = {key: song[key] for key in ("title", "uploader") if isinstance(song.get(key), str)}
        return {"songs": [{"number": 1, "link": link, **only}], "count": 1, "complete": True}

    def fetch(self, link: str, item: int | None) -> dict[str, Any]:
        """Download the song and return its description."""
        song = self.song(link, item)
        self.check(song)
        fetched: dict[str, Any] = self.process_ie_result(song, download=True)
        return fetched

    @contextmanager
    def missing_script_told(self) -> Iterator[None]:
        """Replace an error by ``link-script`` if its cause was that a site's script could not be run."""
        try:
            yield
        except Exception as error:
            if self._words.lacks_script and code_of(error) in _SCRIPTLESS:
                raise CodedFailure("link-script") from error
            raise

    def check(self, song: dict[str, Any]) -> None:
        """Reject a song by what its site declares; the real size and length are checked later."""
        if song.get("is_live") or song.get("live_status") in {"is_live", "is_upcoming", "post_live"}:
            raise CodedFailure("link-live")
        if song.get("_has_drm"):
            raise CodedFailure("link-drm")
        duration = song.get("duration")
        if isinstance(duration, int | float) and duration > self._limits.song_seconds:
            raise CodedFailure("too-long")
        if song.get("availability") == "private":
            raise CodedFailure("link-private")


def bound_parsing() -> None:
    """Have yt-dlp search only the first part of a page for players of other sites."""
    search = GenericIE._extract_embeds

    def search_first_part(extractor: GenericIE, url: str, webpage: str, **more: Any) -> Any:
        return search(extractor, url, first_part(webpage), **more)

    GenericIE._extract_embeds = search_first_part


def first_part(webpage: str) -> str:
    """Return as much of a page as is searched."""
    following = itertools.islice(_EMBED.finditer(webpage, 0, PARSED_CHARACTERS), PARSED_EMBEDS, None)
    past = next(following, None)
    return webpage[: PARSED_CHARACTERS if past is None else past.start()]


def _options(folder: Path, limits: FetchLimits, proxy: str, cookies: Path | None) -> dict[str, Any]:
    wanted = (
        f"ba[filesize<?{limits.file_bytes}][{_PROTOCOLS}]/ba[{_PROTOCOLS}]"
        f"/b[height<=?{_TAME_HEIGHT}][{_PROTOCOLS}]/w[acodec!=none][{_PROTOCOLS}]"
    )
    return {
        "format": wanted,
        "outtmpl": {"default": SONG_NAME},
        "paths": {"home": str(folder), "temp": str(folder)},
        "proxy": proxy,
        "cookiefile": None if cookies is None else str(cookies),
        "match_filter": _LiveAfterAll(),
        "quiet": True,
        "noprogress": True,
        "no_color": True,
        "noplaylist": True,
        "playlist_items": "1",
        "usenetrc": False,
        "cachedir": False,
        "postprocessors": [],
        "fixup": "never",
        "ffmpeg_location": str(folder / "no-ffmpeg"),
        "hls_prefer_native": True,
        "external_downloader": "native",
        "concurrent_fragment_downloads": 1,
        "skip_unavailable_fragments": False,
        "continuedl": False,
        "overwrites": True,
        "check_formats": False,
        "socket_timeout": limits.silence_seconds,
        "retries": 2,
        "extractor_retries": 1,
        "fragment_retries": 2,
        "file_access_retries": 0,
        "ignoreerrors": False,
        "allow_unplayable_formats": False,
        "enable_file_urls": False,
        "remote_components": [],
        "js_runtimes": {"deno": {}},
    }


class _LiveAfterAll:
    """Filters songs once their formats are known: some sites declare live streams and lengths only there."""

    def __call__(self, info: dict[str, Any], *, incomplete: bool) -> str | None:
        if not incomplete and info.get("is_live"):
            raise CodedFailure("link-live")
        return None


class _WarningCollector:
    """Receives yt-dlp's log messages and keeps only what matters.

    Attributes
    ----------
    lacks_script
        Whether yt-dlp warned that a site's script needs a JavaScript runtime that is missing.
    """

    def __init__(self) -> None:
        self.lacks_script = False

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...

    def warning(self, message: str, **_: object) -> None:
        self.lacks_script = self.lacks_script or NO_RUNTIME in message


def _declared_bytes(response: Response) -> int:
    """Return a file's size in bytes as its server declares it, or 0; for a range, the size of the entire file."""
    whole = (response.headers.get("Content-Range") or "").rpartition("/")[2]
    length = response.headers.get("Content-Length") or ""
    return max((int(text) for text in (whole, length) if text.isdecimal() and len(text) < 20), default=0)
