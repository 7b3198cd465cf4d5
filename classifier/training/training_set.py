"""What a retrained release learns from: the base and the feedback put together, in the base's reduced space.

Which songs count, how much, with how many rows, and in which trial they are held out is settled here; what learns from
it is the matter of ``classifier.training.retraining``.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.families import EMBEDDING, TEXTURE, TEXTURE40, columns_of
from classifier.training.classes import class_of
from classifier.training.feature_matrix import Rows
from classifier.training.feedback_reader import recordings_of
from classifier.training.splits import Trial

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.training.base_dataset import Base
    from classifier.training.experts import FeatureSpace
    from classifier.training.feedback_reader import Song

    Classes = Mapping[str, frozenset[str]]

MOST_SEGMENTS: Final = 4
MOST_COPIES: Final = 6
LEAST_WEIGHT: Final = 1e-3
"""A song that counts less is no material at all."""


@dataclass(frozen=True)
class Criteria:
    """Which feedback becomes part of a training set; what an operator may choose of it.

    Attributes
    ----------
    least_songs, least_people
        Songs of a new label, and people behind them, from which on it becomes a class.
    most_share
        Largest share that feedback may have in what is learnt of a genre of the base, 0 to below 1.
    """

    least_songs: int = 20
    least_people: int = 2
    most_share: float = 0.5


@dataclass(frozen=True, eq=False)
class Material:
    """Items to learn from: the tracks of the base, then every chosen segment of the feedback; n in all.

    Attributes
    ----------
    rows
        Of the items, in reduced space: the one of the item itself first, then changed copies.
    weights
        How much each row of an item counts, shape (n,).
    trials
        Those of the base, each of which holds out songs of the feedback as well.
    branches
        Genres that are told apart by the same machines.
    size
        Number of the base's tracks; the items from there on are feedback.
    collections
        Where each item is from, shape (n,); empty for feedback.
    """

    rows: Rows
    weights: NDArray[np.float64]
    trials: tuple[Trial, ...]
    branches: tuple[tuple[str, ...], ...]
    size: int
    collections: NDArray[np.str_]

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Tell which items have all that the machines of their genre look at, shape (n,)."""
        narrow = np.isin(self.rows.genres, self.branches[1]) if len(self.branches) > 1 else False
        judged: NDArray[np.bool_] = self.rows.having(TEXTURE40) & (self.rows.having(TEXTURE) | narrow)
        return judged


def classes(base: Base, songs: Sequence[Song], settings: Criteria) -> Classes:
    """Choose the genres that can be answered, each with the families that it is learnt from.

    A new label needs enough songs by enough people; several encodings of one recording are one song.
    Where the export does not tell how many people stand behind a label (``label_people``), only songs are counted that
    as many agree on, or that a moderator saw to. It is learnt from the families that most of its songs have.
    """
    known = {
        str(genre): frozenset(name for name in base.families if base.having(name)[base.genres == genre].any())
        for genre in np.unique(base.genres)
    }
    proposed: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        if class_of(song.label) not in known:
            proposed[class_of(song.label)].append(song)
    for label, mine in proposed.items():
        usual = frozenset(name for name in base.families if 2 * sum(song.has(name) for song in mine) > len(mine))
        if _is_enough(mine, settings) and len(mine) >= len(base.trials) and _suffices(usual, base):
            known[label] = usual
    return known


def known_styles(songs: Sequence[Song], classes_: Sequence[str], settings: Criteria) -> set[str]:
    """Return the styles of known families that enough songs and people stand behind."""
    by_label: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        if class_of(song.label) != song.label and class_of(song.label) in classes_ and song.has(EMBEDDING):
            by_label[song.label].append(song)
    return {label for label, mine in by_label.items() if _is_enough(mine, settings)}


def _is_enough(songs: Sequence[Song], settings: Criteria) -> bool:
    return len(np.unique(recordings_of(_counted(songs, settings)))) >= settings.least_songs


def _counted(songs: Sequence[Song], settings: Criteria) -> list[Song]:
    """Return the songs of a label that count towards a genre of its own: enough people, or a moderator."""
    told = max(song.label_people for song in songs)
    return [song for song in songs if song.reviewed or (told or song.people) >= settings.least_people]


