"""Asks every expert about tracks held out, once for each protocol, and blends what they say.

No blend is fitted on the tracks that it answers. ``protocol_figures.py`` counts the answers that are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.features.families import GTZAN57, MEL_FAMILIES, TEXTURE, families
from classifier.features.musicnn import MusiCNN
from classifier.training import (
    blending,
    experts,
    music_detection,
    out_of_fold,
    splits,
)
from classifier.training import feature_matrix as matrix
from classifier.training.augmentation import DAMAGE
from classifier.training.data_loading import GTZAN, whole
from classifier.training.recordings_evaluation import TREATMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble, Opinion
    from classifier.training.data_loading import Track
    from classifier.training.feature_matrix import Rows
    from classifier.training.out_of_fold import Opinions
    from classifier.training.splits import Trial

THIRDS: Final = tuple(f"third {number + 1}" for number in range(3))
ARTISTS: Final = range(3)
INNER: Final = range(3, 6)
TEST: Final = 6
"""Places of the trials that ``splits.published`` returns."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A protocol's trials, and what the experts held of the tracks held out in each."""

    trials: Sequence[Trial]
    opinions: Sequence[Opinions]

    def parts(self, places: Sequence[int]) -> list[tuple[Mapping[str, Opinion], NDArray[np.int64]]]:
        """Return opinions to fit a blend on, with the tracks that they are of."""
        return [
            (self.opinions[place][view], self.trials[place].test)
            for place in places
            for view in (out_of_fold.CLEAN, out_of_fold.CHANGED)
        ]


@dataclass(frozen=True, eq=False)
class TrialAnswers:
    """The whole ensemble's answers about n tracks held out.

    Attributes
    ----------
    tracks
        Places of the tracks, shape (n,).
    probabilities
        Shape (n, genres).
    genres
        Of the columns.
    """

    tracks: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    genres: tuple[str, ...]


