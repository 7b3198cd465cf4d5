"""yt-dlp as it runs in the child process: what it may do, and what may be read through it.

What its errors mean is told by ``meanings``; that it stays outside is the matter of ``guard``.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yt_dlp
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
"""From a page to the one that it embeds, and on."""
CHUNK_BYTES: Final = 64 * 1024
_PROTOCOLS: Final = "protocol~='^(https?|m3u8(_native)?|http_dash_segments)$'"
_TAME_HEIGHT: Final = 480
NO_RUNTIME: Final = "No supported JavaScript runtime"
"""What yt-dlp's warning begins with."""
_SCRIPTLESS: Final = frozenset({"link-no-music", "link-not-found", "link-failed"})
"""What a site looks like whose script could not be run."""
_HANDLERS: Final = ("Requests",)
"""The one way out that knows only http and https, streams what it reads, and connects through Python's sockets."""


class YtDlpClient(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """yt-dlp, held to http and https, to the allowed hosts, and to what a fetch may receive.

    Parameters
    ----------
    folder
        Where the file goes.
    limits, hosts
        What may be received, and from which sites' pages.
    proxy
        The operator's; empty for none.
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
        """Leave all ways out but one: no native code, no ftp, no data, no files, no web sockets."""
        kept = [handler for handler in handlers if handler.RH_KEY in _HANDLERS]
        return super().build_request_director(kept, preferences)

    def extract_info(self, url: str, *args: Any, **options: Any) -> Any:
        """Look at a page, if it is one that may be looked at: every redirect of a page comes by here, too."""
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and not allows(self._hosts, parts.hostname or ""):
            raise CodedFailure("link-host")
        return super().extract_info(url, *args, **options)

    def urlopen(self, request: Any) -> Any:
        """Open an address; what is read from it is counted after unpacking."""
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
        """Have a response read in small pieces, however much is asked for at once."""
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
        """Return what is known of the one song at a link, before anything of it is fetched.

        Parameters
        ----------
        item
            Which one of a list, from 1; None if a list is not expected.
        most
            How many songs of such a list are told of.

        Raises
        ------
        Found
            Among others ``link-list`` for a list that no item was named of.
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
        """Return what there is at a link, as the parent is told of it; nothing of it is fetched."""
        try:
            song = self.song(link, None, most)
        except CodedFailure as found:
            if found.listing is None:
                raise
            return dict(found.listing)
        self.check(song)
        only = {key: song[key] for key in ("title", "uploader") if isinstance(song.get(key), str)}
        return {"songs": [{"number": 1, "link": link, **only}], "count": 1, "complete": True}

    def fetch(self, link: str, item: int | None) -> dict[str, Any]:
        """Fetch the song's file and return what is known of it."""
        song = self.song(link, item)
        self.check(song)
        fetched: dict[str, Any] = self.process_ie_result(song, download=True)
        return fetched

    @contextmanager
    def missing_script_told(self) -> Iterator[None]:
        """Where a song is not found only because a site's script could not be run, say so."""
        try:
            yield
        except Exception as error:
            if self._words.lacks_script and code_of(error) in _SCRIPTLESS:
                raise CodedFailure("link-script") from error
            raise

    def check(self, song: dict[str, Any]) -> None:
        """Turn a song away for what its site says of it; what the site says may be wrong, and is counted later."""
        if song.get("is_live") or song.get("live_status") in {"is_live", "is_upcoming", "post_live"}:
            raise CodedFailure("link-live")
        if song.get("_has_drm"):
            raise CodedFailure("link-drm")
        duration = song.get("duration")
        if isinstance(duration, int | float) and duration > self._limits.song_seconds:
            raise CodedFailure("too-long")
        if song.get("availability") == "private":
            raise CodedFailure("link-private")


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
    """Some sites tell that a song is live, or how long it is, only when its formats are looked at."""

    def __call__(self, info: dict[str, Any], *, incomplete: bool) -> str | None:
        if not incomplete and info.get("is_live"):
            raise CodedFailure("link-live")
        return None


class _WarningCollector:
    """Where yt-dlp's own words go: the parent process tells people, and the log.

    Attributes
    ----------
    lacks_script
        Whether yt-dlp said that a site's script should have been run, but nothing is there that could.
    """

    def __init__(self) -> None:
        self.lacks_script = False

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...

    def warning(self, message: str, **_: object) -> None:
        self.lacks_script = self.lacks_script or NO_RUNTIME in message


def _declared_bytes(response: Response) -> int:
    """Return how long a server says that a file is, 0 where it does not; a range's is that of the whole."""
    whole = (response.headers.get("Content-Range") or "").rpartition("/")[2]
    length = response.headers.get("Content-Length") or ""
    return max((int(text) for text in (whole, length) if text.isdecimal() and len(text) < 20), default=0)