@dataclass(frozen=True)
class Taught:
    """What feedback there is on a label that the serving release does not tell.

    Attributes
    ----------
    recordings, people
        How many recordings there are, and how many people stand behind them.
    needed_recordings, needed_people
        How many are needed.
    """

    label: str
    recordings: int
    people: int
    needed_recordings: int
    needed_people: int

    @property
    def complete(self) -> bool:
        """Whether it can become a genre."""
        return self.recordings >= self.needed_recordings

    def __str__(self) -> str:
        people = f"{self.people} of {self.needed_people} people" if self.people < self.needed_people else ""
        recordings = f"{self.recordings} of {self.needed_recordings} recordings"
        return f"{self.label}: {', '.join(filter(None, (recordings, people)))}"


def taught(songs: Sequence[Song], genres: Collection[str], settings: Criteria) -> list[Taught]:
    """Return what there is on every label that is none of the genres, in the order of their names."""
    by_label: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        if song.label not in genres:
            by_label[song.label].append(song)
    found = []
    for label, mine in sorted(by_label.items()):
        people = max(song.label_people or song.people for song in mine)
        recordings = len(np.unique(recordings_of(_counted(mine, settings) or mine)))
        reviewed = any(song.reviewed for song in mine)
        needed = settings.least_people
        enough = people >= needed or reviewed
        shown = recordings if enough else min(recordings, settings.least_songs - 1)
        found.append(Taught(label, shown, people, settings.least_songs, needed))
    return found


def _suffices(usual: frozenset[str], base: Base) -> bool:
    """Tell whether songs with these families can become a class.

    A class that some expert of its branch cannot know would silence that expert for the whole branch, so songs that
    were stored before the release had MusiCNN teach the classes that are known, and no new one.
    """
    return TEXTURE40 in usual and (TEXTURE not in usual or usual >= set(base.families))


def assemble(
    base: Base,
    songs: Sequence[Song],
    spaces: Mapping[str, FeatureSpace],
    settings: Criteria,
    *,
    seed: int = 0,
) -> Material:
    """Put base and feedback together.

    Parameters
    ----------
    songs
        That may train; labels that are no class are left out here.
    spaces
        Family → how its features are reduced.
    """
    songs = [song for song in songs if song.weight >= LEAST_WEIGHT]
    known = classes(base, songs, settings)
    taken = sorted(
        (song for song in songs if class_of(song.label) in known), key=lambda song: (song.label, song.chance)
    )
    parts = _parts(base, taken, known, settings)
    families, starts = {}, {}
    for family, space in spaces.items():
        lent = _Changes(base, family, seed)
        made = [
            rows for part in parts for rows in part.rows(space, lent, wanted=family in known[class_of(part.song.label)])
        ]
        families[family] = np.concatenate([base.families[family], *made])
        ends = base.starts[family][-1] + np.cumsum([len(rows) for rows in made], dtype=np.int64)
        starts[family] = np.concatenate([base.starts[family], ends])
    items = [part for part in parts for _ in part.segments]
    groups = np.array([*(f"base {group}" for group in base.groups), *(f"song {part.song.id}" for part in items)])
    genres = np.array([*base.genres, *(class_of(part.song.label) for part in items)])
    labels = np.array([*base.labels, *(part.song.label for part in items)])
    rows = Rows(names=groups, genres=genres, groups=groups, families=families, starts=starts, labels=labels)
    collections = np.array([*base.collections, *("" for _ in items)])
    weights = np.concatenate([np.ones(len(base.genres)), [part.weight for part in items]])
    return Material(rows, weights, _trials(base, parts), _branches(known), len(base.genres), collections)


@dataclass(frozen=True, eq=False)
class _Part:
    """A song: which of its segments are taken, how many changed copies of each, and how much each row counts."""

    song: Song
    segments: NDArray[np.int64]
    copies: int
    weight: float

    @property
    def genre(self) -> str:
        """The class that the song is learnt as."""
        return class_of(self.song.label)

    def rows(self, space: FeatureSpace, lent: _Changes, *, wanted: bool) -> list[NDArray[np.float32]]:
        if not wanted or not self.song.has(lent.family):
            return [np.empty((0, lent.width), dtype=np.float32) for _ in self.segments]
        clean = space(columns_of(lent.family, self.song.families)[self.segments])
        return [np.vstack([row, row + lent.draw(self.song, place, self.copies)]) for place, row in enumerate(clean)]