class Evaluation:
    """Holds out tracks, protocol by protocol, and keeps what the experts and their blends say of them.

    Parameters
    ----------
    tracks
        All that may train or test.
    directory
        Where they were read from; what is not music lies beside them.
    network
        Weights of MusiCNN, with which the tracks were read; None where they have no such features.
    jobs
        Processes, as in joblib.
    on_stage
        Told what is being done.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        directory: Path,
        network: Mapping[str, NDArray[Any]] | None = None,
        *,
        jobs: int = -1,
        on_stage: Callable[[str], None],
    ) -> None:
        self.tracks = tracks
        self.directory = directory
        self.network = network
        self.jobs = jobs
        self.report_stage = on_stage
        self.collection = np.array([track.collection for track in tracks])

    @property
    def branches(self) -> list[list[str]]:
        """Classes by the families that they can be learnt from: wide pictures first, then the narrow ones."""
        wide = {str(genre) for genre in self.rows.genres[self.rows.having(TEXTURE)]}
        narrow = {str(genre) for genre in self.rows.genres} - wide
        return [sorted(genres) for genres in (wide, narrow) if genres]

    @cached_property
    def rows(self) -> Rows:
        self.report_stage("computing the features of all tracks, as they are and changed")
        return matrix.build(self.tracks, jobs=self.jobs)

    @cached_property
    def damaged(self) -> out_of_fold.Views:
        self.report_stage("damaging tracks as chats and phones do")
        looks = {kind: partial(matrix.damaged, kind=kind) for kind in DAMAGE}
        looks |= {name: partial(matrix.third, number=number) for number, name in enumerate(THIRDS)}
        pictures = {name: matrix.views(self.tracks, look, jobs=self.jobs) for name, look in looks.items()}
        return {**pictures, **self._excerpts()}

    def _excerpts(self) -> out_of_fold.Views:
        """Listen to the excerpts of GTZAN's test tracks, as they are and after what chats do to sound."""
        folder = self.directory / "gtzan" / "clips"
        places = [
            place
            for place, track in enumerate(self.tracks)
            if track.splits.get("fault_filtered") == "test" and (folder / f"{track.name}.opus").is_file()
        ]
        if self.network is None or not places:
            return {}
        files = [folder / f"{self.tracks[place].name}.opus" for place in places]
        found = Parallel(n_jobs=self.jobs, batch_size=8)(delayed(_treated)(path, self.network) for path in files)
        views: dict[str, dict[str, NDArray[np.float32]]] = {}
        for name in found[0]:
            for family in found[0][name]:
                if family == GTZAN57:
                    continue
                rows = np.full((len(self.tracks), found[0][name][family].size), np.nan, dtype=np.float32)
                rows[places] = np.stack([each[name][family] for each in found])
                views.setdefault(f"excerpts of 3 s, {name}", {})[family] = rows
        return views

    @cached_property
    def sounds(self) -> music_detection.Examples | None:
        """Music and what is not music, treated alike; None where there is nothing to learn that from."""
        if self.network is None or not (self.directory / "notmusic").is_dir():
            return None
        self.report_stage("reading, mixing and making what is not music")
        return music_detection.examples(self.directory, partial(_features, self.network), jobs=self.jobs)

    @cached_property
    def published(self) -> Judged:
        """The trials of ``splits.published``: artist folds, those within the train part, and the test part."""
        artists, inner, test = splits.published(self.tracks)
        return self._judged("artist folds, fault-filtered, songs of today", [*artists, *inner, test], self.damaged)

    @cached_property
    def random(self) -> Judged:
        return self._judged("random", [splits.random_songs(self.tracks)], {})

    @cached_property
    def own(self) -> Judged:
        return self._judged("folds", splits.own_folds(self.tracks), {})

    def _judged(self, name: str, trials: Sequence[Trial], views: out_of_fold.Views) -> Judged:
        rows = self.rows
        self.report_stage(f"fitting {len(experts.RECIPES)} experts {len(trials)} times and asking them: {name}")
        return Judged(trials, out_of_fold.held_out(rows, trials, views, jobs=self.jobs))

    def blend(
        self, parts: Sequence[tuple[Mapping[str, Opinion], NDArray[np.int64]]], *, network: bool = True
    ) -> Ensemble:
        """Fit a blend on held-out opinions; branches of which there are none are left out.

        Parameters
        ----------
        network
            Whether experts that look at MusiCNN's numbers take part.
        """
        chosen = {recipe.name for recipe in experts.RECIPES if network or recipe.family in MEL_FAMILIES}
        truth = np.concatenate([self.rows.genres[tracks] for _, tracks in parts])
        known = [branch for branch in self.branches if set(branch) & set(truth)]
        opinions = out_of_fold.joined([{name: o for name, o in part.items() if name in chosen} for part, _ in parts])
        return blending.fit(known, opinions, truth)

    def _others(self, place: int) -> list[int]:
        """Return the trials that a trial's blend is fitted on: none that tests on what it tests on."""
        if place == TEST:
            return list(INNER)
        return [other for other in (ARTISTS if place in ARTISTS else INNER) if other != place]

    @cached_property
    def blends(self) -> Mapping[tuple[int, bool], Ensemble]:
        """Trial of ``published`` and whether with the network → blend."""
        judged = self.published
        return {
            (place, network): self.blend(judged.parts(self._others(place)), network=network)
            for place in range(len(judged.trials))
            for network in (True, False)
        }

    @cached_property
    def whole(self) -> list[TrialAnswers]:
        """Answers of the whole ensemble about every track held out, all genres at once.

        Of published sets: the artist folds, the test part's songs of today and Vietnamese blocks, and those of the
        first trial within the train part. A collection's own folds otherwise.
        """
        if not any("artist_fold" in track.splits for track in self.tracks):
            judged, places = self.own, list(range(len(self.own.trials)))
            blends = {
                place: self.blend(judged.parts([other for other in places if other != place])) for place in places
            }
        else:
            judged, places = self.published, [*ARTISTS, TEST, INNER[0]]
            blends = {place: self.blend(judged.parts(self._gated_by(place))) for place in places}
        answers = []
        for place in places:
            blend, tracks = blends[place], judged.trials[place].test
            held = out_of_fold.without_gaps(judged.opinions[place][out_of_fold.CLEAN], len(tracks), blend.experts)
            mine = np.arange(len(tracks))
            if judged is not self.__dict__.get("own") and place not in ARTISTS:
                mine = np.flatnonzero(self.collection[tracks] != GTZAN)
            probabilities = blend.probabilities(held)[mine]
            answers.append(TrialAnswers(tracks[mine], probabilities, blend.genres))
        return answers

    def _gated_by(self, place: int) -> list[int]:
        """Return trials for a blend that must know all branches: the artist folds, without the trial itself."""
        return [other for other in ARTISTS if other != place]

    @property
    def style_trials(self) -> Sequence[Trial]:
        """The trials that styles are judged in."""
        published = any("artist_fold" in track.splits for track in self.tracks)
        return self.published.trials if published else self.own.trials

    def final_blend(self) -> Ensemble:
        """Fit the blend that is released, on the held-out opinions of every trial that tests on songs of its own."""
        if not any("artist_fold" in track.splits for track in self.tracks):
            return self.blend(self.own.parts(range(len(self.own.trials))))
        return self.blend(self.published.parts([*ARTISTS, TEST, INNER[0]]))


def _treated(path: Path, network: Mapping[str, NDArray[Any]]) -> Mapping[str, Mapping[str, NDArray[np.float32]]]:
    """Return treatment → features of an excerpt."""
    samples, loaded = whole(path), MusiCNN(network)
    treated = {"clean": samples, **{name: treat(samples) for name, treat in TREATMENTS.items()}}
    return {name: families(each, loaded) for name, each in treated.items()}


def _features(network: Mapping[str, NDArray[Any]], samples: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
    return families(samples, MusiCNN(network))
