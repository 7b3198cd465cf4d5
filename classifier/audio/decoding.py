"""Decode the sound of any media file to mono samples at 22,050 Hz.

Nothing that a file says of itself is trusted: only samples that were really decoded count. Limits on the memory and the
time of the process belong to whoever runs it (``classifier.inference.executor``).
"""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import av

from classifier.audio.container import is_encrypted, open_container, select, sound_tracks
from classifier.audio.mixdown import Mixdown
from classifier.audio.ogg import FileSection, links
from classifier.audio.segmentation import (
    MIN_REMAINDER_SECONDS,
    MIN_SONG_SECONDS,
    SEGMENT_SECONDS,
    Segment,
    segments,
)
from classifier.audio.silence import sounding_stretches
from classifier.errors import CopyProtected, Damaged, Silent, TooShort
from classifier.features.spectrum import SAMPLE_RATE
from common.errors import SongError, TooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

_MOST_FAILED_READS: Final = 100
"""In a row, after which the rest of a file is given up: a damaged place can be passed, the same error repeats."""
_PACKETS_PER_ERROR: Final = 2
"""With fewer good packets for each error, what was decoded is noise."""


def _nothing() -> None:
    pass


def decode(
    source: Path | BinaryIO,
    *,
    max_seconds: float,
    min_seconds: float = MIN_SONG_SECONDS,
    on_packet: Callable[[], None] = _nothing,
) -> NDArray[np.float32]:
    """Decode the sound of a media file, as ``librosa.load`` would: channels averaged, then resampled by soxr HQ.

    Damaged stretches are left out, and a truncated file is used as far as it goes. Where the channels cancel each
    other, the loudest is taken, and where a sound track is silent or cannot be decoded, the next. Memory is bounded by
    ``max_seconds``, whatever the file.

    Parameters
    ----------
    source
        The file, or its bytes as an open seekable stream.
    max_seconds, min_seconds
        The longest and the shortest song to accept.
    on_packet
        Called for every packet, as a sign of life.

    Returns
    -------
    Mono, 22,050 Hz, float32, shape (n,), at least ``min_seconds`` long, every sample finite, not all silent.

    Raises
    ------
    SongError
        ``EmptyFile``, ``NotAudio``, ``NoSound``, ``CopyProtected``, ``Damaged``, ``TooShort``, ``TooLong`` or
        ``Silent``.
    OSError
        If ``source`` cannot be read at all.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return decode(file, max_seconds=max_seconds, min_seconds=min_seconds, on_packet=on_packet)
    chain = links(source)
    if len(chain) > 1:
        return _decode_chain(source, chain, Mixdown(max_seconds), min_seconds, on_packet)
    return _decode_first_track(source, max_seconds, min_seconds, on_packet)


def _decode_first_track(
    source: BinaryIO, max_seconds: float, min_seconds: float, on_packet: Callable[[], None]
) -> NDArray[np.float32]:
    """Decode the first sound track that has sound."""
    with open_container(source) as container:
        tracks = sound_tracks(container)
        try:
            return _decode_track(container, tracks[0], Mixdown(max_seconds), min_seconds, on_packet)
        except TooLong:
            raise
        except SongError as error:
            # Its traceback would keep the decoded samples.
            failure = error.with_traceback(None)
    for track in tracks[1:]:
        try:
            with open_container(source) as container:
                return _decode_track(container, track, Mixdown(max_seconds), min_seconds, on_packet)
        except SongError:
            continue
    raise failure


def _decode_track(
    container: InputContainer, track: int, song: Mixdown, min_seconds: float, on_packet: Callable[[], None]
) -> NDArray[np.float32]:
    """Decode one sound track of a container that was just opened."""
    complete = _decode_into(song, container, select(container, track), on_packet)
    return _checked(song.finish(), min_seconds, damaged=not complete)


def _decode_chain(
    source: BinaryIO, starts: Sequence[int], song: Mixdown, min_seconds: float, on_packet: Callable[[], None]
) -> NDArray[np.float32]:
    """Decode the links of a chained Ogg file as one song, each by its first sound track."""
    failure: SongError | None = None
    for start, end in pairwise((*starts, source.seek(0, io.SEEK_END))):
        try:
            with open_container(cast("BinaryIO", FileSection(source, start, end))) as container:
                _decode_into(song, container, select(container, sound_tracks(container)[0]), on_packet)
        except TooLong:
            raise
        except SongError as error:
            failure = failure or error.with_traceback(None)
    samples = song.finish()
    if failure is not None and not samples.size:
        raise failure
    return _checked(samples, min_seconds, damaged=failure is not None)


def _checked(samples: NDArray[np.float32], min_seconds: float, *, damaged: bool) -> NDArray[np.float32]:
    """Return samples that are enough for a song, or raise why they are not."""
    if samples.size < min_seconds * SAMPLE_RATE:
        raise Damaged if damaged or not samples.size else TooShort(minimum=min_seconds)
    if not sounding_stretches(samples):
        raise Silent
    return samples


def _decode_into(song: Mixdown, container: InputContainer, stream: AudioStream, on_packet: Callable[[], None]) -> bool:
    """Decode a stream to its end, or as far as it can be, and return whether all of it could be.

    Raises
    ------
    Damaged
        If there are so many errors that what was decoded is noise.
    CopyProtected
        If it is encrypted.
    """
    good = errors = failed_reads = 0
    ended = failing = False
    while not ended and failed_reads < _MOST_FAILED_READS:
        try:
            for packet in container.demux(stream):
                on_packet()
                failed_reads = 0
                try:
                    for frame in packet.decode():
                        song.add(frame)
                    good += 1
                    failing = False
                except av.FFmpegError:
                    if is_encrypted(packet):
                        raise CopyProtected from None
                    # An error that repeats itself is one error.
                    errors += not failing
                    failing = True
            ended = True
        except av.FFmpegError:
            failed_reads += 1
            errors += not failing
            failing = True
        except IndexError:
            # At the end PyAV also asks for streams that have turned up only on the way; it knows none of them.
            ended = True
    if errors * _PACKETS_PER_ERROR > good:
        raise Damaged
    return not errors
