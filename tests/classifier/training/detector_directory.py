"""A small data directory for the music detector, all of it synthesised: songs, 'speech' and noises with groups."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from classifier.features.spectrum import Spectrum
from classifier.features.texture import sampled_mel, texture
from classifier.training.synthesis import SIGNALS
from classifier.training.synthesis.instruments import SAMPLE_RATE, filtered
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

STYLES = ("disco", "blues")
ARTISTS, SPEAKERS, PLACES = 10, 10, 6


def extract(samples: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Stand in for the network: some texture of a sound, by the names of the families that the detector reads."""
    some = texture(sampled_mel(Spectrum(samples)))[::20]
    return {"musicnn_tags": some[::2], "musicnn_embedding": some[1::2]}


def babble(seed: int, seconds: float = 6.0) -> NDArray[np.float32]:
    """Return noise in the rhythm of syllables and in the band of a voice."""
    draw = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    syllables = np.interp(np.arange(count), np.linspace(0, count, int(seconds * 9)), draw.random(int(seconds * 9)) ** 3)
    noise = filtered(draw.standard_normal(count, dtype=np.float32), low=200, high=draw.uniform(2_500, 3_500))
    return (0.3 * noise * syllables).astype(np.float32)


def make(directory: Path) -> Path:
    """Write the directory's files."""
    songs = [
        {"clip": f"{STYLES[n % 2]}.{n}", "song": str(n), "label": STYLES[n % 2], "artist": str(n)}
        for n in range(ARTISTS)
    ]
    _table(directory / "modern" / "clips.csv", songs)
    for number, row in enumerate(songs):
        path = directory / "modern" / row["label"] / f"{row['clip']}.opus"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(song(row["label"], 8, seed=number), path)
    clips = [("speech", f"speech/{n}.opus", "en read", f"speaker-{n}", babble(n)) for n in range(SPEAKERS)]
    for number in range(PLACES):
        noise = SIGNALS["noise"][1](np.random.default_rng(number), 6.0)
        noise *= 0.1 / np.sqrt(np.square(noise).mean())
        clips.append(("environment", f"environment/{number}.opus", "rain", f"place-{number}", noise))
    clips.append(("synthetic", "synthetic/0.opus", "espeak", "espeak", babble(99)))
    clips.append(("borderline", "borderline/0.opus", "bells", "bells", song("blues", 6, seed=50)))
    rows = [{"clip": clip, "kind": kind, "label": label, "group": group} for kind, clip, label, group, _ in clips]
    _table(directory / "notmusic" / "clips.csv", rows)
    for _, clip, _, _, samples in clips:
        path = directory / "notmusic" / clip
        path.parent.mkdir(parents=True, exist_ok=True)
        write(samples, path)
    return directory


def _table(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
