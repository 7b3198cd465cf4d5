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

    Parameters
    ----------
    at_once
        How many slots there are.
    """

    def __init__(self, at_once: int = UPLOADS_AT_ONCE) -> None:
        self._at_once = at_once
        self._held: list[_Upload] = []
        self._one_by_one = asyncio.Lock()
        self._freed = asyncio.Event()

    async def pace(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """Yield what somebody sends as it comes.

        Raises
        ------
        TransferTooSlow
            Below the minimum rate: after the grace time, or at once if somebody waits for the slot.
        TimeoutError
            When nothing came for ``IDLE_SECONDS``.
        """
        upload = _Upload(chunks)
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
        async with self._one_by_one:
            while len(self._held) >= self._at_once:
                self._freed.clear()
                slow = next((each for each in self._held if each.is_slow()), None)
                if slow is not None:
                    slow.end()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._freed.wait()
            self._held.append(upload)


class _Upload:
    """The bytes of one sender, and how fast they come."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
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
