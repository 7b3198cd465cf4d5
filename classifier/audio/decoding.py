"""Decode the sound of any media file to mono samples at 22,050 Hz.

Nothing that a file says of itself is trusted: only samples that were really decoded count. Limits on the memory and the
time of the process belong to whoever runs it (``classifier.inference.executor``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import av

from classifier.audio.container import open_container, select, sound_tracks
from classifier.audio.mixdown import Mixdown
from classifier.audio.segmentation import (
    MIN_REMAINDER_SECONDS,
    MIN_SONG_SECONDS,
    SEGMENT_SECONDS,
    Segment,
    segments,
)
from classifier.audio.silence import sounding_stretches
from classifier.errors import Damaged, Silent, TooShort
from classifier.features.spectrum import SAMPLE_RATE
from common.errors import SongError, TooLong

if TYPE_CHECKING:
    import numpy as np
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

_MOST_BAD_PACKETS: Final = 1_000


def decode(source: Path | BinaryIO, *, max_seconds: float) -> NDArray[np.float32]:
    """Decode the sound of a media file, as ``librosa.load`` would: channels averaged, then resampled by soxr HQ.

    Damaged stretches are left out, and a truncated file is used as far as it goes. Where the channels cancel each
    other, the loudest is taken, and where a sound track is silent or cannot be decoded, the next. Memory is bounded by
    ``max_seconds``, whatever the file.

    Parameters
    ----------
    source
        The file, or its bytes as an open seekable stream.
    max_seconds
        The longest song to accept.

    Returns
    -------
    Mono, 22,050 Hz, float32, shape (n,), at least 3 seconds, every sample finite, not all silent.

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
    with open_container(source) as container:
        first, *others = sound_tracks(container)
        try:
            return _decode_track(container, first, max_seconds)
        except TooLong:
            raise
        except SongError as error:
            # Its traceback would keep the decoded samples.
            failure = error.with_traceback(None)
    for track in others:
        try:
            with open_container(source) as container:
                return _decode_track(container, track, max_seconds)
        except SongError:
            continue
    raise failure


def _decode_track(container: InputContainer, track: int, max_seconds: float) -> NDArray[np.float32]:
    """Decode one sound track of a container that was just opened."""
    song = Mixdown(max_seconds)
    bad_packets = _decode_into(song, container, select(container, track))
    samples = song.finish()
    if samples.size < MIN_SONG_SECONDS * SAMPLE_RATE:
        raise Damaged if bad_packets or not samples.size else TooShort(minimum=MIN_SONG_SECONDS)
    if not sounding_stretches(samples):
        raise Silent
    return samples


def _decode_into(song: Mixdown, container: InputContainer, stream: AudioStream) -> int:
    """Decode a stream to its end, or as far as it can be, and return the number of packets that failed."""
    good = bad = 0
    ended = False
    while not ended and bad <= _MOST_BAD_PACKETS:
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
