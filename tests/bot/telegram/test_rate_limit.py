"""What a refusal by Telegram holds up: the chat that was refused, and others only where they are refused as well."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from telegram.error import RetryAfter

from bot.telegram import rate_limit
from bot.telegram.rate_limit import CHAT_BURST, MAX_RETRIES, TelegramRateLimiter
from tests.bot.both.chats import open_telegram
from tests.bot.telegram.refusals import BROKEN_SERVER
from tests.virtual_time import run

if TYPE_CHECKING:
    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.telegram.server import TelegramServer

PAUSE_SECONDS = 30
BUSY, OTHER, THIRD = 1, 2, 3


class _Telegram:
    """Refuses the first requests of some chats, and notes when it took which."""

    def __init__(self, *refused: int) -> None:
        self._limiter = TelegramRateLimiter()
        self._refused = list(refused)
        self.taken: dict[int, list[float]] = {}

    async def send(self, chat: int, endpoint: str = "sendMessage") -> None:
        async def request() -> bool:
            if chat in self._refused:
                self._refused.remove(chat)
                raise RetryAfter(PAUSE_SECONDS)
            self.taken.setdefault(chat, []).append(asyncio.get_running_loop().time())
            return True

        await self._limiter.process_request(request, (), {}, endpoint, {"chat_id": chat}, None)

    async def send_all(self, *chats: int) -> None:
        await asyncio.gather(*map(self.send, chats))

    def has_room(self, chat: int) -> bool:
        return self._limiter.has_room(chat, 1)


def test_one_refused_chat_holds_up_no_other() -> None:
    telegram = _Telegram(BUSY)
    run(telegram.send_all(BUSY, OTHER, THIRD))
    assert telegram.taken[BUSY][0] >= PAUSE_SECONDS
    assert max(telegram.taken[OTHER] + telegram.taken[THIRD]) < 1


def test_several_refused_chats_hold_up_all() -> None:
    async def later() -> None:
        waiting = asyncio.create_task(telegram.send_all(BUSY, OTHER))
        await asyncio.sleep(1)
        await telegram.send(THIRD)
        await waiting

    telegram = _Telegram(BUSY, OTHER)
    run(later())
    assert telegram.taken[THIRD][0] >= PAUSE_SECONDS


def test_what_waited_for_a_refused_chat_does_not_go_out_at_once() -> None:
    telegram = _Telegram(BUSY)
    run(telegram.send_all(*[BUSY] * 12))
    times = sorted(telegram.taken[BUSY])
    late = [time for time in times if time >= PAUSE_SECONDS]
    assert len(late) > CHAT_BURST
    assert sum(time < late[0] + rate_limit.CHAT_SECONDS / 2 for time in late) <= CHAT_BURST + 2


def test_a_chat_that_waits_has_no_room_for_progress() -> None:
    async def ask() -> None:
        waiting = asyncio.create_task(telegram.send(BUSY))
        await asyncio.sleep(PAUSE_SECONDS / 2)
        assert not telegram.has_room(BUSY)
        assert telegram.has_room(OTHER)
        await waiting

    telegram = _Telegram(BUSY)
    run(ask())


def test_a_chat_that_is_refused_for_ever_gives_up() -> None:
    telegram = _Telegram(*[BUSY] * (MAX_RETRIES + 1))
    with pytest.raises(RetryAfter):
        run(telegram.send(BUSY))


def test_a_refused_reaction_is_dropped() -> None:
    async def react() -> None:
        with pytest.raises(RetryAfter):
            await telegram.send(BUSY, "setMessageReaction")
        assert telegram.has_room(BUSY)

    telegram = _Telegram(BUSY)
    run(react())


async def test_the_menus_of_commands_come_although_telegram_turns_them_away_at_first(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, telegram: TelegramServer
) -> None:
    telegram.faults["setMyCommands"].append(BROKEN_SERVER)
    opened = await open_telegram(telegram, storage, keys, settings, ear)
    await telegram.until(lambda: telegram.commands.get(("all_chat_administrators", "vi")))
    assert "genre" in telegram.commands["default", ""]
    await opened.close()
