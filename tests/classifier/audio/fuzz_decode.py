"""Decode mutated media files; run as ``python -m tests.classifier.audio.fuzz_decode FOLDER SEED COUNT``.

Prints the most time and memory that a file took, and ends with a JSON object of outcomes. Anything but a song or a
SongError ends it with a traceback, a crash without one; the file that did it is then FOLDER/mutated.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from classifier.audio.decoding import SAMPLE_RATE, decode
from common.errors import SongError
from tests.classifier.media import KINDS, write
from tests.classifier.synthesis import song

CAP_SECONDS = 20
MEMORY_BYTES = 3 * 2**30
SEED_SECONDS = 3.5


def mutated(content: bytes, others: list[bytes], generator: np.random.Generator) -> bytes:
    """Return a file with some of what goes wrong with files, by accident or on purpose."""
    changed = bytearray(content)
    for _ in range(generator.integers(1, 5)):
        if not changed:
            break
        at = int(generator.integers(0, len(changed))) if generator.random() < 0.5 else int(generator.integers(0, 400))
        at = min(at, len(changed) - 1)
        length = int(generator.choice([1, 2, 4, 16, 300, 5000]))
        match generator.integers(0, 7):
            case 0:
                changed[at] ^= 1 << int(generator.integers(0, 8))
            case 1:
                changed[at : at + length] = generator.bytes(length)
            case 2:
                changed[at : at + 4] = bytes([generator.choice([0, 0x7F, 0x80, 0xFF])]) * 4
            case 3:
                del changed[at : at + length]
            case 4:
                changed[at:at] = changed[at : at + length]
            case 5:
                del changed[max(at, 16) :]
            case _:
                other = others[generator.integers(0, len(others))]
                start = int(generator.integers(0, len(other)))
                changed[at : at + length] = other[start : start + length]
    return bytes(changed)


def main(folder: Path, seed: int, count: int) -> None:
    """Fuzz and print the outcomes."""
    originals = [write(folder, kind, song(1, seconds=SEED_SECONDS, rate=kind.rate)).read_bytes() for kind in KINDS]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    generator = np.random.default_rng(seed)
    outcomes: Counter[str] = Counter()
    path = folder / "mutated"
    slowest = 0.0
    for number in range(count):
        path.write_bytes(mutated(originals[number % len(originals)], originals, generator))
        started = time.process_time()
        try:
            samples = decode(path, max_seconds=CAP_SECONDS)
        except SongError as error:
            outcomes[type(error).__name__] += 1
        else:
            if not (np.isfinite(samples).all() and 3 * SAMPLE_RATE <= samples.size <= CAP_SECONDS * SAMPLE_RATE):
                raise AssertionError(f"{samples.size} samples, or not finite")
            outcomes["decoded"] += 1
        slowest = max(slowest, time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"slowest {slowest:.2f} s, peak {peak:.0f} MiB\n")
    sys.stdout.write(json.dumps(outcomes) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where files are written")
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int, help="files to try")
    arguments = parser.parse_args()
    main(arguments.folder, arguments.seed, arguments.count)
