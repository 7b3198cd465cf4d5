"""The resource limits of one fetch, and how they are imposed on its process. The parent enforces wall-clock time."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.transfer_rate import GRACE_SECONDS, MIN_BYTES_PER_SECOND
from common.units import MEBIBYTE, MEGABYTE

OPEN_FILES: Final = 64
NICENESS: Final = 5
OUT_OF_MEMORY_SCORE: Final = 500  # of 1000: when memory runs out, the kernel kills a fetch rather than the bot
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Resource limits of one fetch.

    Attributes
    ----------
    seconds
        Limit on wall-clock time.
    cpu_seconds
        Limit on CPU time: what a hostile page may burn while it is parsed.
    file_bytes
        Size of the song's file.
    page_bytes
        Bytes that may be received besides the file: pages, scripts, stream playlists.
    song_seconds
        Length of the song, if the site reports it.
    memory_bytes
        Address space beyond what the process has mapped when it begins.
    script_bytes
        Writable memory of the JavaScript runtime; Deno does not start with half a gibibyte.
    silence_seconds
        How long a server may send nothing.
    bytes_per_second, grace_seconds
        The slowest rate at which bytes may come once the grace time has passed.
    """

    file_bytes: int
    song_seconds: float
    seconds: float = 300
    cpu_seconds: float = 60
    page_bytes: int = 32 * MEBIBYTE
    memory_bytes: int = 512 * MEBIBYTE
    script_bytes: int = 1536 * MEBIBYTE
    silence_seconds: float = 20
    bytes_per_second: float = MIN_BYTES_PER_SECOND
    grace_seconds: float = GRACE_SECONDS

    @property
    def megabytes(self) -> float:
        """The limit on the file's size in MB, for messages to people."""
        return self.file_bytes / MEGABYTE


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, even if the parent is killed.

    Parameters
    ----------
    parent
        The parent's process id; if it has already ended, this process exits.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def apply_limits(limits: FetchLimits) -> None:
    """Apply the limits to this process.

    The limit on address space is a soft one, so that ``loosen_for_script`` can lift it for the JavaScript runtime.
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
    ):
        _, ceiling = resource.getrlimit(limit)
        value = _below(value, ceiling)
        resource.setrlimit(limit, (value, value))
    _, ceiling = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = _below(max(1, int(limits.cpu_seconds)), ceiling)
    # At the soft limit the kernel sends SIGXCPU, which tells the parent why; at the hard one, only SIGKILL.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, _below(seconds + 1, ceiling)))


def loosen_for_script(limits: FetchLimits) -> None:
    """Replace the limit on address space by one on writable memory, between fork and exec.

    JavaScript engines reserve far more addresses than they will ever use.
    """
    _, ceiling = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_DATA, (limits.script_bytes, limits.script_bytes))


def _below(value: int, ceiling: int) -> int:
    return value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
