"""What the Telegram chat is made of; ``bot.telegram.chat`` is the door. The client library is imported here alone."""

import os

# The library's coming way to give lengths of time; without it, every one of them would warn.
os.environ.setdefault("PTB_TIMEDELTA", "1")
