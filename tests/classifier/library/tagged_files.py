"""Files with every kind of tag, as other programs write them, and independent readers to compare them with."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import subprocess
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import av
import mutagen
import numpy as np

from tests.needs import lacking

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

id3: Any = import_module("mutagen.id3")  # mutagen is only partly typed
SAMPLE_RATE: Final = 44_100
SECONDS: Final = 4
BIT_RATE: Final = 96_000
ENCODERS: Final = {
    ".mp3": ("mp3", "libmp3lame"), ".flac": ("flac", "flac"), ".ogg": ("ogg", "vorbis"), ".opus": ("ogg", "libopus"),
    ".m4a": ("ipod", "aac"), ".mov": ("mov", "aac"), ".wav": ("wav", "pcm_s16le"), ".aiff": ("aiff", "pcm_s16be"),
    ".wma": ("asf", "wmav2"), ".wv": ("wv", "wavpack"), ".tta": ("tta", "tta"),
}  # fmt: skip
"""Suffix → muxer and encoder of FFmpeg."""
TECHNICAL_FIELDS: Final = frozenset(
    {"@type", "CompleteName", "FileSize", "OverallBitRate", "StreamSize", "HeaderSize", "DataSize", "FooterSize"}
)
"""Fields of mediainfo that depend on the size of the tags."""
GENRE_FIELDS: Final = frozenset({"genre", "Genre"})
PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def encode(path: Path) -> Path:
    """Write a few seconds of two tones in the format of the path's suffix, without tags."""
    muxer, encoder = ENCODERS[path.suffix]
    time = np.arange(SAMPLE_RATE * SECONDS) / SAMPLE_RATE
    samples = (8000 * (np.sin(2 * np.pi * 220 * time) + np.sin(2 * np.pi * 331 * time))).astype(np.int16)
    # FFmpeg adds tags with its own name, which are not wanted here.
    options = {"id3v2_version": "0"} if path.suffix == ".mp3" else {}
    with av.open(str(path), "w", format=muxer, options=options) as container:
        rate = 48_000 if encoder == "libopus" else SAMPLE_RATE
        stream: Any = container.add_stream(encoder, rate=rate, layout="stereo", options={"strict": "experimental"})
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.repeat(samples, 2)[None], format="s16", layout="stereo")
        frame.sample_rate = SAMPLE_RATE
        container.mux([packet for part in (frame, None) for packet in stream.encode(part)])
    if path.suffix == ".wv":
        path.write_bytes(path.read_bytes().partition(b"APETAGEX")[0])
    return path


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: str, content: bytes, version: int = 3, flags: bytes = b"\0\0") -> bytes:
    """Return an ID3v2 frame."""
    if version == 2:
        return name.encode() + struct.pack(">I", len(content))[1:] + content
    size = synchsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
    return name.encode() + size + flags + content


def id3v2(version: int, *frames: bytes, flags: int = 0, extended: bytes = b"", padding: int = 300) -> bytes:
    """Return an ID3v2 tag."""
    body = extended + b"".join(frames) + bytes(padding)
    if flags & 0x80 and version < 4:
        body = body.replace(b"\xff", b"\xff\0")
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(body)) + body


def ape(*items: tuple[str, bytes, int], version: int = 2000, header: bool = True) -> bytes:
    """Return an APE tag with items of key, value and flags."""
    content = b"".join(
        struct.pack("<II", len(value), flags) + key.encode() + b"\0" + value for key, value, flags in items
    )
    fields = (b"APETAGEX", version, len(content) + 32, len(items))
    has_header = 1 << 31 if header else 0
    start = struct.pack("<8sIIIIQ", *fields, has_header | 1 << 29, 0) if header else b""
    return start + content + struct.pack("<8sIIIIQ", *fields, has_header, 0)


def id3v1(title: str, artist: str, genre: int) -> bytes:
    """Return an ID3v1 tag."""
    return struct.pack(
        "<3s30s30s30s4s30sB", b"TAG", title.encode(), artist.encode(), b"An Album", b"1999", b"hi", genre
    )


def prepend(content: bytes) -> Callable[[Path], None]:
    return lambda path: _rewrite(path, lambda audio: content + audio)


def append(content: bytes) -> Callable[[Path], None]:
    return lambda path: _rewrite(path, lambda audio: audio + content)


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


