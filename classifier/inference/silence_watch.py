"""Notices a worker that shows no sign of life: stopped, swapped out, or caught in a loop of some library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

TICK_SECONDS: Final = 1.0
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat behind the name in brackets.
_STATE, _USER, _SYSTEM = 0, 11, 12


class SilenceWatch:
    """Adds up for how long a worker has reported nothing.

    It is called once a tick, so time in which this process itself was suspended does not count. Of a worker that would
    run if it were given a processor, only its processor time counts: on a busy machine it is slow, not frozen.

    Parameters
    ----------
    pid
        The worker's process.
    seconds
        For how long it may be silent.
    """

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid, self._seconds = pid, seconds
        self._silent = 0.0
        self._is_heard = False
        self._used = _look(pid)[1]

    def heard(self) -> None:
        """Note a sign of life."""
        self._is_heard = True

    def tick(self) -> bool:
        """Note that a tick has passed; return whether the worker has been silent for too long."""
        is_runnable, used = _look(self._pid)
        passed = used - self._used if is_runnable else TICK_SECONDS
        self._used = used
        self._silent = 0.0 if self._is_heard else self._silent + passed
        self._is_heard = False
        return self._silent >= self._seconds


def _look(pid: int) -> tuple[bool, float]:
    """Return whether a process can run, and how many seconds of processor time it has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:  # it has ended, or this is no Linux
        return False, 0.0
    return fields[_STATE] == "R", (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS_PER_SECOND
