"""Fuzzes everything that reads people's text, and prints inputs tried and crashes: ``python -m tests.fuzz``.

Parsers are fuzzed with coverage guidance if atheris is installed (``pip install atheris``), otherwise with hypothesis;
the running chats and page with hypothesis. Crashes are printed with their traceback, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
import traceback
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import InMemoryExampleDatabase

from tests.fuzz.doors import DOORS, opened
from tests.fuzz.inputs import texts
from tests.fuzz.parsers import PARSERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH = 500


def guided(name: str, seconds: int) -> tuple[int, str]:
    """Fuzz a parser with coverage guidance; return the number of inputs, and the crash if there was one."""
    with tempfile.TemporaryDirectory() as corpus:
        command = [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), corpus]
        told = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    words = told.stdout + told.stderr
    counted = re.search(r"number_of_executed_units:\s*(\d+)", words)
    crash = "" if told.returncode == 0 else words[-3000:]
    return (int(counted[1]) if counted else 0), crash


def drawn(try_one: Callable[[str], None], seeds: Sequence[str], seconds: float, first: int) -> tuple[int, str]:
    """Fuzz with hypothesis, in batches until the time is up; return the same."""
    tried = 0

    def count(text: str) -> None:
        nonlocal tried
        tried += 1
        try_one(text)

    until, number = time.monotonic() + seconds, first
    while time.monotonic() < until:
        batch = settings(
            max_examples=BATCH,
            deadline=None,
            database=InMemoryExampleDatabase(),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            phases=(Phase.generate,),
        )
        try:
            seed(number)(batch(given(texts(seeds))(count)))()
        except Exception:
            return tried, traceback.format_exc()[-3000:]
        number += 1
    return tried, ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzzes what reads people's text.")
    parser.add_argument("names", nargs="*", help="what to fuzz; everything by default")
    parser.add_argument("--seconds", type=int, default=20, help="for each (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="for what hypothesis draws (default: 1)")
    asked = parser.parse_args()
    by_coverage = importlib.util.find_spec("atheris") is not None
    print(f"parsers by {'coverage (atheris)' if by_coverage else 'hypothesis'}, doors by hypothesis", flush=True)
    crashes = total = 0
    for name, one in PARSERS.items():
        if asked.names and name not in asked.names:
            continue
        tried, crash = (
            guided(name, asked.seconds) if by_coverage else drawn(one.read, one.seeds, asked.seconds, asked.seed)
        )
        total, crashes = total + tried, crashes + bool(crash)
        print(f"{name:24} {tried:9,} inputs  {'CRASH' if crash else 'no crash'}", crash, sep="\n" if crash else "")
        sys.stdout.flush()
    for name, door in DOORS.items():
        if asked.names and name not in asked.names:
            continue
        with opened(door) as try_one:
            tried, crash = drawn(try_one, door.seeds, asked.seconds, asked.seed)
        total, crashes = total + tried, crashes + bool(crash)
        print(f"{name:24} {tried:9,} inputs  {'CRASH' if crash else 'no crash'}", crash, sep="\n" if crash else "")
        sys.stdout.flush()
    print(f"{'all':24} {total:9,} inputs  {crashes} crashes")
    return min(1, crashes)


if __name__ == "__main__":
    sys.exit(main())