TEXT_FRAMES: Final = (
    frame("TIT2", b"\0Song"), frame("TPE1", b"\1" + "Đức".encode("utf-16")),
    frame("TSOP", b"\0Band, The"),
    frame("TSOT", b"\0Song, A"), frame("TSOA", b"\0Album, An"), frame("TMOO", b"\0calm"), frame("TSST", b"\0Disc two"),
    frame("TDRL", b"\x001999-12-31"), frame("TYER", b"\x001999"), frame("TDAT", b"\x003112"),
    frame("TORY", b"\x001971"),
    frame("TXXX", b"\0MOOD\0sad"), frame("COMM", b"\0eng\0a comment"),
    frame("APIC", b"\0image/png\0\3\0" + PICTURE),
    frame("PRIV", b"owner\0\xff\xe0\xff\0"), frame("XYZ1", b"unknown"), frame("POPM", b"me\0\xff\0\0\0\7"),
    frame("IPLS", b"\0producer\0Somebody"), frame("RVAD", bytes(10)), frame("TLEN", b"\x004000", flags=b"\x40\0"),
)  # fmt: skip
TWO_ARTISTS: Final = (
    frame("TPE1", b"\0AC/DC"), frame("TPE1", b"\0Somebody"), frame("TCOM", b"\0One\0Other"), frame("TIT2", b"\0Song"),
)  # fmt: skip


def add_vorbis_comments(path: Path) -> None:
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for name, values in {
        "Title": ["Song"],
        "ARTIST": ["One", "Other"],
        "ArtistSort": ["One, The"],
        "MOOD": ["sad"],
    }.items():
        file.tags[name] = values
    if hasattr(file, "add_picture"):
        picture = import_module("mutagen.flac").Picture()
        picture.data, picture.mime, picture.type = PICTURE, "image/png", 3
        file.add_picture(picture)
    file.save()


def add_mp4_atoms(path: Path) -> None:
    file: Any = mutagen.File(path)
    mp4 = import_module("mutagen.mp4")
    if file.tags is None:
        file.add_tags()
    atoms: dict[str, Any] = {
        "\xa9nam": ["Song"], "\xa9ART": ["One", "Other"], "soar": ["One, The"], "trkn": [(3, 12)], "cpil": True,
        "tmpo": [120], "covr": [mp4.MP4Cover(PICTURE, mp4.MP4Cover.FORMAT_PNG)],
        "----:com.apple.iTunes:MOOD": [mp4.MP4FreeForm(b"sad")],
    }  # fmt: skip
    for name, values in atoms.items():
        file.tags[name] = values
    file.save()


def add_asf_attributes(path: Path) -> None:
    file: Any = mutagen.File(path)
    asf = import_module("mutagen.asf")
    file["Title"], file["Author"], file["WM/Mood"] = "Song", ["One", "Other"], "sad"
    file["WM/TrackNumber"], file["WM/ArtistSortOrder"] = asf.ASFDWordAttribute(3), "One, The"
    file.save()


def add_chunk(name: bytes, content: bytes, order: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        audio = path.read_bytes()
        chunk = name + struct.pack(order, len(content)) + content + b"\0" * (len(content) % 2)
        audio = audio[:4] + struct.pack(order, len(audio) + len(chunk) - 8) + audio[8:] + chunk
        path.write_bytes(audio)

    return change


def info_list(**fields: str) -> bytes:
    content = b"INFO"
    for name, text in fields.items():
        value = text.encode() + b"\0"
        content += name.encode() + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2)
    return content


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        for each in changes:
            each(path)

    return change


def nothing(path: Path) -> None:
    assert path.exists()


