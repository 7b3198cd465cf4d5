"""The Telegram chat; ``bot.telegram.chat`` is its entry point. Only this package imports the client library."""

import os

# Durations as timedelta, which the library will make its default; without this, each of them warns.
os.environ.setdefault("PTB_TIMEDELTA", "1")
