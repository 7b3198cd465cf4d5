"""Removes variables from this process's environment, and from what ``/proc`` shows of it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

# Fields of /proc/self/stat after the name in brackets: where the environment begins that the process was started with.
ENV_START_FIELD = 47


def forget_variables(names: Container[str]) -> None:
    """Remove variables by their names in lower case.

    No child process inherits them then, and ``/proc/PID/environ``, which goes on showing what the process was started
    with, shows zeros in their place (on Linux).
    """
    _wipe(names)
    for name in [name for name in os.environ if name.lower() in names]:
        del os.environ[name]


def _wipe(names: Container[str]) -> None:
    try:
        shown = Path("/proc/self/environ").read_bytes()
        fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        start = int(fields[ENV_START_FIELD])
    except (OSError, ValueError, IndexError):
        return
    if start == 0 or ctypes.string_at(start, len(shown)) != shown:
        return
    offset = 0
    for entry in shown.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if value and name.decode(errors="replace").lower() in names:
            ctypes.memset(start + offset + len(name) + 1, 0, len(value))
        offset += len(entry) + 1
