"""The measuring bench: every protocol's held-out opinions, computed once, and the figures that follow from them.

No setting is chosen here by the tracks that a figure is counted on: the pool's weights come from other folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.features.families import GTZAN57, TEXTURE
from classifier.inference.ensemble import Opinion, within
from classifier.training import baseline, blending, experts, out_of_fold, splits
from classifier.training import feature_matrix as matrix
from classifier.training.accuracy import Figure
from classifier.training.augmentation import DAMAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble
    from classifier.training.data_loading import Track
    from classifier.training.feature_matrix import Rows
    from classifier.training.out_of_fold import Opinions
    from classifier.training.splits import Trial

SINGLE_DAMAGE: Final = tuple(DAMAGE)[:3]
THIRDS: Final = tuple(f"third {number + 1}" for number in range(3))


@dataclass(frozen=True, eq=False)
class Judged:
    """A protocol's trials, and what the experts held of the tracks held out in each."""

    trials: Sequence[Trial]
    opinions: Sequence[Opinions]

    def parts(self, places: Sequence[int]) -> list[tuple[Mapping[str, Opinion], NDArray[np.int64]]]:
        """Return opinions to fit a pool on, with the tracks that they are of."""
        return [
            (self.opinions[place][view], self.trials[place].test)
            for place in places
            for view in (out_of_fold.CLEAN, out_of_fold.CHANGED)
        ]


