"""How the experts of a release become one answer.

Genres come in branches, such as the families of today's music and the five traditional Vietnamese styles: each was
learnt from material of its own. First the experts that know all branches say which branch a segment belongs to; then,
within the branch, the experts' probabilities are multiplied, each raised to a weight. Weights are fitted on songs held
out from the experts: a logistic regression over their log-probabilities with one coefficient per expert instead of one
per expert and genre, since hundreds of held-out songs cannot settle more (``classifier.training.blending``).

Within a family whose styles can be told apart, such as V-pop within pop, another expert says which style it is
(``StyleGroup``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import logsumexp, softmax

from classifier.features.families import columns_of, has_family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LEAST_PROBABILITY: Final = 1e-3
"""What an expert holds impossible is still given this much: no single voice is a veto."""
TAUGHT_PRIOR: Final = 2.0
"""How many times as likely as others, before anything is heard, genres are that corrections taught.

What people correct is what they send, and experts that know a genre from few songs say so too timidly. With 20 songs by
two artists, 0.52 of the zouk by others is recognised instead of 0.42; false alarms among other songs of today rise by
half a point (``benchmarks/learning_curve.py``).
"""


@dataclass(frozen=True)
class Expert:
    """One base model over one feature family.

    Attributes
    ----------
    name
        As it is shown beside its vote.
    family
        Feature family that it looks at (``classifier.features.families``).
    estimator
        Fitted, with ``classes_`` and ``predict_proba``.
    """

    name: str
    family: str
    estimator: Any

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres that it can vote for."""
        return tuple(str(genre) for genre in self.estimator.classes_)

    def opinion(self, features: NDArray[np.float32]) -> Opinion:
        """Judge segments by their features, shape (n, width of the family)."""
        return Opinion(self.genres, np.asarray(self.estimator.predict_proba(features), dtype=np.float64))

    def opinion_of(self, stored: Mapping[str, NDArray[np.float32]], count: int) -> Opinion:
        """Judge n segments by the feature families that are stored of them; without its family it has no preference.

        Parameters
        ----------
        stored
            Family → features, shape (n, width).
        count
            n.
        """
        if has_family(self.family, stored):
            return self.opinion(columns_of(self.family, stored))
        return Opinion(self.genres, np.full((count, len(self.genres)), 1 / len(self.genres)))


@dataclass(frozen=True)
class Opinion:
    """What one expert holds of n segments.

    Attributes
    ----------
    genres
        Of the columns.
    probabilities
        Shape (n, genres); rows sum to 1.
    """

    genres: tuple[str, ...]
    probabilities: NDArray[np.float64]

    @property
    def given(self) -> NDArray[np.bool_]:
        """Tell of which rows there is an opinion: a missing one is not a number; shape (n,)."""
        return np.isfinite(self.probabilities.sum(axis=1))

    def votes(self) -> list[str]:
        """Return the most probable genre of each segment."""
        return [self.genres[column] for column in self.probabilities.argmax(axis=1)]

    def among(self, genres: Sequence[str]) -> NDArray[np.float64]:
        """Return log-probabilities given that one of ``genres`` is right, shape (n, genres)."""
        columns = [self.genres.index(genre) for genre in genres]
        logs = np.log(self.probabilities[:, columns] + LEAST_PROBABILITY)
        return logs - logsumexp(logs, axis=1, keepdims=True)

    def mass(self, genres: Sequence[str]) -> NDArray[np.float64]:
        """Return the logarithm of the probability of all ``genres`` together, shape (n,)."""
        columns = [self.genres.index(genre) for genre in genres]
        return np.log(self.probabilities[:, columns].sum(axis=1) + LEAST_PROBABILITY)


@dataclass(frozen=True)
class Branch:
    """Genres that are told apart by the same experts.

    Attributes
    ----------
    genres
        In alphabetical order.
    weights
        Expert → exponent of its opinion.
    bias
        Added to the branch's score at the gate.
    taught
        Those of the genres that were learnt from corrections alone.
    """

    genres: tuple[str, ...]
    weights: Mapping[str, float]
    bias: float = 0.0
    taught: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ensemble:
    """The stacked answer.

    Attributes
    ----------
    branches
        Each genre belongs to one.
    gate
        Expert that knows every genre → weight of its opinion on the branch; empty where there is one branch only.
    """

    branches: tuple[Branch, ...]
    gate: Mapping[str, float]

    @property
    def genres(self) -> tuple[str, ...]:
        """All genres, in the order of ``probabilities``' columns."""
        return tuple(genre for branch in self.branches for genre in branch.genres)

    @property
    def experts(self) -> tuple[str, ...]:
        """Names of the experts that have a say."""
        return tuple(dict.fromkeys([*self.gate, *(name for branch in self.branches for name in branch.weights)]))

    def probabilities(self, opinions: Mapping[str, Opinion]) -> NDArray[np.float64]:
        """Pool the experts' opinions of n segments.

        Parameters
        ----------
        opinions
            Of at least every expert that has a weight.

        Returns
        -------
        Shape (n, genres); rows sum to 1.
        """
        shares = softmax(self.branch_scores(opinions), axis=1)
        return np.concatenate(
            [shares[:, [place]] * within(branch, opinions) for place, branch in enumerate(self.branches)], axis=1
        )

    def branch_scores(self, opinions: Mapping[str, Opinion]) -> NDArray[np.float64]:
        """Return the unnormalised log-probability of each branch, shape (n, branches)."""
        rows = len(next(iter(opinions.values())).probabilities)
        scores = np.zeros((rows, len(self.branches)))
        for place, branch in enumerate(self.branches):
            scores[:, place] = branch.bias
            for expert, weight in self.gate.items():
                scores[:, place] += weight * opinions[expert].mass(branch.genres)
        return scores


@dataclass(frozen=True)
class StyleGroup:
    """The styles of one family that can be told apart.

    Attributes
    ----------
    family
        The family. As one of the expert's genres it stands for all music of the family that is of none of the styles.
    expert
        Knows the family and its styles.
    least
        A style is told from this probability on, given the family.
    """

    family: str
    expert: Expert
    least: float

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles, without the family."""
        return tuple(genre for genre in self.expert.genres if genre != self.family)


def within(branch: Branch, opinions: Mapping[str, Opinion]) -> NDArray[np.float64]:
    """Return the probability of each of a branch's genres given the branch, shape (n, genres of the branch)."""
    prior = np.log([TAUGHT_PRIOR if genre in branch.taught else 1.0 for genre in branch.genres])
    scores = prior + sum(weight * opinions[expert].among(branch.genres) for expert, weight in branch.weights.items())
    shares: NDArray[np.float64] = softmax(scores, axis=1)
    return shares
