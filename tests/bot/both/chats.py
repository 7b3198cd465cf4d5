"""Discord and Telegram behind one face, for rules that must be the same in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

from bot.telegram.chat import TelegramChat
from tests.bot.discord.people import Somebody as DiscordPerson
from tests.bot.discord.running import close_scene, open_scene, prepare
from tests.bot.discord.world import EPHEMERAL, custom_ids
from tests.bot.running import Bot
from tests.bot.telegram.people import MENTION, buttons
from tests.bot.telegram.people import Somebody as TelegramPerson
from tests.bot.telegram.server import BOT_ID, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.callbacks import Action
    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.discord.running import Scene
    from tests.bot.discord.server import FakeDiscord
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.telegram.server import TelegramServer

OPERATOR = 4242
GROUP = -1_001_234_567_890
Message = dict[str, Any]


class ChatUnderTest(Protocol):
    """A person (ANN), an administrator of their group (BOSS) and the operator's moderator (OPERATOR) in a chat."""

    bot: Bot

    async def song(self, path: Path) -> Message:
        """Have Ann send a song to the group, and return its answer."""

    async def send(self, path: Path) -> Message:
        """Have Ann send a song to the group, and return her message."""

    def reactions(self, message: Message) -> list[str]:
        """Return the bot's reactions to a message."""

    def forbid_reactions(self) -> None:
        """Let nobody react in the group any more."""

    async def says(self, text: str) -> Message:
        """Wait until the bot says something in the group, and return the message."""

    def data_of(self, message: Message, action: Action) -> str:
        """Return what a button carries."""

    async def correct(self, answer: Message, genre: str) -> None:
        """Have Ann name the genre of a song."""

    async def command(self, who: str, name: str, *, private: bool = False) -> Message:
        """Have somebody type a command, and return what comes back."""

    async def press(self, who: str, message: Message, action: Action, text: str) -> Message:
        """Press a button, and return the message that then says ``text`` (empty: any)."""

    async def press_data(self, who: str, message: Message, data: str) -> str:
        """Send a press with any data, and return what the person is told."""

    def genres(self, message: Message) -> list[str]:
        """Return the names in a list of genres."""

    async def pick(self, who: str, message: Message, genre: str, text: str) -> Message:
        """Choose from a list of genres, and return the message that then says ``text``."""

    async def song_alone(self, path: Path) -> Message:
        """Have Ann send a song in her private chat, and return its answer."""

    async def teach(self, genre: str) -> None:
        """Have Ann teach a genre in the group; without a name, have her stop."""

    async def send_unaddressed(self, path: Path) -> None:
        """Have Ann send a song to the group without a mention; the bot may read along."""

    def said(self, text: str) -> list[Message]:
        """Return the bot's messages in the group that say this."""

    async def asked_for_consent(self) -> Message:
        """Wait for the question that Ann is asked alone when she first teaches something in the group."""

    async def writes(self, text: str, to: Message | None = None) -> None:
        """Have Ann write in her private chat, or where the message is that she replies to."""

    async def reacts(self, message: Message, emoji: str, *, withdrawn: bool = False) -> None:
        """Have Ann add a reaction, or take it back."""

    async def hears(self, text: str, *, private: bool = True) -> Message:
        """Wait until a message of the bot in Ann's private chat or the group says this, and return the latest."""

    async def is_told(self, text: str) -> None:
        """Wait until Ann is told this in the group, where nobody else sees it."""

    async def tap(self, message: Message, text: str) -> None:
        """Have Ann press the button that says this."""

    def buttons(self, message: Message) -> list[str]:
        """Return what the buttons below a message say now."""

    async def until(self, what: Callable[[], Any]) -> None:
        """Wait until something is so."""

    async def set_language(self, language: str) -> None:
        """Have the administrator set the group's language."""

    async def close(self) -> None:
        """Stop the bot."""


def _parts(message: Message) -> list[dict[str, Any]]:
    return [part for row in message["components"] for part in row["components"]]


def text_of(message: Message) -> str:
    """Return what a message says."""
    return str(message.get("content") or message.get("text") or message.get("caption") or "")


