"""Fuzzes everything that reads what people send, and prints inputs tried and crashes: ``python -m tests.fuzz``.

Parsers are fuzzed with coverage guidance if atheris is installed (``pip install atheris``), otherwise with drawn texts,
as are the running chats, page and API; demuxers with mutated files. Crashes are printed with their traceback, and the
exit status is 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.fuzz.doors import DOORS, opened
from tests.fuzz.inputs import draw
from tests.fuzz.parsers import PARSERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEMUXERS = "demuxers"


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
    """Fuzz with drawn texts until the time is up; return the same."""
    until, tried = time.monotonic() + seconds, 0
    random = Random(first)
    while time.monotonic() < until:
        text = draw(random, seeds)
        tried += 1
        try:
            try_one(text)
        except Exception:
            return tried, f"{text[:500]!r}\n{traceback.format_exc()[-3000:]}"
    return tried, ""


def demuxed(seconds: int, first: int) -> tuple[int, str]:
    """Fuzz the demuxers in a process of their own; return the same."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.demuxers", str(seconds), str(first), folder]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode == 0:
            return int(told.stdout.split()[0]), ""
        kept = [shutil.copy(path, tempfile.gettempdir()) for path in Path(folder).glob("last.*")]
    return 0, f"ended with {told.returncode}; the file is {kept}\n{told.stderr[-3000:]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzzes what reads what people send.")
    parser.add_argument("names", nargs="*", help="what to fuzz; everything by default")
    parser.add_argument("--seconds", type=int, default=20, help="for each (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="for what is drawn (default: 1)")
    asked = parser.parse_args()
    by_coverage = importlib.util.find_spec("atheris") is not None
    print(f"parsers by {'coverage (atheris)' if by_coverage else 'drawn texts'}", flush=True)
    crashes = total = 0
    for name in (*PARSERS, *DOORS, DEMUXERS):
        if asked.names and name not in asked.names:
            continue
        began = time.monotonic()
        if name in PARSERS and by_coverage:
            tried, crash = guided(name, asked.seconds)
        elif name in PARSERS:
            tried, crash = drawn(PARSERS[name].read, PARSERS[name].seeds, asked.seconds, asked.seed)
        elif name in DOORS:
            with opened(DOORS[name]) as try_one:
                tried, crash = drawn(try_one, DOORS[name].seeds, asked.seconds, asked.seed)
        else:
            tried, crash = demuxed(asked.seconds, asked.seed)
        total, crashes = total + tried, crashes + bool(crash)
        told = f"{name:24} {tried:9,} inputs  {time.monotonic() - began:5.0f} s  {'CRASH' if crash else 'no crash'}"
        print(told, crash, sep="\n" if crash else "", flush=True)
    print(f"{'all':24} {total:9,} inputs  {crashes} crashes")
    return min(1, crashes)


if __name__ == "__main__":
    sys.exit(main())
