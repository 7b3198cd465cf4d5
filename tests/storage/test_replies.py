"""Buttons lead to the answer that they belong to."""

from __future__ import annotations

import pytest

from storage import NewReply, RowNotFound, Storage
from tests.storage.factories import answered, replied

TELEGRAM_CALLBACK_BYTES = 64


async def test_a_button_finds_its_reply_in_another_process(storage: Storage, another: Storage) -> None:
    reply = await replied(storage)
    found = await another.replies.find(reply.id)
    assert found == reply
    assert (await another.songs.answer(reply.answer_id)) is not None
    assert len(reply.id.encode()) == 11 < TELEGRAM_CALLBACK_BYTES


async def test_a_forged_or_expired_button_finds_nothing(storage: Storage) -> None:
    for reply_id in ("", "AAAAAAAAAAA", "a" * 1000, "\0" * 11, "ÄÄÄÄÄÄÄÄÄÄÄ", "'; DROP --", "\ud83c"):
        assert await storage.replies.find(reply_id) is None, reply_id


async def test_every_reply_has_an_id_of_its_own(storage: Storage) -> None:
    answer = await answered(storage)
    replies = [await storage.replies.add(NewReply(answer.id, "local", "chat", "ann")) for _ in range(20)]
    assert len({reply.id for reply in replies}) == 20


async def test_where_the_message_is_can_be_remembered(storage: Storage) -> None:
    reply = await replied(storage)
    assert reply.message is None
    await storage.replies.mark_sent(reply.id, {"channel": 1, "name": "nul \0 and half a pair \ud83c"})
    found = await storage.replies.find(reply.id)
    assert found is not None
    assert found.message == {"channel": 1, "name": "nul \0 and half a pair \ud83c"}


async def test_there_is_no_reply_without_an_answer(storage: Storage) -> None:
    for number in (404, 0, -1, 10**30):
        with pytest.raises(RowNotFound):
            await storage.replies.add(NewReply(number, "local", "chat", "ann"))


async def test_a_message_leads_to_the_reply_that_it_shows(storage: Storage) -> None:
    reply = await replied(storage)
    # As long as Discord's ids.
    await storage.replies.mark_sent(reply.id, {"message": 1_234_567_890_123_456_789})
    found = await storage.replies.find_sent(reply.platform, reply.chat, 1_234_567_890_123_456_789)
    assert found is not None
    assert found.id == reply.id
    assert await storage.replies.find_sent(reply.platform, reply.chat, 1_234_567_890_123_456_788) is None
    assert await storage.replies.find_sent(reply.platform, "another chat", 1_234_567_890_123_456_789) is None
