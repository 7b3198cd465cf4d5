"""``rollback``: goes back to the release that served before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from classifier.commands.releases import add_models, folder_of

if TYPE_CHECKING:
    import argparse

DESCRIPTION: Final = """\
Makes the release that served before the current one serve again. Running bots switch to it between two songs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--reason", default="An operator rolled back.", metavar="TEXT", help="for the journal")
    add_models(parser)


def run(arguments: argparse.Namespace) -> int:
    """Roll back; return the exit status."""
    from classifier.inference.manifest import BadRelease
    from classifier.inference.releases import CannotPromote, ReleaseEvent, ReleaseStore

    releases = ReleaseStore(folder_of(arguments))
    try:
        with releases.exclusive():
            name = releases.previous_name()
            releases.promote(name, ReleaseEvent.ROLLED_BACK, arguments.reason)
    except (BadRelease, CannotPromote) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{name} is serving again.")
    return 0
