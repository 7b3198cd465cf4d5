"""The songs that a data set is built from: files, folders and patterns; links to songs, playlists, albums and feeds."""

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

from classifier.file_arguments import CannotRead, expand_files
from common.errors import SongError
from common.units import MEGABYTE
from links import MAX_PLAYLIST_SONGS, Fetcher, FetchLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from links import Playlist, PlaylistItem


MAX_MEGABYTES: Final = 500
"""Maximum size of a song that is fetched from a link."""
_LINK: Final = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """A song named on the command line, or the problem with it.

    Attributes
    ----------
    name
        Name of its rows, unless its site provides a title.
    text
        The path as given, or the link; for a song without a link of its own, the link of its list, ``#`` and a number.
    path, item
        Its file, or how to fetch it.
    problem
        Why it is not available.
    """

    name: str
    text: str
    path: Path | None = None
    item: PlaylistItem | None = None
    problem: SongError | None = None


@dataclass(frozen=True, slots=True)
class LocalSong:
    """The local file of a song while it is needed.

    Attributes
    ----------
    content
        SHA-256 of the file in hexadecimal.
    """

    path: Path
    name: str
    content: str


def make_fetcher(max_minutes: float, environment: Mapping[str, str] = os.environ) -> Fetcher:
    """Return the fetcher for links; it uses LINK_HOSTS, LINK_PROXY and LINK_COOKIES like the bot."""
    hosts = tuple(host.strip().lower() for host in environment.get("LINK_HOSTS", "").split(",") if host.strip())
    cookies = environment.get("LINK_COOKIES")
    return Fetcher(
        FetchLimits(file_bytes=MAX_MEGABYTES * MEGABYTE, song_seconds=60 * max_minutes),
        hosts=hosts or ("*",),
        proxy=environment.get("LINK_PROXY", ""),
        cookies=Path(cookies) if cookies else None,
    )


async def find(names: Iterable[str], fetcher: Fetcher, on_list: Callable[[str, Playlist], None]) -> list[DatasetSource]:
    """Return the songs that the arguments of a command line name.

    Parameters
    ----------
    names
        Files, folders, patterns and links, in any order.
    told
        Called with each link to several songs and its list.
    """
    found: list[DatasetSource] = []
    for name in names:
        if _LINK.match(name):
            found += await _behind_link(name, fetcher, on_list)
        else:
            listed = expand_files([name])
            found += [
                DatasetSource(Path(one.name).name, one.name, Path(one.name), problem=one.problem) for one in listed
            ]
    return list({source.text: source for source in found}.values())


async def _behind_link(link: str, fetcher: Fetcher, on_list: Callable[[str, Playlist], None]) -> list[DatasetSource]:
    with tempfile.TemporaryDirectory(prefix="genre-bot-") as folder:
        try:
            listing = await fetcher.list_songs(link, Path(folder), most=MAX_PLAYLIST_SONGS)
        except SongError as error:
            return [DatasetSource(link, link, problem=error)]
    if len(listing.items) > 1 or not listing.complete:
        on_list(link, listing)
    return [
        DatasetSource(
            item.title or item.link, item.link if item.item is None else f"{item.link}#{item.item}", item=item
        )
        for item in listing.items
    ]


@asynccontextmanager
async def local_copy(source: DatasetSource, fetcher: Fetcher) -> AsyncIterator[LocalSong]:
    """Provide the file of a song, fetching it if necessary; a fetched file is deleted at the end.

    Raises
    ------
    SongError
        If it is not available.
    """
    if source.problem is not None:
        raise source.problem
    if source.path is not None:
        try:
            yield LocalSong(source.path, source.name, await asyncio.to_thread(_sha256, source.path))
        except OSError as error:
            raise CannotRead from error
        return
    if source.item is None:
        raise CannotRead
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="genre-bot-"))
    try:
        fetched = await fetcher.fetch(source.item.link, folder, item=source.item.item)
        yield LocalSong(fetched.path, fetched.name or source.name, await asyncio.to_thread(_sha256, fetched.path))
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
