from __future__ import annotations

from typing import TYPE_CHECKING

import librosa
import numpy as np
import pytest

from classifier.features.spectrum import SAMPLE_RATE, Spectrum, framed_view, hertz_to_mel, mel_filters, mel_to_hertz

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def samples() -> NDArray[np.float32]:
    """Give four seconds of a chirp in noise, with a silent stretch; no multiple of the hop."""
    generator = np.random.default_rng(7)
    time = np.arange(4 * SAMPLE_RATE + 123) / SAMPLE_RATE
    signal = 0.4 * np.sin(2 * np.pi * (80 + 600 * time) * time) + 0.05 * generator.standard_normal(time.size)
    signal[SAMPLE_RATE : 2 * SAMPLE_RATE] = 0
    return signal.astype(np.float32)


def test_mel_filters_equal_librosas() -> None:
    theirs = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=2048)
    np.testing.assert_allclose(mel_filters(), theirs, rtol=1e-5, atol=1e-8)


def test_mel_scale_is_its_own_inverse() -> None:
    hertz = np.array([0.0, 440.0, 999.0, 1000.0, 1001.0, 11_025.0])
    np.testing.assert_allclose(mel_to_hertz(hertz_to_mel(hertz)), hertz, rtol=1e-12, atol=1e-9)


def test_stft_and_what_follows_from_it_equal_librosas(samples: NDArray[np.float32]) -> None:
    spectrum = Spectrum(samples)
    stft = librosa.stft(samples)
    loudest = np.abs(stft).max()
    assert spectrum.stft.shape == stft.shape == (1025, spectrum.frames)
    assert spectrum.stft.dtype == np.complex64
    np.testing.assert_allclose(spectrum.stft, stft, atol=1e-6 * loudest)
    np.testing.assert_allclose(spectrum.magnitude, np.abs(stft), atol=1e-6 * loudest)
    np.testing.assert_allclose(spectrum.power, np.abs(stft) ** 2, atol=1e-6 * loudest**2)
    mel = librosa.feature.melspectrogram(y=samples)
    assert spectrum.mel_power.shape == (128, spectrum.frames)
    np.testing.assert_allclose(spectrum.mel_power, mel, rtol=1e-3, atol=1e-9 * mel.max())


def test_silence_has_no_power() -> None:
    spectrum = Spectrum(np.zeros(SAMPLE_RATE, dtype=np.float32))
    assert not spectrum.mel_power.any()


@pytest.mark.parametrize(
    "wrong",
    [np.zeros(0, np.float32), np.zeros(9, np.float64), np.zeros((2, 9), np.float32)],
    ids=["empty", "float64", "stereo"],
)
def test_a_spectrum_is_made_of_mono_float32_only(wrong: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="mono float32"):
        Spectrum(wrong)


def test_frames_beyond_the_ends_hold_zeros_or_the_outermost_sample() -> None:
    samples = np.full(1024, 0.5, dtype=np.float32)
    assert framed_view(samples)[0, 0] == 0
    assert framed_view(samples, mode="edge")[0, 0] == 0.5
    with pytest.raises(ValueError, match="padding"):
        framed_view(samples, mode="wrap")
