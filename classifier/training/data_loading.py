"""Music to learn from, read from disk: published pictures and tables, songs of today, or a folder of audio per genre.

A track holds what every family of features can be computed from. ``classifier.training.splits`` decides which tracks
train and which test.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

import numpy as np
from joblib import Parallel, delayed

from classifier.audio.decoding import SAMPLE_RATE, SEGMENT_SECONDS, decode, segments
from classifier.features import musicnn, musicnn_input
from classifier.features.families import EMBEDDING, GTZAN57, TAGS, TEXTURE, TEXTURE40, network_families
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
PATCH_STARTS: Final = (
    (0, 7, 14, 20, 27),
    *((start, start + 6, start + 12, start + 18, start + 24) for start in range(4)),
)
"""Patches of a published taggram, which has one a second, that stand for the five that a segment is asked for.

The first choice spreads like the serving code's; the others teach how much the choice matters.
"""
_LEFT_OUT: Final = (0, 2, 4)
"""Patches of a song of today that are left out in turn, to the same end."""
GTZAN, TODAY, TRADITIONAL = "gtzan", "modern", "vietnamese"


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
    network
        MusiCNN's families, shape (rows, width): the track itself first, then other choices of its patches.
    collection
        Which of the published sets it is from; empty for a collection of one's own.
    """

    name: str
    genre: str
    group: str
    level: NDArray[np.uint8]
    range_decibels: float
    families: frozenset[str]
    gtzan57: NDArray[np.float64] | None = None
    splits: Mapping[str, str] = field(default_factory=dict)
    network: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    collection: str = ""

    @property
    def decibels(self) -> NDArray[np.float32]:
        """Level relative to the peak, shape (128, n), from -80 at the lowest."""
        share = self.level.astype(np.float32) / _FULL_SCALE
        return np.maximum((share - 1) * np.float32(self.range_decibels), -np.float32(FULL_RANGE))

    @property
    def block(self) -> int | None:
        """Which block of neighbouring clips this is, where the split goes by blocks."""
        return int(self.splits["block"]) if "block" in self.splits else None


def load(
    directory: Path,
    *,
    network: musicnn.MusiCNN | None = None,
    today: bool = True,
    jobs: int = -1,
    on_file: Callable[[str], None] | None = None,
) -> list[Track]:
    """Read all music in a folder.

    Parameters
    ----------
    directory
        Either the published sets (``gtzan/mel.npz`` with its tables, ``vietnamese/mel.npz`` and ``modern/clips.csv``),
        or one folder of audio files per genre, named for the genre, with at least three songs each.
    network
        Adds MusiCNN's families to what has sound, and to tracks whose taggrams are published.
    today
        Whether to read the songs of ``modern/`` as well, which takes a minute.
    jobs
        Processes, as in joblib.
    on_file
        Told the name of every audio file of a folder that is read, or why it was left out.

    Raises
    ------
    NoMaterial
        If it is neither, or holds too little.
    """
    if (directory / "gtzan" / "mel.npz").is_file():
        try:
            tracks = list(_gtzan(directory / "gtzan", network, jobs))
            if (directory / "vietnamese" / "mel.npz").is_file():
                tracks += _vietnamese(directory / "vietnamese" / "mel.npz")
            if today and (directory / "modern" / "clips.csv").is_file():
                tracks += _modern(directory / "modern", network, jobs)
        except (OSError, EOFError, BadZipFile, KeyError, ValueError, SongError) as error:
            raise NoMaterial(f"The published sets in {directory} cannot be read: {error}") from error
        return tracks
    tracks = list(_folders(directory, network, on_file or (lambda _: None)))
    songs: dict[str, set[str]] = defaultdict(set)
    for track in tracks:
        songs[track.genre].add(track.group)
    if len(songs) < 2:
        raise NoMaterial(f"{directory} should hold at least two folders of audio files, each named for its genre.")
    if few := sorted(genre for genre, groups in songs.items() if len(groups) < LEAST_SONGS):
        raise NoMaterial(f"Every genre needs {LEAST_SONGS} songs that can be read. Too few: {', '.join(few)}.")
    return tracks


