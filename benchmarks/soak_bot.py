"""The real bot for the soak test, except that links may lead to this machine, which serves the songs.

``--ear SECONDS`` lets it answer by the tests' rule of thumb, in the name of whatever release serves, and take so long
over every 30 seconds of a song.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from unittest import mock

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from bot.__main__ import main  # noqa: E402  found only now

UNGUARDED = ("-sPB", "-m", "tests.links.unguarded_child")


def main_with_ear(seconds_per_segment: float) -> int:
    """Run the bot with the tests' ear."""
    from bot.app import serve
    from bot.logging import set_up_logging
    from bot.settings import forget_secrets, read_settings
    from tests.bot.fake_releases import following_executor

    settings = read_settings()
    forget_secrets()
    set_up_logging(settings)
    ear = following_executor(settings.release_dir, workers=settings.workers, seconds_per_segment=seconds_per_segment)
    return asyncio.run(serve(settings, ear))


if __name__ == "__main__":
    with mock.patch("links.fetcher.CHILD", UNGUARDED), mock.patch("links.address.is_outside", return_value=True):
        sys.exit(main_with_ear(float(sys.argv[2])) if sys.argv[1:2] == ["--ear"] else main())
