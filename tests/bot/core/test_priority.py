"""What passes first where a platform limits how fast it is written to, on a clock that jumps."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from bot.core.priority import OVERTAKEN_AT_MOST, Priority, PriorityLimiter, prioritised
from bot.discord.rate_limit import DiscordRateLimiter
from bot.telegram.rate_limit import TelegramRateLimiter
from tests.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PEOPLE, SONGS = 50, 4
BURST_SECONDS, HEARING_SECONDS = 5.0, 60.0
GROUP, TOGETHER = -1, 5
REQUEST_SECONDS = 0.05


async def test_the_most_urgent_pass_first_and_a_few_are_kept_for_them() -> None:
    limiter, passed = PriorityLimiter(4, 0.04, reserved=1), []

    async def ask(priority: Priority) -> None:
        with prioritised(priority):
            await limiter.acquire()
        passed.append(priority)

    waiting = [asyncio.create_task(ask(Priority(number % 4))) for number in reversed(range(12))]
    await asyncio.gather(*waiting)
    assert passed[:3] == [Priority.PROGRESS, Priority.ANSWER, Priority.RECEIPT]
    assert passed[3:] == sorted(passed[3:])


async def test_a_cancelled_request_is_passed_over() -> None:
    limiter = PriorityLimiter(1, 0.01)
    await limiter.acquire()
    first, second = asyncio.create_task(limiter.acquire()), asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(1):
        await second
    assert not limiter.has_room()


@pytest.mark.parametrize("flood", [1, 40])
def test_nobody_who_asks_again_and_again_keeps_the_answers_of_others_back(flood: int) -> None:
    """One person asks in a group as fast as they are answered, or many times at once."""

    async def group() -> list[Priority]:
        limiter, passed = PriorityLimiter(4, 17, reserved=1), []

        async def ask(priority: Priority) -> None:
            with prioritised(priority):
                await limiter.acquire()
            passed.append(priority)

        async def ask_on_and_on() -> None:
            while passed.count(Priority.ANSWER) < 4:
                await ask(Priority.REQUEST)

        asking = [asyncio.create_task(ask_on_and_on()) for _ in range(flood)]
        await asyncio.sleep(60)
        async with asyncio.timeout(300):
            await asyncio.gather(*(ask(Priority.ANSWER) for _ in range(4)))
        for each in asking:
            each.cancel()
        return passed[passed.index(Priority.ANSWER) :]

    assert run(group()).count(Priority.REQUEST) <= 4 * OVERTAKEN_AT_MOST


def _telegram() -> tuple[Callable[[int, str], Awaitable[None]], Callable[[int], bool]]:
    limiter = TelegramRateLimiter()

    async def request() -> bool:
        await asyncio.sleep(REQUEST_SECONDS)
        return True

    async def send(chat: int, endpoint: str) -> None:
        await limiter.process_request(request, (), {}, endpoint, {"chat_id": chat}, None)

    return send, lambda chat: limiter.has_room(chat, 2)


def _discord() -> tuple[Callable[[int, str], Awaitable[None]], Callable[[int], bool]]:
    limiter, together = DiscordRateLimiter(), PriorityLimiter(8, 0.25, reserved=2)

    async def send(chat: int, endpoint: str) -> None:
        async with limiter.request("message" if endpoint == "sendMessage" else "edit", chat):
            await together.acquire()
            await asyncio.sleep(REQUEST_SECONDS)

    return send, limiter.has_room


@pytest.mark.parametrize("platform", [_telegram, _discord])
def test_who_asks_is_answered_within_a_second_while_fifty_people_send_four_songs_each(
    platform: Callable[[], tuple[Callable[[int, str], Awaitable[None]], Callable[[int], bool]]],
) -> None:
    """Songs show progress wherever there is room, as ``StatusMessage`` does, some of them in one group."""
    chance = random.Random(1)

    async def crowd() -> list[float]:
        send, has_room = platform()
        clock = asyncio.get_running_loop().time

        async def song(chat: int) -> None:
            await asyncio.sleep(BURST_SECONDS * chance.random())
            with prioritised(Priority.RECEIPT):
                await send(chat, "sendMessage")
            until = clock() + HEARING_SECONDS * chance.random()
            while clock() < until:
                if has_room(chat):
                    with prioritised(Priority.PROGRESS):
                        await send(chat, "editMessageText")
                await asyncio.sleep(0.5)
            with prioritised(Priority.ANSWER):
                await send(chat, "editMessageText")

        songs = [
            asyncio.create_task(song(GROUP if person < TOGETHER else person))
            for person in range(PEOPLE)
            for _ in range(SONGS)
        ]
        waits = []
        for person in range(60):
            await asyncio.sleep(0.5)
            began = clock()
            await send(1000 + person if person % 10 else GROUP, "sendMessage")
            waits.append(clock() - began)
        await asyncio.gather(*songs)
        return sorted(waits)

    waits = run(crowd())
    assert waits[int(0.95 * len(waits))] < 1
