"""``rollback``: lets the release serve again whose place the serving one took."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from classifier.commands.releases import add_models

if TYPE_CHECKING:
    import argparse

DESCRIPTION: Final = """\
Goes back to the release that served before the present one. Running bots notice and switch between two songs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--reason", default="An operator went back.", metavar="TEXT", help="for the journal")
    add_models(parser)


def run(arguments: argparse.Namespace) -> int:
    """Go back; return the exit status."""
    from classifier.inference.manifest import BadRelease
    from classifier.inference.releases import CannotPromote, Event, Releases

    releases = Releases(arguments.models)
    try:
        with releases.alone():
            name = releases.before_serving()
            releases.promote(name, Event.ROLLED_BACK, arguments.reason)
    except (BadRelease, CannotPromote) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{name} serves again.")
    return 0
