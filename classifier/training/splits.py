"""Which tracks train and which test, for every protocol; only the one named for its leak mixes groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from classifier.training.classes import borne_out, class_of
from classifier.training.data_loading import GTZAN, TODAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classifier.training.data_loading import Track

VIETNAMESE_FOLDS: Final = 5
TODAY_FOLDS: Final = 5
MARGIN_CLIPS: Final = 5
"""Clips this near to a test block may be the same recording: they do not train."""
OWN_FOLDS: Final = 3
RANDOM_TEST_SHARE: Final = 0.2


@dataclass(frozen=True, eq=False)
class Trial:
    """Places of the tracks that train and of those that test."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def published(tracks: Sequence[Track]) -> tuple[list[Trial], list[Trial], Trial]:
    """Return the trials that all figures on the published sets are counted in; several sets are held out at once.

    Returns
    -------
    The three artist folds of GTZAN; three trials within the train part of the fault-filtered split, by the same folds;
    and its train and valid part → test. Each of the first three and of the last holds out a fifth of the songs of today
    and of the traditional Vietnamese blocks as well, and so does the first trial within the train part, so that every
    track of these is held out once. What is learnt from one set never is of another.
    """
    part = np.array([track.splits.get("fault_filtered", "") for track in tracks])
    fold = np.array([track.splits.get("artist_fold", "") for track in tracks])
    gtzan = np.array([track.collection == GTZAN for track in tracks])
    fifths = [today_folds(tracks), [trial.test for trial in blocks(tracks)]]
    near = [trial.train for trial in blocks(tracks)]

    def trial(test: NDArray[np.bool_], unused: NDArray[np.bool_], fifth: int | None) -> Trial:
        learns, tests = ~test & ~unused, test.copy()
        if fifth is not None:
            for held in fifths:
                tests[held[fifth]] = True
            learns &= ~tests & np.isin(np.arange(len(tracks)), near[fifth])
        return Trial(np.flatnonzero(learns), np.flatnonzero(tests))

    artists = [trial(gtzan & (fold == name), gtzan & (fold == ""), place) for place, name in enumerate("123")]
    inner = [
        trial(gtzan & (part == "train") & (fold == name), gtzan & (part != "train"), (4, None, None)[place])
        for place, name in enumerate("123")
    ]
    return artists, inner, trial(gtzan & (part == "test"), gtzan & (part == ""), 3)


def today_folds(tracks: Sequence[Track], *, folds: int = TODAY_FOLDS, seed: int = 0) -> list[NDArray[np.int64]]:
    """Divide the songs of today into parts, no artist in two of them."""
    mine = np.array([place for place, track in enumerate(tracks) if track.collection == TODAY], dtype=np.int64)
    if not mine.size:
        return [mine] * folds
    classes = [class_of(tracks[place].genre) for place in mine]
    groups = [tracks[place].group for place in mine]
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return [mine[test] for _, test in split.split(classes, classes, groups)]


def fault_filtered(tracks: Sequence[Track]) -> tuple[Trial, Trial]:
    """Return train → valid, to choose by, and train and valid → test.

    Of C. Kereliuk, B. L. Sturm and J. Larsen, "Deep learning and music adversaries" (IEEE Trans. Multimedia, 2015).
    Tracks of no part of the split, such as the Vietnamese, train in both. It keeps artists apart but for one of disco,
    who has two songs in train and one in test, and 43 songs whose artist is not known.
    """
    part = np.array([track.splits.get("fault_filtered", "train") for track in tracks])
    return (
        Trial(np.flatnonzero(part == "train"), np.flatnonzero(part == "valid")),
        Trial(np.flatnonzero((part == "train") | (part == "valid")), np.flatnonzero(part == "test")),
    )


def artist_folds(tracks: Sequence[Track]) -> list[Trial]:
    """Return three trials, each testing on artists that the others train on.

    Of J. H. Foleiss and T. F. Tavares, "Texture selection for automatic music genre classification" (Applied Soft
    Computing, 2020). Tracks of no part of the split, such as the Vietnamese, train in all.
    """
    fold = np.array([track.splits.get("artist_fold", "all") for track in tracks])
    return [Trial(np.flatnonzero((fold != number) & (fold != "")), np.flatnonzero(fold == number)) for number in "123"]


