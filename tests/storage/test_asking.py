"""Who is asked about songs, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import AskingState, Question

if TYPE_CHECKING:
    from storage import Storage
    from tests.storage.factories import Clock

QUESTION = Question("zouk", 5, 20)


async def test_only_who_agreed_is_asked_and_only_once_a_day(storage: Storage, clock: Clock) -> None:
    assert not await storage.asking.note("ann", "reply", QUESTION)
    await storage.asking.agree("ann", agreed=True)
    assert await storage.asking.is_due("ann")
    assert await storage.asking.note("ann", "reply", QUESTION)
    assert (await storage.asking.state("ann")).question == QUESTION
    clock.advance(hours=23)
    assert not await storage.asking.is_due("ann")
    assert not await storage.asking.note("ann", "another", QUESTION)
    clock.advance(hours=1)
    assert await storage.asking.note("ann", "another", Question())
    await storage.asking.agree("ann", agreed=False)
    clock.advance(days=2)
    assert not await storage.asking.is_due("ann")


async def test_what_a_person_was_asked_is_theirs_to_see_and_to_delete(storage: Storage) -> None:
    await storage.asking.agree("ann", agreed=True)
    await storage.asking.note("ann", "reply", QUESTION)
    [shown] = (await storage.people.export_data("ann"))["asking"]
    assert (shown["agreed"], shown["question"]["label"]) == (True, "zouk")
    await storage.people.erase("ann")
    assert await storage.asking.state("ann") == AskingState()