class Discord:
    """Implements ``ChatUnderTest``."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self.bot = scene, scene.bot
        operator = DiscordPerson(scene.discord, number=str(OPERATOR))
        self._people = {"ann": scene.ann, "boss": scene.boss, "operator": operator}

    async def song(self, path: Path) -> Message:
        before = len(await self._scene.answers(self._scene.channel, 0))
        await self._scene.ann.says(self._scene.channel, "", path, mention=True)
        return (await self._scene.answers(self._scene.channel, before + 1))[-1]

    async def send(self, path: Path) -> Message:
        return await self._scene.ann.says(self._scene.channel, "", path, mention=True)

    def reactions(self, message: Message) -> list[str]:
        return [emoji for number, emoji in self._scene.world.reactions if number == message["id"]]

    def forbid_reactions(self) -> None:
        self._scene.world.no_reactions.add(self._scene.channel)

    async def says(self, text: str) -> Message:
        return await self._scene.says(self._scene.channel, text)

    def data_of(self, message: Message, action: Action) -> str:
        return next(each for each in custom_ids(message) if each.startswith(f"{action}:"))

    async def correct(self, answer: Message, genre: str) -> None:
        token = await self._scene.ann.command(answer["channel_id"], "correct", genre=genre)
        await self._scene.ann.told(token)

    async def command(self, who: str, name: str, *, private: bool = False) -> Message:
        person = self._people[who]
        channel = person.direct if private else self._scene.channel
        return await person.told(await person.command(channel, *name.split()))

    async def press(self, who: str, message: Message, action: Action, text: str) -> Message:
        await self._people[who].presses(message, f"{action}:")
        await self._scene.world.until(lambda: text in message["content"] if text else self.genres(message))
        return message

    async def press_data(self, who: str, message: Message, data: str) -> str:
        forged = {**message, "components": [{"type": 1, "components": [{"type": 2, "custom_id": data}]}], "flags": 0}
        person = self._people[who]
        return text_of(await person.told(await person.presses(forged, data)))

    def genres(self, message: Message) -> list[str]:
        parts = [part for row in message["components"] for part in row["components"]]
        return [option["label"] for part in parts for option in part.get("options", [])]

    async def pick(self, who: str, message: Message, genre: str, text: str) -> Message:
        parts = [part for row in message["components"] for part in row["components"]]
        options = [option for part in parts for option in part.get("options", [])]
        value = next(option["value"] for option in options if option["label"] == genre)
        await self._people[who].presses(message, "pick", value)
        await self._scene.world.until(lambda: text in message["content"])
        return message

    async def teach(self, genre: str) -> None:
        ann = self._scene.ann
        options: dict[str, Any] = {"genre": genre} if genre else {}
        await ann.told(await ann.command(self._scene.channel, "teach", **options))

    async def send_unaddressed(self, path: Path) -> None:
        await self._scene.ann.says(self._scene.channel, "", path)

    async def asked_for_consent(self) -> Message:
        return await self._scene.says(self._scene.channel, "May I learn from this?")

    def said(self, text: str) -> list[Message]:
        return [each for each in self._scene.world.of_bot(self._scene.channel) if text in each["content"]]

    async def song_alone(self, path: Path) -> Message:
        ann = self._scene.ann
        before = len(await self._scene.answers(ann.direct, 0))
        await ann.says(ann.direct, "", path)
        return (await self._scene.answers(ann.direct, before + 1))[-1]

    async def writes(self, text: str, to: Message | None = None) -> None:
        ann = self._scene.ann
        await (ann.says(ann.direct, text) if to is None else ann.replies(to, text, mention=True))

    async def reacts(self, message: Message, emoji: str, *, withdrawn: bool = False) -> None:
        await self._scene.ann.reacts(message, emoji, withdrawn=withdrawn)

    async def hears(self, text: str, *, private: bool = True) -> Message:
        channel = self._scene.ann.direct if private else self._scene.channel
        await self._scene.says(channel, text)
        return [message for message in self._scene.world.of_bot(channel) if text in message["content"]][-1]

    async def is_told(self, text: str) -> None:
        assert (await self.hears(text, private=False))["flags"] & EPHEMERAL

    async def tap(self, message: Message, text: str) -> None:
        [data] = [part["custom_id"] for part in _parts(message) if part.get("label") == text]
        await self._scene.ann.presses(message, data)

    def buttons(self, message: Message) -> list[str]:
        return [part["label"] for part in _parts(message) if "label" in part]

    async def until(self, what: Callable[[], Any]) -> None:
        await self._scene.world.until(what)

    async def set_language(self, language: str) -> None:
        await self._scene.boss.told(await self._scene.boss.command(self._scene.channel, "settings", language=language))

    async def close(self) -> None:
        await close_scene(self._scene)


class Telegram:
    """Implements ``ChatUnderTest``."""

    def __init__(self, bot: Bot, chat: TelegramChat, server: TelegramServer) -> None:
        self.bot, self._chat, self._server = bot, chat, server
        people = {"ann": 11, "boss": 12, "operator": OPERATOR}
        self._alone = {name: TelegramPerson(server, number) for name, number in people.items()}
        self._people = {name: person.in_group(GROUP) for name, person in self._alone.items()}
        server.administrators[GROUP].add(people["boss"])

    async def song(self, path: Path) -> Message:
        ann = self._people["ann"]
        return await ann.answered(await ann.sends(path, caption=MENTION))

    async def send(self, path: Path) -> Message:
        return await self._people["ann"].sends(path, caption=MENTION)

    def reactions(self, message: Message) -> list[str]:
        return list(self._now(message).get("reaction", []))

    def forbid_reactions(self) -> None:
        self._server.no_reactions.add(GROUP)

    async def says(self, text: str) -> Message:
        return await self._people["ann"].hears(text)

    def data_of(self, message: Message, action: Action) -> str:
        shown = buttons(self._now(message))
        return next(each["callback_data"] for each in shown if each["callback_data"].startswith(f"{action}:"))

    async def correct(self, answer: Message, genre: str) -> None:
        await self._people["ann"].writes(f"/correct {genre}", to=answer)
        await self._people["ann"].hears(genre)

    async def command(self, who: str, name: str, *, private: bool = False) -> Message:
        person = (self._alone if private else self._people)[who]
        sent = await person.writes(f"/{name}")

        def answers() -> list[Message]:
            said = self._server.said(person.chat["id"])
            return [each for each in said if each.get("answers") == sent["message_id"]]

        await self._server.until(answers)
        return answers()[-1]

    async def press(self, who: str, message: Message, action: Action, text: str) -> Message:
        await self._people[who].presses_data(self._now(message), self.data_of(message, action))
        await self._server.until(
            lambda: text in text_of(self._now(message)) if text else self.genres(self._now(message))
        )
        return self._now(message)

    async def press_data(self, who: str, message: Message, data: str) -> str:
        before = len(self._server.toasts)
        await self._people[who].presses_data(message, data)
        await self._server.until(lambda: len(self._server.toasts) > before)
        return str(self._server.toasts[-1])

    def genres(self, message: Message) -> list[str]:
        return [each["text"] for each in buttons(message) if each["callback_data"].startswith("pick:")]

    async def pick(self, who: str, message: Message, genre: str, text: str) -> Message:
        data = next(each["callback_data"] for each in buttons(self._now(message)) if each["text"] == genre)
        await self._people[who].presses_data(self._now(message), data)
        await self._server.until(lambda: text in text_of(self._now(message)))
        return self._now(message)

    async def teach(self, genre: str) -> None:
        await self._people["ann"].writes(f"/teach {genre}".strip())
        await self._people["ann"].hears("Each counts as your correction" if genre else "That's it for")

    async def send_unaddressed(self, path: Path) -> None:
        await self._people["ann"].sends(path)

    async def asked_for_consent(self) -> Message:
        return await self._alone["ann"].hears("May I learn from this?")

    def said(self, text: str) -> list[Message]:
        return [each for each in self._server.said(GROUP) if text in text_of(each)]

    async def song_alone(self, path: Path) -> Message:
        ann = self._alone["ann"]
        return await ann.answered(await ann.sends(path))

    async def writes(self, text: str, to: Message | None = None) -> None:
        alone = to is None or to["chat"]["id"] > 0
        await (self._alone if alone else self._people)["ann"].writes(text, to=to)

    async def reacts(self, message: Message, emoji: str, *, withdrawn: bool = False) -> None:
        self._server.administrators[GROUP].add(BOT_ID)
        await self._alone["ann"].reacts(message, emoji, withdrawn=withdrawn)

    async def hears(self, text: str, *, private: bool = True) -> Message:
        return await (self._alone if private else self._people)["ann"].hears(text)

    async def is_told(self, text: str) -> None:
        await self._server.until(lambda: any(text in (toast or "") for toast in self._server.toasts))

    async def tap(self, message: Message, text: str) -> None:
        await self._alone["ann"].presses(self._now(message), text)

    def buttons(self, message: Message) -> list[str]:
        return [each["text"] for each in buttons(self._now(message))]

    async def until(self, what: Callable[[], Any]) -> None:
        await self._server.until(what)

    async def set_language(self, language: str) -> None:
        shown = await self.command("boss", "settings")
        await self._people["boss"].presses_data(shown, f"set:language:{language}")
        await self._server.until(lambda: text_of(self._now(shown)) != text_of(shown))

    async def close(self) -> None:
        await self._chat.stop_taking()
        await self.bot.queue.stop()
        await self._chat.close()

    def _now(self, message: Message) -> Message:
        return self._server.messages[message["chat"]["id"], message["message_id"]]


async def open_discord(
    server: FakeDiscord, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> ChatUnderTest:
    """Connect a bot to the Discord of the tests."""
    return Discord(await open_scene(server, storage, keys, settings, ear, prepare(server)))


async def open_telegram(
    server: TelegramServer, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> ChatUnderTest:
    """Connect a bot to the Telegram of the tests."""
    there = settings.model_copy(update={"telegram_token": SecretStr(TOKEN), "telegram_api_url": server.url})
    bot = Bot(storage, keys, there, ear, settings.data_dir / "work")
    chat = TelegramChat(there, bot.conversation)
    bot.with_chat(chat)
    await chat.start()
    await bot.start()
    return Telegram(bot, chat, server)
