"""Any media file → mono samples at 22,050 Hz → segments.

Nothing that a file says of itself is trusted: only samples that were really decoded count. Limits on the memory and the
time of the process belong to whoever runs it (``classifier.inference.executor``).
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn, cast

import av
import numpy as np
import soxr
from av.stream import Discard

from classifier.errors import Damaged, NoSound, NotAudio, Silent, TooShort
from classifier.features.spectrum import SAMPLE_RATE
from common.errors import EmptyFile, TooLong

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy.typing import NDArray

__all__ = [
    "MIN_REMAINDER_SECONDS",
    "MIN_SONG_SECONDS",
    "SAMPLE_RATE",
    "SEGMENT_SECONDS",
    "Segment",
    "decode",
    "segments",
]

SEGMENT_SECONDS: Final = 30
MIN_REMAINDER_SECONDS: Final = 10
"""What is left after the last whole segment is a segment of its own from this length on."""
MIN_SONG_SECONDS: Final = 3
SILENT_PEAK: Final = 1e-4
"""A song whose loudest sample stays below -80 dB of full scale is nothing but dither."""

# FFmpeg's demuxers, by name. None of them opens further files, and none reads text: no playlists, no concat scripts.
_FORMATS: Final = "aac,aiff,amr,asf,caf,flac,matroska,mov,mp3,mpegts,ogg,wav,webm"
# FFmpeg's decoders, by name. There is none of pictures or subtitles: theirs are not even opened to look at a stream.
_CODECS: Final = (
    "aac,aac_latm,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,alac,amrnb,amrwb,eac3,flac,mp1float,mp2float,mp3,mp3float,opus,"
    "pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,"
    "pcm_s32le,pcm_s8,pcm_u8,vorbis,wmapro,wmav1,wmav2"
)
_MOST_STREAMS: Final = "64"
_LOWEST_RATE: Final = 4_000
_HIGHEST_RATE: Final = 768_000
_LARGEST_AMPLITUDE: Final = 2.0**31
"""Floating-point files may pass full scale, even hold unscaled integers; beyond that a sample is a damaged one."""
_SAMPLES_AT_ONCE: Final = 32_768
"""Of all channels together: as many are averaged and resampled in one go."""
_PLANES_READ_RIGHTLY: Final = 7
"""From eight planes on, PyAV takes one too many and reads past the end of their list."""
_FULL_SCALE: Final = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31}
"""By the type of a sample, the value that means 1."""
_BAD_PACKETS_AT_MOST: Final = 1_000
_SIGNATURES: Final = (b"ID3", b"RIFF", b"fLaC", b"OggS", b"FORM", b"caff", b"#!AMR", b"\x1aE\xdf\xa3", b"0&\xb2u\x8e")
_MP4_SIGNATURE: Final = b"ftyp"
"""After four bytes of length."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch of a song.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    samples
        Mono, 22,050 Hz, float32, shape (n,); a view into the song's samples.
    """

    start: float
    end: float
    samples: NDArray[np.float32]


def segments(samples: NDArray[np.float32]) -> list[Segment]:
    """Cut a song into segments of 30 seconds from its start.

    A remainder of 10 seconds or more is a segment of its own, a shorter one is left out. A song shorter than a segment
    is one segment.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,).

    Raises
    ------
    TooShort
        If there are less than 3 seconds.
    """
    if samples.size < MIN_SONG_SECONDS * SAMPLE_RATE:
        raise TooShort(minimum=MIN_SONG_SECONDS)
    length = SEGMENT_SECONDS * SAMPLE_RATE
    starts = [
        start
        for start in range(0, samples.size, length)
        if start == 0 or samples.size - start >= MIN_REMAINDER_SECONDS * SAMPLE_RATE
    ]
    cut = [(start, min(start + length, samples.size)) for start in starts]
    return [Segment(start / SAMPLE_RATE, end / SAMPLE_RATE, samples[start:end]) for start, end in cut]


def decode(source: Path | BinaryIO, *, max_seconds: float) -> NDArray[np.float32]:
    """Decode the sound of a media file, as ``librosa.load`` would: channels averaged, then resampled by soxr HQ.

    Damaged stretches are left out, and a truncated file is used as far as it goes. Memory is bounded by
    ``max_seconds``, whatever the file.

    Parameters
    ----------
    source
        The file, or its bytes as an open seekable stream.
    max_seconds
        The longest song to accept.

    Returns
    -------
    Mono, 22,050 Hz, float32, shape (n,), at least 3 seconds, every sample finite.

    Raises
    ------
    SongError
        ``EmptyFile``, ``NotAudio``, ``NoSound``, ``Damaged``, ``TooShort``, ``TooLong`` or ``Silent``.
    OSError
        If ``source`` cannot be read at all.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return decode(file, max_seconds=max_seconds)
    song = _Song(max_seconds)
    with _opened(source) as container:
        bad_packets = _decode_into(song, container, _sound_of(container))
    samples = song.finished()
    if samples.size < MIN_SONG_SECONDS * SAMPLE_RATE:
        raise Damaged if bad_packets or not samples.size else TooShort(minimum=MIN_SONG_SECONDS)
    if max(samples.max(), -samples.min()) < SILENT_PEAK:
        raise Silent
    return samples


