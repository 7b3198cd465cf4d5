"""Mix decoded frames down to one channel at 22,050 Hz.

Which frames there are is decided by ``classifier.audio.decoding``; this module counts them against the longest song
that is accepted, and never trusts what a file's header says of its length.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, cast

import av
import numpy as np
import soxr

from classifier.errors import Damaged
from classifier.features.spectrum import SAMPLE_RATE
from common.errors import TooLong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.audio.frame import AudioFrame
    from av.audio.plane import AudioPlane
    from numpy.typing import NDArray

LOWEST_RATE: Final = 4_000
HIGHEST_RATE: Final = 2_822_400
"""An eighth of the fastest DSD, which FFmpeg decodes to bytes at a time."""
LARGEST_AMPLITUDE: Final = 2.0**31
"""Floating-point files may pass full scale, even hold unscaled integers; a sample beyond this is a damaged one."""
CANCELLED_POWER: Final = 0.01
"""A mean with less than this share of the loudest channel's power (20 dB below it) counts as cancelled.

Two equal channels give 1, one silent channel of two gives 0.25, and one sounding channel of six gives 0.028.
"""
_BLOCK_SAMPLES: Final = 262_144
"""Of all channels together: this many are mixed and resampled at a time. Small enough for a processor's cache."""
_POWER_SAMPLES: Final = 2_000
"""Power is estimated from about this many samples of a block, which is plenty to tell 20 dB."""
_MOST_SAFE_PLANES: Final = 7
"""From eight planes on, PyAV counts one too many and reads past the end of their list."""
_FULL_SCALE: Final = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63, "f4": 1.0, "f8": 1.0}
"""By the type of a sample, the value that means 1."""
_SAMPLE_TYPES: Final = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""FFmpeg's names of packed sample formats and NumPy's of their samples; planar ones end in ``p``."""


class Mixdown:
    """Collects decoded frames as one channel at 22,050 Hz.

    Frames are gathered in C until there is a block of them; then the block's channels are averaged and resampled by
    soxr HQ, as ``librosa.load`` does. A stream may change its rate, sample format and channels at any frame.

    Parameters
    ----------
    max_seconds
        Longest song to accept. Memory is bounded by it.
    """

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._earlier_seconds = 0.0
        # The system provides memory only once it is written to, so a short song costs little.
        self._samples = np.empty(math.ceil(max_seconds * SAMPLE_RATE), dtype=np.float32)
        self._count = 0
        self._format: tuple[int, str, int] = (SAMPLE_RATE, "flt", 1)
        self._block = av.AudioFifo()
        self._block_samples = 0
        self._begin_section(SAMPLE_RATE)

    def add(self, frame: AudioFrame) -> None:
        """Add the next decoded frame.

        Raises
        ------
        TooLong
            If it passes the longest song to accept.
        Damaged
            If its samples cannot be sound.
        """
        rate, count = frame.sample_rate, frame.samples
        channels = frame.layout.nb_channels
        frame_format = (rate, frame.format.name, channels)
        if frame_format != self._format:
            self._change_format(frame_format)
        self._section_samples += count
        if self._earlier_seconds + self._section_samples / rate > self._max_seconds:
            raise TooLong(minutes=self._max_seconds / 60)
        # The queue insists on gapless time stamps in one time base, and streams keep to neither.
        frame.pts = None
        try:
            self._block.write(frame)
        except ValueError:
            self._begin_block()
            self._block.write(frame)
        self._block_samples += count * channels
        if self._block_samples >= _BLOCK_SAMPLES:
            self._mix_block()

    def finish(self) -> NDArray[np.float32]:
        """Return all that was added: mono, 22,050 Hz, shape (n,), every sample finite."""
        self._mix_block()
        self._end_section()
        return self._samples[: self._count]

    def _change_format(self, frame_format: tuple[int, str, int]) -> None:
        rate, name, channels = frame_format
        if not LOWEST_RATE <= rate <= HIGHEST_RATE or not channels or name.removesuffix("p") not in _SAMPLE_TYPES:
            raise Damaged
        self._begin_block()
        if rate != self._format[0]:
            self._end_section()
            self._begin_section(rate)
        self._format = frame_format

    def _begin_section(self, rate: int) -> None:
        """Prepare for frames of another rate."""
        self._section_start = self._count
        self._section_samples = 0
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def _begin_block(self) -> None:
        """Prepare for frames of another format: a queue takes those that are like its first."""
        self._mix_block()
        self._block = av.AudioFifo()

    def _mix_block(self) -> None:
        """Mix and resample the frames that were gathered."""
        self._block_samples = 0
        block = self._block.read()
        if block is None:
            return
        mono = mix(_channels(block))
        self._write(mono if self._format[0] == SAMPLE_RATE else self._resampler.resample_chunk(mono))

    def _end_section(self) -> None:
        """Take what the resampler still holds, and make the section as long as librosa would."""
        rate = self._format[0]
        self._earlier_seconds += self._section_samples / rate
        if rate == SAMPLE_RATE or not self._section_samples:
            return
        self._write(self._resampler.resample_chunk(np.empty(0, dtype=np.float32), last=True))
        end = min(self._section_start - (-self._section_samples * SAMPLE_RATE // rate), self._samples.size)
        self._samples[self._count : end] = 0
        self._count = end

    def _write(self, mono: NDArray[np.float32]) -> None:
        kept = mono[: self._samples.size - self._count]
        self._samples[self._count : self._count + kept.size] = kept
        self._count += kept.size


def mix(channels: Sequence[NDArray[np.generic]]) -> NDArray[np.float32]:
    """Average channels, or take the loudest where the average cancels.

    Parameters
    ----------
    channels
        At least one, of one type and shape (n,), n ≥ 1.

    Returns
    -------
    Shape (n,), full scale being 1. What is no number, or too large for a sound, is left out of the average; where no
    channel has a valid sample, the result is 0.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mono = _mean(channels)
        if not max(mono.max(), -mono.min()) <= LARGEST_AMPLITUDE:
            mono, channels = _mean_of_valid(channels)
    if len(channels) > 1:
        stride = 1 + mono.size // _POWER_SAMPLES
        sampled = np.stack([channel[::stride] for channel in channels])
        # The variance, because a constant offset is not sound.
        powers = sampled.var(axis=1, dtype=np.float64)
        loudest = int(powers.argmax())
        if sampled.mean(axis=0).var() < CANCELLED_POWER * powers[loudest]:
            return _mean(channels[loudest : loudest + 1])
    return mono


