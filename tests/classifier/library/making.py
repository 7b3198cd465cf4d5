"""A realistic music collection: every format, unusual names, copies, broken files, circular links."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import av

from tests.synthesis import KINDS, song, write

STYLES = ("disco", "metal", "classical", "vietnamese")
SONG_SECONDS = 4
LONGEST_NAME_BYTES = 250
TAGGABLE = frozenset({".mp3", ".m4a", ".ogg", ".opus", ".flac", ".wav", ".aiff", ".mp4", ".mov"})
"""The other formats have no tags that can be written: .aac, .webm, .weba, .mkv."""


@dataclass
class Collection:
    """A folder and its files.

    Attributes
    ----------
    playable, broken, read_only
        Files; read-only files are playable too.
    """

    folder: Path
    playable: list[Path] = field(default_factory=list)
    broken: list[Path] = field(default_factory=list)
    read_only: list[Path] = field(default_factory=list)

    def bytes_of_all(self) -> dict[Path, str]:
        """Return the checksum of every file."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def make_songs(folder: Path) -> list[Path]:
    """Synthesize a few songs in every format."""
    songs = []
    for number, style in enumerate(STYLES):
        samples = song(style, SONG_SECONDS, number)
        songs += [write(samples, folder / f"{style}{suffix}", title=f"{style} {suffix}") for suffix in KINDS]
    return songs


def make_collection(folder: Path, songs: list[Path], count: int) -> Collection:
    """Fill a folder with copies of a few songs under all kinds of names."""
    made = Collection(folder)
    (folder / "Nhạc Việt" / "Đĩa 1").mkdir(parents=True)
    (folder / "#hash & 100%").mkdir()
    made.broken = _broken_files(folder, songs)
    for number in range(count - len(made.broken)):
        source = songs[number % len(songs)]
        path = folder / _name(number, source)
        shutil.copyfile(source, path)
        made.playable.append(path)
    for path in made.playable[:: len(songs) + 1]:
        path.chmod(0o444)
        made.read_only.append(path)
    (folder / "Nhạc Việt" / "round").symlink_to(folder)
    (folder / "round.mp3").symlink_to(folder / "round.mp3")
    (folder / "again.mp3").symlink_to(made.playable[0])
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    return made


def _broken_files(folder: Path, songs: list[Path]) -> list[Path]:
    broken = {
        "empty.mp3": b"",
        "text.ogg": b"never mind",
        "zeros.wav": bytes(5000),
        "short.flac": next(song for song in songs if song.suffix == ".flac").read_bytes()[:600],
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in broken]


def _name(number: int, source: Path) -> Path:
    suffix = source.suffix
    match number % 5:
        case 0:
            return Path("Nhạc Việt", "Đĩa 1", f"{number} Chuyến tàu muộn{suffix}")
        case 1:
            start = f"{number}-"
            letters = LONGEST_NAME_BYTES - len(start.encode()) - len(suffix)
            return Path(start + "ế" * (letters // 3) + "x" * (letters % 3) + suffix)
        case 2:
            return Path("#hash & 100%", f"#{number} 'quoted' \"twice\" 🎵{suffix.upper()}")
        case 3:
            return Path(os.fsdecode(b"latin-1 \xe9 %d" % number) + suffix)
        case _:
            return Path(f"-{number} <b>bold<" + f"{suffix}")


def sound_of(path: Path) -> str:
    """Return a checksum of the decoded samples of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file, av.open(file, "r") as container:
        for frame in container.decode(audio=0):
            found.update(frame.to_ndarray().tobytes())
    return found.hexdigest()