APE_ITEMS: Final = (
    ("Title", b"Song", 0), ("artist", b"One\0Other", 0), ("Mood", b"sad", 0),
    ("Cover Art (Front)", b"a.png\0" + PICTURE, 2),
    ("Locked", b"1", 1),
)  # fmt: skip
VERSION_2_FRAMES: Final = tuple(
    frame(name, content, 2)
    for name, content in (("TT2", b"\0Song"), ("TP1", b"\0Band"), ("TBP", b"\x00120"), ("ULT", b"\0eng\0la"))
)
VERSION_4_FRAMES: Final = tuple(
    frame(name, content, 4)
    for name, content in (
        ("TIT2", b"\3Song"), ("TPE1", b"\3One\0Other"), ("TSOP", b"\3One, The"), ("TMOO", b"\3sad"),
        ("TDRC", b"\x031999-12-31"),
        ("TIPL", b"\3producer\0Somebody"), ("APIC", b"\0image/png\0\3\0" + PICTURE + bytes(200)),
    )
)  # fmt: skip
WRONG_SIZE_FRAMES: Final = tuple(
    frame(name, content, 3)
    for name, content in (
        ("TIT2", b"\3Song"),
        ("APIC", b"\0image/png\0\3\0" + PICTURE + bytes(200)),
        ("TMOO", b"\3sad"),
    )
)
"""Frames of an ID3v2.4 tag with plain sizes, as old versions of iTunes wrote them."""
TAGGED: Final[dict[str, tuple[str, Callable[[Path], None]]]] = {
    "mp3-untagged": (".mp3", nothing),
    "mp3-2.2": (".mp3", prepend(id3v2(2, *VERSION_2_FRAMES))),
    "mp3-2.3": (".mp3", prepend(id3v2(3, *TEXT_FRAMES))),
    "mp3-2.3-other": (".mp3", prepend(id3v2(3, *TEXT_FRAMES, frame("TCON", b"\0(12)")))),
    "mp3-2.3-unknown": (".mp3", prepend(id3v2(3, frame("TCON", b"\0(255)"), *TEXT_FRAMES))),
    "mp3-2.3-two-artists": (".mp3", prepend(id3v2(3, *TWO_ARTISTS))),
    "mp3-2.3-two-genres": (".mp3", prepend(id3v2(3, frame("TCON", b"\0Pop"), *TWO_ARTISTS, frame("TCON", b"\0Rock")))),
    "mp3-2.3-unsynchronized": (".mp3", prepend(id3v2(3, *TEXT_FRAMES, flags=0x80))),
    "mp3-2.3-extended": (".mp3", prepend(id3v2(3, *TWO_ARTISTS, flags=0x40, extended=b"\0\0\0\6\0\0\0\0\1\x2c"))),
    "mp3-2.3-no-padding": (".mp3", prepend(id3v2(3, *TEXT_FRAMES, padding=0))),
    "mp3-2.4": (".mp3", prepend(id3v2(4, *VERSION_4_FRAMES))),
    "mp3-2.4-wrong-sizes": (".mp3", prepend(id3v2(4, *WRONG_SIZE_FRAMES))),
    "mp3-2.3-and-1": (".mp3", both(prepend(id3v2(3, *TEXT_FRAMES)), append(id3v1("Song", "Band", 255)))),
    "mp3-1": (".mp3", append(id3v1("Song", "Band", 12))),
    "mp3-ape": (".mp3", append(ape(*APE_ITEMS))),
    "mp3-ape-genre": (".mp3", append(ape(("GENRE", b"Jazz", 0), *APE_ITEMS))),
    "mp3-ape1": (".mp3", append(ape(*APE_ITEMS[:2], version=1000, header=False))),
    "mp3-ape-and-1": (".mp3", append(ape(*APE_ITEMS) + id3v1("Song", "Band", 12))),
    "mp3-2.3-and-ape": (".mp3", both(prepend(id3v2(3, *TWO_ARTISTS)), append(ape(("Genre", b"Other", 0), *APE_ITEMS)))),
    "tta-2.4": (".tta", prepend(id3v2(4, *VERSION_4_FRAMES))),
    "wavpack-ape": (".wv", append(ape(*APE_ITEMS))),
    "wavpack-untagged": (".wv", nothing),
    "flac": (".flac", add_vorbis_comments),
    "ogg": (".ogg", add_vorbis_comments),
    "opus": (".opus", add_vorbis_comments),
    "m4a": (".m4a", add_mp4_atoms),
    "mov": (".mov", nothing),
    "wma": (".wma", add_asf_attributes),
    "wav-untagged": (".wav", nothing),
    "wav-info": (".wav", add_chunk(b"LIST", info_list(INAM="Song", IGNR="Unknown", IART="Band"), "<I")),
    "wav-id3": (".wav", add_chunk(b"id3 ", id3v2(3, *TEXT_FRAMES), "<I")),
    "wav-both": (
        ".wav",
        both(
            add_chunk(b"LIST", info_list(INAM="Song", IART="Band"), "<I"),
            add_chunk(b"ID3 ", id3v2(4, *VERSION_4_FRAMES), "<I"),
            add_chunk(b"bext", bytes(603), "<I"),
        ),
    ),
    "aiff-untagged": (".aiff", nothing),
    "aiff-id3": (".aiff", both(add_chunk(b"ID3 ", id3v2(3, *TEXT_FRAMES), ">I"), add_chunk(b"ANNO", b"odd", ">I"))),
}  # fmt: skip
"""Name → suffix, and a function that adds tags to an untagged file."""


def read_with_mediainfo(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the genre and all other tags of a file, read by mediainfo."""
    if shutil.which("mediainfo") is None:
        lacking("mediainfo (Debian: mediainfo)")
    output = subprocess.run(["mediainfo", "--Output=JSON", path], capture_output=True, check=True).stdout
    general: dict[str, Any] = json.loads(output)["media"]["track"][0]
    others = {
        name: value
        for name, value in general.items()
        if name not in TECHNICAL_FIELDS | GENRE_FIELDS and not name.startswith("File_")
    }
    return general.get("Genre", ""), others


def read_with_ffmpeg(path: Path) -> dict[str, str]:
    """Return all tags of a file except the genre, read by FFmpeg."""
    with av.open(str(path)) as container:
        found = dict(container.metadata)
        for stream in container.streams:
            found |= {f"{stream.type} {name}": value for name, value in stream.metadata.items()}
    return {name: value for name, value in found.items() if name.rpartition(" ")[2].casefold() != "genre"}
