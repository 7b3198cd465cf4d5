"""Counts the right answers of every system under every protocol, on what ``evaluation.py`` holds out.

No setting is chosen here by the tracks that a figure is counted on: the weights of a blend come from other trials.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.features.families import GTZAN57
from classifier.inference.ensemble import Opinion, within
from classifier.training import baseline, detector_evaluation, out_of_fold, splits, styles
from classifier.training.accuracy import Figure
from classifier.training.data_loading import GTZAN, TODAY, TRADITIONAL
from classifier.training.evaluation import ARTISTS, TEST, THIRDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble
    from classifier.training.evaluation import Evaluation, Judged
    from classifier.training.splits import Trial

WITHOUT_NETWORK: Final = "without MusiCNN"


def figures(evaluation: Evaluation, split: str) -> list[Figure]:
    """Measure every system under one protocol.

    Parameters
    ----------
    split
        ``fault_filtered``, ``artist_fold``, ``modern``, ``notmusic``, ``random``, ``vietnamese`` or ``folds``.
    """
    measure: dict[str, Callable[[], list[Figure]]] = {
        "fault_filtered": partial(_gtzan, evaluation, "fault_filtered", [TEST]),
        "artist_fold": partial(_gtzan, evaluation, "artist_fold", list(ARTISTS)),
        "modern": partial(_modern, evaluation),
        "notmusic": partial(_not_music, evaluation),
        "random": partial(_random, evaluation),
        "vietnamese": partial(_vietnamese, evaluation),
        "folds": partial(_own, evaluation),
    }
    return measure[split]()


def _gtzan(evaluation: Evaluation, split: str, places: Sequence[int]) -> list[Figure]:
    judged = evaluation.published
    chosen = [np.flatnonzero(evaluation.collection[judged.trials[place].test] == GTZAN) for place in places]
    counted = _counted(evaluation, split, judged, places, chosen)
    if split == "artist_fold":
        counted += _segments(evaluation, judged, places, chosen)
    trials = [
        splits.Trial(trial.train[evaluation.collection[trial.train] == GTZAN], trial.test[mine])
        for trial, mine in ((judged.trials[place], mine) for place, mine in zip(places, chosen, strict=True))
    ]
    return [*counted, *_classic(evaluation, split, trials)]


def _random(evaluation: Evaluation) -> list[Figure]:
    judged = evaluation.random
    # Its few weights come from the artist folds: under this protocol nothing is kept apart anyway.
    blends = {(0, True): evaluation.blend(evaluation.published.parts(list(ARTISTS)))}
    ten = [np.flatnonzero(evaluation.collection[judged.trials[0].test] == GTZAN)]
    trial = splits.Trial(
        judged.trials[0].train[evaluation.collection[judged.trials[0].train] == GTZAN], judged.trials[0].test[ten[0]]
    )
    return [*_counted(evaluation, "random", judged, [0], ten, blends), *_classic(evaluation, "random", [trial])]


def _own(evaluation: Evaluation) -> list[Figure]:
    judged = evaluation.own
    places = range(len(judged.trials))
    blends = {
        (place, True): evaluation.blend(judged.parts([other for other in places if other != place])) for place in places
    }
    every = [np.arange(len(trial.test)) for trial in judged.trials]
    return [
        *_counted(evaluation, "folds", judged, list(places), every, blends),
        *_classic(evaluation, "folds", judged.trials),
    ]


def _counted(
    evaluation: Evaluation,
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
    blends = evaluation.blends if blends is None else blends
    for place, mine in zip(places, chosen, strict=True):
        tracks = judged.trials[place].test[mine]
        genres = sorted({str(genre) for genre in evaluation.rows.genres[tracks]})
        for view, held in judged.opinions[place].items():
            if view in THIRDS:
                continue
            some = {name: Opinion(o.genres, o.probabilities[mine]) for name, o in held.items()}
            for system, condition, right, asked in _systems(evaluation, place, view, some, genres, tracks, blends):
                marks.setdefault((system, condition), []).append(right[asked])
                groups.setdefault((system, condition), []).append(evaluation.rows.groups[tracks][asked])
    return [
        Figure.count(split, *what, np.concatenate(right), np.concatenate(groups[what]).tolist())
        for what, right in marks.items()
    ]


def _systems(
    evaluation: Evaluation,
    place: int,
    view: str,
    held: Mapping[str, Opinion],
    genres: Sequence[str],
    tracks: NDArray[np.int64],
    blends: Mapping[tuple[int, bool], Ensemble],
) -> list[tuple[str, str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return system, condition, which answers are right and which tracks were asked about."""
    truth = evaluation.rows.genres[tracks]
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