def _opened(source: BinaryIO) -> InputContainer:
    """Open a container whose demuxer may neither open further files nor look at anything but sound."""
    start = source.read(16)
    if not start:
        raise EmptyFile
    source.seek(0)
    try:
        return av.open(
            _Nameless(source),
            mode="r",
            container_options={
                "format_whitelist": _FORMATS,
                "protocol_whitelist": "file",
                "codec_whitelist": _CODECS,
                "max_streams": _MOST_STREAMS,
            },
            metadata_errors="replace",
            io_open=_refuse,
        )
    except av.FFmpegError as error:
        # What begins like a music file but cannot be opened was one once.
        known = start.startswith(_SIGNATURES) or start[4:].startswith(_MP4_SIGNATURE)
        raise (Damaged if known else NotAudio) from error


class _Nameless:
    """A file without its name, so that its format is told from its content alone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Seek, or return a negative number where no place is: broken files point there, and that is not our error."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -1


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:  # noqa: ARG001  as PyAV calls it
    """Refuse to open what a file refers to."""
    raise NotAudio


def _sound_of(container: InputContainer) -> AudioStream:
    """Return the stream to decode, and have the demuxer skip all others."""
    streams = container.streams.audio
    if not streams:
        raise NoSound
    decodable = [stream for stream in streams if _decoder_name(stream) in _CODECS.split(",")]
    if not decodable:
        raise NotAudio
    best = container.streams.best("audio")
    sound = next((stream for stream in decodable if stream is best), decodable[0])
    for stream in container.streams:
        if stream is not sound:
            stream.discard = Discard.all
    return sound


def _decoder_name(stream: AudioStream) -> str | None:
    """Return the name of FFmpeg's decoder for a stream, if it has any."""
    context = cast("AudioCodecContext | None", stream.codec_context)
    return None if context is None else context.codec.name


def _decode_into(song: _Song, container: InputContainer, stream: AudioStream) -> int:
    """Decode a stream to its end, or as far as it can be, and return the number of packets that failed."""
    good = bad = 0
    ended = False
    while not ended and bad <= _BAD_PACKETS_AT_MOST:
        try:
            for packet in container.demux(stream):
                try:
                    for frame in packet.decode():
                        song.add(frame)
                    good += 1
                except av.FFmpegError:
                    bad += 1
            ended = True
        except av.FFmpegError:
            bad += 1
        except IndexError:
            # At the end PyAV also asks for streams that have turned up only on the way; it knows none of them.
            ended = True
    if bad > good:
        raise Damaged
    return bad


