"""Discord, part by part; ``bot.discord.chat`` is the door."""

import warnings

with warnings.catch_warnings():
    # The library brings its voice half along, and that a module which Python will drop; nothing here speaks.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord

__all__ = ["discord"]
