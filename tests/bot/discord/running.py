"""A bot with a Discord chat that is connected to the Discord for tests, in the test's own process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.discord.chat import DiscordChat
from tests.bot.discord.people import Somebody, add_guild
from tests.bot.discord.world import TOKEN, custom_ids
from tests.bot.running import Bot

if TYPE_CHECKING:
    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.discord.server import FakeDiscord
    from tests.bot.discord.world import Event, World
    from tests.bot.fake_classifier import EarAtHand


@dataclass
class Scene:
    """A server with a channel, two people and an administrator in it, and the bot."""

    discord: FakeDiscord
    bot: Bot
    chat: DiscordChat
    guild: str
    channel: str
    ann: Somebody
    bob: Somebody
    boss: Somebody
    linh: Somebody

    @property
    def world(self) -> World:
        return self.discord.world

    async def answers(self, channel: str, count: int = 1) -> list[Event]:
        """Wait until a channel has so many answers, and return them."""

        def found() -> list[Event]:
            return [
                message
                for message in self.world.of_bot(channel)
                if any(custom_id.startswith("votes:") for custom_id in custom_ids(message))
                or message["content"].startswith("That sounds like somebody talking.")
            ]

        await self.world.until(lambda: len(found()) >= count)
        return found()

    async def says(self, channel: str, words: str) -> Event:
        """Wait until a message of the bot in a channel says this, and return it."""
        found: list[Event] = []

        def said() -> bool:
            found[:] = [message for message in self.world.of_bot(channel) if words in message["content"]]
            return bool(found)

        await self.world.until(said)
        return found[0]


def prepare(discord: FakeDiscord) -> tuple[str, str]:
    """Found a server with a channel; return both."""
    guild = add_guild(discord)
    return guild, discord.world.add_channel(guild=guild)


async def open_scene(
    discord: FakeDiscord, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, place: tuple[str, str]
) -> Scene:
    """Connect a bot."""
    there = settings.model_copy(
        update={
            "discord_token": SecretStr(TOKEN),
            "discord_api_url": discord.api,
            "discord_gateway_url": discord.gateway.address,
        }
    )
    bot = Bot(storage, keys, there, ear, settings.data_dir / "work")
    chat = DiscordChat(there, bot.conversation)
    bot.with_chat(chat)
    await chat.start()
    await bot.start()
    return Scene(
        discord=discord,
        bot=bot,
        chat=chat,
        guild=place[0],
        channel=place[1],
        ann=Somebody(discord),
        bob=Somebody(discord),
        boss=Somebody(discord, administrator=True),
        linh=Somebody(discord, "vi"),
    )


async def close_scene(scene: Scene) -> None:
    """Stop a bot as its operator would."""
    await scene.chat.stop_taking()
    await scene.bot.queue.stop()
    await scene.chat.close()
    assert scene.world.rates.breaches == []