class _Song:
    """Samples as they are decoded: averaged over channels, and resampled on the way.

    Parameters
    ----------
    max_seconds
        The cap: more than this is never held.
    """

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._earlier_seconds = 0.0
        # Memory that is never written to is never taken from the system.
        self._samples = np.empty(math.ceil(max_seconds * SAMPLE_RATE), dtype=np.float32)
        self._count = 0
        self._form: tuple[int, str, int] = (SAMPLE_RATE, "flt", 1)
        self._waiting: list[NDArray[np.generic]] = []
        self._waiting_samples = 0
        self._begin_stretch(SAMPLE_RATE)

    def add(self, frame: AudioFrame) -> None:
        """Take the next decoded frame.

        Raises
        ------
        TooLong
            If it would pass the cap.
        Damaged
            If its samples cannot be sound.
        """
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if not _LOWEST_RATE <= rate <= _HIGHEST_RATE or not channels:
            raise Damaged
        form = (rate, frame.format.name, channels)
        if form != self._form:
            self._mix_waiting()
            if rate != self._form[0]:
                self._end_stretch()
                self._begin_stretch(rate)
            self._form = form
        self._stretch_samples += frame.samples
        if self._earlier_seconds + self._stretch_samples / rate > self._max_seconds:
            raise TooLong(minutes=self._max_seconds / 60)
        self._waiting.append(_channels_of(frame))
        self._waiting_samples += frame.samples * channels
        if self._waiting_samples >= _SAMPLES_AT_ONCE:
            self._mix_waiting()

    def finished(self) -> NDArray[np.float32]:
        """Return all that was added, shape (n,)."""
        self._mix_waiting()
        self._end_stretch()
        return self._samples[: self._count]

    def _begin_stretch(self, rate: int) -> None:
        """Prepare for frames of a rate, which a stream may change on its way."""
        self._stretch_start = self._count
        self._stretch_samples = 0
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def _mix_waiting(self) -> None:
        """Average the channels of the frames that wait, which are all of one form, and resample them."""
        if not self._waiting:
            return
        mono = _mono(np.concatenate(self._waiting, axis=1))
        self._waiting.clear()
        self._waiting_samples = 0
        self._write(mono if self._form[0] == SAMPLE_RATE else self._resampler.resample_chunk(mono))

    def _end_stretch(self) -> None:
        """Take what the resampler still holds, and see that the stretch is as long as librosa would have it."""
        rate = self._form[0]
        self._earlier_seconds += self._stretch_samples / rate
        if rate == SAMPLE_RATE or not self._stretch_samples:
            return
        self._write(self._resampler.resample_chunk(np.empty(0, dtype=np.float32), last=True))
        end = min(self._stretch_start - (-self._stretch_samples * SAMPLE_RATE // rate), self._samples.size)
        self._samples[self._count : end] = 0
        self._count = end

    def _write(self, mono: NDArray[np.float32]) -> None:
        kept = mono[: self._samples.size - self._count]
        self._samples[self._count : self._count + kept.size] = kept
        self._count += kept.size


def _channels_of(frame: AudioFrame) -> NDArray[np.generic]:
    """Return a frame's samples as they are, shape (channels, n)."""
    channels = frame.layout.nb_channels
    try:
        if frame.format.is_planar and channels > _PLANES_READ_RIGHTLY:
            (frame,) = av.AudioResampler(format=frame.format.packed).resample(frame)
        samples = frame.to_ndarray()
    except ValueError as error:
        raise Damaged from error
    return samples if frame.format.is_planar else samples.reshape(-1, channels).T


def _mono(samples: NDArray[np.generic]) -> NDArray[np.float32]:
    """Average channels of any type, shape (channels, n), to one of finite numbers, full scale being 1."""
    kind = samples.dtype.str[1:]
    with np.errstate(over="ignore", invalid="ignore"):
        mono = samples.astype(np.float32, copy=False)
        if kind in _FULL_SCALE:
            mono *= np.float32(1 / _FULL_SCALE[kind])
        if kind == "u1":
            mono -= 1
        averaged: NDArray[np.float32] = mono.mean(axis=0)
    if not np.abs(averaged).max() <= _LARGEST_AMPLITUDE:
        averaged[~(np.abs(averaged) <= _LARGEST_AMPLITUDE)] = 0
    return averaged
