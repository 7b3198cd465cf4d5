"""Fuzzes every demuxer that may open a file: ``python -m tests.fuzz.demuxers SECONDS SEED FOLDER``.

Each demuxer on the whitelist is given mutated files, its own and those of others, as if it had recognised them. It may
refuse them; it must neither end the process nor take longer than ``MOST_SECONDS``. Prints how many files were tried,
and as JSON what became of them; the last file is kept in the folder.
"""

from __future__ import annotations

import io
import json
import resource
import signal
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import av
import numpy as np

from classifier.audio.container import _Nameless, _refuse
from classifier.audio.formats import DECODERS, DEMUXERS
from tests.classifier.audio.fuzz_decode import MEMORY_BYTES, mutated
from tests.classifier.media import KINDS, write
from tests.classifier.synthesis import song

SEED_SECONDS = 0.7
MOST_BYTES = 40_000
PACKETS = 200
MOST_SECONDS = 10


def demux(content: bytes, demuxer: str) -> str:
    """Read the packets of a file; return what became of it."""
    options = {
        "format_whitelist": DEMUXERS,
        "protocol_whitelist": "file",
        "codec_whitelist": DECODERS,
        "max_streams": "64",
    }
    try:
        opened = av.open(
            _Nameless(io.BytesIO(content)),
            mode="r",
            format=demuxer,
            container_options=options,
            metadata_errors="replace",
            io_open=_refuse,
        )
        with opened as container:
            return "read" if list(islice(container.demux(audio=0), PACKETS)) else "empty"
    except (av.FFmpegError, IndexError, ValueError) as error:
        return type(error).__name__


def main() -> None:
    """Fuzz until the time is up."""
    seconds, seed, folder = float(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    av.logging.set_level(av.logging.PANIC)
    originals = [
        write(folder, kind, song(1, seconds=SEED_SECONDS, rate=kind.rate)).read_bytes()[:MOST_BYTES] for kind in KINDS
    ]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    generator = np.random.default_rng(seed)
    demuxers = DEMUXERS.split(",")
    outcomes: Counter[str] = Counter()
    until, tried = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        demuxer = demuxers[tried % len(demuxers)]
        content = mutated(originals[int(generator.integers(len(originals)))], originals, generator)
        (folder / f"last.{demuxer}").write_bytes(content)
        signal.alarm(MOST_SECONDS)
        outcomes[demux(content, demuxer)] += 1
        signal.alarm(0)
        (folder / f"last.{demuxer}").unlink()
        tried += 1
    sys.stdout.write(f"{tried} {json.dumps(outcomes)}\n")


if __name__ == "__main__":
    main()
