"""Fetches links, each in a child process of its own that is always cleaned up.

The child confines itself (``subprocess_main``). Its output is untrusted: only error codes, titles and counts are read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import stat
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from common.errors import EmptyFile, TooLarge
from common.units import MEBIBYTE
from links.address import ANY_HOST, clean_name, parse_link
from links.errors import LinkError, LinkTimeout, PlaylistFound, error_from_code
from links.playlist import DEFAULT_PLAYLIST_SONGS, MAX_PLAYLIST_SONGS, full_name
from links.playlist_parsing import parse_playlist

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Collection, Iterator

    from links.limits import FetchLimits
    from links.playlist import Playlist

ROOT: Final = Path(__file__).resolve().parents[1]
CHILD: Final = ("-sPB", "-m", "links.subprocess_main")
COOKIES: Final = "cookies.txt"
SONG: Final = "song"
MESSAGE_BYTES: Final = 2 * MEBIBYTE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FetchedSong:
    """A song that was fetched.

    Attributes
    ----------
    path
        Its file.
    title, uploader
        As the site reports them, cleaned for display; None if unknown.
    """

    path: Path
    title: str | None
    uploader: str | None

    @property
    def name(self) -> str | None:
        """The title and uploader in one line."""
        return full_name(self.title, self.uploader)


class Fetcher:
    """Fetches songs from links and lists playlists.

    Parameters
    ----------
    limits
        Limits of one fetch.
    hosts
        Host names that may be opened; ``*`` for any.
    proxy
        URL of the operator's proxy, used for all traffic; empty for none.
    cookies
        The operator's cookie file; None for none.
    """

    def __init__(
        self, limits: FetchLimits, *, hosts: Collection[str] = (ANY_HOST,), proxy: str = "", cookies: Path | None = None
    ) -> None:
        self.limits, self.hosts = limits, tuple(hosts)
        self._proxy, self._cookies = proxy, cookies

    async def fetch(
        self, link: str, folder: Path, *, item: int | None = None, on_bytes: Callable[[int], None] | None = None
    ) -> FetchedSong:
        """Fetch the one song at a link.

        Cancelling the task that awaits this kills the child at once.

        Parameters
        ----------
        folder
            Where the file is put. Nothing else is left there, and nothing at all on failure.
        item
            Number of the song in a playlist, from 1; None for a link to one song.
        on_bytes
            Called now and then with the number of bytes received so far, web pages included.

        Raises
        ------
        SongError
            A ``LinkError``, ``TooLong``, ``TooLarge`` or ``EmptyFile``. ``PlaylistFound`` carries the songs.
        """
        link = parse_link(link, self.hosts)
        with _own_place(folder) as place:
            names = await self._run(link, place, on_bytes, item=item)
            path = self._take(place / SONG, folder)
        return FetchedSong(path, clean_name(names.get("title")), clean_name(names.get("uploader")))

    async def list_songs(self, link: str, folder: Path, *, most: int = DEFAULT_PLAYLIST_SONGS) -> Playlist:
        """List the songs at a link: a playlist, an album, a feed, a page, or a single song.

        Nothing is downloaded; pass an item's ``link`` and ``item`` to ``fetch``. Can be cancelled like ``fetch``.

        Parameters
        ----------
        folder
            A folder for the child's temporary files; it is left empty.
        most
            The largest number of songs to list, up to ``MAX_PLAYLIST_SONGS``.

        Raises
        ------
        SongError
            As ``fetch`` does, but never ``PlaylistFound``.
        """
        link = parse_link(link, self.hosts)
        with _own_place(folder) as place:
            done = await self._run(link, place, None, most=max(1, min(most, MAX_PLAYLIST_SONGS)))
        return parse_playlist(done.get("list"), link, self.hosts)

    async def _run(
        self,
        link: str,
        place: Path,
        on_bytes: Callable[[int], None] | None,
        *,
        item: int | None = None,
        most: int | None = None,
    ) -> dict[str, Any]:
        if self._cookies is not None:
            await asyncio.to_thread(shutil.copyfile, self._cookies, place / COOKIES)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *CHILD,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=MESSAGE_BYTES,
            cwd=place,
            env=_environment(place),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self.limits.seconds):
                await self._order(process, link=link, item=item, most=most)
                return await self._follow(process, link, on_bytes)
        except TimeoutError:
            raise LinkTimeout(seconds=self.limits.seconds) from None
        finally:
            await _end(process)

    async def _order(self, process: Process, **wanted: str | int | None) -> None:
        """Send the child its order on standard input, since command lines are visible in process lists."""
        if process.stdin is None:
            raise RuntimeError("the child has no standard input")
        order = {
            "parent": os.getpid(),
            **wanted,
            "limits": asdict(self.limits),
            "hosts": self.hosts,
            "proxy": self._proxy,
            "cookies": self._cookies is not None,
        }
        with suppress(ConnectionError):  # it has died, which reading its output will show
            process.stdin.write(json.dumps(order).encode() + b"\n")
            await process.stdin.drain()

    async def _follow(self, process: Process, link: str, on_bytes: Callable[[int], None] | None) -> dict[str, Any]:
        """Read the child's messages until it ends."""
        while True:
            message = await _next_message(process)
            received = message.get("bytes")
            if isinstance(received, int):
                if on_bytes is not None:
                    on_bytes(received)
                continue
            done = message.get("done")
            if isinstance(done, dict):
                return done
            code = message.get("error")
            log.info("a link could not be fetched: %s: %s", code, message.get("why", ""))
            if code == PlaylistFound.code and "list" in message:
                raise PlaylistFound(parse_playlist(message["list"], link, self.hosts))
            raise error_from_code(str(code), self.limits)

    def _take(self, made: Path, folder: Path) -> Path:
        """Move the downloaded file out of the child's folder if it is a regular file."""
        try:
            state = made.lstat()
        except FileNotFoundError:
            raise LinkError from None
        if not stat.S_ISREG(state.st_mode):
            raise LinkError
        if state.st_size > self.limits.file_bytes:
            raise TooLarge(megabytes=self.limits.megabytes)
        if not state.st_size:
            raise EmptyFile
        return made.rename(folder / SONG)


