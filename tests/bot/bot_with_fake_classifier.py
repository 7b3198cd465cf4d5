"""``python -m tests.bot.bot_with_fake_classifier``: the whole bot as a process, with a fake classifier.

LINGER says how many seconds it takes over each segment, so that a test can come in between.
"""

from __future__ import annotations

import asyncio
import os
import sys

from bot.app import serve
from bot.logging import set_up_logging
from bot.settings import forget_secrets, read_settings
from tests.bot.fake_classifier import ear_executor

if __name__ == "__main__":
    settings = read_settings()
    forget_secrets()
    set_up_logging(settings)
    ear = ear_executor(workers=settings.workers, seconds_per_segment=float(os.environ.get("LINGER", "0")))
    sys.exit(asyncio.run(serve(settings, ear)))
