"""``python -m tests.synthesis --examples`` makes the songs that the local chat offers to try."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from tests.synthesis import song, write

FOLDER = Path(__file__).resolve().parents[2] / "bot" / "web" / "examples"
BITS_PER_SECOND = 54_000  # the encoder may take a fifth more where there is much to hear


@dataclass(frozen=True, slots=True)
class Example:
    """A song of the local chat, with its titles."""

    style: str
    seconds: float
    seed: int
    title_en: str
    title_vi: str

    @property
    def file(self) -> str:
        return f"{self.title_en.lower().replace(' ', '-')}.opus"


EXAMPLES = (
    Example("disco", 56, 3, "Mirror Ball", "Quả cầu gương"),
    Example("jazz", 62, 4, "Late Train", "Chuyến tàu muộn"),
    Example("classical", 64, 2, "Morning on the Canal", "Sớm mai bên kênh"),
    Example("reggae", 58, 8, "Slow Tide", "Con nước chậm"),
    Example("metal", 48, 3, "Iron Gate", "Cổng sắt"),
    Example("vietnamese", 66, 6, "Lotus Pond", "Ao sen"),
)


def make_examples(folder: Path) -> None:
    """Play every example into a folder, with ``index.json`` beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for example in EXAMPLES:
        samples = song(example.style, example.seconds, example.seed, stereo=True)
        write(samples, folder / example.file, bit_rate=BITS_PER_SECOND, title=example.title_en)
        index.append({"file": example.file, "title_en": example.title_en, "title_vi": example.title_vi})
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.synthesis", description=__doc__)
    parser.add_argument("--examples", action="store_true", required=True, help=f"write into {FOLDER}")
    parser.parse_args()
    make_examples(FOLDER)
