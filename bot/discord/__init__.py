"""The Discord chat; ``bot.discord.chat`` is its entry point."""

import warnings

with warnings.catch_warnings():
    # The library imports its voice support, and with it a module that Python will remove; nothing here uses it.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord

__all__ = ["discord"]
