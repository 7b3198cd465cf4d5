from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.audio.silence import FRAME_SAMPLES, MIN_SILENCE_SECONDS, MIN_SOUND_SECONDS, sounding_stretches
from classifier.features.spectrum import SAMPLE_RATE
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from numpy.typing import NDArray

MUSIC = song(3, seconds=10)
SECOND = SAMPLE_RATE


def noise(seconds: float, level: float) -> NDArray[np.float32]:
    generator = np.random.default_rng(1)
    return np.asarray(level * generator.standard_normal(round(seconds * SECOND)), dtype=np.float32)


def quiet(kind: str) -> NDArray[np.float32]:
    """Make four seconds in which nothing is to be heard."""
    match kind:
        case "offset":
            return np.full(4 * SECOND, 0.3, np.float32)
        case "dither":
            generator = np.random.default_rng(2)
            return (np.rint(generator.uniform(-1, 1, 4 * SECOND)) / 32_768).astype(np.float32)
        case "sound card":
            return noise(4, 5e-5) - np.float32(0.01)
        case "drift":
            return np.linspace(0.1, 0.1001, 4 * SECOND, dtype=np.float32)
        case "steps":
            return np.repeat(np.array([0.4, -0.4], np.float32), 2 * SECOND)
        case "clicks":
            clicks = np.zeros(4 * SECOND, np.float32)
            clicks[1 * SECOND : -SECOND : 2 * SECOND] = 0.5
            return clicks
        case _:
            return np.zeros(4 * SECOND, np.float32)


KINDS = ["zeros", "offset", "dither", "sound card", "drift", "steps", "clicks"]


@pytest.mark.parametrize("kind", KINDS)
def test_silence_of_every_kind_is_left_out(kind: str) -> None:
    samples = np.concatenate([MUSIC, quiet(kind), MUSIC])
    stretches = sounding_stretches(samples)
    assert len(stretches) == 2
    for (first, last), expected in zip(stretches, [(0, 10), (14, 24)], strict=True):
        assert first == pytest.approx(expected[0] * SECOND, abs=FRAME_SAMPLES)
        assert last == pytest.approx(expected[1] * SECOND, abs=FRAME_SAMPLES)


@pytest.mark.parametrize("kind", ["zeros", "offset", "dither", "steps", "clicks"])
def test_nothing_but_silence_has_no_stretch(kind: str) -> None:
    assert sounding_stretches(quiet(kind)) == []


@pytest.mark.parametrize("gain", [1, 1e-3, 5e-4])
def test_quiet_music_sounds_throughout(gain: float) -> None:
    samples = MUSIC * np.float32(gain)
    assert sounding_stretches(samples) == [(0, samples.size)]


def test_music_above_a_large_offset_sounds_throughout() -> None:
    samples = MUSIC * np.float32(1e-3) + np.float32(100)
    assert sounding_stretches(samples) == [(0, samples.size)]


def test_a_fade_out_sounds_down_to_60_decibels() -> None:
    seconds = np.arange(20 * SECOND) / SECOND
    # Six decibels a second.
    fading = noise(20, 0.1) * (10 ** (-6 / 20 * seconds)).astype(np.float32)
    [(first, last)] = sounding_stretches(fading)
    assert first == 0
    assert last / SECOND == pytest.approx(10, abs=0.7)


def test_a_rest_belongs_to_the_music() -> None:
    rest = np.zeros(round((MIN_SILENCE_SECONDS - 0.2) * SECOND), np.float32)
    samples = np.concatenate([rest, MUSIC, rest, MUSIC, rest])
    assert sounding_stretches(samples) == [(0, samples.size)]


def test_no_samples_have_no_stretch() -> None:
    assert sounding_stretches(np.empty(0, np.float32)) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.05, 4)), max_size=8))
def test_stretches_are_apart_and_hold_all_that_sounds(parts: list[tuple[bool, float]]) -> None:
    pieces = [(MUSIC if sounds else 0 * MUSIC)[: round(seconds * SECOND)] for sounds, seconds in parts]
    samples = np.concatenate([np.empty(0, np.float32), *pieces])
    stretches = sounding_stretches(samples)
    edges = [edge for stretch in stretches for edge in stretch]
    assert edges == sorted(edges)
    assert all(0 <= edge <= samples.size for edge in edges)
    assert all(after[0] - before[1] >= MIN_SILENCE_SECONDS * SECOND for before, after in pairwise(stretches))
    assert all(last - first >= MIN_SOUND_SECONDS * SECOND for first, last in stretches)
    outside = samples.copy()
    for first, last in stretches:
        outside[first:last] = 0
    # Nothing but a few clicks is left outside of them.
    assert np.count_nonzero(np.abs(outside) > 0.05) < 8 * MIN_SOUND_SECONDS * SECOND
