"""The queue is fair between people."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.storage.factories import claimed, new_job, queued

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage import Storage


async def serve(storage: Storage) -> AsyncIterator[str]:
    """Yield the people whose songs are answered, in order."""
    while (taken := await storage.jobs.claim("worker")) is not None:
        await storage.jobs.finish(taken.lease, "answered")
        yield taken.job.person


async def served(storage: Storage) -> list[str]:
    return [person async for person in serve(storage)]


async def test_one_persons_songs_are_answered_in_the_order_they_were_sent(storage: Storage) -> None:
    jobs = [await queued(storage) for _ in range(4)]
    order = []
    while (taken := await storage.jobs.claim("worker")) is not None:
        order.append(taken.job.id)
    assert order == [job.id for job in jobs]


async def test_one_song_does_not_wait_for_another_persons_hundred(storage: Storage) -> None:
    for _ in range(100):
        await queued(storage, "ann")
    await queued(storage, "bob")
    await queued(storage, "cid")
    order = await served(storage)
    assert order[:4] == ["ann", "bob", "cid", "ann"]
    assert len(order) == 102


async def test_people_with_many_songs_alternate(storage: Storage) -> None:
    for person in ("ann", "bob", "cid"):
        for _ in range(3):
            await queued(storage, person)
    assert await served(storage) == ["ann", "bob", "cid"] * 3


async def test_who_comes_later_joins_the_next_round(storage: Storage) -> None:
    for _ in range(5):
        await queued(storage, "ann")
    await claimed(storage)
    await claimed(storage)
    await queued(storage, "bob")
    assert await served(storage) == ["ann", "bob", "ann", "ann"]


async def test_a_stream_of_newcomers_does_not_hold_up_who_already_waits(storage: Storage) -> None:
    for _ in range(3):
        await queued(storage, "ann")
    order: list[str] = []
    newcomers = iter(range(1000))
    while order.count("ann") < 3:
        for number in islice(newcomers, 2):
            await queued(storage, f"newcomer {number}")
        taken = await claimed(storage)
        await storage.jobs.finish(taken.lease, "answered")
        order.append(taken.job.person)
    # Two arrive for each one served, so an unfair queue would never return to ann.
    assert len(order) <= 12


async def test_who_cancels_most_of_their_songs_keeps_a_fair_place_with_the_rest(storage: Storage) -> None:
    jobs = [await queued(storage, "ann") for _ in range(20)]
    for _ in range(5):
        await queued(storage, "bob")
    for job in jobs[:-1]:
        await storage.jobs.cancel(job.id)
    assert (await served(storage)).index("ann") <= 1


async def test_cancelled_songs_do_not_push_others_back(storage: Storage) -> None:
    jobs = [await queued(storage, "ann") for _ in range(20)]
    for _ in range(5):
        await queued(storage, "bob")
    for job in reversed(jobs):
        await storage.jobs.cancel(job.id)
    await queued(storage, "cid")
    assert (await served(storage)).index("cid") <= 1


async def test_the_place_in_the_queue_is_the_order_of_service(storage: Storage) -> None:
    jobs = [await queued(storage, person) for person in ("ann", "ann", "bob", "ann", "cid")]
    places = {await storage.jobs.position(job.id): job.id for job in jobs}
    assert sorted(place for place in places if place) == [1, 2, 3, 4, 5]
    for place in range(1, 6):
        taken = await claimed(storage)
        assert taken.job.id == places[place]
        assert await storage.jobs.position(taken.job.id) == 0
        await storage.jobs.finish(taken.lease, "answered")
        assert await storage.jobs.position(taken.job.id) is None


async def test_priority_goes_before_turns(storage: Storage) -> None:
    await queued(storage, "ann")
    await queued(storage, "bob", priority=1)
    await queued(storage, "cid", priority=-1)
    assert await served(storage) == ["bob", "ann", "cid"]


async def test_people_who_share_a_turn_share_it(storage: Storage) -> None:
    for person in ("ann", "bob", "cid"):
        await queued(storage, person, fairness_key="one household")
    await queued(storage, "dan")
    assert await served(storage) == ["ann", "dan", "bob", "cid"]


async def test_turns_go_on_after_old_jobs_were_tidied_away(storage: Storage) -> None:
    for _ in range(4):
        await queued(storage, "ann")
    for _ in range(2):
        await storage.jobs.finish((await claimed(storage)).lease, "answered")
    async with storage.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM jobs WHERE state = 'finished'")
    await queued(storage, "bob")
    assert await served(storage) == ["ann", "bob", "ann"]


async def test_rounds_are_fair_for_any_crowd(storage: Storage) -> None:
    crowds: list[list[str]] = []

    @settings(max_examples=15)
    @given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=15))
    def gather(people: list[str]) -> None:
        crowds.append(people)

    gather()
    for people in crowds:
        for person in people:
            await storage.jobs.add(new_job(person))
        order = await served(storage)
        assert sorted(order) == sorted(people)
        # Nobody's second song comes before another person's first.
        for person in set(people):
            before = order[: order.index(person)]
            assert len(set(before)) == len(before)
