"""``promote``: makes a stored release the serving one, if the gate accepted it or an operator overrules the gate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from classifier.commands.releases import add_models, folder_of

if TYPE_CHECKING:
    import argparse

    from classifier.inference.releases import ReleaseStore

DESCRIPTION: Final = """\
Makes a release that is stored in DIR the serving one. Running bots switch to it between two songs. To promote one that
served before the serving one is to roll back.

A release that the gate refused, or that was not compared with the serving one, needs --overrule and a reason, which is
recorded in the journal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("name", metavar="NAME", help="name of the release, see `releases`")
    parser.add_argument("--overrule", type=_reason, metavar="REASON", help="promote against the gate or without it")
    add_models(parser)


def _reason(text: str) -> str:
    if not text.strip():
        raise ValueError("a reason is needed")
    return " ".join(text.split())


def run(arguments: argparse.Namespace) -> int:
    """Promote; return the exit status."""
    from classifier.inference.manifest import BadRelease
    from classifier.inference.releases import CannotPromote, ReleaseEvent, ReleaseStore

    releases = ReleaseStore(folder_of(arguments))
    try:
        with releases.exclusive():
            serving = releases.serving()
            if serving is not None and serving["name"] == arguments.name:
                print(f"{arguments.name} is already serving.")
                return 0
            reason = arguments.overrule or _reason_to_promote(releases, arguments.name)
            event = releases.choice(arguments.name)
            if not arguments.overrule and event is ReleaseEvent.OVERRULED:
                event = ReleaseEvent.PROMOTED
            releases.promote(arguments.name, event, reason)
    except (BadRelease, CannotPromote) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{arguments.name} is now serving.")
    return 0


def _reason_to_promote(releases: ReleaseStore, name: str) -> str:
    """Return the reason why a release may be promoted without an operator's decision.

    Raises
    ------
    CannotPromote
        If there is none.
    """
    from classifier.inference.releases import CannotPromote

    serving = releases.serving()
    if serving is None:
        return "No release was serving."
    if name in releases.names_served():
        return "It has served before."
    found = next((kept.manifest.get("gate") or {} for kept in releases.all() if kept.name == name), {})
    reasons = " ".join(map(str, found.get("reasons", [])))
    if found.get("passed") and found.get("against") == serving["name"]:
        return reasons
    if found and not found.get("passed"):
        raise CannotPromote(f'The gate refused {name}. {reasons} To promote it anyway, use --overrule "REASON".')
    raise CannotPromote(
        f"{name} has not been compared with {serving['name']}, which is serving. "
        'Retrain, or give a reason with --overrule "REASON".'
    )
