"""Real media files of every kind, made with FFmpeg's own encoders from a signal."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

PICTURES_PER_SECOND = 25
PCM_FRAME_SAMPLES = 1152


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name
        The file's name.
    muxer, codec, sample_format
        FFmpeg's names.
    rate, channels
        What is encoded.
    video
        FFmpeg's name of the encoder of moving pictures, if there shall be any.
    options
        Of the sound's encoder.
    """

    name: str
    muxer: str
    codec: str
    sample_format: str = "fltp"
    rate: int = 44_100
    channels: int = 2
    video: str = ""
    options: dict[str, str] = field(default_factory=dict)


KINDS = [
    Kind("song.mp3", "mp3", "libmp3lame"),
    Kind("phone.m4a", "ipod", "aac"),
    Kind("lossless.m4a", "ipod", "alac", "s16p"),
    Kind("stream.aac", "adts", "aac"),
    Kind("song.ogg", "ogg", "vorbis", options={"strict": "experimental"}),
    Kind("voice.opus", "ogg", "libopus", "flt", 48_000, 1),
    Kind("song.flac", "flac", "flac", "s16"),
    Kind("studio.flac", "flac", "flac", "s32", 96_000),
    Kind("song.wav", "wav", "pcm_s16le", "s16"),
    Kind("old.wav", "wav", "pcm_u8", "u8", 11_025, 1),
    Kind("float.wav", "wav", "pcm_f32le", "flt", 22_050, 1),
    Kind("double.wav", "wav", "pcm_f64le", "dbl", 48_000),
    Kind("surround.wav", "wav", "pcm_s24le", "s32", 48_000, 6),
    Kind("telephone.wav", "wav", "pcm_alaw", "s16", 8_000, 1),
    Kind("song.aiff", "aiff", "pcm_s16be", "s16"),
    Kind("memo.caf", "caf", "pcm_s16le", "s16"),
    Kind("browser.webm", "webm", "libopus", "flt", 48_000),
    Kind("song.mka", "matroska", "flac", "s16"),
    Kind("old.wma", "asf", "wmav2", options={"b": "128000"}),
    Kind("voice.amr", "amr", "libopencore_amrnb", "s16", 8_000, 1, options={"b": "12200"}),
    Kind("phone.3gp", "3gp", "aac", video="mpeg4"),
    Kind("video.mp4", "mp4", "aac", video="mpeg4"),
    Kind("video.mov", "mov", "pcm_s16le", "s16", video="mpeg4"),
    Kind("video.webm", "webm", "libopus", "flt", 48_000, video="libvpx"),
    Kind("stream.ts", "mpegts", "libmp3lame", video="mpeg2video"),
    Kind("radio.mp2", "mp2", "mp2", "s16"),
    Kind("broadcast.ts", "mpegts", "mp2", "s16", 48_000, video="mpeg2video"),
    Kind("disc.mpg", "mpeg", "mp2", "s16", video="mpeg1video"),
    Kind("disc.vob", "vob", "ac3", rate=48_000, channels=6, video="mpeg2video"),
    Kind("clip.avi", "avi", "libmp3lame", video="mpeg4"),
    Kind("old.avi", "avi", "adpcm_ms", "s16", 22_050, 1, video="mpeg4"),
    Kind("clip.flv", "flv", "libmp3lame", video="flv"),
    Kind("clip.wmv", "asf", "wmav2", video="wmv2", options={"b": "128000"}),
    Kind("book.m4b", "ipod", "aac", channels=1),
    Kind("compressed.aifc", "aiff", "pcm_s16le", "s16"),
    Kind("lossless.alac.caf", "caf", "alac", "s16p"),
    Kind("voice.weba", "webm", "libopus", "flt", 48_000, 1),
    Kind("voice.3gp", "3gp", "libopencore_amrnb", "s16", 8_000, 1, options={"b": "12200"}),
    Kind("song.wv", "wv", "wavpack", "s16p"),
    Kind("song.tta", "tta", "tta", "s16"),
    Kind("film.ac3", "ac3", "ac3", rate=48_000, channels=6),
    Kind("film.eac3", "eac3", "eac3", rate=48_000),
    Kind("sun.au", "au", "pcm_mulaw", "s16", 8_000, 1),
    Kind("long.w64", "w64", "pcm_s24le", "s32"),
    Kind("blaster.voc", "voc", "pcm_u8", "u8", 8_000, 1),
    Kind("song.ogv", "ogg", "flac", "s16"),
    Kind("song.nut", "nut", "vorbis", options={"strict": "experimental"}),
    Kind("song.rm", "rm", "ac3", rate=48_000),
    Kind("radio.latm", "latm", "aac"),
]