def tag_statistics(tags: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the family ``musicnn_tags`` of patches, shape (n, 50); shape (150,)."""
    logarithms = np.log(tags + musicnn.LEAST_TAG)
    return np.concatenate((tags.mean(axis=0), tags.std(axis=0), logarithms.mean(axis=0))).astype(np.float32)


def _gtzan(directory: Path, network: musicnn.MusiCNN | None, jobs: int) -> Iterator[Track]:
    with np.load(directory / "mel.npz") as pictures:
        names, levels, floors = pictures["track"], pictures["level"], pictures["floor_db"]
    with (directory / "features_30_sec.csv").open(encoding="utf-8", newline="") as file:
        table = {row["filename"].removesuffix(".wav"): row for row in csv.DictReader(file)}
    with (directory / "splits.csv").open(encoding="utf-8", newline="") as file:
        splits = {row["track"]: row for row in csv.DictReader(file)}
    tags, embeddings = ({}, {}) if network is None else (_taggrams(directory), _embeddings(directory, network, jobs))
    for name, level, floor in zip(names, levels, floors, strict=True):
        row = splits[name]
        parts = {TAGS: tags.get(str(name)), EMBEDDING: embeddings.get(str(name))}
        yield Track(
            name=str(name),
            genre=row["genre"],
            group=f"artist {row['artist']}",
            level=level,
            range_decibels=float(floor),
            families=frozenset((GTZAN57, TEXTURE, TEXTURE40)),
            gtzan57=np.array([float(table[name][column]) for column in COLUMNS]),
            splits={split: row[split] for split in ("fault_filtered", "artist_fold")},
            network={family: rows for family, rows in parts.items() if rows is not None},
            collection=GTZAN,
        )


def _taggrams(directory: Path) -> Mapping[str, NDArray[np.float32]]:
    """Read the published taggrams; where a track has none, it has no tags."""
    path = directory / "musicnn_taggrams.npz"
    if not path.is_file():
        return {}
    with np.load(path) as content:
        names, taggrams = content["track"], content["taggram"].astype(np.float32)
    return {
        str(name): np.stack([tag_statistics(taggram[list(starts)]) for starts in PATCH_STARTS])
        for name, taggram in zip(names, taggrams, strict=True)
    }


def _embeddings(directory: Path, network: musicnn.MusiCNN, jobs: int) -> Mapping[str, NDArray[np.float32]]:
    """Listen to what there is of the recordings: whole ones, and excerpts of about three seconds."""
    files = {path.stem: path for folder in ("clips", "audio") for path in sorted((directory / folder).glob("*.*"))}
    results = Parallel(n_jobs=jobs, batch_size=16)(delayed(_embedding)(path, network) for path in files.values())
    return dict(zip(files, results, strict=True))


def _embedding(path: Path, network: musicnn.MusiCNN) -> NDArray[np.float32]:
    return network_families(musicnn.features(whole(path), network))[EMBEDDING][None, :]


def whole(path: Path) -> NDArray[np.float32]:
    """Decode at most the first 30 s of a file, which may be shorter than a song may be."""
    samples: NDArray[np.float32] = decode(path, max_seconds=LONGEST_SONG_SECONDS, min_seconds=0)
    return samples[: SEGMENT_SECONDS * SAMPLE_RATE]


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
            collection=TRADITIONAL,
        )


def _modern(directory: Path, network: musicnn.MusiCNN | None, jobs: int) -> list[Track]:
    with (directory / "clips.csv").open(encoding="utf-8", newline="") as file:
        clips = list(csv.DictReader(file))
    return list(Parallel(n_jobs=jobs, batch_size=8)(delayed(_excerpt)(directory, clip, network) for clip in clips))


def _excerpt(directory: Path, clip: Mapping[str, str], network: musicnn.MusiCNN | None) -> Track:
    path = directory / clip["label"] / f"{clip['clip']}.opus"
    track = _track(whole(path), clip["clip"], clip["label"], f"{clip['label']} {clip['artist']}", network)
    return replace(track, splits={"song": clip["song"]}, collection=TODAY)


def _folders(directory: Path, network: musicnn.MusiCNN | None, on_file: Callable[[str], None]) -> Iterator[Track]:
    for path in sorted(directory.rglob("*")) if directory.is_dir() else ():
        inside = path.relative_to(directory)
        if len(inside.parts) < 2 or any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        # Some systems take names apart into letters and accents.
        genre = unicodedata.normalize("NFC", inside.parts[0])
        try:
            yield from song(path, genre=genre, group=str(inside), network=network)
        except SongError as error:
            on_file(f"{inside}: left out. {error}")
        except OSError as error:
            on_file(f"{inside}: left out. It cannot be read: {error.strerror}.")
        else:
            on_file(str(inside))


def song(path: Path, *, genre: str, group: str, network: musicnn.MusiCNN | None = None) -> Iterator[Track]:
    """Read an audio file, a track per segment.

    Raises
    ------
    SongError
        If no music can be read from it.
    """
    for part in segments(decode(path, max_seconds=LONGEST_SONG_SECONDS)):
        yield _track(part.samples, f"{group}@{part.start:g}", genre, group, network)


def _track(samples: NDArray[np.float32], name: str, genre: str, group: str, network: musicnn.MusiCNN | None) -> Track:
    spectrum = Spectrum(samples)
    share = sampled_mel(spectrum) / np.float32(FULL_RANGE) + 1
    return Track(
        name=name,
        genre=genre,
        group=group,
        level=np.round(share * _FULL_SCALE).astype(np.uint8),
        range_decibels=FULL_RANGE,
        families=frozenset((GTZAN57, TEXTURE, TEXTURE40)),
        gtzan57=gtzan57(spectrum),
        network={} if network is None else _network_rows(samples, network),
    )


def _network_rows(samples: NDArray[np.float32], network: musicnn.MusiCNN) -> Mapping[str, NDArray[np.float32]]:
    output = network(musicnn_input.patches(musicnn_input.normalise_loudness(samples)))
    choices = [output.tags]
    if len(output.tags) > len(_LEFT_OUT) + 1:
        choices += [np.delete(output.tags, place, axis=0) for place in _LEFT_OUT]
    summary = network_families(musicnn.summary(output))
    return {TAGS: np.stack([tag_statistics(tags) for tags in choices]), EMBEDDING: summary[EMBEDDING][None, :]}