@contextmanager
def _own_place(folder: Path) -> Iterator[Path]:
    """Create a folder for the child and delete it in the end."""
    place = folder / "link"
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _environment(place: Path) -> dict[str, str]:
    """Return a minimal environment for the child, without the bot's secrets or any library's settings."""
    return {
        # Deno may have been installed beside the interpreter, which need not be on the bot's own path.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "PYTHONPATH": str(ROOT),
        "HOME": str(place),
        "TMPDIR": str(place),
        "XDG_CONFIG_HOME": str(place),
        "XDG_CACHE_HOME": str(place),
        "LANG": "C.UTF-8",
        "YTDLP_NO_PLUGINS": "1",
        "DENO_NO_UPDATE_CHECK": "1",
    }


async def _next_message(process: Process) -> dict[str, Any]:
    """Return the child's next message; one that cannot be parsed counts as its end."""
    if process.stdout is None:
        raise RuntimeError("the child has no standard output")
    try:
        message = json.loads(await process.stdout.readline())
    except ValueError:  # nothing, an incomplete line, or one that is too long
        message = None
    if isinstance(message, dict):
        return message
    status = process.returncode
    if status is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                status = await process.wait()
    return {"error": "link-too-complex" if status == -signal.SIGXCPU else "link-failed", "why": f"it died: {status}"}


async def _end(process: Process) -> None:
    """Kill the child and its descendants and wait for its end, even if this task is cancelled meanwhile."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    gone = asyncio.ensure_future(_gone(process))
    try:
        await asyncio.shield(gone)
    except asyncio.CancelledError:
        # The child ends within moments; the cancellation is raised after that.
        await asyncio.wait([gone])
        raise


async def _gone(process: Process) -> None:
    """Wait for a killed child; asyncio notices its end only after all of its output was read."""
    while process.stdout is not None and await process.stdout.read(MESSAGE_BYTES):
        pass
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
