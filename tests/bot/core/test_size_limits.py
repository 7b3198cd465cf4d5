"""Downloads at the minimum rate, whose seconds are those of a clock that the test sets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.core.errors import DownloadTooSlow
from bot.core.size_limits import save

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Sender:
    """Sends chunks at a rate, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, chunk: bytes, count: int) -> None:
        self._now = 0.0
        self._chunk, self._count = chunk, count
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self._now)

    async def chunks(self) -> AsyncIterator[bytes]:
        for _ in range(self._count):
            self._now += 1
            yield self._chunk


async def test_a_platform_that_drips_a_byte_a_second_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DownloadTooSlow):
        await save(Sender(monkeypatch, b"x", 100).chunks(), tmp_path / "song", 10_000_000)


async def test_a_slow_line_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await save(Sender(monkeypatch, bytes(10_000), 100).chunks(), tmp_path / "song", 10_000_000)
    assert (tmp_path / "song").stat().st_size == 1_000_000
