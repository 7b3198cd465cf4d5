from __future__ import annotations

import csv
from functools import cache
from typing import TYPE_CHECKING

import librosa
import numpy as np
import pytest

from classifier.features.gtzan57 import COLUMNS, gtzan57
from classifier.features.harmonic import harmonic_and_percussive
from classifier.features.pitch import chroma_filters, chromagram, tuning
from classifier.features.spectrum import SAMPLE_RATE, Spectrum
from classifier.features.tempo import tempo
from tests.classifier.features.librosa_reference import load, reference57
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RELATIVE_TOLERANCE = 1e-3
SHARE_OF_SPREAD = 0.01
"""A feature may differ from librosa's by this share of its standard deviation over the songs compared with."""
SHARE_OF_SPREAD_FROM_THE_TABLE = 0.1
"""The table was made years ago, by another version of librosa."""
RECORDINGS = [
    f"{genre}.{number:05}"
    for genre in ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
    for number in range(3)
]
SYNTHESISED_SONGS = 6


@cache
def public_table(path: Path) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Read the public table: the features of every track by its name, and their standard deviations."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["filename", "length", *COLUMNS, "label"]
    tracks = {row["filename"].removesuffix(".wav"): np.array([float(row[name]) for name in COLUMNS]) for row in rows}
    return tracks, np.std(list(tracks.values()), axis=0)


@cache
def synthesised() -> tuple[list[NDArray[np.float32]], NDArray[np.float64], NDArray[np.float64]]:
    """Return songs, what librosa says of them, and the spread of each feature among them."""
    songs = [song(seed) for seed in range(SYNTHESISED_SONGS)]
    theirs = np.array([reference57(samples) for samples in songs])
    return songs, theirs, theirs.std(axis=0)


def assert_close(ours: NDArray[np.float64], theirs: NDArray[np.float64], tolerance: NDArray[np.float64]) -> None:
    wrong = [
        f"{name}: {mine:.6g} instead of {other:.6g}, tolerance {allowed:.3g}"
        for name, mine, other, allowed in zip(COLUMNS, ours, theirs, tolerance, strict=True)
        if not abs(mine - other) <= allowed
    ]
    assert not wrong, "\n".join(wrong)


def tolerance(theirs: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    allowed: NDArray[np.float64] = np.maximum(RELATIVE_TOLERANCE * np.abs(theirs), SHARE_OF_SPREAD * spread)
    return allowed


def test_columns_are_those_of_the_public_table() -> None:
    assert len(COLUMNS) == len(set(COLUMNS)) == 57
    assert COLUMNS[0] == "chroma_stft_mean"
    assert COLUMNS[16:18] == ("tempo", "mfcc1_mean")
    assert COLUMNS[-1] == "mfcc20_var"


@pytest.mark.parametrize("index", range(SYNTHESISED_SONGS))
def test_features_of_synthesised_songs_equal_librosas(index: int) -> None:
    songs, theirs, spread = synthesised()
    assert_close(gtzan57(Spectrum(songs[index])), theirs[index], tolerance(theirs[index], spread))


def with_silent_stretch(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a song with digital silence in its middle, as between two pieces."""
    changed = samples.copy()
    changed[3 * SAMPLE_RATE : 6 * SAMPLE_RATE] = 0
    return changed


def tone(hertz: float) -> NDArray[np.float32]:
    """Return five seconds of a sine."""
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)


def clicks() -> NDArray[np.float32]:
    """Return a click every half second in digital silence."""
    samples = np.zeros(5 * SAMPLE_RATE, dtype=np.float32)
    samples[:: SAMPLE_RATE // 2] = 0.9
    return samples


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(song(1, seconds=3), id="three seconds"),
        pytest.param(song(2, seconds=10.01), id="no multiple of the hop"),
        pytest.param(with_silent_stretch(song(3)), id="silent stretch"),
        pytest.param(song(4) * np.float32(1e-4), id="very quiet"),
        pytest.param(song(5) + np.float32(0.2), id="offset"),
        pytest.param(clicks(), id="clicks in silence"),
        pytest.param(tone(453.0), id="one tone, out of tune"),
    ],
)
def test_features_of_odd_signals_equal_librosas(samples: NDArray[np.float32]) -> None:
    theirs = reference57(samples)
    assert_close(gtzan57(Spectrum(samples)), theirs, tolerance(theirs, synthesised()[2]))


def test_silence_has_features_all_the_same() -> None:
    silence = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)
    np.testing.assert_allclose(gtzan57(Spectrum(silence)), reference57(silence), atol=1e-4, rtol=1e-6)


@pytest.mark.parametrize("name", RECORDINGS)
def test_features_of_recordings_equal_librosas_and_the_public_tables(name: str, shared_data: Path) -> None:
    tracks, spread = public_table(shared_data / "gtzan" / "features_30_sec.csv")
    samples = load(shared_data / "gtzan" / "audio" / f"{name}.flac")
    ours = gtzan57(Spectrum(samples))
    theirs = reference57(samples)
    assert_close(ours, theirs, tolerance(theirs, spread))
    from_the_table = SHARE_OF_SPREAD_FROM_THE_TABLE * spread
    # An octave of tempo is a matter of opinion, and the versions of librosa differ in theirs.
    from_the_table[COLUMNS.index("tempo")] = np.inf
    assert_close(ours, tracks[name], from_the_table)


def test_tempo_of_nearly_all_recordings_is_the_public_tables(shared_data: Path) -> None:
    tracks, _ = public_table(shared_data / "gtzan" / "features_30_sec.csv")
    tempo_column = COLUMNS.index("tempo")
    others = [
        name
        for name in RECORDINGS
        if tempo(Spectrum(load(shared_data / "gtzan" / "audio" / f"{name}.flac")))
        != pytest.approx(tracks[name][tempo_column], rel=RELATIVE_TOLERANCE)
    ]
    assert len(others) <= 1, others


@pytest.mark.parametrize("cents", [-50, -13, 0, 31])
def test_chroma_filters_equal_librosas(cents: int) -> None:
    theirs = librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=2048, tuning=cents / 100)
    np.testing.assert_allclose(chroma_filters(cents / 100), theirs, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("cents", [-40, -7, 0, 25])
def test_tuning_is_heard(cents: int) -> None:
    chord = sum(tone(440 * 2 ** ((interval + cents / 100) / 12)) for interval in (0, 4, 7)) / 3
    assert tuning(Spectrum(np.asarray(chord, dtype=np.float32))) == pytest.approx(cents / 100, abs=0.03)


def test_a_tone_is_its_own_pitch_class() -> None:
    strongest = chromagram(Spectrum(tone(261.63))).argmax(axis=0)
    assert (strongest == 0).all()


def test_harmonic_and_percussive_parts_equal_librosas_and_sum_to_the_song() -> None:
    samples = song(8, seconds=7.7)
    parts = harmonic_and_percussive(Spectrum(samples))
    for ours, theirs in zip(parts, librosa.effects.hpss(samples), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)
    np.testing.assert_allclose(parts[0] + parts[1], samples, atol=1e-6)
