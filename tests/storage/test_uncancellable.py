"""A cancelled caller leaves no lock on the database."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from storage.uncancellable import uncancellable
from tests.storage.factories import new_job

if TYPE_CHECKING:
    from storage import Storage


async def test_cancelled_callers_never_leave_the_database_locked(storage: Storage) -> None:
    for number in range(4):
        await storage.jobs.add(new_job(f"person {number}"))
    chance = random.Random(0)
    for _ in range(40):
        caller = asyncio.create_task(claim_on_and_on(storage))
        await asyncio.sleep(chance.random() * 0.01)
        caller.cancel()
        with suppress(asyncio.CancelledError):
            await caller
        async with asyncio.timeout(5):
            await storage.jobs.requeue_owned("me")


async def claim_on_and_on(storage: Storage) -> None:
    while True:
        await storage.jobs.claim("me")
        await asyncio.sleep(0)


@uncancellable
class Slow:
    def __init__(self) -> None:
        self.finished = False

    async def work(self) -> int:
        await asyncio.sleep(0.01)
        self.finished = True
        return 42

    async def fail(self) -> None:
        await asyncio.sleep(0)
        raise LookupError("missing")


async def test_a_cancelled_caller_waits_for_the_end_and_is_cancelled_then() -> None:
    slow = Slow()
    caller = asyncio.create_task(slow.work())
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert slow.finished


async def test_a_cancelled_caller_does_not_wait_for_a_database_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.uncancellable.FINISH_SECONDS", 0)
    slow = Slow()
    caller = asyncio.create_task(slow.work())
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not slow.finished
    await asyncio.sleep(0.05)
    assert slow.finished


async def test_results_and_errors_pass_through() -> None:
    assert await Slow().work() == 42
    with pytest.raises(LookupError):
        await Slow().fail()
