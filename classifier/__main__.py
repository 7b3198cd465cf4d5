"""``python -m classifier``: chooses a subcommand. The subcommands are in ``classifier.commands``."""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROGRAM: Final = "genre-bot"
DESCRIPTION: Final = "Finds out the genre of music."
COMMANDS: Final = {
    "classify": "say what genre songs are",
    "organize": "sort a music collection by genre: playlists, tags, a report",
    "worker": "classify songs for a cluster",
    "dataset": "build a table of songs for training and studies",
    "features": "compute the 57 features of the public GTZAN table",
    "train": "train a release on music whose genre is known",
    "evaluate": "evaluate every system on held-out songs",
    "study": "re-run an earlier system, or try models on a table",
    "retrain": "train the next release on corrections, and promote it if it is better",
    "releases": "list the stored releases",
    "promote": "make a stored release the serving one",
    "rollback": "go back to the release that served before",
    "completion": "print a completion script for a shell",
}
INTERRUPTED: Final = 130
FAILED: Final = 2
BROKEN_PIPE: Final = 141


@dataclass(frozen=True, slots=True)
class ExternalCommand:
    """A subcommand outside this package, which parses its own arguments."""

    purpose: str
    run: Callable[[Sequence[str]], int]


def main(
    argv: Sequence[str] | None = None,
    *,
    prog: str = "python -m classifier",
    external: Mapping[str, ExternalCommand] | None = None,
) -> int:
    """Run a subcommand and return its exit status: 0, 1 if a file failed, 2 for a usage error."""
    argv = list(sys.argv[1:] if argv is None else argv)
    external = external or {}
    chosen = next((word for word in argv if not word.startswith("-")), None)
    if chosen in external and argv[0] == chosen:
        return external[chosen].run(argv[1:])
    # Only the chosen module is imported: those of training are slow to import, and not installed for serving.
    parser = make_parser(prog, [chosen] if chosen in COMMANDS else [], external)
    arguments = parser.parse_args(argv)
    arguments.complete_parser = partial(make_parser, PROGRAM, tuple(COMMANDS), external)  # for `completion`
    status: int = import_module(f"classifier.commands.{arguments.command}").run(arguments)
    return status


def make_parser(prog: str, loaded: Sequence[str], external: Mapping[str, ExternalCommand]) -> argparse.ArgumentParser:
    """Return the parser of all subcommands.

    Parameters
    ----------
    loaded
        Subcommands whose arguments are added; of the others, only the names are known.
    """
    parser = argparse.ArgumentParser(prog=prog, description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {installed_version()}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in external.items():
        subparsers.add_parser(name, help=command.purpose, add_help=False)
    for name, purpose in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=purpose, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name in loaded:
            module = import_module(f"classifier.commands.{name}")
            subparser.description = module.DESCRIPTION
            module.add_arguments(subparser)
    return parser


def installed_version() -> str:
    """Return the version of the installed program, or that of the checkout."""
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]
        return str(project["version"])


def run(*, prog: str = "python -m classifier", external: Mapping[str, ExternalCommand] | None = None) -> int:
    """Run the command line of this process; return the exit status, also if it is interrupted."""
    try:
        return main(prog=prog, external=external)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe; without this, flushing stdout at exit would fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        # A full disk, a missing folder or a permission is the operator's to mend; nothing is half done.
        print(f"{error.filename or prog}: {error.strerror or error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(run())
