"""Music to learn from, read from disk: mel pictures and feature tables, or a plain folder of audio per genre.

A track holds what every family of features can be computed from; which tracks train and which test is the matter of
``classifier.training.splits``.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

import numpy as np

from classifier.audio.decoding import decode, segments
from classifier.features.families import GTZAN57, TEXTURE, TEXTURE40
from classifier.features.gtzan57 import COLUMNS, gtzan57
from classifier.features.spectrum import Spectrum
from classifier.features.texture import FULL_RANGE, NARROW_RANGE, sampled_mel
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

VIETNAMESE_BLOCK_CLIPS: Final = 40
"""Neighbouring clips of the Vietnamese set often are one recording; a block of them stays on one side of a split."""
LONGEST_SONG_SECONDS: Final = 3600
LEAST_SONGS: Final = 3
"""Of a genre in a folder of one's own: one to test on, one to choose settings on, one to learn from."""
_FULL_SCALE: Final = 255


class NoMaterial(Exception):
    """A folder holds nothing to learn from; the text says what was expected."""


@dataclass(frozen=True, eq=False)
class Track:
    """A segment of music whose genre is known.

    Attributes
    ----------
    name
        Unique.
    genre
        Its label.
    group
        Tracks of one group (an artist, a song, a recording) never stand on both sides of a split.
    level
        Mel picture, uint8, shape (128, n): 0 is ``range_decibels`` below the peak, 255 the peak.
    range_decibels
        What the picture spans.
    families
        Feature families that may be learnt from it.
    gtzan57
        The 57 features, shape (57,), where ``families`` has them.
    splits
        Published split → the part that this track belongs to; empty where it was left out of one.
    """

    name: str
    genre: str
    group: str
    level: NDArray[np.uint8]
    range_decibels: float
    families: frozenset[str]
    gtzan57: NDArray[np.float64] | None = None
    splits: Mapping[str, str] = field(default_factory=dict)

    @property
    def decibels(self) -> NDArray[np.float32]:
        """Level relative to the peak, shape (128, n), from -80 at the lowest."""
        share = self.level.astype(np.float32) / _FULL_SCALE
        return np.maximum((share - 1) * np.float32(self.range_decibels), -np.float32(FULL_RANGE))

    @property
    def block(self) -> int | None:
        """Which block of neighbouring clips this is, where the split goes by blocks."""
        return int(self.splits["block"]) if "block" in self.splits else None


def load(directory: Path, *, on_file: Callable[[str], None] | None = None) -> list[Track]:
    """Read all music in a folder.

    Parameters
    ----------
    directory
        Either the published sets (``gtzan/mel.npz`` with its tables, and ``vietnamese/mel.npz``), or one folder of
        audio files per genre, named for the genre, with at least three songs each.
    on_file
        Told the name of every audio file that is read, or why it was left out.

    Raises
    ------
    NoMaterial
        If it is neither, or holds too little.
    """
    if (directory / "gtzan" / "mel.npz").is_file():
        try:
            tracks = list(_gtzan(directory / "gtzan"))
            if (directory / "vietnamese" / "mel.npz").is_file():
                tracks += _vietnamese(directory / "vietnamese" / "mel.npz")
        except (OSError, EOFError, BadZipFile, KeyError, ValueError) as error:
            raise NoMaterial(f"The published sets in {directory} cannot be read: {error}") from error
        return tracks
    tracks = list(_folders(directory, on_file or (lambda _: None)))
    songs: dict[str, set[str]] = defaultdict(set)
    for track in tracks:
        songs[track.genre].add(track.group)
    if len(songs) < 2:
        raise NoMaterial(f"{directory} should hold at least two folders of audio files, each named for its genre.")
    if few := sorted(genre for genre, groups in songs.items() if len(groups) < LEAST_SONGS):
        raise NoMaterial(f"Every genre needs {LEAST_SONGS} songs that can be read. Too few: {', '.join(few)}.")
    return tracks


def _gtzan(directory: Path) -> Iterator[Track]:
    with np.load(directory / "mel.npz") as pictures:
        names, levels, floors = pictures["track"], pictures["level"], pictures["floor_db"]
    with (directory / "features_30_sec.csv").open(encoding="utf-8", newline="") as file:
        table = {row["filename"].removesuffix(".wav"): row for row in csv.DictReader(file)}
    with (directory / "splits.csv").open(encoding="utf-8", newline="") as file:
        splits = {row["track"]: row for row in csv.DictReader(file)}
    for name, level, floor in zip(names, levels, floors, strict=True):
        row = splits[name]
        yield Track(
            name=str(name),
            genre=row["genre"],
            group=f"artist {row['artist']}",
            level=level,
            range_decibels=float(floor),
            families=frozenset((GTZAN57, TEXTURE, TEXTURE40)),
            gtzan57=np.array([float(table[name][column]) for column in COLUMNS]),
            splits={split: row[split] for split in ("fault_filtered", "artist_fold")},
        )


def _vietnamese(pictures: Path) -> Iterator[Track]:
    with np.load(pictures) as content:
        clips, levels = content["clip"], content["level"]
    for clip, level in zip(clips, levels, strict=True):
        genre, _, name = str(clip).partition("/")
        block = int(name.rpartition(".")[2]) // VIETNAMESE_BLOCK_CLIPS
        yield Track(
            name=str(clip),
            genre=genre,
            group=f"{genre} {block}",
            level=level,
            range_decibels=NARROW_RANGE,
            families=frozenset((TEXTURE40,)),
            splits={"block": str(block), "number": name.rpartition(".")[2]},
        )


def _folders(directory: Path, on_file: Callable[[str], None]) -> Iterator[Track]:
    for path in sorted(directory.rglob("*")) if directory.is_dir() else ():
        inside = path.relative_to(directory)
        if len(inside.parts) < 2 or any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        # Some systems take names apart into letters and accents.
        genre = unicodedata.normalize("NFC", inside.parts[0])
        try:
            yield from song(path, genre=genre, group=str(inside))
        except SongError as error:
            on_file(f"{inside}: left out. {error}")
        except OSError as error:
            on_file(f"{inside}: left out. It cannot be read: {error.strerror}.")
        else:
            on_file(str(inside))


def song(path: Path, *, genre: str, group: str) -> Iterator[Track]:
    """Read an audio file, a track per segment.

    Raises
    ------
    SongError
        If no music can be read from it.
    """
    for part in segments(decode(path, max_seconds=LONGEST_SONG_SECONDS)):
        spectrum = Spectrum(part.samples)
        share = sampled_mel(spectrum) / np.float32(FULL_RANGE) + 1
        yield Track(
            name=f"{group}@{part.start:g}",
            genre=genre,
            group=group,
            level=np.round(share * _FULL_SCALE).astype(np.uint8),
            range_decibels=FULL_RANGE,
            families=frozenset((GTZAN57, TEXTURE, TEXTURE40)),
            gtzan57=gtzan57(spectrum),
        )
