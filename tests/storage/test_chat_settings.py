"""Settings of a chat."""

from __future__ import annotations

from storage import ChatKey, ChatSettings, NewReply, Storage
from tests.storage.factories import answered, corrected, new_job


async def test_a_chat_without_settings_has_the_defaults(storage: Storage) -> None:
    assert await storage.chat_settings.settings("discord", "chat") == ChatSettings(None, True, frozenset())


async def test_settings_are_kept_per_chat_and_replaced_as_a_whole(storage: Storage, another: Storage) -> None:
    await storage.chat_settings.save("discord", "chat", ChatSettings("vi", False, frozenset({"2", "1"})))
    await storage.chat_settings.save("telegram", "chat", ChatSettings("en"))
    await storage.chat_settings.save("discord", "chat", ChatSettings(None, False, frozenset({"3"})))
    assert await another.chat_settings.settings("discord", "chat") == ChatSettings(None, False, frozenset({"3"}))
    assert await another.chat_settings.settings("telegram", "chat") == ChatSettings("en")
    assert await another.chat_settings.settings("discord", "other") == ChatSettings()


async def test_what_belongs_to_a_chat_moves_with_it_when_its_platform_gives_it_another_name(storage: Storage) -> None:
    job = (await storage.jobs.add(new_job("ann", platform="telegram", chat="group"))).job
    answer = await answered(storage)
    reply = await storage.replies.add(NewReply(answer.id, "telegram", "group", "ann"))
    await corrected(storage, "ann", "zouk", platform="telegram", chat="group")
    await corrected(storage, "bob", "zouk", platform="discord", chat="group")
    await storage.chat_settings.save("telegram", "group", ChatSettings("vi", False))
    await storage.chat_settings.move("telegram", "group", "supergroup")
    moved, found = await storage.jobs.get(job.id), await storage.replies.find(reply.id)
    assert moved is not None
    assert found is not None
    assert (moved.chat, found.chat) == ("supergroup", "supergroup")
    assert (await storage.songs.chat_stats("telegram", "supergroup")).songs == 1
    assert (await storage.songs.chat_stats("telegram", "group")).songs == 0
    there = [each.person for each in await storage.feedback.review(chat=ChatKey("telegram", "supergroup"))]
    assert there == ["ann"]
    assert len(await storage.feedback.review(chat=ChatKey("discord", "group"))) == 1
    assert await storage.chat_settings.settings("telegram", "supergroup") == ChatSettings("vi", False)
    assert await storage.chat_settings.settings("telegram", "group") == ChatSettings()


async def test_what_was_set_for_the_new_chat_already_stays(storage: Storage) -> None:
    await storage.chat_settings.save("telegram", "group", ChatSettings("vi"))
    await storage.chat_settings.save("telegram", "supergroup", ChatSettings("en"))
    await storage.chat_settings.move("telegram", "group", "supergroup")
    assert await storage.chat_settings.settings("telegram", "supergroup") == ChatSettings("en")