def _parts(base: Base, taken: Sequence[Song], known: Classes, settings: Criteria) -> list[_Part]:
    """Give songs as many rows as their genre has room for, and cap what they count for together."""
    counts = Counter(class_of(song.label) for song in taken)
    rooms = {name: _room(base, name, known[name], settings) for name in counts}
    parts = []
    for song in taken:
        rows = rooms[class_of(song.label)] / counts[class_of(song.label)]
        most = min(MOST_SEGMENTS, len(song.seconds))
        segments = min(most, max(1, round(rows)))
        copies = min(MOST_COPIES, max(0, round(rows / segments) - 1))
        places = np.linspace(0, len(song.seconds) - 1, segments).round().astype(np.int64)
        parts.append(_Part(song, places, copies, song.weight))
    sums: dict[str, float] = defaultdict(float)
    for part in parts:
        sums[class_of(part.song.label)] += part.weight * len(part.segments) * (1 + part.copies)
    shares = {label: min(1.0, rooms[label] / total) for label, total in sums.items()}
    return [replace(part, weight=part.weight * shares[class_of(part.song.label)]) for part in parts]


def _room(base: Base, genre: str, families: frozenset[str], settings: Criteria) -> float:
    """Return how many rows of the base the feedback on a genre may count for."""
    counts = np.diff(base.starts[TEXTURE if TEXTURE in families else TEXTURE40])
    mine = float(counts[base.genres == genre].sum())
    if mine:
        return mine * settings.most_share / (1 - settings.most_share)
    every = [float(counts[base.genres == name].sum()) for name in np.unique(base.genres)]
    return float(np.median([count for count in every if count]))


class _Changes:
    """How base tracks moved in reduced space when they were changed."""

    def __init__(self, base: Base, family: str, seed: int) -> None:
        self.family, self._seed = family, seed
        self._matrix, self._starts = base.families[family], base.starts[family]
        self.width = self._matrix.shape[1]
        self._able = np.flatnonzero(np.diff(self._starts) > 1)

    def draw(self, song: Song, segment: int, count: int) -> NDArray[np.float32]:
        """Return moves, shape (count, components); the same for the same segment, whatever else is learnt from."""
        if not self._able.size:
            return np.empty((0, self.width), dtype=np.float32)
        chance = np.random.default_rng([self._seed, segment, zlib.crc32(song.id.encode())])
        tracks = chance.choice(self._able, count)
        first, end = self._starts[tracks], self._starts[tracks + 1]
        moves: NDArray[np.float32] = self._matrix[chance.integers(first + 1, end)] - self._matrix[first]
        return moves


def _trials(base: Base, parts: Sequence[_Part]) -> tuple[Trial, ...]:
    """Let each trial hold out its share of every label's songs, all segments and encodings of a recording together.

    Where no one person gave most songs of a label, those of each person are held out together, so that nobody's labels
    vouch for themselves.
    """
    turns: Counter[str] = Counter()
    chosen: dict[int, int] = {}
    tests: list[int] = []
    songs = [part.song for part in parts]
    by_giver = _trial_of_giver(songs, len(base.trials))
    for part, recording in zip(parts, recordings_of(songs).tolist(), strict=True):
        if recording not in chosen:
            usual = turns[part.song.label] % len(base.trials)
            chosen[recording] = by_giver.get((part.song.label, part.song.giver), usual)
            turns[part.song.label] += 1
        tests += [chosen[recording]] * len(part.segments)
    turn, places = np.array(tests, dtype=np.int64), len(base.genres) + np.arange(len(tests))
    return tuple(
        Trial(
            np.concatenate([trial.train, places[turn != number]]), np.concatenate([trial.test, places[turn == number]])
        )
        for number, trial in enumerate(base.trials)
    )


def _trial_of_giver(songs: Sequence[Song], trials: int) -> dict[tuple[str, int], int]:
    """Return the trial that holds out a person's songs of a label, for labels of which nobody gave more than half."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for song in songs:
        counts[song.label][song.giver] += 1
    found = {}
    for label, givers in counts.items():
        if 0 in givers or 2 * max(givers.values()) > givers.total():
            continue
        held = [0] * trials
        for giver, count in givers.most_common():
            turn = held.index(min(held))
            held[turn] += count
            found[label, giver] = turn
    return found


def _branches(known: Classes) -> tuple[tuple[str, ...], ...]:
    wide = tuple(sorted(genre for genre, families in known.items() if TEXTURE in families))
    narrow = tuple(sorted(set(known) - set(wide)))
    return tuple(branch for branch in (wide, narrow) if branch)
