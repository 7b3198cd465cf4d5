"""Writing a genre changes no other tag and no sample in any format, as other programs read them."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import av
import av.error
import pytest
from mutagen import MutagenError
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3

from classifier.library import atomic_replace, tags
from tests.classifier.library import tagged_files
from tests.classifier.library.tagged_files import TAGGED, frame, id3v2, read_with_ffmpeg, read_with_mediainfo

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.library.state_db import StateDatabase


@pytest.fixture(scope="module")
def untagged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("untagged")
    return {suffix: tagged_files.encode(folder / f"song{suffix}") for suffix in tagged_files.ENCODERS}


@pytest.fixture
def song(tmp_path: Path, untagged: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    suffix, add_tags = TAGGED[request.param]
    path = shutil.copyfile(untagged[suffix], tmp_path / f"bài hát{suffix}")
    add_tags(path)
    return path


def samples_of(path: Path) -> str:
    """Return a checksum of the decoded samples, up to the tag that FFmpeg takes for audio."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container, suppress(av.error.InvalidDataError):
        for decoded in container.decode(audio=0):
            digest.update(decoded.to_ndarray().tobytes())
    return digest.hexdigest()


def tag(path: Path, genre: str, state_db: StateDatabase) -> None:
    atomic_replace.write_genre(path, genre, atomic_replace.file_sha256(path), state_db)


@pytest.mark.parametrize("genre", ["Rock", "Cải lương", "Hip-Hop " * 300 + "x"], ids=["plain", "unicode", "long"])
@pytest.mark.parametrize("song", TAGGED, indirect=True)
def test_only_the_genre_changes_and_undo_restores_every_byte(song: Path, genre: str, state_db: StateDatabase) -> None:
    original, samples = song.read_bytes(), samples_of(song)
    _, others = read_with_mediainfo(song)
    ffmpeg = read_with_ffmpeg(song)
    before = tags.read(song)
    tag(song, genre, state_db)
    written, others_after = read_with_mediainfo(song)
    assert genre in (written, genre_by_ffmpeg(song), genre_by_mutagen(song))
    if has_only_id3v1(original):  # mediainfo shows the comment of ID3v2 in addition to that of ID3v1
        others_after.pop("extra", None)
    assert others_after == others
    assert read_with_ffmpeg(song) == ffmpeg
    assert samples_of(song) == samples
    shown = " ".join(genre.split())[: tags.MAX_CHARACTERS]
    assert tags.read(song) == tags.FileTags(shown, before.artist, before.title)
    for change in state_db.changes():
        atomic_replace.restore(change, song, state_db)
    assert song.read_bytes() == original


@pytest.mark.parametrize("song", [name for name in TAGGED if name.startswith("mp3-2")], indirect=True)
def test_the_id3_version_and_every_other_frame_stay(song: Path) -> None:
    original = song.read_bytes()
    frames = frames_of(original)
    tags.write_genre(song, "Cải lương")
    tagged = song.read_bytes()
    assert tagged[:6] == original[:6]
    name = b"TCO" if original[3] == 2 else b"TCON"
    assert [part for part in frames_of(tagged) if not part.startswith(name)] == [
        part for part in frames if not part.startswith(name)
    ]
    assert sum(part.startswith(name) for part in frames_of(tagged)) == 1


def has_only_id3v1(content: bytes) -> bool:
    return content[-128:-125] == b"TAG" and not content.startswith(b"ID3") and b"APETAGEX" not in content


def genre_by_ffmpeg(path: Path) -> str:
    with av.open(str(path)) as container:
        return next((value for name, value in container.metadata.items() if name.casefold() == "genre"), "")


def genre_by_mutagen(path: Path) -> str:
    """Read what mediainfo and FFmpeg do not: APEv1 in an mp3 file, and unusual ID3 tags."""
    for kind in (APEv2, ID3):
        with suppress(MutagenError):
            tag: Any = kind(path)
            return str(tag.get("Genre", tag.get("TCON", "")))
    return ""


