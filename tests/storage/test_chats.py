"""Settings of a chat."""

from __future__ import annotations

from storage import ChatSettings, Storage


async def test_a_chat_without_settings_has_the_defaults(storage: Storage) -> None:
    assert await storage.chats.settings("discord", "chat") == ChatSettings(None, True, frozenset())


async def test_settings_are_kept_per_chat_and_replaced_as_a_whole(storage: Storage, another: Storage) -> None:
    await storage.chats.save("discord", "chat", ChatSettings("vi", False, frozenset({"2", "1"})))
    await storage.chats.save("telegram", "chat", ChatSettings("en"))
    await storage.chats.save("discord", "chat", ChatSettings(None, False, frozenset({"3"})))
    assert await another.chats.settings("discord", "chat") == ChatSettings(None, False, frozenset({"3"}))
    assert await another.chats.settings("telegram", "chat") == ChatSettings("en")
    assert await another.chats.settings("discord", "other") == ChatSettings()
