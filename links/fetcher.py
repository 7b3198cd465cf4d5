"""A link's file, fetched by a child process of its own; whatever happens, nothing of that process is left.

What the child may do is its own room's matter (``child``); of what it says, nothing is believed but codes and names.
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
from links.address import ANY_HOST, clean_name, read_link
from links.errors import LinkError, LinkTimeout, ManySongs, error_of
from links.playlist import LIST_SONGS, MOST_LIST_SONGS, full_name, read_listing

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Collection, Iterator

    from links.limits import Limits
    from links.playlist import Listing

ROOT: Final = Path(__file__).resolve().parents[1]
CHILD: Final = ("-sPB", "-m", "links.subprocess_main")
COOKIES: Final = "cookies.txt"
SONG: Final = "song"
MESSAGE_BYTES: Final = 2 * MEBIBYTE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A song that was fetched.

    Attributes
    ----------
    path
        Its file.
    title, uploader
        What its site calls it and whoever put it there, fit to be shown; None where it says nothing.
    """

    path: Path
    title: str | None
    uploader: str | None

    @property
    def name(self) -> str | None:
        """Title and uploader in one line."""
        return full_name(self.title, self.uploader)


class Fetcher:
    """Fetches links.

    Parameters
    ----------
    limits
        What one fetch may use.
    hosts
        Sites whose pages may be looked at; ``*`` for any.
    proxy
        The operator's filtering proxy, through which everything goes; empty for none.
    cookies
        The operator's cookie file; None for none.
    """

    def __init__(
        self, limits: Limits, *, hosts: Collection[str] = (ANY_HOST,), proxy: str = "", cookies: Path | None = None
    ) -> None:
        self.limits, self.hosts = limits, tuple(hosts)
        self._proxy, self._cookies = proxy, cookies

    async def fetch(
        self, link: str, folder: Path, *, item: int | None = None, on_bytes: Callable[[int], None] | None = None
    ) -> Fetched:
        """Fetch the one song at a link.

        Cancelling the task that awaits this kills the child at once.

        Parameters
        ----------
        folder
            Where the file goes; nothing else is left in it, and nothing at all if there is no song.
        item
            Which song of a list, from 1; None if the link is not known to be one.
        on_bytes
            Told now and then how many bytes have arrived, pages included.

        Raises
        ------
        SongError
            A ``LinkError``, ``TooLong``, ``TooLarge`` or ``EmptyFile``. ``ManySongs`` tells which songs there are.
        """
        link = read_link(link, self.hosts)
        with _own_place(folder) as place:
            names = await self._run(link, place, on_bytes, item=item)
            path = self._take(place / SONG, folder)
        return Fetched(path, clean_name(names.get("title")), clean_name(names.get("uploader")))

    async def list_songs(self, link: str, folder: Path, *, most: int = LIST_SONGS) -> Listing:
        """Return the songs at a link: those of a playlist, an album, a feed or a page, or the one that it leads to.

        No song is fetched: each item's ``link`` and ``item`` are what ``fetch`` takes. Cancelling is as there.

        Parameters
        ----------
        folder
            Where the child may write; nothing is left in it.
        most
            As many songs are told of; at most ``MOST_LIST_SONGS``.

        Raises
        ------
        SongError
            As ``fetch`` does, but never ``ManySongs``.
        """
        link = read_link(link, self.hosts)
        with _own_place(folder) as place:
            done = await self._run(link, place, None, most=max(1, min(most, MOST_LIST_SONGS)))
        return read_listing(done.get("list"), link, self.hosts)

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
        """Tell the child what to do, on a way that no list of processes shows."""
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
        with suppress(ConnectionError):  # it has died: what it says tells as much
            process.stdin.write(json.dumps(order).encode() + b"\n")
            await process.stdin.drain()

    async def _follow(self, process: Process, link: str, on_bytes: Callable[[int], None] | None) -> dict[str, Any]:
        """Listen to the child until its end."""
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
            if code == ManySongs.code and "list" in message:
                raise ManySongs(read_listing(message["list"], link, self.hosts))
            raise error_of(str(code), self.limits)

    def _take(self, made: Path, folder: Path) -> Path:
        """Take the child's file out of its folder, if it is one."""
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
    """Make the child's folder, which goes again whatever happens."""
    place = folder / "link"
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _environment(place: Path) -> dict[str, str]:
    """Return the child's environment: nothing of the bot's own, so no secret and no setting of some library."""
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
    """Return the child's next message; one that says nothing that could be understood counts as its end."""
    if process.stdout is None:
        raise RuntimeError("the child has no standard output")
    try:
        message = json.loads(await process.stdout.readline())
    except ValueError:  # nothing, half a line, or far too much of one
        message = None
    if isinstance(message, dict):
        return message
    status = process.returncode
    if status is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                status = await process.wait()
    return {"error": "link-timeout" if status == -signal.SIGXCPU else "link-failed", "why": f"it died: {status}"}


async def _end(process: Process) -> None:
    """Kill the child and all that it started, and wait until it is gone, even while being cancelled."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    gone = asyncio.ensure_future(_gone(process))
    try:
        await asyncio.shield(gone)
    except asyncio.CancelledError:
        # It will be gone in a moment; then the cancellation goes on.
        await asyncio.wait([gone])
        raise


async def _gone(process: Process) -> None:
    """Wait until a killed child is gone; asyncio does not see its end while something that it said is unread."""
    while process.stdout is not None and await process.stdout.read(MESSAGE_BYTES):
        pass
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
