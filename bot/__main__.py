"""``python -m bot``: runs every chat that has a token, or the local page when none has, in one event loop."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from bot.app import CannotServe, serve
from bot.chat_registry import plan
from bot.logging import set_up_logging
from bot.settings import WrongSettings, forget_secrets, read_settings
from common.errors import StorageUnavailable

DESCRIPTION = "Tells people what genre a song is, right where they chat. Settings come from the environment or .env."
SETTINGS_WRONG = 2
NO_MEMORY = "there is not enough memory to run: give the bot more, or set WORKERS to a smaller number"


def main(arguments: list[str] | None = None, *, prog: str = "python -m bot") -> int:
    """Run the bot, or only check its settings; return the exit status."""
    parser = argparse.ArgumentParser(prog=prog, description=DESCRIPTION)
    parser.add_argument("--check", action="store_true", help="say which chats would start, with which limits")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")
    asked = parser.parse_args(arguments)
    if asked.no_browser:
        os.environ["OPEN_BROWSER"] = "off"
    try:
        settings = read_settings()
    except WrongSettings as wrong:
        print(*wrong.problems, sep="\n", file=sys.stderr)
        return SETTINGS_WRONG
    if asked.check:
        print(*plan(settings), sep="\n")
        return 0
    forget_secrets()
    set_up_logging(settings)
    try:
        return asyncio.run(serve(settings))
    except CannotServe as reason:
        print(reason, file=sys.stderr)
    except MemoryError:
        print(NO_MEMORY, file=sys.stderr)
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        print(NO_MEMORY, file=sys.stderr)
    except StorageUnavailable as outage:
        print(f"nothing can be saved: {outage.__cause__ or outage}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
