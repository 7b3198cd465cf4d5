"""Prints messages to stderr, and names so that no terminal takes them for commands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.errors import SongError


def printable(text: str) -> str:
    """Return a name that is safe to print on a terminal, with control characters replaced."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def print_file_error(name: str, error: SongError) -> None:
    """Print the error of a file to stderr."""
    print_error(f"{printable(name)}: {error}")


def print_error(text: str) -> None:
    """Print a message to stderr, so that stdout has only the results."""
    sys.stderr.write(f"{text}\n")
