from __future__ import annotations

import numpy as np
import pytest

from classifier.training.synthesis import MUSIC, SIGNALS
from classifier.training.synthesis.instruments import SAMPLE_RATE

SECONDS = 4.0
SYNTHESISERS = {**MUSIC, **{name: synthesise for name, (_, synthesise) in SIGNALS.items()}}


def made(name: str, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return SYNTHESISERS[name](np.random.default_rng(seed), SECONDS)


@pytest.mark.parametrize("name", SYNTHESISERS)
def test_a_sound_is_as_long_as_asked_finite_and_audible(name: str) -> None:
    sound = made(name)
    assert sound.dtype == np.float32
    assert sound.shape == (SECONDS * SAMPLE_RATE,)
    assert np.isfinite(sound).all()
    assert np.sqrt(np.square(sound, dtype=np.float64).mean()) > 1e-4


@pytest.mark.parametrize("name", ["guitar", "drum kit", "bells", "singing", "noise", "telephone keys"])
def test_a_seed_makes_a_sound_of_its_own_and_the_same_each_time(name: str) -> None:
    assert np.array_equal(made(name, 3), made(name, 3))
    assert not np.array_equal(made(name, 3), made(name, 4))


def test_there_are_tones_and_noises() -> None:
    assert {kind for kind, _ in SIGNALS.values()} == {"tone", "environment"}


def tonality(sound: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    """Share of the power in the twenty strongest of all frequencies."""
    power = np.square(np.abs(np.fft.rfft(sound * np.hanning(sound.size))))
    return float(np.sort(power)[-20:].sum() / power.sum())


def test_a_steady_tone_has_few_frequencies_and_noise_has_many() -> None:
    assert min(tonality(made("steady tone", seed)) for seed in range(4)) > 0.5
    assert max(tonality(made("noise", seed)) for seed in range(4)) < 0.5


def test_a_whistled_melody_changes_its_pitch() -> None:
    sound = made("whistling")
    pieces = sound.reshape(16, -1)
    loud = [piece for piece in pieces if np.square(piece).mean() > 0.1 * np.square(sound).mean()]
    peaks = {int(np.abs(np.fft.rfft(piece)).argmax()) for piece in loud}
    assert len(peaks) >= 3


def test_every_synthesiser_can_be_sent_to_another_process() -> None:
    import pickle

    for synthesise in SYNTHESISERS.values():
        restored = pickle.loads(pickle.dumps(synthesise))
        assert restored(np.random.default_rng(0), 1.0).size == SAMPLE_RATE
