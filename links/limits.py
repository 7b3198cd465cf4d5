"""What one fetch may use, and how its process is held to it. Time by the clock is the parent's to watch."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.units import MEBIBYTE, MEGABYTE

OPEN_FILES: Final = 64
NICENESS: Final = 5
OUT_OF_MEMORY_SCORE: Final = 500  # of 1000: where memory runs out, the kernel ends a fetch rather than the bot
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may use.

    Attributes
    ----------
    seconds
        Time by the clock, and of the processor.
    file_bytes
        Size of the song's file.
    page_bytes
        What may be received besides: pages, scripts, play lists.
    song_seconds
        Length of the song, where the site tells it.
    memory_bytes
        Address space beyond what the process has mapped when it begins.
    script_bytes
        Writable memory of the JavaScript runtime; Deno does not start with half a gibibyte.
    silence_seconds
        How long a server may say nothing.
    """

    file_bytes: int
    song_seconds: float
    seconds: float = 300
    page_bytes: int = 32 * MEBIBYTE
    memory_bytes: int = 512 * MEBIBYTE
    script_bytes: int = 1536 * MEBIBYTE
    silence_seconds: float = 20

    @property
    def megabytes(self) -> float:
        """Size of the song's file as people are told of it."""
        return self.file_bytes / MEGABYTE


def die_with(parent: int) -> None:
    """Have the kernel end this process together with its parent, even if the parent is killed.

    Parameters
    ----------
    parent
        Its process id: should it be gone already, this process ends here.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def confine(limits: Limits) -> None:
    """Hold this process to its limits.

    The one on address space is a soft one, which ``loosen_for_script`` takes from the JavaScript runtime.
    """
    os.nice(NICENESS)
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, ceiling = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_below(mapped + limits.memory_bytes, ceiling), ceiling))
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_bytes + limits.page_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CPU, max(1, int(limits.seconds))),
    ):
        _, ceiling = resource.getrlimit(limit)
        value = _below(value, ceiling)
        resource.setrlimit(limit, (value, value))


def loosen_for_script(limits: Limits) -> None:
    """Exchange, between fork and exec, the limit on address space for one on writable memory.

    JavaScript engines reserve far more addresses than they will ever use.
    """
    _, ceiling = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_DATA, (limits.script_bytes, limits.script_bytes))


def _below(value: int, ceiling: int) -> int:
    return value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
