"""The released model on whole recordings: after what chats do to audio, and on songs from other sources."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, cast

import av
import numpy as np
import soxr
from joblib import Parallel, delayed
from scipy.signal import butter, fftconvolve, firwin2, sosfilt

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.features.spectrum import hertz_to_mel
from classifier.training.accuracy import Figure
from classifier.training.augmentation import EQUALISER_DECIBELS, EQUALISER_POINTS
from classifier.training.data_loading import LONGEST_SONG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from av.audio.stream import AudioStream
    from numpy.typing import NDArray

    from classifier.inference.model import Model
    from classifier.song_report import SongReport

    Samples = NDArray[np.float32]

OPUS_RATE: Final = 48_000
LOW_PASS_HERTZ: Final = 8_000
LOW_PASS_ORDER: Final = 8
NOISE_BELOW_DECIBELS: Final = 20
EQUALISER_TAPS: Final = 1025


def transcoded(samples: Samples, *, container: str, codec: str, rate: int, bits_per_second: int) -> Samples:
    """Encode mono samples at 22,050 Hz and decode them again."""
    buffer = io.BytesIO()
    resampled = samples if rate == SAMPLE_RATE else soxr.resample(samples, SAMPLE_RATE, rate)
    with av.open(buffer, "w", format=container) as output:
        stream = cast("AudioStream", output.add_stream(codec, rate=rate, layout="mono"))
        stream.bit_rate = bits_per_second
        frame = av.AudioFrame.from_ndarray(resampled[None, :].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        # The encoders take frames of their own size and sample format.
        resampler = av.AudioResampler(stream.format.name, "mono", rate, frame_size=stream.frame_size or 1152)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    buffer.seek(0)
    return decode(buffer, max_seconds=LONGEST_SONG_SECONDS, min_seconds=0)


def _mp3(samples: Samples) -> Samples:
    return transcoded(samples, container="mp3", codec="libmp3lame", rate=SAMPLE_RATE, bits_per_second=64_000)


def _opus(samples: Samples) -> Samples:
    return transcoded(samples, container="ogg", codec="libopus", rate=OPUS_RATE, bits_per_second=32_000)


def _low_pass(samples: Samples) -> Samples:
    filtered: Samples = sosfilt(butter(LOW_PASS_ORDER, LOW_PASS_HERTZ, fs=SAMPLE_RATE, output="sos"), samples)
    return filtered.astype(np.float32)


def _noise(samples: Samples) -> Samples:
    deviation = np.sqrt(np.square(samples, dtype=np.float64).mean()) * 10 ** (-NOISE_BELOW_DECIBELS / 20)
    noise = np.random.default_rng(0).normal(0, deviation, samples.size)
    return samples + noise.astype(np.float32)


def _equaliser(samples: Samples) -> Samples:
    """Turn the knobs of a smooth equaliser of 4 dB at random, the same way every time for the same length."""
    draw = np.random.default_rng(samples.size)
    knobs = draw.normal(0, EQUALISER_DECIBELS, draw.integers(*EQUALISER_POINTS))
    hertz = np.linspace(0, SAMPLE_RATE / 2, EQUALISER_TAPS // 2 + 1)
    mel = hertz_to_mel(hertz) / hertz_to_mel(np.float64(SAMPLE_RATE / 2))
    gain = 10 ** (np.interp(mel, np.linspace(0, 1, knobs.size), knobs) / 20)
    changed: Samples = fftconvolve(samples, firwin2(EQUALISER_TAPS, hertz, gain, fs=SAMPLE_RATE), mode="same")
    return changed.astype(np.float32)


TREATMENTS: Final[Mapping[str, Callable[[Samples], Samples]]] = {
    "mp3 64 kbit/s": _mp3,
    "opus 32 kbit/s": _opus,
    "low-pass 8 kHz": _low_pass,
    "noise 20 dB below": _noise,
    "equaliser": _equaliser,
}


def figures(model: Model, directory: Path, second_branch: Sequence[str], *, jobs: int = -1) -> list[Figure]:
    """Ask the released model about the recordings beside the training data.

    Parameters
    ----------
    directory
        Holds ``gtzan/audio``, ``vietnamese/audio`` and ``other/audio``.
    second_branch
        The traditional Vietnamese genres.
    """
    files = {name: sorted((directory / name / "audio").iterdir()) for name in ("gtzan", "vietnamese", "other")}
    treated = Parallel(n_jobs=jobs)(delayed(_all_treatments)(model, path) for path in files["gtzan"])
    counted = [
        Figure.count("recordings", "release", f"same answer after {name}", [same[name] for same in treated])
        for name in TREATMENTS
    ]
    others = {
        name: Parallel(n_jobs=jobs)(delayed(_report)(model, path) for path in files[name])
        for name in ("vietnamese", "other")
    }
    # A song's file name ends in its genre; the clips of single instruments have none.
    names = [path.stem.casefold().replace("_", "-").rpartition("-")[2].strip() for path in files["vietnamese"]]
    songs = [(name, report) for name, report in zip(names, others["vietnamese"], strict=True) if name in second_branch]
    clips = [report for name, report in zip(names, others["vietnamese"], strict=True) if name not in second_branch]
    marks = {
        "Vietnamese songs called Vietnamese": [report.genre in second_branch for _, report in songs],
        "Vietnamese songs with the right genre": [report.genre == name for name, report in songs],
        "Vietnamese instruments called Vietnamese": [report.genre in second_branch for report in clips],
        "other music falsely called Vietnamese": [report.genre in second_branch for report in others["other"]],
        "other music told as sure": [report.sure for report in others["other"]],
    }
    return [*counted, *(Figure.count("recordings", "release", name, right) for name, right in marks.items())]


def _report(model: Model, path: Path) -> SongReport:
    return model.classify(decode(path, max_seconds=LONGEST_SONG_SECONDS)).report


def _all_treatments(model: Model, path: Path) -> Mapping[str, bool]:
    samples = decode(path, max_seconds=LONGEST_SONG_SECONDS)
    answer = model.classify(samples).report.genre
    return {name: model.classify(treat(samples)).report.genre == answer for name, treat in TREATMENTS.items()}