def _mean(channels: Sequence[NDArray[np.generic]]) -> NDArray[np.float32]:
    """Average channels of any type, shape (n,) each, to float32 with full scale 1."""
    kind = channels[0].dtype.str[1:]
    if len(channels) == 1:
        mono = channels[0].astype(np.float32)
    else:
        mono = np.add(channels[0], channels[1], dtype=np.float32)
        for channel in channels[2:]:
            np.add(mono, channel, out=mono, dtype=np.float32)
    mono *= np.float32(1 / (_FULL_SCALE[kind] * len(channels)))
    if kind == "u1":
        mono -= 1
    return mono


def _mean_of_valid(
    channels: Sequence[NDArray[np.generic]],
) -> tuple[NDArray[np.float32], Sequence[NDArray[np.float32]]]:
    """Average the valid samples of floating-point channels; return the channels, too, with 0 for the invalid ones."""
    samples = np.stack(channels).astype(np.float32)
    valid = np.abs(samples) <= LARGEST_AMPLITUDE
    samples[~valid] = 0
    mono = samples.sum(axis=0) / np.maximum(valid.sum(axis=0), 1).astype(np.float32)
    return mono, list(samples)


def _channels(frame: AudioFrame) -> list[NDArray[np.generic]]:
    """Return the channels of a frame, shape (n,) each, as views where they can be."""
    count = frame.layout.nb_channels
    if frame.format.is_planar and count > _MOST_SAFE_PLANES:
        (frame,) = av.AudioResampler(format=frame.format.packed).resample(frame)
    dtype = np.dtype(_SAMPLE_TYPES[frame.format.packed.name])
    if not frame.format.is_planar:
        samples = np.frombuffer(_memory(frame.planes[0]), dtype, frame.samples * count).reshape(-1, count)
        return list(samples.T)
    return [np.frombuffer(_memory(plane), dtype, frame.samples) for plane in frame.planes]


def _memory(plane: AudioPlane) -> memoryview[int]:
    """Return a plane as what it is for Python: a buffer, which PyAV's annotations leave unsaid."""
    return memoryview(cast("bytes", plane))