def _segments(
    evaluation: Evaluation, judged: Judged, places: Sequence[int], chosen: Sequence[NDArray[np.int64]]
) -> list[Figure]:
    """Compare two ways of making a song's answer of its parts: mean probability and majority vote."""
    marks: dict[str, list[NDArray[np.bool_]]] = {"mean of thirds": [], "vote of thirds": []}
    for place, mine in zip(places, chosen, strict=True):
        blend = evaluation.blends[place, False]
        truth, branch = evaluation.rows.genres[judged.trials[place].test[mine]], blend.branches[0]
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


def _classic(evaluation: Evaluation, split: str, trials: Sequence[Trial]) -> list[Figure]:
    evaluation.report_stage(f"the classic recipe: {split}")
    rows = evaluation.rows
    have = rows.having(GTZAN57)
    tasks = []
    for trial in trials:
        train, test = trial.train[have[trial.train]], trial.test[have[trial.test]]
        learnt = (rows.single(GTZAN57, train), rows.genres[train], rows.groups[train])
        tasks.append((learnt, (rows.single(GTZAN57, test), rows.genres[test])))
    results = Parallel(n_jobs=evaluation.jobs)(delayed(baseline.figures)(split, "clean", *task) for task in tasks)
    return [
        Figure(split, same[0].system, "clean", sum(f.right for f in same), sum(f.of for f in same))
        for same in zip(*results, strict=True)
    ]


def _modern(evaluation: Evaluation) -> list[Figure]:
    """Count songs of today by family; the excerpts of a song are answered together."""
    today = [(a, np.flatnonzero(evaluation.collection[a.tracks] == TODAY)) for a in evaluation.whole]
    counted: dict[str, list[bool]] = {}
    groups: dict[str, list[str]] = {}
    for answers, mine in today:
        songs = np.array([evaluation.tracks[track].splits["song"] for track in answers.tracks[mine]])
        for song in dict.fromkeys(songs.tolist()):
            same = mine[songs == song]
            track = evaluation.tracks[answers.tracks[same[0]]]
            family = str(evaluation.rows.genres[answers.tracks[same[0]]])
            told = answers.genres[int(answers.probabilities[same].mean(axis=0).argmax())]
            for what in ("all", f"family {family}", f"label {track.genre}"):
                counted.setdefault(what, []).append(told == family)
                groups.setdefault(what, []).append(track.group)
    found = [Figure.count("modern", "ensemble", w, marks, groups[w]) for w, marks in sorted(counted.items())]
    known = styles.known_styles(evaluation.tracks)
    mine = evaluation.collection == TODAY
    return [*found, *styles.figures(evaluation.rows, evaluation.style_trials, known, mine, jobs=evaluation.jobs)]


def _not_music(evaluation: Evaluation) -> list[Figure]:
    if evaluation.sounds is None:
        return []
    return detector_evaluation.counted(evaluation.sounds, detector_evaluation.judgements(evaluation.sounds))


def _vietnamese(evaluation: Evaluation) -> list[Figure]:
    counted: dict[tuple[str, str], list[NDArray[np.bool_]]] = {}
    second = np.array(evaluation.branches[1])
    for found in evaluation.whole:
        truth = evaluation.rows.genres[found.tracks]
        answers = np.array(found.genres)[found.probabilities.argmax(axis=1)]
        collection = evaluation.collection[found.tracks]
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
