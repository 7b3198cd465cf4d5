"""``genre-bot``: the installed command, which combines the bot, the classifier and the database in one program."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from classifier.__main__ import PROGRAM, ExternalCommand, run

if TYPE_CHECKING:
    from collections.abc import Sequence


def _serve(arguments: Sequence[str]) -> int:
    status: int = import_module("bot.__main__").main(list(arguments), prog=f"{PROGRAM} serve")
    return status


def _storage(arguments: Sequence[str]) -> int:
    status: int = import_module("storage.__main__").main(arguments)
    return status


COMMANDS: Final = {
    "serve": ExternalCommand("run the bot: every chat that has a token, or the local page", _serve),
    "storage": ExternalCommand("export, import and maintain the database", _storage),
}


def main() -> None:
    """Run ``genre-bot`` and exit with its status."""
    sys.exit(run(prog=PROGRAM, external=COMMANDS))


if __name__ == "__main__":
    main()
