"""Runs one parser under atheris, a coverage-guided fuzzer; started by ``python -m tests.fuzz``.

``python -m tests.fuzz.guided PARSER SECONDS CORPUS`` ends with libFuzzer's report: runs done, or a crash.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["bot", "links", "storage"]):
    from tests.fuzz.parsers import PARSERS

MOST_CHARACTERS = 4000


def main() -> None:
    name, seconds, corpus = sys.argv[1:4]
    parser = PARSERS[name]
    folder = Path(corpus)
    for number, seed in enumerate(parser.seeds):
        (folder / f"seed-{number}").write_bytes(seed.encode("utf-8", "surrogatepass"))

    def try_one(data: bytes) -> None:
        parser.read(data.decode("utf-8", "surrogateescape"))

    options = [f"-max_total_time={seconds}", f"-max_len={MOST_CHARACTERS}", "-timeout=20", "-verbosity=0"]
    options += ["-print_final_stats=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, corpus], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
