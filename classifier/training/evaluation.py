"""Measures the systems on tracks held out: every protocol's held-out probabilities, computed once, and what follows.

No setting is chosen here by the tracks that a figure is counted on: the weights of a blend come from other trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.features.families import GTZAN57, MEL_FAMILIES, TEXTURE, families
from classifier.features.musicnn import MusiCNN
from classifier.inference.ensemble import Opinion, within
from classifier.training import (
    baseline,
    blending,
    detector_evaluation,
    experts,
    music_detection,
    out_of_fold,
    splits,
    styles,
)
from classifier.training import feature_matrix as matrix
from classifier.training.accuracy import Figure
from classifier.training.augmentation import DAMAGE
from classifier.training.data_loading import GTZAN, TODAY, TRADITIONAL, whole
from classifier.training.recordings_evaluation import TREATMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble
    from classifier.training.data_loading import Track
    from classifier.training.feature_matrix import Rows
    from classifier.training.out_of_fold import Opinions
    from classifier.training.splits import Trial

THIRDS: Final = tuple(f"third {number + 1}" for number in range(3))
WITHOUT_NETWORK: Final = "without MusiCNN"
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
class Answers:
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
    """Measures the systems on given tracks.

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
        self._say = on_stage
        self.collection = np.array([track.collection for track in tracks])

    @property
    def branches(self) -> list[list[str]]:
        """Classes by the families that they can be learnt from: wide pictures first, then the narrow ones."""
        wide = {str(genre) for genre in self.rows.genres[self.rows.having(TEXTURE)]}
        narrow = {str(genre) for genre in self.rows.genres} - wide
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
        self._say("reading, mixing and making what is not music")
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
        self._say(f"fitting {len(experts.RECIPES)} experts {len(trials)} times and asking them: {name}")
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

    def figures(self, split: str) -> list[Figure]:
        """Measure every system under one protocol.

        Parameters
        ----------
        split
            ``fault_filtered``, ``artist_fold``, ``modern``, ``notmusic``, ``random``, ``vietnamese`` or ``folds``.
        """
        measure: dict[str, Callable[[], list[Figure]]] = {
            "fault_filtered": partial(self._gtzan, "fault_filtered", [TEST]),
            "artist_fold": partial(self._gtzan, "artist_fold", list(ARTISTS)),
            "modern": self._modern,
            "notmusic": self._not_music,
            "random": self._random,
            "vietnamese": self._vietnamese,
            "folds": self._own,
        }
        return measure[split]()

    def _gtzan(self, split: str, places: Sequence[int]) -> list[Figure]:
        judged = self.published
        chosen = [np.flatnonzero(self.collection[judged.trials[place].test] == GTZAN) for place in places]
        counted = self._counted(split, judged, places, chosen)
        if split == "artist_fold":
            counted += self._segments(judged, places, chosen)
        trials = [
            splits.Trial(trial.train[self.collection[trial.train] == GTZAN], trial.test[mine])
            for trial, mine in ((judged.trials[place], mine) for place, mine in zip(places, chosen, strict=True))
        ]
        return [*counted, *self._classic(split, trials)]

    def _random(self) -> list[Figure]:
        judged = self.random
        # Its few weights come from the artist folds: under this protocol nothing is kept apart anyway.
        blends = {(0, True): self.blend(self.published.parts(list(ARTISTS)))}
        ten = [np.flatnonzero(self.collection[judged.trials[0].test] == GTZAN)]
        trial = splits.Trial(
            judged.trials[0].train[self.collection[judged.trials[0].train] == GTZAN], judged.trials[0].test[ten[0]]
        )
        return [*self._counted("random", judged, [0], ten, blends), *self._classic("random", [trial])]

    def _own(self) -> list[Figure]:
        judged = self.own
        places = range(len(judged.trials))
        blends = {
            (place, True): self.blend(judged.parts([other for other in places if other != place])) for place in places
        }
        every = [np.arange(len(trial.test)) for trial in judged.trials]
        return [
            *self._counted("folds", judged, list(places), every, blends),
            *self._classic("folds", judged.trials),
        ]

    def _counted(
        self,
        split: str,
        judged: Judged,
        places: Sequence[int],
        chosen: Sequence[NDArray[np.int64]],
        blends: Mapping[tuple[int, bool], Ensemble] | None = None,
    ) -> list[Figure]:
        """Count right answers among the genres of the chosen tracks: of the ensemble, without the network, by expert.

        Tracks that no expert of a system has features of are left out of its figure. ``of all families`` counts an
        answer that is none of these genres as wrong.
        """
        marks: dict[tuple[str, str], list[NDArray[np.bool_]]] = {}
        groups: dict[tuple[str, str], list[NDArray[np.str_]]] = {}
        blends = self.blends if blends is None else blends
        for place, mine in zip(places, chosen, strict=True):
            tracks = judged.trials[place].test[mine]
            genres = sorted({str(genre) for genre in self.rows.genres[tracks]})
            for view, held in judged.opinions[place].items():
                if view in THIRDS:
                    continue
                some = {name: Opinion(o.genres, o.probabilities[mine]) for name, o in held.items()}
                for system, condition, right, asked in self._systems(place, view, some, genres, tracks, blends):
                    marks.setdefault((system, condition), []).append(right[asked])
                    groups.setdefault((system, condition), []).append(self.rows.groups[tracks][asked])
        return [
            Figure.count(split, *what, np.concatenate(right), np.concatenate(groups[what]).tolist())
            for what, right in marks.items()
        ]

    def _systems(
        self,
        place: int,
        view: str,
        held: Mapping[str, Opinion],
        genres: Sequence[str],
        tracks: NDArray[np.int64],
        blends: Mapping[tuple[int, bool], Ensemble],
    ) -> list[tuple[str, str, NDArray[np.bool_], NDArray[np.bool_]]]:
        """Return system, condition, which answers are right and which tracks were asked about."""
        truth = self.rows.genres[tracks]
        found: list[tuple[str, str, NDArray[np.bool_], NDArray[np.bool_]]] = []
        there = {name: opinion.given for name, opinion in held.items()}
        for network, system in ((True, "ensemble"), (False, WITHOUT_NETWORK)):
            blend = blends.get((place, network))
            wanted = [] if blend is None else [name for name, w in blend.branches[0].weights.items() if w > 0]
            if blend is None or (network and not {"musicnn_tags", *wanted} & set(held) >= {"musicnn_tags"}):
                continue
            branch = blend.branches[0]
            asked = there.get("musicnn_tags" if network else "texture", np.zeros(len(tracks), dtype=bool))
            shares = within(branch, out_of_fold.without_gaps(held, len(tracks), branch.weights))
            names = np.array(branch.genres)
            columns = [branch.genres.index(genre) for genre in genres]
            found.append((system, view, np.array(genres)[shares[:, columns].argmax(axis=1)] == truth, asked))
            if set(branch.genres) - set(genres):
                found.append((system, f"{view}, of all families", names[shares.argmax(axis=1)] == truth, asked))
        for name, opinion in held.items():
            best = opinion.among(genres).argmax(axis=1)
            found.append((name, view, np.array(genres)[best] == truth, there[name]))
        return found

    def _segments(self, judged: Judged, places: Sequence[int], chosen: Sequence[NDArray[np.int64]]) -> list[Figure]:
        """Compare two ways of making a song's answer of its parts: mean probability and majority vote."""
        marks: dict[str, list[NDArray[np.bool_]]] = {"mean of thirds": [], "vote of thirds": []}
        for place, mine in zip(places, chosen, strict=True):
            blend = self.blends[place, False]
            truth, branch = self.rows.genres[judged.trials[place].test[mine]], blend.branches[0]
            parts = []
            for name in THIRDS:
                held = {e: Opinion(o.genres, o.probabilities[mine]) for e, o in judged.opinions[place][name].items()}
                parts.append(within(branch, out_of_fold.without_gaps(held, len(mine), branch.weights)))
            thirds = np.stack(parts)
            names = np.array(branch.genres)
            marks["mean of thirds"].append(names[thirds.mean(axis=0).argmax(axis=1)] == truth)
            votes = np.stack([(thirds.argmax(axis=2) == genre).sum(axis=0) for genre in range(len(names))], axis=1)
            # A tie goes to the part that is surest, as a mean too would decide.
            votes = votes + thirds.max(axis=0) / 2
            marks["vote of thirds"].append(names[votes.argmax(axis=1)] == truth)
        return [Figure.count("artist_fold", WITHOUT_NETWORK, what, np.concatenate(m)) for what, m in marks.items()]

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
    def whole(self) -> list[Answers]:
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
            answers.append(Answers(tracks[mine], probabilities, blend.genres))
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

    def _modern(self) -> list[Figure]:
        """Count songs of today by family; the excerpts of a song are answered together."""
        today = [(a, np.flatnonzero(self.collection[a.tracks] == TODAY)) for a in self.whole]
        counted: dict[str, list[bool]] = {}
        groups: dict[str, list[str]] = {}
        for answers, mine in today:
            songs = np.array([self.tracks[track].splits["song"] for track in answers.tracks[mine]])
            for song in dict.fromkeys(songs.tolist()):
                same = mine[songs == song]
                track = self.tracks[answers.tracks[same[0]]]
                family = str(self.rows.genres[answers.tracks[same[0]]])
                told = answers.genres[int(answers.probabilities[same].mean(axis=0).argmax())]
                for what in ("all", f"family {family}", f"label {track.genre}"):
                    counted.setdefault(what, []).append(told == family)
                    groups.setdefault(what, []).append(track.group)
        found = [Figure.count("modern", "ensemble", w, marks, groups[w]) for w, marks in sorted(counted.items())]
        known = styles.known_styles(self.tracks)
        mine = self.collection == TODAY
        return [*found, *styles.figures(self.rows, self.style_trials, known, mine, jobs=self.jobs)]

    def _not_music(self) -> list[Figure]:
        if self.sounds is None:
            return []
        return detector_evaluation.counted(self.sounds, detector_evaluation.judgements(self.sounds))

    def _vietnamese(self) -> list[Figure]:
        counted: dict[tuple[str, str], list[NDArray[np.bool_]]] = {}
        second = np.array(self.branches[1])
        for found in self.whole:
            truth = self.rows.genres[found.tracks]
            answers = np.array(found.genres)[found.probabilities.argmax(axis=1)]
            collection = self.collection[found.tracks]
            columns = [found.genres.index(genre) for genre in second]
            among = second[found.probabilities[:, columns].argmax(axis=1)]
            theirs = collection == TRADITIONAL
            counted.setdefault(("ensemble", "of the five"), []).append((among == truth)[theirs])
            counted.setdefault(("ensemble", "of all genres"), []).append((answers == truth)[theirs])
            counted.setdefault(("ensemble", "called Vietnamese"), []).append(np.isin(answers, second)[theirs])
            for name, set_ in (("GTZAN", GTZAN), ("songs of today", TODAY)):
                mine = collection == set_
                if mine.any():
                    key = ("ensemble", f"{name} falsely called traditional Vietnamese")
                    counted.setdefault(key, []).append(np.isin(answers, second)[mine])
        return [Figure.count("vietnamese", *what, np.concatenate(right)) for what, right in counted.items()]


def _treated(path: Path, network: Mapping[str, NDArray[Any]]) -> Mapping[str, Mapping[str, NDArray[np.float32]]]:
    """Return treatment → features of an excerpt."""
    samples, loaded = whole(path), MusiCNN(network)
    treated = {"clean": samples, **{name: treat(samples) for name, treat in TREATMENTS.items()}}
    return {name: families(each, loaded) for name, each in treated.items()}


def _features(network: Mapping[str, NDArray[Any]], samples: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
    return families(samples, MusiCNN(network))
