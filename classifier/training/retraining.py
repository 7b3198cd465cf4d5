"""Trains the next release on the base material and on feedback together, and asks releases about songs of feedback.

What differs from a first training, and why:

- Scaling and reduction stay those of the base, so that the base can travel in them and all candidates can be compared.
- The three machines on the 57 features are carried over as they are: they have no weight in any answer.
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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from classifier.features.families import MEL_FAMILIES, TEXTURE, TEXTURE40
from classifier.inference.ensemble import Expert, Opinion
from classifier.inference.estimators import FirstColumns, MarginSVC, WeightedLDA
from classifier.inference.model import Artifact
from classifier.training import blending, experts
from classifier.training.base_dataset import of as base_of
from classifier.training.base_dataset import pack, unpack, with_answers
from classifier.training.base_dataset import spaces as spaces_of
from classifier.training.out_of_fold import joined
from classifier.training.release_writer import SURE_SHARE
from classifier.training.training_set import Settings, assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.inference.ensemble import Ensemble
    from classifier.training.base_dataset import Base, Space
    from classifier.training.feature_matrix import Rows
    from classifier.training.feedback_reader import Song
    from classifier.training.splits import Trial
    from classifier.training.training_set import Material

    Held = Mapping[str, Opinion]

LARGEST_FACTOR: Final = 5.0
"""How much more than others the rows of a genre may count because it has few."""


@dataclass(frozen=True)
class Machine:
    """How an expert is made anew; it looks at the first ``columns`` of the reduced features."""

    name: str
    family: str
    columns: int
    make: Callable[[], Any]


MACHINES: Final = (
    Machine("texture", TEXTURE, experts.MARGIN_COMPONENTS, lambda: MarginSVC(C=10, gamma=experts.GAMMA)),
    Machine("texture_linear", TEXTURE, experts.LINEAR_COMPONENTS, lambda: WeightedLDA(shrinkage=0.3)),
    Machine("texture40", TEXTURE40, experts.MARGIN_COMPONENTS, lambda: MarginSVC(C=10, gamma=experts.GAMMA)),
    Machine("texture40_linear", TEXTURE40, experts.MARGIN_COMPONENTS, lambda: LogisticRegression(C=20, max_iter=300)),
)
"""As in ``experts.POOLED``, but that rows have weights."""


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
    """Fit every machine in every trial, ask it about what the trial holds out, and pool what they say.

    The pool of a trial is fitted on the other trials.
    """
    tasks = [(trial, machine) for trial in material.trials for machine in MACHINES]
    judged = _each(jobs, (delayed(_judge)(material, machine, trial.train, trial.test) for trial, machine in tasks))
    clean: list[dict[str, Opinion]] = [{} for _ in material.trials]
    changed: list[dict[str, Opinion]] = [{} for _ in material.trials]
    for place, ((_, machine), (first, second)) in enumerate(zip(tasks, judged, strict=True)):
        clean[place // len(MACHINES)][machine.name] = first
        changed[place // len(MACHINES)][machine.name] = second
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


def _each(jobs: int, tasks: Iterable[Any]) -> list[Any]:
    """Work in threads, which share the matrix; each computes on one core, or they would wait for each other."""
    with threadpool_limits(1, user_api="blas"):
        results: list[Any] = Parallel(n_jobs=jobs, prefer="threads")(tasks)
    return results


def reference(rows: Rows, trials: Sequence[Trial], artifact: Artifact, *, jobs: int) -> Base:
    """Make the base material of a training matrix, with what machines without any feedback answer of it.

    They learn from what was packed and unpacked, as those of every candidate will.
    """
    base = unpack(pack(base_of(rows, trials, artifact)))
    material = assemble(base, (), spaces_of(artifact), Settings())
    return with_answers(base, held_out(material, jobs=jobs).answers)


def _judge(
    material: Material, machine: Machine, train: NDArray[np.int64], test: NDArray[np.int64]
) -> tuple[Opinion, Opinion]:
    """Return what a machine holds of items as they are and, where there is one, of their first changed copy."""
    rows = material.rows
    fitted = _fitted(material, machine, train)
    starts = rows.starts[machine.family]
    counts = np.diff(starts)[test]
    genres = tuple(str(genre) for genre in fitted.classes_)

    def opinion(copy: int) -> Opinion:
        # What feedback borrowed is no copy that could be judged by.
        able = (counts > copy) & ((test < material.size) | (copy == 0))
        probabilities = np.full((len(test), len(genres)), np.nan)
        if able.any():
            features = rows.families[machine.family][starts[test[able]] + copy]
            probabilities[able] = fitted.predict_proba(features[:, : machine.columns])
        return Opinion(genres, probabilities)

    return opinion(0), opinion(1)


def _fitted(material: Material, machine: Machine, items: NDArray[np.int64]) -> Any:
    """Fit a machine on those of the items that have its family; genres count the same."""
    items = items[material.rows.having(machine.family)[items]]
    features, genres = material.rows.matrix(machine.family, items)
    counts = np.diff(material.rows.starts[machine.family])[items]
    weights = np.repeat(material.weights[items], counts)
    names, place = np.unique(genres, return_inverse=True)
    masses = np.bincount(place, weights=weights)
    factor = np.minimum(masses.sum() / len(names) / masses, LARGEST_FACTOR)
    return machine.make().fit(features[:, : machine.columns], genres, sample_weight=weights * factor[place])


def _pool(material: Material, clean: Sequence[Held], changed: Sequence[Held], places: Sequence[int]) -> Ensemble:
    parts: list[Held] = []
    truth = []
    for place in places:
        test = material.trials[place].test
        for held, there in ((clean[place], True), (changed[place], test < material.size)):
            able = material.judged[test] & there
            parts.append({name: Opinion(one.genres, one.probabilities[able]) for name, one in held.items()})
            truth.append(material.rows.genres[test[able]])
    return blending.fit(material.branches, joined(parts), np.concatenate(truth))


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
    spaces: Mapping[str, Space],
    strangers: Sequence[Song],
    *,
    jobs: int,
) -> Artifact:
    """Fit every machine on everything, and choose from what confidence on an answer is told as sure.

    Parameters
    ----------
    held
        Of the same material.
    serving
        Whose machines on the 57 features are carried over.
    strangers
        Songs of labels that are no class.
    """
    every = np.arange(len(material.weights))
    fitted = _each(jobs, (delayed(_fitted)(material, machine, every) for machine in MACHINES))
    made = [
        Expert(
            machine.name,
            machine.family,
            Pipeline(
                [
                    ("scale", spaces[machine.family].scale),
                    ("reduce", spaces[machine.family].reduce),
                    ("first", FirstColumns(machine.columns)),
                    ("expert", estimator),
                ]
            ),
        )
        for machine, estimator in zip(MACHINES, fitted, strict=True)
    ]
    carried = [expert for expert in serving.experts if expert.family not in MEL_FAMILIES]
    artifact = Artifact((*carried, *made), held.pool, 1.0)
    return Artifact(artifact.experts, artifact.ensemble, _sure_from(material, held, ask(artifact, strangers)))


def _sure_from(material: Material, held: HeldOut, strangers: NDArray[np.float64]) -> float:
    """Choose by the first branch, which is the harder one, and by songs of which no answer is right."""
    asked = held.answers != ""
    counted = asked & np.isin(material.rows.genres, material.branches[0])
    _, song = np.unique(material.rows.groups[counted], return_inverse=True)
    feedback = np.arange(len(asked))[counted] >= material.size
    # Tracks of one artist are answered one by one, segments of one song together.
    group = np.where(feedback, song, song.max(initial=0) + 1 + np.arange(len(song)))
    _, first, place = np.unique(group, return_index=True, return_inverse=True)
    means = (
        np.stack([np.bincount(place, weights=column) for column in held.probabilities[counted].T], axis=1)
        / np.bincount(place)[:, None]
    )
    right = np.array(held.genres)[means.argmax(axis=1)] == material.rows.genres[counted][first]
    confidence = np.concatenate([means.max(axis=1), strangers.max(axis=1, initial=0)])
    return blending.sure_from(
        confidence, np.concatenate([right, np.zeros(len(strangers), dtype=bool)]), wanted=SURE_SHARE
    )


def ask(artifact: Artifact, songs: Sequence[Song]) -> NDArray[np.float64]:
    """Ask a release about songs of feedback, as people would be answered; shape (songs, genres).

    Where a song lacks a family, what looks at it has no say.
    """
    genres = artifact.ensemble.genres
    if not songs:
        return np.empty((0, len(genres)))
    owner = np.repeat(np.arange(len(songs)), [len(song.seconds) for song in songs])
    held = {expert.name: _opinion(expert, songs, owner) for expert in artifact.experts if expert.family in MEL_FAMILIES}
    by_segment = pooled(artifact.ensemble, held)
    seconds = np.concatenate([song.seconds for song in songs])
    totals = np.stack([np.bincount(owner, weights=column * seconds) for column in by_segment.T], axis=1)
    return totals / np.bincount(owner, weights=seconds)[:, None]


def _opinion(expert: Expert, songs: Sequence[Song], owner: NDArray[np.int64]) -> Opinion:
    able = np.array([expert.family in song.families for song in songs])
    probabilities = np.full((len(owner), len(expert.genres)), np.nan)
    if able.any():
        features = np.concatenate([song.families[expert.family] for song in songs if expert.family in song.families])
        probabilities[able[owner]] = expert.opinion(features.astype(np.float32)).probabilities
    return Opinion(expert.genres, probabilities)
