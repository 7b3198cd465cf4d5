"""Trains the next release on the base dataset and on feedback together, and asks releases about songs of feedback.

What differs from a first training, and why:

- Scaling and reduction stay those of the base, so that the base can travel in them and all candidates can be compared.
- Experts on families that the base does not have, MusiCNN and the music detector are carried over as they are.
- Feedback has no pictures that could be changed as ``augment`` does, so each of its rows borrows changes: the way that
  a base track moved when it was changed is added to it. Otherwise damage to the sound would speak against every genre
  that is known from feedback alone. Measured with 30 clips of each traditional Vietnamese genre as feedback on a base
  of GTZAN (train and valid of the fault-filtered split, artist folds), asked about blocks of clips that were not fed:
  with six borrowed changes for each row instead of none, 0.68 of the clips get their genre after real damage instead
  of 0.57, and 0.92 are called Vietnamese instead of 0.80; clean ones stay (0.835, 0.825), and so does the base (0.690,
  0.687), of which 1.5 % are falsely called Vietnamese instead of 2.1 %. One change does half of it, ten no more.
- A song counts by its weight. All feedback on a genre together counts at most a set share of it, and genres count the
  same however many songs they have, so that a flood of one label moves little.
- Songs of a label that is no class yet are answers that no confidence can be right about: they raise the confidence
  from which an answer is told as sure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from classifier.features.families import LEARNT_FAMILIES, columns_of
from classifier.inference.ensemble import Opinion
from classifier.inference.model import Artifact, GenreAnswer, told
from classifier.training import blending, experts, styles, sureness
from classifier.training.base_dataset import of as base_of
from classifier.training.base_dataset import pack, unpack, with_answers
from classifier.training.classes import family_of
from classifier.training.out_of_fold import joined
from classifier.training.training_set import Criteria, assemble

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble, Expert, StyleGroup
    from classifier.training.base_dataset import Base
    from classifier.training.experts import ExpertRecipe
    from classifier.training.feature_matrix import Rows
    from classifier.training.feedback_reader import Song
    from classifier.training.splits import Trial
    from classifier.training.training_set import Material

    Held = Mapping[str, Opinion]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What the machines of a material answered of its items when those were held out.

    Attributes
    ----------
    genres
        Of the columns.
    probabilities
        Shape (items, genres); NaN where an item never was held out.
    pool
        The pool that was fitted on all of it.
    """

    genres: tuple[str, ...]
    probabilities: NDArray[np.float64]
    pool: Ensemble

    @property
    def answers(self) -> NDArray[np.str_]:
        """Return the most probable genre of each item, shape (items,); empty where it never was held out."""
        asked = ~np.isnan(self.probabilities[:, 0])
        best = np.array(self.genres)[np.where(asked[:, None], self.probabilities, 0).argmax(axis=1)]
        return np.where(asked, best, "")


