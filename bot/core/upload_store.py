"""Songs that were sent straight to this machine, as files until they are answered."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import aclosing
from typing import TYPE_CHECKING

from bot.core.errors import FileGone
from bot.core.upload_slots import UploadSlots
from common.errors import EmptyFile, StorageUnavailable, TooLarge, is_disk_fault
from common.units import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

log = logging.getLogger(__name__)


class UploadStore:
    """A folder of files under random names.

    Parameters
    ----------
    folder
        Where; made if there is none.
    max_bytes
        Of one file.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._slots = UploadSlots()
        self.max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def max_megabytes(self) -> float:
        """The same as people count it."""
        return self.max_bytes / MEGABYTE

    async def receive(self, chunks: AsyncIterator[bytes], sender: str | None = None) -> str:
        """Write bytes to a file as they come, and return its name.

        Parameters
        ----------
        chunks, sender
            As in ``UploadSlots.pace``.

        Raises
        ------
        TooLarge, EmptyFile, TransferTooSlow, StorageUnavailable
            With a sentence for the sender. Nothing is left of the file then, nor when the sender goes away.
        TimeoutError
            When nothing came for a while.
        """
        name = secrets.token_hex(16)
        path = self._folder / name
        size = 0
        try:
            with path.open("xb") as file:
                async with aclosing(self._slots.pace(chunks, sender)) as paced:
                    async for chunk in paced:
                        size += len(chunk)
                        if size > self.max_bytes:
                            raise TooLarge(megabytes=self.max_megabytes)
                        await asyncio.to_thread(file.write, chunk)
            if size == 0:
                raise EmptyFile()
        except BaseException as error:
            path.unlink(missing_ok=True)
            if is_disk_fault(error):
                raise StorageUnavailable() from error
            raise
        return name

    def path(self, name: str) -> Path:
        """Return where a file is.

        Raises
        ------
        FileGone
            If it is no longer there.
        """
        path = self._folder / name
        if not path.is_file():
            raise FileGone()
        return path

    def delete(self, name: str) -> None:
        """Delete a file, if it is there; no name (a link's) is no file."""
        if name:
            (self._folder / name).unlink(missing_ok=True)

    def keep_only(self, names: Collection[str]) -> None:
        """Delete all files but these: what a process that was killed left behind."""
        for path in self._folder.iterdir():
            if path.name not in names:
                log.info("a file that belongs to no song is deleted")
                path.unlink(missing_ok=True)
