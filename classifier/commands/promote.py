"""``promote``: lets a kept release serve, if the gate let it pass or somebody overrules it for a reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from classifier.commands.releases import add_models

if TYPE_CHECKING:
    import argparse

    from classifier.inference.releases import Releases

DESCRIPTION: Final = """\
Lets a release that DIR keeps serve. Running bots notice and switch between two songs.

A release that the gate refused, or never compared with the one that serves now, needs --overrule and a reason; both
are written into the journal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("name", metavar="NAME", help="of the release, as `releases` lists it")
    parser.add_argument("--overrule", type=_reason, metavar="REASON", help="promote against or without the gate")
    add_models(parser)


def _reason(text: str) -> str:
    if not text.strip():
        raise ValueError("a reason is needed")
    return " ".join(text.split())


def run(arguments: argparse.Namespace) -> int:
    """Promote; return the exit status."""
    from classifier.inference.manifest import BadRelease
    from classifier.inference.releases import CannotPromote, Event, Releases

    releases = Releases(arguments.models)
    try:
        with releases.alone():
            serving = releases.serving()
            if serving is not None and serving["name"] == arguments.name:
                print(f"{arguments.name} serves already.")
                return 0
            if arguments.overrule:
                releases.promote(arguments.name, Event.OVERRULED, arguments.overrule)
            else:
                releases.promote(arguments.name, Event.PROMOTED, _grounds(releases, arguments.name))
    except (BadRelease, CannotPromote) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{arguments.name} serves now.")
    return 0


def _grounds(releases: Releases, name: str) -> str:
    """Say why a release may serve without anybody's word.

    Raises
    ------
    CannotPromote
        If there is no ground.
    """
    from classifier.inference.releases import CannotPromote

    serving = releases.serving()
    if serving is None:
        return "Nothing served."
    if any(entry.name == name and entry.event.serves for entry in releases.journal()):
        return "It served before."
    found = next((kept.manifest.get("gate") or {} for kept in releases.all() if kept.name == name), {})
    reasons = " ".join(map(str, found.get("reasons", [])))
    if found.get("passed") and found.get("against") == serving["name"]:
        return reasons
    if found and not found.get("passed"):
        raise CannotPromote(f'The gate refused {name}. {reasons} To promote it all the same: --overrule "REASON".')
    raise CannotPromote(
        f"{name} was never compared with {serving['name']}, which serves. "
        'Retrain, or say why it should serve: --overrule "REASON".'
    )
