"""Open a media file and choose what to decode of it, without trusting what it says of itself.

Formats are told by content, never by name. Demuxers and decoders are whitelisted: none opens further files, none reads
text, and none decodes pictures or subtitles.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn, cast

import av
from av.stream import Discard

from classifier.errors import Damaged, NoSound, NotAudio
from common.errors import EmptyFile

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.stream import AudioStream
    from av.container import InputContainer

DEMUXERS: Final = "aac,aiff,amr,asf,caf,flac,matroska,mov,mp3,mpegts,ogg,wav"
DECODERS: Final = (
    "aac,aac_latm,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,alac,amrnb,amrwb,eac3,flac,mp1float,mp2float,mp3,mp3float,opus,"
    "pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,"
    "pcm_s32le,pcm_s8,pcm_u8,vorbis,wmapro,wmav1,wmav2"
)
_MOST_STREAMS: Final = "64"
_MOST_TRACKS: Final = 8
"""Sound tracks tried, one after the other, where those before are silent or cannot be decoded."""
_SIGNATURES: Final = (b"ID3", b"RIFF", b"fLaC", b"OggS", b"FORM", b"caff", b"#!AMR", b"\x1aE\xdf\xa3", b"0&\xb2u\x8e")
_MP4_SIGNATURE: Final = b"ftyp"
"""After four bytes of length."""


def open_container(source: BinaryIO) -> InputContainer:
    """Open a container whose demuxer may neither open further files nor look at anything but sound.

    Raises
    ------
    EmptyFile, Damaged, NotAudio
        If it cannot be opened.
    """
    source.seek(0)
    start = source.read(16)
    if not start:
        raise EmptyFile
    source.seek(0)
    try:
        return av.open(
            _Nameless(source),
            mode="r",
            container_options={
                "format_whitelist": DEMUXERS,
                "protocol_whitelist": "file",
                "codec_whitelist": DECODERS,
                "max_streams": _MOST_STREAMS,
            },
            metadata_errors="replace",
            io_open=_refuse,
        )
    except av.FFmpegError as error:
        # What begins like a music file but cannot be opened was one once.
        known = start.startswith(_SIGNATURES) or start[4:].startswith(_MP4_SIGNATURE)
        raise (Damaged if known else NotAudio) from error


def sound_tracks(container: InputContainer) -> list[int]:
    """Return the indices of the streams to try, the one that a player would take first.

    Raises
    ------
    NoSound
        If the file has no sound track.
    NotAudio
        If none can be decoded.
    """
    streams = container.streams.audio
    if not streams:
        raise NoSound
    decodable = [stream for stream in streams if _decoder_name(stream) in DECODERS.split(",")]
    if not decodable:
        raise NotAudio
    best = container.streams.best("audio")
    ordered = sorted(decodable, key=lambda stream: stream is not best)
    return [stream.index for stream in ordered[:_MOST_TRACKS]]


def select(container: InputContainer, index: int) -> AudioStream:
    """Return a stream, and have the demuxer skip all others."""
    for stream in container.streams:
        if stream.index != index:
            stream.discard = Discard.all
    return cast("AudioStream", container.streams[index])


def _decoder_name(stream: AudioStream) -> str | None:
    """Return the name of FFmpeg's decoder for a stream, if it has any."""
    context = cast("AudioCodecContext | None", stream.codec_context)
    return None if context is None else context.codec.name


class _Nameless:
    """A file without its name, so that its format is told from its content alone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Seek, or return a negative number where a broken file points outside of itself, which is no error of ours."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -1


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:  # noqa: ARG001  as PyAV calls it
    """Refuse to open what a file refers to."""
    raise NotAudio
