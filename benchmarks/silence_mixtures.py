"""Counts mixtures of music and silence for which a model is wrongly sure: ``python benchmarks/silence_mixtures.py``.

A mixture is wrong if the model is sure of a genre that it does not give to the music alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from classifier.inference.model import Model
from tests.synthesis.silence_mixtures import mixture_answers


def main() -> None:
    """Print every wrong mixture, and how many there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mixtures", type=int, default=200)
    parser.add_argument("--models", type=Path, default=Path(__file__).resolve().parents[1] / "models")
    arguments = parser.parse_args()
    wrong = 0
    for number, answer in enumerate(mixture_answers(Model.load(arguments.models), arguments.mixtures)):
        if answer.wrong:
            wrong += 1
            print(
                f"mixture {number} of song {answer.song}: sure of {answer.mixed} ({answer.confidence:.0%}), "
                f"the music alone is {answer.alone}",
                flush=True,
            )
    print(f"{wrong} of {arguments.mixtures} mixtures are wrong")


if __name__ == "__main__":
    main()
