"""The web sites of the hostile world, each a request handler."""

from __future__ import annotations

import asyncio
import gzip
import io
import socket
import struct
import wave
import zlib
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import brotli  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PUBLIC = "45.0.0.2"
PUBLIC_6 = "2600:beef::2"
MANY = 50_000_000
TICK_SECONDS = 0.2


@cache
def song(seconds: float = 0.5) -> bytes:
    """A short WAV file of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(int(16000 * seconds)))
    return file.getvalue()


@cache
def bomb(encoding: str = "gzip") -> bytes:
    """Fifty megabytes compressed to fifty kilobytes or far less."""
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": lambda content: brotli.compress(content, quality=1),
        "gzip, gzip": lambda content: gzip.compress(gzip.compress(content)),
    }
    return pack[encoding](bytes(MANY))


class Visit:
    """One request, with ways to answer it."""

    def __init__(self, method: str, target: str, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(target)
        self.method, self.path, self.writer = method, parts.path, writer
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.to = self.query.get("to", "")

    async def head(self, status: str = "200 OK", **headers: object) -> None:
        lines = [f"HTTP/1.1 {status}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        await self.writer.drain()

    async def body(self, content: bytes | str, kind: str = "text/html", status: str = "200 OK", **more: object) -> None:
        content = content.encode() if isinstance(content, str) else content
        await self.head(status, Content_Type=kind, Content_Length=len(content), **more)
        if self.method != "HEAD":
            self.writer.write(content)
            await self.writer.drain()

    async def pour(self, chunk: bytes = bytes(16_384), *, chunked: bool = False) -> None:
        for _ in range(MANY // len(chunk)):
            self.writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
            await self.writer.drain()

    async def drip(self, content: bytes) -> None:
        for byte in content:
            self.writer.write(bytes([byte]))
            await self.writer.drain()
            await asyncio.sleep(TICK_SECONDS)

    def reset(self) -> None:
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def good(visit: Visit) -> None:
    await visit.body(song(), "audio/wav")


async def large(visit: Visit) -> None:
    await visit.body(song(2), "audio/wav")


async def untyped(visit: Visit) -> None:
    await visit.body(song(), "application/octet-stream")


async def redirect(visit: Visit) -> None:
    await visit.head(f"{visit.query['status']} Elsewhere", Location=visit.to, Content_Length=0)


async def refresh(visit: Visit) -> None:
    await visit.body(f'<html><head><meta http-equiv="refresh" content="0; URL={visit.to}"></head></html>')


async def again(visit: Visit) -> None:
    number = int(visit.query.get("n", 0)) + 1
    await visit.body(f'<html><head><meta http-equiv="refresh" content="0; URL=/again?n={number}"></head></html>')


async def element(visit: Visit) -> None:
    await visit.body(f'<html><title>A page</title><audio src="{visit.to}"></audio></html>')


async def elements(visit: Visit) -> None:
    songs = "".join(f'<audio src="/song.wav?{number}"></audio>' for number in range(3))
    await visit.body(f"<html><title>Three songs</title>{songs}</html>")


async def feed(visit: Visit) -> None:
    items = f'<item><title>One</title><enclosure url="{visit.to}" type="audio/mpeg"/></item>'
    await visit.body(
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{items}</channel></rss>', "text/xml"
    )


async def episodes(visit: Visit) -> None:
    """A feed of several episodes, oldest first, one at a private address and one without a valid URL."""
    days = {1: "/song.wav?1", 2: "http://10.1.2.3/song.wav", 3: f"http://{PUBLIC}/song.wav?3", 4: "not://a/link"}
    items = "".join(
        f"<item><title>@everyone day {day}</title><pubDate>0{day} Nov 2026 00:00:00 GMT</pubDate>"
        f'<guid>g{day}</guid><enclosure url="{link}" type="audio/wav"/></item>'
        for day, link in days.items()
    )
    await visit.body(f'<rss version="2.0"><channel><title>Days</title>{items}</channel></rss>', "text/xml")


async def endless_feed(visit: Visit) -> None:
    items = "".join(f"<item><title>{n}</title><link>http://{PUBLIC}/{n}</link></item>" for n in range(2000))
    await visit.body(f'<rss version="2.0"><channel><title>Many</title>{items}</channel></rss>', "text/xml")


async def media_list(visit: Visit) -> None:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2"]
    lines += [f'#EXT-X-KEY:METHOD=AES-128,URI="{visit.query["key"]}"'] if "key" in visit.query else []
    lines += ['#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key"'] if "drm" in visit.query else []
    lines += [f'#EXT-X-MAP:URI="{visit.query["map"]}"'] if "map" in visit.query else []
    for number in range(int(visit.query.get("parts", 2))):
        lines += ["#EXTINF:2,", f"{visit.to}{'&' if '?' in visit.to else '?'}{number}"]
    lines += [] if "live" in visit.query else ["#EXT-X-ENDLIST"]
    await visit.body("\n".join(lines), "application/vnd.apple.mpegurl")


async def master_list(visit: Visit) -> None:
    lines = ["#EXTM3U", '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"', visit.to]
    await visit.body("\n".join(lines), "application/vnd.apple.mpegurl")


async def plain_list(visit: Visit) -> None:
    await visit.body(f"#EXTM3U\n#EXTINF:123,Song\n{visit.to}\n", "audio/x-mpegurl")


async def dash(visit: Visit) -> None:
    await visit.body(
        '<?xml version="1.0"?>'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S">'
        '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="64000" codecs="mp4a.40.2">'
        f"<SegmentList duration='2'><SegmentURL media='{visit.to}'/><SegmentURL media='{visit.to}'/></SegmentList>"
        "</Representation></AdaptationSet></Period></MPD>",
        "application/dash+xml",
    )


async def slow_head(visit: Visit) -> None:
    await visit.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 100)


async def slow_body(visit: Visit) -> None:
    await visit.head(Content_Type="audio/wav", Content_Length=100_000)
    await visit.drip(bytes(1000))


async def silent(visit: Visit) -> None:
    await asyncio.sleep(60)  # longer than any fetch may last; the fetch under test ends it


async def endless(visit: Visit) -> None:
    await visit.head(Content_Type=visit.query.get("kind", "audio/wav"))
    await visit.pour()


async def endless_chunks(visit: Visit) -> None:
    await visit.head(Content_Type="audio/wav", Transfer_Encoding="chunked")
    await visit.pour(chunked=True)


async def endless_redirect(visit: Visit) -> None:
    await visit.head("302 Found", Location="/song.wav")
    await visit.pour()


async def endless_error(visit: Visit) -> None:
    await visit.head("404 Not Found", Content_Type="text/html")
    await visit.pour()


async def endless_head(visit: Visit) -> None:
    visit.writer.write(b"HTTP/1.1 200 OK\r\n")
    await visit.pour(b"X-More: " + bytes(b"a" * 8000) + b"\r\n")


async def declared_large(visit: Visit) -> None:
    await visit.head(Content_Type="audio/wav", Content_Length=MANY)
    await visit.pour()


async def lying_head(visit: Visit) -> None:
    await (visit.body(song(), "audio/wav") if visit.method == "HEAD" else endless(visit))


async def packed(visit: Visit) -> None:
    kind, encoding = visit.query.get("kind", "text/html"), visit.query.get("encoding", "gzip")
    await visit.body(bomb(encoding), kind, visit.query.get("status", "200 OK"), Content_Encoding=encoding)


async def truncated(visit: Visit) -> None:
    await visit.head(Content_Type="audio/wav", Content_Length=100_000)
    visit.writer.write(bytes(1000))


async def cut(visit: Visit) -> None:
    await visit.head(Content_Type="audio/wav", Content_Length=100_000)
    visit.writer.write(bytes(1000))
    await visit.writer.drain()
    visit.reset()


async def refused(visit: Visit) -> None:
    visit.reset()


async def nonsense(visit: Visit) -> None:
    visit.writer.write(b"\0\xff nothing that is HTTP\r\n\r\n")


async def status(visit: Visit) -> None:
    await visit.body("<html><title>No</title>This is all.</html>", status=visit.query["status"])


async def empty(visit: Visit) -> None:
    await visit.body(b"", "audio/wav")


async def page(visit: Visit) -> None:
    await visit.body("<html><title>Nothing here</title>Words alone.</html>")


async def page_as_song(visit: Visit) -> None:
    await visit.body("<html><title>Nothing here</title>Words alone.</html>", "audio/mpeg")


async def song_as_page(visit: Visit) -> None:
    await visit.body(song(), "text/html")


async def titled(visit: Visit) -> None:
    title = "@everyone **x** &lt;b&gt; \u202eevil\u0007 [a](http://b)"
    await visit.body(f"<html><title>{title}</title><audio src='/song.wav'></audio></html>")


async def long_song(visit: Visit) -> None:
    await visit.body(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9999\n#EXTINF:9999,\n/part.ts\n#EXT-X-ENDLIST", "application/x-mpegurl"
    )


ROUTES: dict[str, Callable[[Visit], Awaitable[None]]] = {
    "/song.wav": good,
    "/song": untyped,
    "/part.ts": good,
    "/large.ts": large,
    "/redirect": redirect,
    "/refresh": refresh,
    "/again": again,
    "/element": element,
    "/elements": elements,
    "/feed.xml": feed,
    "/episodes.xml": episodes,
    "/many.xml": endless_feed,
    "/list.m3u8": media_list,
    "/master.m3u8": master_list,
    "/list.m3u": plain_list,
    "/list.mpd": dash,
    "/slow-head": slow_head,
    "/slow-body.wav": slow_body,
    "/silent": silent,
    "/endless.wav": endless,
    "/endless-chunks.wav": endless_chunks,
    "/endless-redirect": endless_redirect,
    "/endless-error": endless_error,
    "/endless-head": endless_head,
    "/declared.wav": declared_large,
    "/lying-head.wav": lying_head,
    "/packed": packed,
    "/truncated.wav": truncated,
    "/cut.wav": cut,
    "/refused": refused,
    "/nonsense": nonsense,
    "/status": status,
    "/empty.wav": empty,
    "/page": page,
    "/page-as-song": page_as_song,
    "/song-as-page": song_as_page,
    "/titled": titled,
    "/long.m3u8": long_song,
}
