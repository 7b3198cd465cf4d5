"""Music made on the spot, so that tests need no recording: chords over drums, with noise, different for every seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE = 22_050
_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])


def song(seed: int, *, seconds: float = 12.0, rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Return a mono song, float32 within [-1, 1], shape (seconds × rate,); the same for the same arguments."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    beat = 60 / generator.uniform(70, 170)
    since_beat = time % beat
    since_half_beat = time % (beat / 2)
    bar = (time // (4 * beat)).astype(int)
    tonic = 110 * 2 ** (generator.uniform(0, 12) / 12)
    degrees = generator.choice(_SCALE, size=bar[-1] + 1)
    chords = np.zeros_like(time)
    for interval in (0, 4, 7, 12):
        pitch = tonic * 2 ** ((degrees[bar] + interval) / 12)
        for harmonic in range(1, 6):
            chords += np.sin(2 * np.pi * harmonic * pitch * time) / harmonic ** generator.uniform(0.8, 2.5)
    kick = np.sin(2 * np.pi * 55 * since_beat) * np.exp(-since_beat * 25)
    hat = generator.standard_normal(time.size) * np.exp(-since_half_beat * 90)
    hiss = generator.standard_normal(time.size)
    mix = 0.1 * chords * (0.6 + 0.4 * np.exp(-3 * since_beat)) + generator.uniform(0.1, 1.5) * kick
    mix += generator.uniform(0.02, 0.5) * hat + generator.uniform(0.0005, 0.01) * hiss + 0.001
    return np.asarray(generator.uniform(0.2, 0.95) * mix / np.abs(mix).max(), dtype=np.float32)