def held_out(material: Material, *, jobs: int) -> HeldOut:
    """Fit every expert in every trial, ask it about what the trial holds out, and blend what they say.

    The blend of a trial is fitted on the other trials.
    """
    recipes = _recipes(material)
    tasks = [(trial, recipe) for trial in material.trials for recipe in recipes]
    judged = _each(jobs, (delayed(_judge)(material, recipe, trial.train, trial.test) for trial, recipe in tasks))
    clean: list[dict[str, Opinion]] = [{} for _ in material.trials]
    changed: list[dict[str, Opinion]] = [{} for _ in material.trials]
    for place, ((_, recipe), (first, second)) in enumerate(zip(tasks, judged, strict=True)):
        clean[place // len(recipes)][recipe.name] = first
        changed[place // len(recipes)][recipe.name] = second
    probabilities: NDArray[np.float64] | None = None
    for number, trial in enumerate(material.trials):
        others = [other for other in range(len(material.trials)) if other != number]
        pool = _pool(material, clean, changed, others)
        if probabilities is None:
            probabilities = np.full((len(material.weights), len(pool.genres)), np.nan)
        probabilities[trial.test] = pooled(pool, clean[number])
    every = _pool(material, clean, changed, list(range(len(material.trials))))
    assert probabilities is not None  # noqa: S101 - a material has trials
    return HeldOut(every.genres, probabilities, every)


def _recipes(material: Material) -> list[ExpertRecipe]:
    """Return the experts whose families the base has: a release of before MusiCNN is trained on without it."""
    return [recipe for recipe in experts.RECIPES if recipe.family in material.rows.starts]


def _each(jobs: int, tasks: Iterable[Any]) -> list[Any]:
    """Work in threads, which share the matrix; each computes on one core, or they would wait for each other."""
    with threadpool_limits(1, user_api="blas"):
        results: list[Any] = Parallel(n_jobs=jobs, prefer="threads")(tasks)
    return results


def reference(
    rows: Rows, trials: Sequence[Trial], artifact: Artifact, collections: NDArray[np.str_], *, jobs: int
) -> Base:
    """Make the base material of a training matrix, with what machines without any feedback answer of it.

    They learn from what was packed and unpacked, as those of every candidate will.
    """
    base = unpack(pack(base_of(rows, trials, artifact, collections)))
    material = assemble(base, (), experts.spaces_of(artifact.experts), Criteria())
    return with_answers(base, held_out(material, jobs=jobs).answers)


def _judge(
    material: Material, recipe: ExpertRecipe, train: NDArray[np.int64], test: NDArray[np.int64]
) -> tuple[Opinion, Opinion]:
    """Return what an expert holds of items as they are and, where there is one, of their first changed copy."""
    rows = material.rows
    fitted = _fitted(material, recipe, train)
    starts = rows.starts[recipe.family]
    counts = np.diff(starts)[test]
    genres = tuple(str(genre) for genre in fitted.classes_)

    def opinion(copy: int) -> Opinion:
        # What feedback borrowed is no copy that could be judged by. Where a family has no copies, it stays as it was.
        able = (counts > 0) & ((test < material.size) | (copy == 0))
        probabilities = np.full((len(test), len(genres)), np.nan)
        if able.any():
            features = rows.families[recipe.family][starts[test[able]] + copy % counts[able]]
            probabilities[able] = fitted.predict_proba(features[:, : recipe.columns])
        return Opinion(genres, probabilities)

    return opinion(0), opinion(1)


def _fitted(material: Material, recipe: ExpertRecipe, items: NDArray[np.int64]) -> Any:
    """Fit an expert on those of the items that have its family; genres count the same."""
    items = items[material.rows.having(recipe.family)[items]]
    features, genres = material.rows.matrix(recipe.family, items)
    counts = np.diff(material.rows.starts[recipe.family])[items]
    weights = np.repeat(material.weights[items], counts)
    return experts.fit_estimator(recipe, features, genres, weights)


def _pool(material: Material, clean: Sequence[Held], changed: Sequence[Held], places: Sequence[int]) -> Ensemble:
    parts: list[Held] = []
    truth = []
    for place in places:
        test = material.trials[place].test
        for held, there in ((clean[place], True), (changed[place], test < material.size)):
            able = material.judged[test] & there
            parts.append({name: Opinion(one.genres, one.probabilities[able]) for name, one in held.items()})
            truth.append(material.rows.genres[test[able]])
    pool = blending.fit(material.branches, joined(parts), np.concatenate(truth))
    known = set(material.rows.genres[: material.size].tolist())
    branches = (
        replace(branch, taught=tuple(genre for genre in branch.genres if genre not in known))
        for branch in pool.branches
    )
    return replace(pool, branches=tuple(branches))


def pooled(pool: Ensemble, held: Held) -> NDArray[np.float64]:
    """Pool opinions, some of which are lacking (NaN): those speak for no genre; shape (n, genres)."""
    filled = {
        name: Opinion(one.genres, np.where(np.isnan(one.probabilities), 1 / len(one.genres), one.probabilities))
        for name, one in held.items()
    }
    return pool.probabilities(filled)


def finish(
    material: Material,
    held: HeldOut,
    serving: Artifact,
    strangers: Sequence[Song],
    *,
    known: Collection[str] = (),
    jobs: int,
) -> Artifact:
    """Fit every expert on everything, and choose from what confidence on an answer is told as sure.

    Parameters
    ----------
    held
        Of the same material.
    serving
        The release that is trained on.
    strangers
        Songs of labels that are no class.
    known
        Styles that enough people stand behind, beside those that the serving release tells.
    """
    spaces = experts.spaces_of(serving.experts)
    every = np.arange(len(material.weights))
    recipes = _recipes(material)
    fitted = _each(jobs, (delayed(_fitted)(material, recipe, every) for recipe in recipes))
    made = [
        experts.as_expert(recipe, spaces[recipe.family], estimator)
        for recipe, estimator in zip(recipes, fitted, strict=True)
    ]
    carried = [expert for expert in serving.experts if expert.family not in LEARNT_FAMILIES]
    known = {*known, *(style for group in serving.styles for style in group.styles)}
    taught = known - set(material.rows.styles[: material.size].tolist())
    groups = styles.learn(material.rows, material.trials, spaces, known, taught=taught, reduced=True, jobs=jobs)
    labels = {str(label) for label in material.rows.styles} | {style for group in groups for style in group.styles}
    artifact = replace(
        serving,
        experts=(*carried, *made),
        ensemble=held.pool,
        sure_from=1.0,
        styles=groups,
        family_of={label: family for label in sorted(labels) if (family := family_of(label)) != label},
    )
    least = _least_sure(material, held, ask(artifact, strangers))
    return replace(artifact, sure_from=max(least.values()), sure_by_genre=least)


def _least_sure(material: Material, held: HeldOut, strangers: NDArray[np.float64]) -> dict[str, float]:
    """Choose by songs that were held out, segments of one song together, and by songs of which no answer is right."""
    counted = held.answers != ""
    feedback = np.arange(len(counted))[counted] >= material.size
    _, song = np.unique(material.rows.groups[counted], return_inverse=True)
    # Tracks of one artist are answered one by one, segments of one song together.
    group = np.where(feedback, song, song.max(initial=0) + 1 + np.arange(len(song)))
    means, first = sureness.by_song(held.probabilities[counted], group.astype(str).tolist())
    return sureness.least_by_genre(
        held.genres, means, material.rows.genres[counted][first], material.collections[counted][first], strangers
    )


def ask(artifact: Artifact, songs: Sequence[Song]) -> NDArray[np.float64]:
    """Ask a release about songs of feedback, as people would be answered; probability of classes, (songs, genres).

    Where a song lacks a family, what looks at it has no say.
    """
    genres = artifact.ensemble.genres
    if not songs:
        return np.empty((0, len(genres)))
    owner, seconds = _owners(songs)
    learnt = [expert for expert in artifact.experts if expert.name in artifact.ensemble.experts]
    held = {expert.name: _opinion(expert, songs, owner) for expert in learnt}
    return _by_song(pooled(artifact.ensemble, held), owner, seconds)


def answers(artifact: Artifact, songs: Sequence[Song]) -> list[str]:
    """Return the most specific genre that a release tells of each song of feedback."""
    if not songs:
        return []
    shares = tuple(_style_shares(group, songs) for group in artifact.styles)
    answer = GenreAnswer(ask(artifact, songs), shares)
    return [told(artifact, answer, place)[0] for place in range(len(songs))]


def held_out_answers(material: Material, held: HeldOut, artifact: Artifact, songs: Sequence[Song]) -> dict[str, str]:
    """Return what was told of songs of feedback when they were held out, by their ids.

    Parameters
    ----------
    held
        Of the same material.
    artifact
        Fitted on all of the material.
    songs
        Those that may train; of the ones that the material left out nothing is returned.
    """
    owners = material.rows.groups[material.size :]
    taken = [song for song in songs if f"song {song.id}" in set(owners.tolist())]
    if not taken:
        return {}
    place = {f"song {song.id}": number for number, song in enumerate(taken)}
    owner = np.array([place[name] for name in owners.tolist()], dtype=np.int64)
    classes = _by_song(held.probabilities[material.size :], owner, np.ones(len(owner)))
    shares = []
    for group in artifact.styles:
        found = _style_shares(group, taken)
        names = group.expert.genres
        tracks, _, out = styles.held_out(material.rows, material.trials, group.family, names, 1, reduced=True)
        mine = tracks >= material.size
        songs_of, inverse = np.unique(owner[tracks[mine] - material.size], return_inverse=True)
        if len(songs_of):
            found[songs_of] = _by_song(out[mine], inverse, np.ones(len(inverse)))
        shares.append(found)
    answer = GenreAnswer(classes, tuple(shares))
    return {song.id: told(artifact, answer, number)[0] for number, song in enumerate(taken)}


def _style_shares(group: StyleGroup, songs: Sequence[Song]) -> NDArray[np.float64]:
    owner, seconds = _owners(songs)
    opinion = _opinion(group.expert, songs, owner)
    filled = np.where(np.isnan(opinion.probabilities), 1 / len(opinion.genres), opinion.probabilities)
    return _by_song(filled, owner, seconds)


def _owners(songs: Sequence[Song]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for every segment the place of its song, and its length."""
    owner = np.repeat(np.arange(len(songs)), [len(song.seconds) for song in songs])
    return owner, np.concatenate([song.seconds for song in songs])


def _by_song(
    by_segment: NDArray[np.float64], owner: NDArray[np.int64], seconds: NDArray[np.float64]
) -> NDArray[np.float64]:
    totals = np.stack([np.bincount(owner, weights=column * seconds) for column in by_segment.T], axis=1)
    means: NDArray[np.float64] = totals / np.bincount(owner, weights=seconds)[:, None]
    return means


def _opinion(expert: Expert, songs: Sequence[Song], owner: NDArray[np.int64]) -> Opinion:
    able = np.array([song.has(expert.family) for song in songs])
    probabilities = np.full((len(owner), len(expert.genres)), np.nan)
    if able.any():
        features = np.concatenate(
            [columns_of(expert.family, song.families) for song in songs if song.has(expert.family)]
        )
        probabilities[able[owner]] = expert.opinion(features.astype(np.float32)).probabilities
    return Opinion(expert.genres, probabilities)
