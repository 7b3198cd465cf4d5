"""Writes samples into every kind of file that a phone, a browser or a chat produces."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from classifier.training.synthesis.instruments import SAMPLE_RATE, Sound

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_CHUNK_FRAMES = 4096
_PICTURE_RATE = 5
_PICTURE_SIZE = 64
_OPUS_RATE = 48_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A container as FFmpeg calls it, with the encoders for its sound and, where it has one, its picture."""

    container: str
    sound: str
    picture: str | None = None
    bit_rate: int | None = 128_000


KINDS: dict[str, Kind] = {
    ".mp3": Kind("mp3", "libmp3lame"),
    ".m4a": Kind("ipod", "aac"),
    ".aac": Kind("adts", "aac"),
    ".ogg": Kind("ogg", "vorbis"),
    ".opus": Kind("ogg", "libopus", bit_rate=64_000),
    ".flac": Kind("flac", "flac", bit_rate=None),
    ".wav": Kind("wav", "pcm_s16le", bit_rate=None),
    ".aiff": Kind("aiff", "pcm_s16be", bit_rate=None),
    ".weba": Kind("webm", "libopus", bit_rate=64_000),
    ".webm": Kind("webm", "libopus", "libvpx", 64_000),
    ".mp4": Kind("mp4", "aac", "libx264"),
    ".mov": Kind("mov", "aac", "libx264"),
    ".mkv": Kind("matroska", "vorbis", "libx264"),
}


def write(
    samples: Sound | None,
    path: Path | str,
    *,
    sample_rate: int = SAMPLE_RATE,
    codec: str | None = None,
    bit_rate: int | None = None,
    picture: bool | None = None,
    title: str | None = None,
) -> Path:
    """Encode samples into the kind of file that the path's suffix says.

    Parameters
    ----------
    samples
        Shape (frames,) or (frames, channels), float32 between -1 and 1; None for a video without sound.
    path
        Its suffix is one of ``KINDS``.
    sample_rate
        Of ``samples``, in Hz. Opus stores 48,000 Hz whatever this is.
    codec, bit_rate
        In place of the kind's own encoder and bits per second.
    picture
        Whether to add a video track; by default where the kind is a video.
    title
        A title tag.

    Returns
    -------
    Path
        The file written.
    """
    path = Path(path)
    kind = KINDS[path.suffix.lower()]
    encoder = codec or kind.sound
    with av.open(str(path), "w", format=kind.container) as container:
        if title:
            container.metadata["title"] = title
        film = _video_stream(container, kind.picture) if kind.picture and picture is not False else None
        if samples is None:
            _film(container, film, seconds=5)
            return path
        if encoder == "vorbis" and samples.ndim == 1:
            samples = np.stack([samples, samples], axis=1)  # FFmpeg's own encoder knows nothing but stereo
        stream = _audio_stream(container, encoder, sample_rate, bit_rate or kind.bit_rate)
        stream.layout = "mono" if samples.ndim == 1 else "stereo"
        _film(container, film, seconds=samples.shape[0] / sample_rate)
        _sound(container, stream, samples, sample_rate)
    return path


def _audio_stream(container: OutputContainer, codec: str, sample_rate: int, bit_rate: int | None) -> AudioStream:
    rate = _OPUS_RATE if codec == "libopus" else sample_rate
    stream = cast("AudioStream", container.add_stream(codec, rate=rate, options={"strict": "experimental"}))
    if bit_rate:
        stream.bit_rate = bit_rate
    return stream


def _video_stream(container: OutputContainer, codec: str) -> VideoStream:
    film = cast("VideoStream", container.add_stream(codec, rate=_PICTURE_RATE))
    film.width = film.height = _PICTURE_SIZE
    film.pix_fmt = "yuv420p"
    return film


def _sound(container: OutputContainer, stream: AudioStream, samples: Sound, sample_rate: int) -> None:
    planes = np.atleast_2d(samples.T).astype(np.float32)
    for start in range(0, planes.shape[1], _CHUNK_FRAMES):
        chunk = np.ascontiguousarray(planes[:, start : start + _CHUNK_FRAMES])
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout=stream.layout.name)
        frame.sample_rate = sample_rate
        frame.pts = start
        frame.time_base = Fraction(1, sample_rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _film(container: OutputContainer, stream: VideoStream | None, *, seconds: float) -> None:
    if stream is None:
        return
    for number in range(max(1, int(seconds * _PICTURE_RATE))):
        shade = np.full((_PICTURE_SIZE, _PICTURE_SIZE, 3), (number * 7) % 256, dtype=np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
    container.mux(stream.encode(None))
