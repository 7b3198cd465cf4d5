"""``python -m tests.synthesis --examples`` makes the songs that the local chat offers to try.

They are played by FluidSynth (see ``soundfont``). Each must be told surely by the release in ``models/``, which
``tests/bot/web/test_examples.py`` checks for every release: if a new one is not sure of an example, choose another seed
or other instruments here, or leave the example out.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifier.training.synthesis import instruments as i
from tests.synthesis import write
from tests.synthesis.soundfont import RecordedBand
from tests.synthesis.styles import STYLES
from tests.synthesis.vietnamese import BLOWN, SUNG, Ensemble, vietnamese_song

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classifier.training.synthesis.instruments import Sound
    from tests.synthesis.band import Voice

FOLDER = Path(__file__).resolve().parents[2] / "bot" / "web" / "examples"
BITS_PER_SECOND = 54_000  # the encoder may take a fifth more where there is much to hear
JAZZ_KIT = 32
STRINGS, OBOE = 48, 68


@dataclass(frozen=True, slots=True)
class Example:
    """A song of the local chat.

    Attributes
    ----------
    style
        One of ``STYLES``, or a Vietnamese ensemble.
    genre
        What a release is to tell surely.
    title_en, title_vi, kind_en, kind_vi
        What it is called, and what to expect of it in a word.
    programs, kit
        General MIDI numbers, see ``RecordedBand``.
    """

    style: str | Ensemble
    seconds: float
    seed: int
    genre: str
    title_en: str
    title_vi: str
    kind_en: str
    kind_vi: str
    programs: Mapping[Voice, int] = field(default_factory=dict)
    kit: int = 0

    @property
    def file(self) -> str:
        return f"{self.title_en.lower().replace(' ', '-')}.opus"

    def played(self) -> Sound:
        """Play it, shape (frames, 2)."""
        if isinstance(self.style, Ensemble):
            return vietnamese_song(self.style, self.seconds, self.seed)
        style = STYLES[self.style]
        rng = np.random.default_rng([self.seed, sorted(STYLES).index(self.style)])
        tempo = float(rng.uniform(*style.tempo))
        band = RecordedBand(
            self.seconds, tempo, rng, swing=style.swing, room=style.room, programs=self.programs, kit=self.kit
        )
        style.play(band, rng, band.bars(style.beats_per_bar, ending_seconds=4))
        return band.mixed()


EXAMPLES = (
    Example("jazz", 62, 1, "jazz", "Late Train", "Chuyến tàu muộn", "a jazz quartet", "tứ tấu jazz", kit=JAZZ_KIT),
    Example(
        *("classical", 64, 2, "classical", "Morning on the Canal", "Sớm mai bên kênh"),
        *("oboe and strings", "sáo ô-boa và dàn dây"),
        programs={i.piano: OBOE, i.strings: STRINGS},
    ),
    Example(SUNG, 60, 9, "hatxam", "Market Day", "Phiên chợ", "in the manner of hát xẩm", "theo lối hát xẩm"),
    Example(BLOWN, 60, 10, "cheo", "Lotus Pond", "Ao sen", "in the manner of chèo", "theo lối chèo"),
)


def make_examples(folder: Path) -> None:
    """Play every example into a folder, with ``index.json`` beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for example in EXAMPLES:
        write(example.played(), folder / example.file, bit_rate=BITS_PER_SECOND, title=example.title_en)
        names = ("file", "genre", "title_en", "title_vi", "kind_en", "kind_vi")
        index.append({name: getattr(example, name) for name in names})
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.synthesis", description=__doc__)
    parser.add_argument("--examples", action="store_true", required=True, help=f"write into {FOLDER}")
    parser.parse_args()
    make_examples(FOLDER)
