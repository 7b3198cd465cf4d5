"""Write docs/formats.md: every container that this build of FFmpeg writes, with every codec that it takes.

Run as ``python -m tests.classifier.audio.formats_table > docs/formats.md``; it needs Debian's ffmpeg and some minutes.
Each file holds six seconds of music and has no ending to its name.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import av
from av.codec import Codec, codecs_available
from av.format import ContainerFormat, formats_available

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.audio.formats import DECODERS, DEMUXERS
from common.errors import SongError
from tests.classifier.audio.ffmpeg_reference import decoded_by_ffmpeg, likeness
from tests.classifier.media import Kind, write
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

SECONDS = 6.0
NO_CONTAINERS = (
    {"alsa", "data", "fbdev", "fifo", "null", "oss", "tee", "rtp", "rtsp", "sap", "whip", "rtp_mpegts"}
    | {"crc", "ffmetadata", "framecrc", "framehash", "framemd5", "hash", "md5", "streamhash", "uncodedframecrc"}
    | {"rawvideo", *(f"{kind}{bits}{order}" for kind in "fsu" for bits in (16, 24, 32, 64) for order in ("be", "le"))}
    | {"dash", "hds", "hls", "segment", "smoothstreaming", "webm_chunk", "image2", "image2pipe", "mkvtimestamp_v2"}
)
"""Devices, networks, checksums, raw samples, what writes several files, and what does not say which codec it holds."""
OTHER_ENCODERS = {"aac_fixed", "ac3_fixed", "mp2fixed", "opus", "anull", "comfortnoise", "mp3"}
"""Of a codec for which there is another encoder, or of no sound."""
RATES = {
    **dict.fromkeys(("libopencore_amrnb", "real_144", "g726", "g726le"), 8_000),
    **dict.fromkeys(("nellymoser", "roq_dpcm", "adpcm_swf", "adpcm_argo", "adpcm_ima_apm", "adpcm_ima_alp"), 22_050),
    **dict.fromkeys(("libopus", "pcm_bluray", "pcm_dvd", "dfpwm"), 48_000),
    "g722": 16_000,
    "pcm_s24daud": 96_000,
}
MONO = {"libopencore_amrnb", "nellymoser", "real_144", "g726", "g726le", "g722", "adpcm_argo"}


@dataclass(frozen=True)
class Row:
    """What came of one file; ``likeness`` is None where it was refused, ``difference`` where ffmpeg decodes nothing."""

    muxer: str
    codec: str
    refused: str
    difference: float | None
    likeness: float | None


def kinds() -> Iterator[Kind]:
    """Yield every pair of a container and an encoder; most cannot be combined."""
    for muxer in sorted(formats_available):
        if muxer in NO_CONTAINERS or "," in muxer or not ContainerFormat(muxer).is_output:
            continue
        for codec in sorted(codecs_available - OTHER_ENCODERS):
            if (encoder := _encoder(codec)) is not None:
                layouts = 1 if codec in MONO else 6 if codec == "pcm_s24daud" else 2
                sample_format = encoder.audio_formats[0].name if encoder.audio_formats else "s16"
                options = {"strict": "experimental"}
                yield Kind(
                    f"{muxer}+{codec}", muxer, codec, sample_format, RATES.get(codec, 44_100), layouts, "", options
                )


def _encoder(name: str) -> Codec | None:
    try:
        codec = Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return None
    return codec if codec.type == "audio" else None


@lru_cache
def _music(rate: int) -> NDArray[np.float32]:
    return song(2, seconds=SECONDS, rate=rate)


def tried(kind: Kind) -> Row | None:
    """Write a file, and compare what comes of it; None if it cannot be written or nobody can tell what it is."""
    av.logging.set_level(None)
    with TemporaryDirectory() as folder:
        try:
            path = write(Path(folder), kind, _music(kind.rate)).rename(Path(folder) / "file")
        except (av.FFmpegError, ValueError, OSError):
            return None
        theirs = decoded_by_ffmpeg(path)
        try:
            ours = decode(path, max_seconds=60)
        except SongError as error:
            return Row(kind.muxer, kind.codec, type(error).__name__, None, None) if theirs.size > SAMPLE_RATE else None
    if abs(ours.size / SAMPLE_RATE - SECONDS) < 1 and likeness(theirs, ours) < 0.5:
        return Row(kind.muxer, kind.codec, "", None, None)
    return Row(kind.muxer, kind.codec, "", ours.size / theirs.size - 1, likeness(ours, theirs))


def main() -> None:
    """Print the page."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    rows = [row for row in map(tried, kinds()) if row]
    sys.stdout.write(page(rows))


def page(rows: list[Row]) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Formats",
        "",
        "Whatever FFmpeg decodes without a second file is taken, told by its content and never by its name. This page",
        "is written by `python -m tests.classifier.audio.formats_table`: it puts six seconds of music into every",
        f"container with every codec that PyAV {av.__version__} writes, and compares the samples with those of",
        "Debian's ffmpeg.",
        "",
        f"{len(rows)} files; in *length* the largest difference of a container's files from ffmpeg's, in *likeness*",
        "the smallest correlation with its samples. *New* are codecs that Debian's ffmpeg does not decode there.",
        "",
        "| container | codecs | length | likeness | new | refused |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for muxer in sorted({row.muxer for row in rows}):
        here = [row for row in rows if row.muxer == muxer]
        compared = [row for row in here if row.difference is not None]
        codecs = ", ".join(row.codec.removeprefix("lib") for row in compared)
        length = f"{max((row.difference or 0 for row in compared), key=abs):+.2%}" if compared else ""
        alike = f"{min(row.likeness or 0 for row in compared):.3f}" if compared else ""
        new = ", ".join(row.codec.removeprefix("lib") for row in here if not row.refused and row.difference is None)
        refused = ", ".join(f"{row.codec} ({row.refused})" for row in here if row.refused)
        lines.append(f"| {muxer} | {codecs} | {length} | {alike} | {new} | {refused} |")
    lines += [
        "",
        "Decoded as well, but not written by this build and so not in the table: " + ", ".join(_unwritten()) + ".",
        "",
        "Copy-protected files (FairPlay, Common Encryption, Windows Media, Audible) are refused as such.",
    ]
    return "\n".join(lines) + "\n"


def _unwritten() -> list[str]:
    """Return the demuxers and decoders of the lists that have no counterpart for writing."""
    demuxers = [
        name for name in DEMUXERS.split(",") if name not in formats_available or not ContainerFormat(name).is_output
    ]
    decoders = [name for name in DECODERS.split(",") if _encoder(name) is None and _encoder(f"lib{name}") is None]
    return sorted({*demuxers, *decoders})


if __name__ == "__main__":
    main()
