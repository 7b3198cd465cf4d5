"""``python -m classifier``: chooses a subcommand; what each does lives in ``classifier.commands``."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "classify": "say what genre songs are",
    "organize": "put a music collection in order",
    "worker": "listen to songs for a cluster",
    "dataset": "build a table of songs to train and to study on",
    "features": "compute the 57 features of the public GTZAN table",
    "train": "build a release from music whose genre is known",
    "evaluate": "measure every system on songs held out",
    "study": "re-run an earlier system, or try models on a table, with songs apart beside it",
    "retrain": "make the next release of corrections, and let it serve if it is better",
    "releases": "list the releases that are kept",
    "promote": "let a kept release serve",
    "rollback": "go back to the release that served before",
}
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status: 0, 1 if any file failed, 2 for wrong usage."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m classifier", description="Music genres, from the command line.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in argv if not word.startswith("-")), None)
    modules = {}
    for name, purpose in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=purpose, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == chosen:
            # Only here: training's packages are slow to import and absent where songs are only served.
            module = modules[name] = import_module(f"classifier.commands.{name}")
            subparser.description = module.DESCRIPTION
            module.add_arguments(subparser)
    arguments = parser.parse_args(argv)
    status: int = modules[arguments.command].run(arguments)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever was reading has read enough; nothing is left to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
