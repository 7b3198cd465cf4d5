from __future__ import annotations

import numpy as np
import pytest

from classifier.audio.decoding import SAMPLE_RATE
from classifier.features.families import GTZAN57, MEL_FAMILIES, TEXTURE, TEXTURE40, families
from classifier.features.gtzan57 import gtzan57
from classifier.features.spectrum import Spectrum
from classifier.features.texture import sampled_mel
from classifier.features.texture_columns import WIDTH
from tests.classifier.synthesis import song


@pytest.mark.parametrize("seconds", [3, 30])
def test_every_family_of_a_segment_is_computed_at_once(seconds: float) -> None:
    found = families(song(0, seconds=seconds))
    widths = {name: vector.shape for name, vector in found.items()}
    assert widths == {GTZAN57: (57,), TEXTURE: (WIDTH,), TEXTURE40: (WIDTH,)}
    assert {vector.dtype for vector in found.values()} == {np.dtype(np.float32)}
    assert all(np.isfinite(vector).all() for vector in found.values())


def test_they_are_what_each_family_says_on_its_own() -> None:
    samples = song(1)
    found = families(samples)
    np.testing.assert_allclose(found[GTZAN57], gtzan57(Spectrum(samples)), rtol=1e-6)
    for name, compute in MEL_FAMILIES.items():
        np.testing.assert_array_equal(found[name], compute(sampled_mel(Spectrum(samples))))
    assert not np.array_equal(found[TEXTURE], found[TEXTURE40])


@pytest.mark.parametrize("gain", [0.05, 0.5])
def test_the_level_of_a_recording_does_not_matter_to_texture(gain: float) -> None:
    samples = song(2)
    loud, quiet = families(samples), families(samples * np.float32(gain))
    for name in MEL_FAMILIES:
        np.testing.assert_allclose(quiet[name], loud[name], atol=0.02)


def test_a_silent_segment_has_every_family() -> None:
    found = families(np.zeros(10 * SAMPLE_RATE, dtype=np.float32))
    assert all(np.isfinite(vector).all() for vector in found.values())
