"""How many uploads may be under way, so that slow senders leave room for others."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from bot.core.errors import TransferTooSlow
from common.transfer_rate import MinimumRate, TooSlow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

UPLOADS_AT_ONCE = 8
# Whoever sends less needs no slot, so most songs that come over slow lines hold none for their first seconds.
FREE_BYTES = 1 << 18
# While somebody waits for a slot, slow uploads are looked for this often.
LOOK_SECONDS = 0.25
# A sender who is silent for so long has gone.
IDLE_SECONDS = 30.0


class UploadSlots:
    """Hands out slots to uploads beyond their first bytes, and takes them from slow ones when somebody waits.

    One sender holds half of the slots at most, so that nobody keeps the others out by sending much a little faster
    than the minimum rate.

    Parameters
    ----------
    at_once
        How many slots there are.
    """

    def __init__(self, at_once: int = UPLOADS_AT_ONCE) -> None:
        self._at_once = at_once
        self._share = max(1, at_once // 2)
        self._held: list[_Upload] = []
        self._waiting: list[_Upload] = []
        self._freed = asyncio.Event()

    async def pace(self, chunks: AsyncIterator[bytes], sender: str | None = None) -> AsyncGenerator[bytes]:
        """Yield what somebody sends as it comes.

        Parameters
        ----------
        sender
            Who sends it; None where nobody is limited to a share.

        Raises
        ------
        TransferTooSlow
            Below the minimum rate: after the grace time, or at once if somebody waits for the slot.
        TimeoutError
            When nothing came for ``IDLE_SECONDS``.
        """
        upload = _Upload(chunks, sender)
        try:
            while chunk := await upload.next():
                if upload.received > FREE_BYTES and upload not in self._held:
                    await self._take(upload)
                yield chunk
        finally:
            if upload in self._held:
                self._held.remove(upload)
                self._freed.set()

    async def _take(self, upload: _Upload) -> None:
        self._waiting.append(upload)
        try:
            while (following := self._next()) is not upload:
                self._freed.clear()
                in_its_way = [] if following is not None else self._held
                if self._has_its_share(upload):
                    in_its_way = self._of_sender(upload)
                slow = next((each for each in in_its_way if each.is_slow()), None)
                if slow is not None:
                    slow.end()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._freed.wait()
            self._held.append(upload)
        finally:
            self._waiting.remove(upload)
            # Whoever is next may find another slot.
            self._freed.set()

    def _next(self) -> _Upload | None:
        """Return the upload that may take a slot now: the first that waits and whose sender has not their share."""
        if len(self._held) >= self._at_once:
            return None
        return next((each for each in self._waiting if not self._has_its_share(each)), None)

    def _has_its_share(self, upload: _Upload) -> bool:
        return upload.sender is not None and len(self._of_sender(upload)) >= self._share

    def _of_sender(self, upload: _Upload) -> list[_Upload]:
        return [each for each in self._held if each.sender == upload.sender]


class _Upload:
    """The bytes of one sender, and how fast they come."""

    def __init__(self, chunks: AsyncIterator[bytes], sender: str | None) -> None:
        self.sender = sender
        self.received = 0
        self._chunks = chunks
        self._clock = asyncio.get_running_loop().time
        self._rate = MinimumRate()
        self._waits_since: float | None = None
        self._deadline: asyncio.Timeout | None = None
        self._is_ended = False

    async def next(self) -> bytes:
        """Wait for the next bytes; none are the end."""
        began = self._waits_since = self._clock()
        try:
            async with self._until_ended():
                chunk = await anext(self._chunks, b"")
        finally:
            self._waits_since = None
        self.received += len(chunk)
        try:
            self._rate.waited(self._clock() - began, len(chunk))
        except TooSlow:
            raise TransferTooSlow() from None
        return chunk

    @asynccontextmanager
    async def _until_ended(self) -> AsyncIterator[None]:
        if self._is_ended:
            raise TransferTooSlow()
        try:
            async with asyncio.timeout(IDLE_SECONDS) as self._deadline:
                yield
        except TimeoutError:
            if self._is_ended:
                raise TransferTooSlow() from None
            raise
        finally:
            self._deadline = None

    def is_slow(self) -> bool:
        """Return whether it is below the minimum rate at this moment."""
        waiting = 0.0 if self._waits_since is None else self._clock() - self._waits_since
        return self._rate.is_slow(waiting)

    def end(self) -> None:
        """End it, since another upload needs its slot."""
        self._is_ended = True
        if self._deadline is not None:
            self._deadline.reschedule(self._clock())
