"""Who gets a slot next, and that nobody who waits or is cancelled loses one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.fair_slots import FairSlots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager


async def _order(slots: FairSlots, people: Sequence[str], first: str = "nobody") -> list[str]:
    """Let people ask one after the other while the slot is held; return the order in which they are served."""
    served: list[str] = []

    async def ask(person: str) -> None:
        async with slots.hold(person):
            served.append(person)
            await asyncio.sleep(0)

    async with slots.hold(first):
        tasks = []
        for person in people:
            tasks.append(asyncio.create_task(ask(person)))
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return served


async def test_people_take_turns_however_many_songs_each_has() -> None:
    assert await _order(FairSlots(1), ["ann", "ann", "ann", "bob", "cat"]) == ["ann", "bob", "cat", "ann", "ann"]
    assert await _order(FairSlots(1), ["ann", "bob"], first="ann") == ["bob", "ann"]


async def test_whoever_waits_is_told_the_order_in_which_slots_are_given() -> None:
    slots, served = FairSlots(1), []

    async def ask(person: str, song: int) -> None:
        async with slots.hold(person, song):
            served.append(song)

    async with slots.hold("ann"):
        tasks = []
        for song, person in enumerate(["ann", "ann", "bob", "cat", "bob"]):
            tasks.append(asyncio.create_task(ask(person, song)))
            await asyncio.sleep(0)
        told = slots.order()
    await asyncio.gather(*tasks)
    assert told == served == [2, 3, 0, 4, 1]
    assert slots.order() == []


async def test_a_stream_of_newcomers_does_not_overtake_who_waits() -> None:
    slots = FairSlots(1)
    assert await _order(slots, ["ann"]) == ["ann"]
    served: list[str] = []

    async def ask(person: str) -> None:
        async with slots.hold(person):
            served.append(person)
            if len(served) < 5:
                newcomers.append(asyncio.create_task(ask(f"newcomer {len(served)}")))
            await asyncio.sleep(0)

    newcomers: list[asyncio.Task[None]] = []
    async with slots.hold("somebody"):
        waiting = asyncio.create_task(ask("first"))
        await asyncio.sleep(0)
        again = asyncio.create_task(ask("ann"))
        await asyncio.sleep(0)
    await asyncio.gather(waiting, again)
    assert served[:2] == ["first", "ann"]
    for task in newcomers:  # each of them brings the next
        await task


async def _hold(slot: AbstractAsyncContextManager[None]) -> None:
    async with slot:
        await asyncio.sleep(3600)


async def test_a_cancelled_request_takes_no_slot_with_it() -> None:
    slots = FairSlots(1)
    async with slots.hold("ann"):
        waiting = asyncio.create_task(_hold(slots.hold("bob")))
        all_wanted = asyncio.create_task(_hold(slots.hold_all()))
        await asyncio.sleep(0)
    # The slot was granted, and the task is cancelled before it notices.
    waiting.cancel()
    all_wanted.cancel()
    await asyncio.gather(waiting, all_wanted, return_exceptions=True)
    assert not slots.is_full
    async with asyncio.timeout(1), slots.hold("cat"):
        assert slots.is_full


async def test_all_slots_are_held_only_when_nobody_holds_one() -> None:
    slots = FairSlots(2)
    events: list[str] = []

    async def alone() -> None:
        async with slots.hold_all():
            events.append("alone")
            await asyncio.sleep(0)
            events.append("done")

    async with slots.hold("ann"):
        task = asyncio.create_task(alone())
        await asyncio.sleep(0)
        late = asyncio.create_task(_order(slots, []))
        await asyncio.sleep(0)
        events.append("ann goes")
    await asyncio.gather(task, late)
    assert events == ["ann goes", "alone", "done"]