class Bench:
    """Measures the systems on given tracks.

    Parameters
    ----------
    tracks
        All that may train or test.
    jobs
        Processes, as in joblib.
    on_stage
        Told what is being done.
    """

    def __init__(self, tracks: Sequence[Track], *, jobs: int = -1, on_stage: Callable[[str], None]) -> None:
        self.tracks = tracks
        self.jobs = jobs
        self._say = on_stage

    @property
    def branches(self) -> list[list[str]]:
        """Genres by the families that they can be learnt from: wide pictures first, then the narrow ones."""
        wide = {track.genre for track in self.tracks if TEXTURE in track.families}
        narrow = {track.genre for track in self.tracks} - wide
        return [sorted(genres) for genres in (wide, narrow) if genres]

    @cached_property
    def rows(self) -> Rows:
        self._say("computing the features of all tracks, as they are and changed")
        return matrix.build(self.tracks, jobs=self.jobs)

    @cached_property
    def damaged(self) -> out_of_fold.Views:
        self._say("damaging tracks as chats and phones do")
        looks = {kind: partial(matrix.damaged, kind=kind) for kind in DAMAGE}
        looks |= {name: partial(matrix.third, number=number) for number, name in enumerate(THIRDS)}
        return {name: matrix.views(self.tracks, look, jobs=self.jobs) for name, look in looks.items()}

    @cached_property
    def fault_filtered(self) -> Judged:
        return self._judged("fault_filtered", splits.fault_filtered(self.tracks), self.damaged)

    @cached_property
    def artist_fold(self) -> Judged:
        return self._judged("artist_fold", splits.artist_folds(self.tracks), self.damaged)

    @cached_property
    def random(self) -> Judged:
        return self._judged("random", [splits.random_songs(self.tracks)], {})

    @cached_property
    def blocks(self) -> Judged:
        narrow = [recipe for recipe in experts.POOLED if recipe.family != TEXTURE]
        return self._judged("vietnamese", splits.blocks(self.tracks), {}, narrow)

    @cached_property
    def own(self) -> Judged:
        return self._judged("folds", splits.own_folds(self.tracks), {})

    def _judged(
        self,
        name: str,
        trials: Sequence[Trial],
        views: out_of_fold.Views,
        recipes: Sequence[experts.Recipe] = experts.POOLED,
    ) -> Judged:
        rows = self.rows
        self._say(f"fitting {len(recipes)} experts {len(trials)} times and asking them of the tracks held out: {name}")
        return Judged(trials, out_of_fold.held_out(rows, recipes, trials, views, jobs=self.jobs))

    def pool(self, parts: Sequence[tuple[Mapping[str, Opinion], NDArray[np.int64]]]) -> Ensemble:
        """Fit the pool on held-out opinions; branches of which there are none are left out."""
        truth = np.concatenate([self.rows.genres[tracks] for _, tracks in parts])
        known = [branch for branch in self.branches if set(branch) & set(truth)]
        return blending.fit(known, out_of_fold.joined([part for part, _ in parts]), truth)

    def pooled_without(self, judged: Judged, place: int, others: Sequence[Judged] = ()) -> Ensemble:
        """Fit the pool on all trials of a protocol but one, and on all of other protocols."""
        parts = judged.parts([other for other in range(len(judged.trials)) if other != place])
        return self.pool([*parts, *(part for other in others for part in other.parts(range(len(other.trials))))])

    def figures(self, split: str) -> list[Figure]:
        """Measure every system under one protocol.

        Parameters
        ----------
        split
            ``fault_filtered``, ``artist_fold``, ``random``, ``vietnamese`` or ``folds``.
        """
        measure = {
            "fault_filtered": self._fault_filtered,
            "artist_fold": self._artist_fold,
            "random": self._random,
            "vietnamese": self._vietnamese,
            "folds": self._own,
        }
        return measure[split]()

    def _fault_filtered(self) -> list[Figure]:
        judged = self.fault_filtered
        pool = self.pool(judged.parts([0]))
        counted = self._counted("fault_filtered", judged, {1: pool})
        return [*counted, *self._classic("fault_filtered", [judged.trials[1]])]

    def _artist_fold(self) -> list[Figure]:
        judged = self.artist_fold
        pools = {place: self.pooled_without(judged, place) for place in range(len(judged.trials))}
        counted = self._counted("artist_fold", judged, pools)
        return [*counted, *self._segments(judged, pools), *self._classic("artist_fold", judged.trials)]

    def _random(self) -> list[Figure]:
        judged = self.random
        # Its few weights come from the artist folds: under this protocol nothing is kept apart anyway.
        pool = self.pool(self.artist_fold.parts(range(3)))
        return [*self._counted("random", judged, {0: pool}), *self._classic("random", judged.trials)]

    def _own(self) -> list[Figure]:
        judged = self.own
        pools = {place: self.pooled_without(judged, place) for place in range(len(judged.trials))}
        return [*self._counted("folds", judged, pools), *self._classic("folds", judged.trials)]

    def _counted(self, split: str, judged: Judged, pools: Mapping[int, Ensemble]) -> list[Figure]:
        """Count right answers among the genres of the first branch, by the ensemble and by each expert."""
        marks: dict[tuple[str, str], list[NDArray[np.bool_]]] = {}
        for place, pool in pools.items():
            truth = self.rows.genres[judged.trials[place].test]
            branch = pool.branches[0]
            for view, held in judged.opinions[place].items():
                if view in THIRDS:
                    continue
                answers = np.array(branch.genres)[within(branch, held).argmax(axis=1)]
                marks.setdefault(("ensemble", view), []).append(answers == truth)
                for name, opinion in held.items():
                    best = opinion.among(branch.genres).argmax(axis=1)
                    marks.setdefault((name, view), []).append(np.array(branch.genres)[best] == truth)
        return [Figure.count(split, *what, np.concatenate(right)) for what, right in marks.items()]

    def _segments(self, judged: Judged, pools: Mapping[int, Ensemble]) -> list[Figure]:
        """Compare two ways of making a song's answer of its parts: mean probability and majority vote."""
        marks: dict[str, list[NDArray[np.bool_]]] = {"mean of thirds": [], "vote of thirds": []}
        for place, pool in pools.items():
            truth, branch = self.rows.genres[judged.trials[place].test], pool.branches[0]
            thirds = np.stack([within(branch, judged.opinions[place][name]) for name in THIRDS])
            names = np.array(branch.genres)
            marks["mean of thirds"].append(names[thirds.mean(axis=0).argmax(axis=1)] == truth)
            votes = np.stack([(thirds.argmax(axis=2) == genre).sum(axis=0) for genre in range(len(names))], axis=1)
            # A tie goes to the part that is surest, as a mean too would decide.
            votes = votes + thirds.max(axis=0) / 2
            marks["vote of thirds"].append(names[votes.argmax(axis=1)] == truth)
        return [Figure.count("artist_fold", "ensemble", name, np.concatenate(right)) for name, right in marks.items()]

    def _classic(self, split: str, trials: Sequence[Trial]) -> list[Figure]:
        self._say(f"the classic recipe: {split}")
        rows = self.rows
        have = rows.having(GTZAN57)
        tasks = []
        for trial in trials:
            train, test = trial.train[have[trial.train]], trial.test[have[trial.test]]
            learnt = (rows.single(GTZAN57, train), rows.genres[train], rows.groups[train])
            tasks.append((learnt, (rows.single(GTZAN57, test), rows.genres[test])))
        results = Parallel(n_jobs=self.jobs)(delayed(baseline.figures)(split, "clean", *task) for task in tasks)
        return [
            Figure(split, same[0].system, "clean", sum(f.right for f in same), sum(f.of for f in same))
            for same in zip(*results, strict=True)
        ]

    @cached_property
    def whole(self) -> list[tuple[NDArray[np.int64], NDArray[np.float64], Ensemble]]:
        """Held-out answers of the whole ensemble, all genres at once.

        For each trial of the artist folds and the blocks (or of a collection's own folds): the tracks, the
        probabilities of shape (tracks, genres), and the ensemble, whose pool was fitted without this trial.
        """
        protocols = self._protocols
        answers = []
        for judged in protocols:
            others = [other for other in protocols if other is not judged]
            for place, trial in enumerate(judged.trials):
                pool = self.pooled_without(judged, place, others)
                answers.append((trial.test, self._all_genres(pool, judged.opinions[place][out_of_fold.CLEAN]), pool))
        return answers

    @property
    def _protocols(self) -> list[Judged]:
        if len(self.branches) > 1:
            return [self.artist_fold, self.blocks]
        return [self.artist_fold if any("artist_fold" in track.splits for track in self.tracks) else self.own]

    def final_pool(self) -> Ensemble:
        """Fit the pool that is released, on the held-out opinions of every trial."""
        return self.pool([part for judged in self._protocols for part in judged.parts(range(len(judged.trials)))])

    def _all_genres(self, pool: Ensemble, held: Mapping[str, Opinion]) -> NDArray[np.float64]:
        """Return probabilities of all genres, also where experts of the first branch were not asked."""
        if len(pool.branches) == 1:
            return pool.probabilities(held)
        size = len(next(iter(held.values())).probabilities)
        for name in pool.branches[0].weights:
            if name not in held:  # what it would say of the first branch's genres matters little once the gate is shut
                even = np.full((size, len(pool.branches[0].genres)), 1 / len(pool.branches[0].genres))
                held = {**held, name: Opinion(pool.branches[0].genres, even)}
        return pool.probabilities(held)

    def _vietnamese(self) -> list[Figure]:
        counted: dict[tuple[str, str], list[NDArray[np.bool_]]] = {}
        second = np.array(self.branches[1])
        for tracks, probabilities, pool in self.whole:
            truth = self.rows.genres[tracks]
            answers = np.array(pool.genres)[probabilities.argmax(axis=1)]
            theirs = np.isin(truth, second)
            columns = [pool.genres.index(genre) for genre in second]
            among = second[probabilities[:, columns].argmax(axis=1)]
            if theirs.any():
                counted.setdefault(("ensemble", "of the five"), []).append((among == truth)[theirs])
                counted.setdefault(("ensemble", "of all fifteen"), []).append((answers == truth)[theirs])
                counted.setdefault(("ensemble", "called Vietnamese"), []).append(np.isin(answers, second)[theirs])
            else:
                counted.setdefault(("ensemble", "GTZAN, of all fifteen"), []).append(answers == truth)
                counted.setdefault(("ensemble", "GTZAN falsely called Vietnamese"), []).append(np.isin(answers, second))
        return [Figure.count("vietnamese", *what, np.concatenate(right)) for what, right in counted.items()]
