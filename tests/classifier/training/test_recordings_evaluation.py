from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import SAMPLE_RATE
from classifier.inference.model import Model
from classifier.song_report import Classification, SegmentReport, SongReport
from classifier.training import recordings_evaluation
from tests.classifier.synthesis import song
from tests.synthesis import song as played
from tests.synthesis import write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def power_above(samples: NDArray[np.float32], hertz: float) -> float:
    spectrum = np.square(np.abs(np.fft.rfft(samples)))
    return float(spectrum[np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE) > hertz].sum() / spectrum.sum())


@pytest.mark.parametrize("name", recordings_evaluation.TREATMENTS)
def test_a_treated_recording_is_the_same_music_and_not_the_same_samples(name: str) -> None:
    samples = song(1, seconds=5)
    treated = recordings_evaluation.TREATMENTS[name](samples)
    assert treated.dtype == np.float32
    assert treated.size == pytest.approx(samples.size, abs=3000)
    size = 1 << 18
    # Encoders put some silence before the music, so the two are laid over each other first.
    overlap = np.fft.irfft(np.fft.rfft(treated, size) * np.conj(np.fft.rfft(samples, size)))
    assert overlap.max() / np.sqrt(np.square(samples).sum() * np.square(treated).sum()) > 0.9
    assert not np.array_equal(treated[: samples.size], samples)


def test_a_low_pass_leaves_little_above_8_khz() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * SAMPLE_RATE).astype(np.float32)
    treated = recordings_evaluation.TREATMENTS["low-pass 8 kHz"](noise)
    assert power_above(noise, 9000) > 0.15
    assert power_above(treated, 9000) < 0.05


def test_noise_lies_20_decibels_below_the_music() -> None:
    samples = song(2, seconds=5)
    noise = recordings_evaluation.TREATMENTS["noise 20 dB below"](samples) - samples
    assert 10 * np.log10(np.square(samples).mean() / np.square(noise).mean()) == pytest.approx(20, abs=0.1)


class Fixed(Model):
    """Calls songs of some length traditional, and others rock."""

    def __init__(self, longest_traditional: float) -> None:
        self.longest_traditional = longest_traditional

    def classify(self, samples: NDArray[np.float32], on_progress: object = None) -> Classification:
        seconds = samples.size / SAMPLE_RATE
        genre = "cheo" if seconds < self.longest_traditional else "rock"
        shares = {genre: 1.0}
        segment = SegmentReport(0, seconds, genre, 1.0, shares, {})
        return Classification(SongReport(genre, 1.0, True, "fixed", seconds, shares, (segment,)), ())


def test_songs_are_counted_by_the_genre_in_their_name(tmp_path: Path) -> None:
    for folder, name, seconds in (
        ("gtzan", "rock.00000.flac", 6),
        ("vietnamese", "a song - Cheo.ogg", 3),
        ("vietnamese", "another_hatxam.ogg", 4),
        ("vietnamese", "a third-cheo.ogg", 8),
        ("vietnamese", "moon lute.ogg", 3.5),
        ("other", "pop.ogg", 4.5),
        ("other", "zouk.ogg", 7),
    ):
        (tmp_path / folder / "audio").mkdir(parents=True, exist_ok=True)
        write(played("disco", seconds), tmp_path / folder / "audio" / name)
    figures = recordings_evaluation.figures(Fixed(5), tmp_path, ["cheo", "hatxam"], jobs=1)
    counted = {figure.condition: (figure.right, figure.of) for figure in figures}
    assert counted == {
        **{f"same answer after {name}": (1, 1) for name in recordings_evaluation.TREATMENTS},
        "Vietnamese songs called Vietnamese": (2, 3),
        "Vietnamese songs with the right genre": (1, 3),
        "Vietnamese instruments called Vietnamese": (1, 1),
        "other music falsely called Vietnamese": (1, 2),
        "other music told as sure": (2, 2),
    }
