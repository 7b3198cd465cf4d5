"""Watches the serving release, and switches the bot to a newly promoted one without a pause.

The executor switches its workers; ``classifier.training`` decides which release is promoted.
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

    LearnGenres = Callable[[Iterable[str]], Awaitable[None]]
    Announce = Callable[[str, tuple[str, ...]], None]

LOOK_SECONDS: Final = 3.0
REFUSED_SECONDS: Final = 300.0
"""A refused release is checked again after this time, in case what was missing has arrived."""
CAME_WITH_THE_BOT: Final = ".came-with-the-bot"
"""File in the folder that names the packaged release which was copied there."""
_NOT_OURS: Final = frozenset({"lost+found"})
"""What a newly made file system contains."""

log = logging.getLogger(__name__)


class ReleaseWatch:
    """Starts an executor, then checks the manifest every few seconds.

    Parameters
    ----------
    model_dir
        The folder of the serving release; only its ``manifest.json`` is watched.
    executor
        Not started yet.
    """

    def __init__(self, model_dir: Path, executor: SongExecutor) -> None:
        self._model_dir = model_dir
        self._executor = executor
        self._seen: tuple[int, ...] | None = None
        self._serving: tuple[str, str] | None = None
        self._refusal = ""
        self._check_again_at = 0.0

    async def start(self) -> None:
        """Start the executor; every release that is promoted from now on is noticed.

        Raises
        ------
        CannotStart
            If no worker could be started.
        """
        self._serving = await asyncio.to_thread(self._identity)
        await self._executor.start()

    @asynccontextmanager
    async def followed(self, learn_genres: LearnGenres, announce: Announce) -> AsyncIterator[None]:
        """Switch to every release that is promoted while this context lasts.

        Parameters
        ----------
        learn_genres
            Called with the genres of a release before it answers anything.
        announce
            Called with the name and the genres of the serving release.
        """
        await learn_genres(self._executor.genres)
        announce(self._executor.release, self._executor.genres)
        looking = asyncio.create_task(self._keep_looking(learn_genres, announce))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _keep_looking(self, learn_genres: LearnGenres, announce: Announce) -> None:
        while True:
            try:
                await self.look(learn_genres, announce)
            except Exception:
                log.exception("the serving release cannot be checked; trying again")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, learn_genres: LearnGenres, announce: Announce) -> None:
        """Switch to the release in the folder, if it is another one and complete."""
        now = asyncio.get_running_loop().time()
        stamp = await asyncio.to_thread(self._stamp)
        if stamp is None or (stamp == self._seen and now < self._check_again_at):
            return
        self._seen, self._check_again_at = stamp, now + REFUSED_SECONDS
        try:
            manifest, _ = await asyncio.to_thread(read_release, self._model_dir)
            found = _identity_of(self._model_dir, manifest)
            if found != self._serving:
                await learn_genres(_genres_of(manifest))
                await self._executor.switch()
                self._serving = found
                announce(self._executor.release, self._executor.genres)
                log.info("answers now come from %s", self._executor.release)
            self._refusal = ""
            self._check_again_at = float("inf")
        except (BadRelease, ReleaseRefused) as reason:
            if str(reason) != self._refusal:
                log.error("a release was refused, %s goes on answering: %s", self._executor.release, reason)
            self._refusal = str(reason)

    def _stamp(self) -> tuple[int, ...] | None:
        """Return what changes when the manifest is replaced or rewritten; None while there is none."""
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
    """Return a release's name and its artifact's checksum, since another training may use the same name."""
    return str(manifest["name"]), str(manifest["files"][artifact_name(directory, manifest)].get("sha256"))


def _genres_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    genres = manifest.get("genres")
    return tuple(map(str, genres)) if isinstance(genres, list) else ()


def seed(model_dir: Path, packaged: Path, data_dir: Path) -> bool:
    """Copy the packaged release into an empty folder; return whether that was needed.

    Every file is written under another name and renamed, the manifest last: after an interruption, or for another
    process, the folder holds a complete release or one that is still to be copied. A folder with other files is left
    alone, and a missing one is created only in ``data_dir``: elsewhere its name is more likely misspelt.

    Raises
    ------
    BadRelease
        If the packaged release is incomplete, or the folder cannot be written.
    """
    if not (packaged / MANIFEST).exists():
        return False
    if (model_dir / MANIFEST).exists():
        return data_dir.resolve() in model_dir.resolve().parents and _update(model_dir, packaged)
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
        (model_dir / CAME_WITH_THE_BOT).write_text(str(manifest["name"]), encoding="utf-8")
    except OSError as error:
        raise BadRelease(f"The model that came with the bot cannot be copied to {model_dir}: {error}") from error
    log.info("%s was empty: it starts with %s", model_dir, manifest["name"])
    return True


def _update(model_dir: Path, packaged: Path) -> bool:
    """Put the packaged release in the place of an older one that the bot copied; any other release stays."""
    new = read_manifest(packaged)
    try:
        old, copied = read_manifest(model_dir), (model_dir / CAME_WITH_THE_BOT).read_text(encoding="utf-8")
    except (BadRelease, OSError):
        return False
    if old["name"] != copied or old["files"] == new["files"]:
        return False
    for name in (*new["files"], MANIFEST):
        _copy(packaged / str(name), model_dir / str(name))
    (model_dir / CAME_WITH_THE_BOT).write_text(str(new["name"]), encoding="utf-8")
    for name in set(old["files"]) - set(new["files"]):
        (model_dir / str(name)).unlink(missing_ok=True)
    log.info("%s came with the bot and serves now instead of %s", new["name"], old["name"])
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
