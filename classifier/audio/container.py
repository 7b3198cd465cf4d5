"""Open a media file and choose what to decode of it, without trusting what it says of itself.

Formats are told by content, never by name. Demuxers and decoders are whitelisted: none opens further files, none reads
text, and none decodes pictures or subtitles.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn, cast

import av
from av.stream import Discard

from classifier.audio.formats import DECODERS, DEMUXERS
from classifier.errors import CopyProtected, Damaged, NoSound, NotAudio
from common.errors import EmptyFile

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

_MOST_STREAMS: Final = "64"
_MOST_TRACKS: Final = 8
"""Sound tracks tried, one after the other, where those before are silent or cannot be decoded."""
_START_BYTES: Final = 65_536
_SIGNATURES: Final = {
    0: (
        b"ID3",
        b"fLaC",
        b"OggS",
        b"caff",
        b"#!AMR",
        b"\x1aE\xdf\xa3",
        b"0&\xb2u\x8e",
        b".snd",
        b"wvpk",
        b"MAC ",
        b"MPCK",
    ),
    8: (b"WAVE", b"AVI ", b"AIFF", b"AIFC"),
}
"""By the byte where they are: what only files with sound begin with."""
_MP4_SIGNATURE: Final = b"ftyp"
_PICTURE_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
"""Kinds of MP4 that are pictures."""
_PROTECTED_TAGS: Final = ("drms", "drmi", "enca", "aavd")
"""Sample descriptions of protected MP4: FairPlay (two), Common Encryption, Audible."""
_ASF_SIGNATURE: Final = b"0&\xb2u\x8ef\xcf\x11"
_ASF_ENCRYPTION: Final = (
    bytes.fromhex("fbb31122 23bd d211 b4b700a0c955fc6e"),
    bytes.fromhex("14e68a29 2226 174c b935dae07ee9289c"),
)
"""The content encryption objects, simple and extended, of an ASF header."""
_AUDIBLE_SIGNATURE: Final = b"\x57\x90\x75\x36"
"""After four bytes of length."""


def open_container(source: BinaryIO) -> InputContainer:
    """Open a container whose demuxer may neither open further files nor look at anything but sound.

    Raises
    ------
    EmptyFile, CopyProtected, Damaged, NotAudio
        If it cannot be opened.
    """
    source.seek(0)
    start = source.read(_START_BYTES)
    if not start:
        raise EmptyFile
    if _is_protected(start):
        raise CopyProtected
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
        # What begins like a file with sound but cannot be opened was one once.
        raise (Damaged if _begins_like_sound(start) else NotAudio) from error


def _is_protected(start: bytes) -> bool:
    """Whether a file's first bytes tell that it is copy-protected, where FFmpeg does not."""
    if start.startswith(_ASF_SIGNATURE):
        return any(encryption in start for encryption in _ASF_ENCRYPTION)
    return start[4:].startswith(_AUDIBLE_SIGNATURE)


def _begins_like_sound(start: bytes) -> bool:
    if start[4:].startswith(_MP4_SIGNATURE):
        return not start[8:].startswith(_PICTURE_BRANDS)
    return any(start[at:].startswith(signatures) for at, signatures in _SIGNATURES.items())


def sound_tracks(container: InputContainer) -> list[int]:
    """Return the indices of the streams to try, the one that a player would take first.

    Raises
    ------
    NoSound
        If the file has no sound track.
    CopyProtected
        If all are encrypted.
    NotAudio
        If none can be decoded.
    """
    streams = container.streams.audio
    if not streams:
        raise NoSound
    if all(_is_encrypted(stream) for stream in streams):
        raise CopyProtected
    decodable = [
        stream for stream in streams if _decoder_name(stream) in DECODERS.split(",") and not _is_encrypted(stream)
    ]
    if not decodable:
        raise NotAudio
    best = container.streams.best("audio")
    ordered = sorted(decodable, key=lambda stream: stream is not best)
    return [stream.index for stream in ordered[:_MOST_TRACKS]]


def is_encrypted(packet: Packet[AudioStream]) -> bool:
    """Whether a packet is encrypted: in Common Encryption, the first seconds may be in the clear."""
    return packet.has_sidedata("encryption_info")


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


def _is_encrypted(stream: AudioStream) -> bool:
    context = cast("AudioCodecContext | None", stream.codec_context)
    if context is None:
        return False
    try:
        return context.codec_tag in _PROTECTED_TAGS
    except UnicodeDecodeError:
        return False


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
