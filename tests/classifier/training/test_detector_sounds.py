from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import SAMPLE_RATE
from classifier.training import detector_sounds
from classifier.training.data_loading import NoMaterial
from classifier.training.detector_sounds import Source, mixtures, recordings, sounds_of, synthesised
from tests.classifier.training import detector_directory
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return detector_directory.make(tmp_path_factory.mktemp("data"))


def decibels(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean()))


def power_above(samples: NDArray[np.float32], hertz: float) -> float:
    spectrum = np.square(np.abs(np.fft.rfft(samples)))
    return float(spectrum[np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE) > hertz].sum() / spectrum.sum())


def test_recordings_know_their_kind_and_their_group(directory: Path) -> None:
    found = {source.name: (source.collection, source.kind, source.group) for source in recordings(directory)}
    assert found["disco.0"] == ("modern", "music", "modern 0")
    assert found["speech/3.opus"] == ("notmusic", "speech", "notmusic speaker-3")
    assert found["synthetic/0.opus"][1] == "speech"
    assert found["borderline/0.opus"][1] == "borderline"


def test_tracks_of_gtzan_are_grouped_by_artist(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "notmusic").mkdir()
    (tmp_path / "notmusic" / "clips.csv").write_text("clip,kind,label,group\n")
    (tmp_path / "gtzan" / "clips").mkdir(parents=True)
    (tmp_path / "gtzan" / "splits.csv").write_text("track,artist\nblues.00000,7\n")
    write(song("blues", 2.4), tmp_path / "gtzan" / "clips" / "blues.00000.opus")
    (source,) = recordings(tmp_path)
    assert (source.label, source.group) == ("blues", "gtzan 7")
    sounds = sounds_of(source)
    assert [sound.treatment for sound in sounds] == ["original", "voice message"]
    assert all(sound.samples.size == pytest.approx(2.4 * SAMPLE_RATE, rel=0.02) for sound in sounds)


def test_a_directory_without_other_sounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoMaterial, match="notmusic"):
        recordings(tmp_path)


def test_what_is_mixed_comes_from_one_fold(directory: Path) -> None:
    sources = recordings(directory)
    by_path = {source.path: source for source in sources}
    mixed = mixtures(sources)
    assert {(source.label, source.kind) for source in mixed} == {
        ("speech over music", "music"),
        ("speech over environment", "speech"),
        ("music over environment", "music"),
        ("speech over drums", "music"),
    }
    for source in mixed:
        if not isinstance(source.background, str):
            assert by_path[source.background].fold == source.fold
        assert by_path[source.path].group == source.group


def test_borderline_clips_are_never_mixed(directory: Path) -> None:
    used = {path for source in mixtures(recordings(directory)) for path in (source.path, source.background)}
    assert directory / "notmusic" / "borderline" / "0.opus" not in used


def test_a_source_gives_the_same_sounds_each_time_and_others_by_its_seed(directory: Path) -> None:
    (source, *_) = recordings(directory)
    first, again = (sounds_of(source) for _ in range(2))
    assert all(np.array_equal(one.samples, two.samples) for one, two in zip(first, again, strict=True))
    other = sounds_of(replace(source, seed=1))
    assert not np.array_equal(first[0].samples, other[0].samples)


def test_short_sounds_last_three_to_five_seconds(directory: Path) -> None:
    (source, *_) = recordings(directory)
    (short,) = [sound for sound in sounds_of(source) if sound.treatment == "short"]
    assert 3 * SAMPLE_RATE <= short.samples.size <= 5 * SAMPLE_RATE


def voice_messages(name: str, kind: str, count: int) -> list[NDArray[np.float32]]:
    source = Source("synthesis", name, kind, name, name)
    return [sounds_of(replace(source, seed=seed))[1].samples for seed in range(count)]


def test_voice_messages_often_have_no_treble() -> None:
    shares = [power_above(samples, 4_500) for samples in voice_messages("noise", "environment", 12)]
    assert min(shares) < 0.01 < max(shares)


def test_voice_messages_have_one_level() -> None:
    levels = [decibels(samples) for samples in voice_messages("organ", "music", 4)]
    assert levels == pytest.approx([-23] * 4, abs=1.5)


@pytest.mark.parametrize("below", [0.0, 12.0])
def test_a_background_lies_so_many_decibels_below(below: float) -> None:
    front = np.sin(2 * np.pi * 441 * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    background = 0.01 * np.sin(2 * np.pi * 3_000 * np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    mixed = detector_sounds.mixed(front, background, below)
    share = power_above(mixed, 1_000)
    assert 10 * np.log10((1 - share) / share) == pytest.approx(below, abs=0.1)


def test_silence_can_be_brought_to_a_level() -> None:
    silence = np.zeros(100, dtype=np.float32)
    assert np.array_equal(detector_sounds.levelled(silence), silence)


def test_what_is_synthesised_is_music_tones_and_noises() -> None:
    assert {source.kind for source in synthesised()} == {"music", "tone", "environment"}