def frames_of(content: bytes) -> list[bytes]:
    """Split the tag that the fixtures wrote into frames, independently of the code under test."""
    version, flags = content[3], content[5]
    size = content[6] << 21 | content[7] << 14 | content[8] << 7 | content[9]
    body = content[10 : 10 + size]
    if flags & 0x80:
        body = body.replace(b"\xff\0", b"\xff")
    if flags & 0x40:
        body = body[10:]
    plain_sizes = b"".join(tagged_files.WRONG_SIZE_FRAMES[1:]) in body
    frames = []
    while body[:1].strip(b"\0"):
        if version == 2:
            length = 6 + int.from_bytes(body[3:6], "big")
        elif version == 4 and not plain_sizes:
            length = 10 + (body[4] << 21 | body[5] << 14 | body[6] << 7 | body[7])
        else:
            length = 10 + int.from_bytes(body[4:8], "big")
        frames.append(body[:length])
        body = body[length:]
    return frames


@pytest.mark.parametrize("song", ["mp3-ape", "mp3-ape-genre", "mp3-ape1", "mp3-ape-and-1"], indirect=True)
def test_a_file_with_only_ape_tags_gets_its_genre_there(song: Path) -> None:
    tags.write_genre(song, "Cải lương")
    content = song.read_bytes()
    assert not content.startswith(b"ID3")
    assert content.count(b"\0" + "Cải lương".encode()) == 1


@pytest.mark.parametrize("song", ["mp3-1"], indirect=True)
@pytest.mark.parametrize(("genre", "has_id3v2"), [("Rock", False), ("Cải lương", True)])
def test_id3v2_is_added_to_id3v1_only_for_genres_without_a_number(song: Path, genre: str, has_id3v2: bool) -> None:
    tags.write_genre(song, genre)
    assert song.read_bytes().startswith(b"ID3") is has_id3v2
    assert song.read_bytes()[-128:-1] == tagged_files.id3v1("Song", "Band", 0)[:-1]
    assert tags.read(song) == tags.FileTags(genre, "Band", "Song")


@pytest.mark.parametrize(
    ("text", "genre"),
    [
        ("(255)", ""), ("255", ""), ("Unknown", ""), ("Other", ""), ("(12)", ""), ("12", ""), ("other", ""),
        ("OTHER ", ""),
        ("Unknown Genre", ""), ("<unknown>", ""), ("None", ""), ("N/A", ""), ("?", ""), ("---", ""), ("Misc.", ""),
        ("Khác", ""), ("Không rõ", ""), ("Undefined", ""), ("(17)", "Rock"), ("8", "Jazz"), ("Jazz", "Jazz"),
        ("Another", "Another"), ("Other Music", "Other Music"), ("2-Step", "2-Step"), ("90s", "90s"),
    ],
)  # fmt: skip
def test_genres_that_say_nothing_count_as_none(text: str, genre: str) -> None:
    assert tags.meaningful_genre(text) == genre


@pytest.mark.parametrize(
    ("song", "genre"),
    [("mp3-2.3-other", ""), ("mp3-2.3-unknown", ""), ("mp3-1", ""), ("mp3-ape-genre", "Jazz"), ("wav-info", ""),
     ("mp3-2.3-two-genres", "Pop / Rock"), ("mp3-2.3-and-ape", "")],
    indirect=["song"],
)  # fmt: skip
def test_genres_are_read_from_every_kind_of_tag(song: Path, genre: str) -> None:
    assert tags.read(song).genre == genre


@pytest.mark.parametrize(
    "tag_bytes",
    [
        id3v2(3, frame("TIT2", b"\0Song"), flags=0x40, extended=b"\0\0\0\x0a\x80\0\0\0\0\0" + bytes(4)),
        id3v2(5, frame("TIT2", b"\0Song")),
        id3v2(2, frame("TT2", b"\0Song", 2), flags=0x40),
    ],
    ids=["checksum", "version", "compression"],
)
def test_tags_that_cannot_be_preserved_are_left_unchanged(
    tmp_path: Path, untagged: dict[str, Path], state_db: StateDatabase, tag_bytes: bytes
) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes(tag_bytes + untagged[".mp3"].read_bytes())
    original = song.read_bytes()
    with pytest.raises(tags.NoTags):
        tag(song, "Rock", state_db)
    assert song.read_bytes() == original
    assert state_db.changes() == []


def test_bytes_behind_the_frames_stay(tmp_path: Path, untagged: dict[str, Path]) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes(id3v2(3, frame("TIT2", b"\0Song"), b"\1not a frame\1") + untagged[".mp3"].read_bytes())
    tags.write_genre(song, "Rock")
    assert b"\1not a frame\1" in song.read_bytes()
    assert tags.read(song) == tags.FileTags("Rock", "", "Song")
