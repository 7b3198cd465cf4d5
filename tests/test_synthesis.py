"""Songs that the project plays itself are the same everywhere, and the examples among them are fit to be offered."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import decode
from tests.conftest import REPOSITORY
from tests.needs import lacking
from tests.synthesis import KINDS, SAMPLE_RATE, STYLES, song, write
from tests.synthesis.__main__ import EXAMPLES, make_examples
from tests.synthesis.soundfont import FONT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES_FOLDER = REPOSITORY / "bot" / "web" / "examples"
LARGEST_EXAMPLES_BYTES = 3_000_000


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays_a_song_of_the_asked_length(style: str) -> None:
    played = song(style, 6.5, seed=1)
    assert played.shape == (round(6.5 * SAMPLE_RATE),)
    assert played.dtype == np.float32
    assert 0.5 < np.abs(played).max() <= 1


def test_a_seed_says_all() -> None:
    assert np.array_equal(song("jazz", 5, seed=7), song("jazz", 5, seed=7))
    assert not np.array_equal(song("jazz", 5, seed=7), song("jazz", 5, seed=8))


@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_of_file_can_be_decoded(suffix: str, tmp_path: Path) -> None:
    path = write(song("pop", 4, stereo=True), tmp_path / f"song{suffix}")
    assert decode(path, max_seconds=60).size / 22_050 == pytest.approx(4, abs=0.1)


def test_the_examples_are_what_the_index_says() -> None:
    index = json.loads((EXAMPLES_FOLDER / "index.json").read_text("utf-8"))
    names = ("file", "genre", "title_en", "title_vi", "kind_en", "kind_vi")
    assert index == [{name: getattr(example, name) for name in names} for example in EXAMPLES]
    songs = {path.name: path for path in EXAMPLES_FOLDER.iterdir() if path.name != "index.json"}
    assert set(songs) == {entry["file"] for entry in index}
    assert sum(path.stat().st_size for path in songs.values()) < LARGEST_EXAMPLES_BYTES
    for path in songs.values():
        assert 40 <= decode(path, max_seconds=100).size / 22_050 <= 75


def test_the_examples_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("fluidsynth") is None or not FONT.is_file():
        lacking("FluidSynth and its sound font (Debian: fluidsynth, fluid-soundfont-gm)")
    monkeypatch.setattr("tests.synthesis.__main__.EXAMPLES", EXAMPLES[:1])
    make_examples(tmp_path)
    made = decode(tmp_path / EXAMPLES[0].file, max_seconds=100)
    kept = decode(EXAMPLES_FOLDER / EXAMPLES[0].file, max_seconds=100)
    assert np.corrcoef(made, kept)[0, 1] > 0.99
