"""People in Telegram, for tests: they write, send songs and press buttons as their apps would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.bot.telegram.server import BOT, TelegramServer, read

if TYPE_CHECKING:
    from pathlib import Path

ENTITY = re.compile(r"(?P<bot_command>(?<!\S)/\w+(?:@\w+)?)|(?P<mention>@\w+)|(?P<url>https?://\S+)")


class Somebody:
    """A person, alone with the bot unless ``chat`` says otherwise."""

    def __init__(self, server: TelegramServer, number: int, language: str = "en") -> None:
        self.server = server
        self.number = number
        self.user = {"id": number, "is_bot": False, "first_name": f"P{number}", "language_code": language}
        self.chat: dict[str, Any] = {"id": number, "type": "private"}

    def in_group(self, number: int) -> Somebody:
        """Return the same person in a group."""
        there = Somebody(self.server, self.number, str(self.user["language_code"]))
        there.chat = {"id": number, "type": "supergroup", "title": "Music"}
        return there

    def in_channel(self, number: int) -> Somebody:
        """Return the same person as an administrator of a channel, in whose name they post there."""
        there = Somebody(self.server, self.number, str(self.user["language_code"]))
        there.chat = {"id": number, "type": "channel", "title": "Songs"}
        return there

    async def adds_bot(self) -> None:
        """Add the bot to the group."""
        bot = {"user": BOT}
        change = {"chat": self.chat, "from": self.user, "date": 1}
        change |= {"old_chat_member": {**bot, "status": "left"}, "new_chat_member": {**bot, "status": "member"}}
        await self.server.deliver(my_chat_member=change)

    async def writes(self, text: str, to: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Write a text, perhaps as an answer to a message."""
        return await self._send(to, text=text, entities=_entities(text), **more)

    async def shows(self, **content: Any) -> dict[str, Any]:
        """Send something that is neither a text nor a file."""
        return await self._send(None, **content)

    async def sends(
        self,
        path: Path,
        kind: str = "audio",
        caption: str = "",
        to: dict[str, Any] | None = None,
        album: str | None = None,
        more: dict[str, Any] | None = None,
        **about: Any,
    ) -> dict[str, Any]:
        """Send a file as ``audio``, ``voice``, ``video``, ``video_note`` or ``document``, perhaps in an album."""
        content = read(path)
        number = self.server.keep(content)
        media: dict[str, Any] = {"file_id": number, "file_unique_id": number, "file_size": len(content)}
        if kind != "document":
            media["duration"] = 4
        if kind in {"audio", "document"}:
            media["file_name"] = path.name
        if kind == "video":
            media |= {"width": 2, "height": 2}
        if kind == "video_note":
            media["length"] = 2
        words: dict[str, Any] = {"caption": caption, "caption_entities": _entities(caption)} if caption else {}
        words |= {} if album is None else {"media_group_id": album}
        return await self._send(to, **{kind: media | about}, **words, **(more or {}))

    async def presses(self, message: dict[str, Any], button: str, **more: Any) -> None:
        """Press the button below a message that says this."""
        found = [each for each in buttons(message) if each["text"] == button]
        assert found, f"no {button!r} among {[each['text'] for each in buttons(message)]}"
        await self.presses_data(message, found[0]["callback_data"])

    async def presses_data(self, message: dict[str, Any], data: str) -> None:
        """Send a press with any data, as a tampered app could."""
        shown = {key: value for key, value in message.items() if key not in {"picture", "answers"}}
        query = {"id": "1", "from": self.user, "chat_instance": "1", "message": shown, "data": data}
        await self.server.deliver(callback_query=query)

    async def reacts(self, message: dict[str, Any], emoji: str, *, withdrawn: bool = False) -> None:
        """Add a reaction to a message, or take it back."""
        await self.server.react(message, self.user, [emoji] if withdrawn else [], [] if withdrawn else [emoji])

    async def answered(self, to: dict[str, Any] | None = None) -> dict[str, Any]:
        """Wait for the picture or the words that answer a song (by default the latest in this chat)."""

        def found() -> dict[str, Any] | None:
            for message in reversed(self.server.said(self.chat["id"])):
                ours = to is None or message.get("answers") == to["message_id"]
                offered = {(each["callback_data"].partition(":")[0], each["text"]) for each in buttons(message)}
                # An unsure answer has a button for each genre, and what is not music has no genre to agree with.
                if ours and any(action in {"right", "is"} or text == "It is music" for action, text in offered):
                    return dict(message)
            return None

        answer: dict[str, Any] = await self.server.until(found)
        return answer

    async def hears(self, text: str) -> dict[str, Any]:
        """Wait for a message of the bot with a text in it."""

        def found() -> dict[str, Any] | None:
            for message in reversed(self.server.said(self.chat["id"])):
                if text in (message.get("text") or message.get("caption") or ""):
                    return dict(message)
            return None

        message: dict[str, Any] = await self.server.until(found)
        return message

    async def _send(self, to: dict[str, Any] | None, **content: Any) -> dict[str, Any]:
        if to is not None:
            content["reply_to_message"] = {k: v for k, v in to.items() if k not in {"picture", "answers"}}
        if self.chat["type"] == "channel":
            message = self.server.add_message(self.chat, None, sender_chat=self.chat, **content)
            await self.server.deliver(channel_post=message)
            return message
        message = self.server.add_message(self.chat, self.user, **content)
        await self.server.deliver(message=message)
        return message


def buttons(message: dict[str, Any]) -> list[dict[str, str]]:
    """Return all buttons below a message."""
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]


def texts(message: dict[str, Any]) -> list[str]:
    """Return what the buttons below a message say."""
    return [button["text"] for button in buttons(message)]


def _entities(text: str) -> list[dict[str, Any]]:
    return [
        {"type": match.lastgroup, "offset": match.start(), "length": match.end() - match.start()}
        for match in ENTITY.finditer(text)
    ]


MENTION = f"@{BOT['username']}"
