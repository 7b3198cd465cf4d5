"""Which release answers: notices that another one was promoted, and lets the bot go over to it without a pause.

How workers are brought over is the executor's business; which release deserves the place, ``classifier.training``'s.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from classifier.inference.executor import ReleaseRefused
from classifier.inference.manifest import MANIFEST, BadRelease, artifact_name, read_manifest, read_release

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
    from pathlib import Path

    from classifier.inference.executor import SongExecutor

    Meet = Callable[[Iterable[str]], Awaitable[None]]
    Announce = Callable[[str, tuple[str, ...]], None]

LOOK_SECONDS: Final = 3.0
REFUSED_SECONDS: Final = 300.0
"""A release that was refused is looked at again after this time, should what was missing have arrived."""
_NOT_OURS: Final = frozenset({"lost+found"})
"""What a file system of its own has in it from the beginning."""

log = logging.getLogger(__name__)


class ReleaseWatch:
    """Starts an executor, then looks at the manifest every few seconds.

    Parameters
    ----------
    model_dir
        Where the serving release lies; only its ``manifest.json`` is watched.
    executor
        Not started yet.
    """

    def __init__(self, model_dir: Path, executor: SongExecutor) -> None:
        self._model_dir = model_dir
        self._executor = executor
        self._looked_at: tuple[int, ...] | None = None
        self._serving: tuple[str, str] | None = None
        self._said = ""
        self._again_at = 0.0

    async def start(self) -> None:
        """Start the executor; whatever is promoted from now on will be noticed.

        Raises
        ------
        CannotStart
            If no worker could be made ready.
        """
        self._serving = await asyncio.to_thread(self._identity)
        await self._executor.start()

    @asynccontextmanager
    async def followed(self, meet: Meet, announce: Announce) -> AsyncIterator[None]:
        """Go over to every release that is promoted while this context lasts.

        Parameters
        ----------
        meet
            Awaited with the genres of a release before it answers anything.
        announce
            Told name and genres of the release that songs are given to.
        """
        await meet(self._executor.genres)
        announce(self._executor.release, self._executor.genres)
        looking = asyncio.create_task(self._keep_looking(meet, announce))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _keep_looking(self, meet: Meet, announce: Announce) -> None:
        while True:
            try:
                await self.look(meet, announce)
            except Exception:
                log.exception("the released model cannot be watched; trying again")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, meet: Meet, announce: Announce) -> None:
        """Go over to the release that lies there now, if it is another one and whole."""
        now = asyncio.get_running_loop().time()
        stamp = await asyncio.to_thread(self._stamp)
        if stamp is None or (stamp == self._looked_at and now < self._again_at):
            return
        self._looked_at, self._again_at = stamp, now + REFUSED_SECONDS
        try:
            manifest, _ = await asyncio.to_thread(read_release, self._model_dir)
            found = _identity_of(self._model_dir, manifest)
            if found != self._serving:
                await meet(_genres_of(manifest))
                await self._executor.switch()
                self._serving = found
                announce(self._executor.release, self._executor.genres)
                log.info("answers now come from %s", self._executor.release)
            self._said = ""
            self._again_at = float("inf")
        except (BadRelease, ReleaseRefused) as reason:
            if str(reason) != self._said:
                log.error("a release was refused, %s goes on answering: %s", self._executor.release, reason)
            self._said = str(reason)

    def _stamp(self) -> tuple[int, ...] | None:
        """Return what differs after the manifest was exchanged or rewritten; None while there is none."""
        try:
            status = (self._model_dir / MANIFEST).stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _identity(self) -> tuple[str, str] | None:
        with suppress(BadRelease):
            return _identity_of(self._model_dir, read_manifest(self._model_dir))
        return None


def _identity_of(directory: Path, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Return a release's name and the checksum of its artifact: another training may come under the same name."""
    return str(manifest["name"]), str(manifest["files"][artifact_name(directory, manifest)].get("sha256"))


def _genres_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    genres = manifest.get("genres")
    return tuple(map(str, genres)) if isinstance(genres, list) else ()


def seed(model_dir: Path, packaged: Path, data_dir: Path) -> bool:
    """Put the release that came with the bot into an empty folder; return whether that was needed.

    Every file is written beside its place and renamed, the manifest last: whoever is interrupted, or comes second,
    finds a whole release or a folder that is still to be filled. A folder with anything else in it is left alone, and
    one that is not there is made only in the bot's own ``data_dir``: elsewhere it is more likely misspelt.

    Raises
    ------
    BadRelease
        If what came with the bot is not whole, or the folder cannot be written; the text says so.
    """
    if (model_dir / MANIFEST).exists() or not (packaged / MANIFEST).exists():
        return False
    if not model_dir.exists() and data_dir.resolve() not in model_dir.resolve().parents:
        return False
    manifest = read_manifest(packaged)
    files = [str(name) for name in manifest["files"]]
    try:
        model_dir.mkdir(parents=True, exist_ok=True)
        others = {path.name for path in model_dir.iterdir() if not path.name.startswith(".")}
        if others - _NOT_OURS - set(files):
            return False
        for name in (*files, MANIFEST):
            _copy(packaged / name, model_dir / name)
    except OSError as error:
        raise BadRelease(f"The model that came with the bot cannot be copied to {model_dir}: {error}") from error
    log.info("%s was empty: it starts with %s", model_dir, manifest["name"])
    return True


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with source.open("rb") as original, part.open("wb") as copy:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
