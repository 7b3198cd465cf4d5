"""A Discord for tests, on this machine: REST and gateway as the real client expects them, over real sockets."""

from tests.bot.discord.people import Somebody, add_guild
from tests.bot.discord.server import FakeDiscord
from tests.bot.discord.world import TOKEN, Fault, World

__all__ = ["TOKEN", "FakeDiscord", "Fault", "Somebody", "World", "add_guild"]
