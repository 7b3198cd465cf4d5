"""Many slow uploads at a time, and an honest one among them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.errors import TransferTooSlow
from bot.core.upload_slots import FREE_BYTES, UPLOADS_AT_ONCE, UploadSlots
from common.transfer_rate import MinimumRate
from tests.bot.web.page import send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

    from tests.bot.web.page import Page

SLOW_UPLOADS = 200


async def test_two_hundred_slow_uploads_leave_room_for_an_honest_one(page: Page, tone: Callable[..., Path]) -> None:
    over, all_begun, path, begun = asyncio.Event(), asyncio.Event(), tone(seconds=60), 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal begun
        yield b"RIFF"
        begun += 1
        if begun == SLOW_UPLOADS:
            all_begun.set()
        await over.wait()

    browser = page.browser()
    browser.connector._limit = 0  # type: ignore[union-attr]
    await (await browser.post("/hello")).read()
    dripping = [asyncio.create_task(browser.post("/songs", data=slow())) for _ in range(SLOW_UPLOADS)]
    async with asyncio.timeout(30):
        await all_begun.wait()
    honest = page.browser()
    await (await honest.post("/hello")).read()
    # Longer than what needs no slot. How quickly, benchmarks/strangers.py tells.
    async with asyncio.timeout(20):
        await send(honest, path)
    over.set()
    for response in await asyncio.gather(*dripping, return_exceptions=True):
        if not isinstance(response, BaseException):
            response.release()


async def _endless(go_on: asyncio.Event) -> AsyncIterator[bytes]:
    yield bytes(FREE_BYTES + 1)
    await go_on.wait()


async def _whole() -> AsyncIterator[bytes]:
    yield bytes(2 * FREE_BYTES)


async def _drain(slots: UploadSlots, chunks: AsyncIterator[bytes], sender: str | None = None) -> int:
    return sum([len(chunk) async for chunk in slots.pace(chunks, sender)])


async def test_one_person_holds_half_of_the_slots_at_most() -> None:
    slots, never = UploadSlots(), asyncio.Event()
    greedy = [asyncio.create_task(_drain(slots, _endless(never), "ann")) for _ in range(2 * UPLOADS_AT_ONCE)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        others = (_drain(slots, _whole(), sender) for sender in ("bob", "bob", "linh"))
        assert await asyncio.gather(*others) == [2 * FREE_BYTES] * 3
    for task in greedy:
        task.cancel()
    await asyncio.gather(*greedy, return_exceptions=True)


async def test_uploads_that_stop_half_way_give_their_slots_to_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.transfer_rate.SETTLE_SECONDS", 0.05)
    monkeypatch.setattr("bot.core.upload_slots.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("bot.core.upload_slots.MinimumRate", lambda: MinimumRate(100 * FREE_BYTES))
    slots, never = UploadSlots(), asyncio.Event()
    stuck = [asyncio.create_task(_drain(slots, _endless(never))) for _ in range(UPLOADS_AT_ONCE)]
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        assert await _drain(slots, _whole()) == 2 * FREE_BYTES
    done = [task for task in stuck if task.done()]
    assert [type(task.exception()) for task in done] == [TransferTooSlow]
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