def random_songs(tracks: Sequence[Track], *, seed: int = 0) -> Trial:
    """Return four fifths → one fifth of the tracks that have no blocks, drawn without a look at who plays."""
    drawn = np.array([place for place, track in enumerate(tracks) if track.block is None])
    others = np.array([place for place, track in enumerate(tracks) if track.block is not None], dtype=np.int64)
    split = StratifiedShuffleSplit(1, test_size=RANDOM_TEST_SHARE, random_state=seed)
    train, test = next(split.split(drawn, [tracks[place].genre for place in drawn]))
    return Trial(np.concatenate([drawn[train], others]), drawn[test])


def blocks(tracks: Sequence[Track], *, folds: int = VIETNAMESE_FOLDS) -> list[Trial]:
    """Return trials over blocks of neighbouring clips; each tests on every fifth block of 40 of each genre.

    Clips within five of a test block do not train; all tracks without blocks do.
    """
    block = np.array([-1 if track.block is None else track.block for track in tracks])
    number = np.array([int(track.splits.get("number", -1)) for track in tracks])
    genre = np.array([track.genre for track in tracks])
    trials = []
    for fold in range(folds):
        test = (block >= 0) & (block % folds == fold)
        near = np.zeros(len(tracks), dtype=bool)
        for name in np.unique(genre[test]):
            mine = genre == name
            distance = np.abs(number[mine][:, None] - number[mine & test][None, :]).min(axis=1)
            near[np.flatnonzero(mine)[distance <= MARGIN_CLIPS]] = True
        trials.append(Trial(np.flatnonzero(~near), np.flatnonzero(test)))
    return trials


def own_folds(tracks: Sequence[Track], *, seed: int = 0) -> list[Trial]:
    """Return trials over any collection, groups kept apart."""
    genres, groups = [track.genre for track in tracks], [track.group for track in tracks]
    fewest = min(len({g for g, other in zip(groups, genres, strict=True) if other == genre}) for genre in set(genres))
    split = StratifiedGroupKFold(max(2, min(OWN_FOLDS, fewest)), shuffle=True, random_state=seed)
    return [Trial(train, test) for train, test in split.split(genres, genres, groups)]


def usable(tracks: Sequence[Track]) -> list[Track]:
    """Leave out what every published split leaves out: exact duplicates and distorted recordings.

    Of the songs of today, those of classes that too few artists stand behind are left out too (``strangers``).
    """
    known = _known_today(tracks)
    sound = [track for track in tracks if not track.splits or any(track.splits.values())]
    return [track for track in sound if track.collection != TODAY or class_of(track.genre) in known]


def strangers(tracks: Sequence[Track]) -> list[Track]:
    """Return the songs of today whose genre is not learnt: of them no answer can be sure."""
    known = _known_today(tracks)
    return [track for track in tracks if track.collection == TODAY and class_of(track.genre) not in known]


def _known_today(tracks: Sequence[Track]) -> set[str]:
    today = [track for track in tracks if track.collection == TODAY]
    others = {class_of(track.genre) for track in tracks if track.collection != TODAY}
    return others | borne_out((class_of(track.genre), track.group, track.splits["song"]) for track in today)


def gate_folds(tracks: Sequence[Track]) -> list[Trial]:
    """Return the trials by which a retrained model is held against another: few, and everything tested once.

    The published artist folds and, at the same time, every third block of neighbouring clips, with clips near to them
    left out as in ``blocks``; a collection of one's own by its own folds.
    """
    if not any("artist_fold" in track.splits for track in tracks):
        return own_folds(tracks)
    artists, clips = artist_folds(tracks), blocks(tracks, folds=len(artist_folds(tracks)))
    today = today_folds(tracks, folds=len(artists))
    # Whatever one protocol leaves out of training stays out; each lets train all that the others test.
    return [
        Trial(
            np.setdiff1d(np.intersect1d(artist.train, clip.train), songs),
            np.unique(np.concatenate([artist.test, clip.test, songs])),
        )
        for artist, clip, songs in zip(artists, clips, today, strict=True)
    ]
