"""``completion``: prints a script that completes the command line in a shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from classifier.commands.batch import EXIT_USAGE
from classifier.console import print_error

if TYPE_CHECKING:
    import argparse

SHELLS: Final = ("bash", "zsh", "tcsh")
DESCRIPTION: Final = """\
Print a completion script for a shell, to be saved where the shell looks for it:

  genre-bot completion bash > ~/.local/share/bash-completion/completions/genre-bot
  genre-bot completion zsh > ~/.zfunc/_genre-bot        (with ~/.zfunc in fpath)
"""
NOT_INSTALLED: Final = "Completion needs the package `shtab`, which is not installed."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(arguments: argparse.Namespace) -> int:
    """Print the script; return the exit status."""
    try:
        import shtab
    except ImportError:
        print_error(NOT_INSTALLED)
        return EXIT_USAGE
    sys.stdout.write(shtab.complete(arguments.complete_parser(), shell=arguments.shell))
    return 0
