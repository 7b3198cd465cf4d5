"""What a data set is built from: files, folders and patterns; links to songs, playlists, albums and feeds."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.file_arguments import CannotRead, expand
from common.errors import SongError
from common.units import MEGABYTE
from links import MAX_PLAYLIST_SONGS, Fetcher, FetchLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from links import Playlist, PlaylistItem

MOST_MEGABYTES: Final = 500
"""Of one song behind a link."""
_LINK: Final = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A song, or what is wrong with what was named.

    Attributes
    ----------
    name
        What its rows are called, until its site has named it.
    text
        A path as it was given, or a link; with the song's number after ``#``, where only its list has one.
    path, item
        Its file; or how it can be fetched.
    """

    name: str
    text: str
    path: Path | None = None
    item: PlaylistItem | None = None
    problem: SongError | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """A song's file, while it is here.

    Attributes
    ----------
    content
        SHA-256, in hexadecimal digits.
    """

    path: Path
    name: str
    content: str


def make_fetcher(max_minutes: float, environment: Mapping[str, str] = os.environ) -> Fetcher:
    """Return what fetches links; LINK_HOSTS, LINK_PROXY and LINK_COOKIES hold for it as they do for the bot."""
    hosts = tuple(host.strip().lower() for host in environment.get("LINK_HOSTS", "").split(",") if host.strip())
    cookies = environment.get("LINK_COOKIES")
    return Fetcher(
        FetchLimits(file_bytes=MOST_MEGABYTES * MEGABYTE, song_seconds=60 * max_minutes),
        hosts=hosts or ("*",),
        proxy=environment.get("LINK_PROXY", ""),
        cookies=Path(cookies) if cookies else None,
    )


async def find(names: Iterable[str], fetcher: Fetcher, told: Callable[[str, Playlist], None]) -> list[Source]:
    """Find the songs that are meant.

    Parameters
    ----------
    names
        Files, folders, patterns and links, in any order.
    told
        Called with each link to several songs and what there is at it.
    """
    found: list[Source] = []
    for name in names:
        if _LINK.match(name):
            found += await _behind(name, fetcher, told)
        else:
            listed = expand([name])
            found += [Source(Path(one.name).name, one.name, Path(one.name), problem=one.problem) for one in listed]
    return list({source.text: source for source in found}.values())


async def _behind(link: str, fetcher: Fetcher, told: Callable[[str, Playlist], None]) -> list[Source]:
    with tempfile.TemporaryDirectory(prefix="genre-bot-") as folder:
        try:
            listing = await fetcher.list_songs(link, Path(folder), most=MAX_PLAYLIST_SONGS)
        except SongError as error:
            return [Source(link, link, problem=error)]
    if len(listing.items) > 1 or not listing.complete:
        told(link, listing)
    return [
        Source(item.title or item.link, item.link if item.item is None else f"{item.link}#{item.item}", item=item)
        for item in listing.items
    ]


@asynccontextmanager
async def brought(source: Source, fetcher: Fetcher) -> AsyncIterator[Brought]:
    """Bring a song here; what was fetched is deleted again.

    Raises
    ------
    SongError
        If it cannot be had.
    """
    if source.problem is not None:
        raise source.problem
    if source.path is not None:
        try:
            yield Brought(source.path, source.name, await asyncio.to_thread(_sha256, source.path))
        except OSError as error:
            raise CannotRead from error
        return
    if source.item is None:
        raise CannotRead
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="genre-bot-"))
    try:
        fetched = await fetcher.fetch(source.item.link, folder, item=source.item.item)
        yield Brought(fetched.path, fetched.name or source.name, await asyncio.to_thread(_sha256, fetched.path))
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