def write(folder: Path, kind: Kind, samples: NDArray[np.float32]) -> Path:
    """Encode a signal.

    Parameters
    ----------
    folder
        Where to.
    kind
        What as.
    samples
        At the kind's rate, shape (n,); every channel gets the same.
    """
    path = folder / kind.name
    with av.open(str(path), "w", format=kind.muxer) as container:
        layout = {1: "mono", 2: "stereo", 4: "quad", 6: "5.1", 8: "7.1"}[kind.channels]
        video = _video_stream(container, kind.video) if kind.video else None
        audio = cast("AudioStream", container.add_stream(kind.codec, rate=kind.rate, layout=layout))
        audio.format = kind.sample_format
        audio.options = dict(kind.options)
        if video:
            _write_pictures(container, video, samples.size / kind.rate)
        _write_sound(container, audio, np.tile(samples, (kind.channels, 1)), layout)
    return path


def write_pictures_only(path: Path, seconds: float, muxer: str = "mp4", codec: str = "mpeg4") -> Path:
    """Write a video without sound."""
    with av.open(str(path), "w", format=muxer) as container:
        _write_pictures(container, _video_stream(container, codec), seconds)
    return path


def _video_stream(container: OutputContainer, codec: str) -> VideoStream:
    stream = cast("VideoStream", container.add_stream(codec, rate=PICTURES_PER_SECOND))
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    return stream


def _write_pictures(container: OutputContainer, stream: VideoStream, seconds: float) -> None:
    generator = np.random.default_rng(5)
    for _ in range(round(seconds * PICTURES_PER_SECOND)):
        picture = generator.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(stream.encode(None))


def _write_sound(container: OutputContainer, stream: AudioStream, samples: NDArray[np.float32], layout: str) -> None:
    if not stream.codec_context.is_open:
        stream.codec_context.open()
    size = stream.codec_context.frame_size or PCM_FRAME_SAMPLES
    converted = av.AudioResampler(format=stream.format, layout=layout, rate=stream.rate)
    for start in range(0, samples.shape[1], size):
        # One after the other in one plane: from eight planes on, PyAV takes one too many.
        block = samples[:, start : start + size].T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="flt", layout=layout)
        frame.sample_rate = stream.rate
        frame.time_base = Fraction(1, stream.rate)
        frame.pts = start
        for ready in converted.resample(frame):
            container.mux(stream.encode(ready))
    container.mux(stream.encode(None))


def write_tracks(path: Path, muxer: str, codec: str, tracks: Sequence[NDArray[np.float32]], rate: int = 44_100) -> Path:
    """Encode signals as the mono sound tracks of one file; the first is the one that players take.

    Parameters
    ----------
    tracks
        At ``rate``, shape (n,) each.
    """
    with av.open(str(path), "w", format=muxer) as container:
        streams = [cast("AudioStream", container.add_stream(codec, rate=rate, layout="mono")) for _ in tracks]
        for stream, samples in zip(streams, tracks, strict=True):
            _write_sound(container, stream, samples[None], "mono")
    return path


def write_encrypted(path: Path, samples: NDArray[np.float32], rate: int = 44_100) -> Path:
    """Encode a signal as MP4 in Common Encryption."""
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "5" * 32, "encryption_kid": "7" * 32}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        _write_sound(container, stream, samples[None], "mono")
    return path


def write_dsf(path: Path, samples: NDArray[np.float32], rate: int = 44_100) -> Path:
    """Write a signal as DSD, one bit a sample at eight times its rate: no encoder of FFmpeg does."""
    block = 4096
    bits = np.empty(8 * samples.size, dtype=np.uint8)
    error = 0.0
    for place, value in enumerate(np.repeat(samples, 8).tolist()):
        error += value
        bits[place] = error >= 0
        error -= 1 if error >= 0 else -1
    data = np.packbits(bits, bitorder="little").tobytes()
    padded = data + b"\x69" * (-len(data) % block)
    described = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 1, 1, 8 * rate, 1, bits.size, block, 0)
    content = described + struct.pack("<4sQ", b"data", 12 + len(padded)) + padded
    path.write_bytes(struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(content), 0) + content)
    return path
