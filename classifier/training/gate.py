"""The gate: whether a candidate may take the place of the release that serves, and the figures that say why.

Both answered the same songs, which neither had learnt from, so they are compared song by song. How sure a difference is
comes from the bootstrap: songs are drawn again, with all of one artist or recording together, and the difference is
taken anew each time. One song that got better and one that got worse are added to what is drawn from, as A. Agresti and
Y. Min (Statistics in Medicine, 2005) do for intervals of paired shares: without them four songs lost, and none won, of
hundreds would pass for proof. An interval holds nine tenths of the draws, so that a change for the worse, or for the
better, is taken for real by mistake in about one case of twenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DRAWS: Final = 2000
CONFIDENCE: Final = 0.9
LEAST_NEW: Final = 3
"""Songs of a new genre that must be held out before anything is believed of it."""
NEW_SHARE: Final = 0.5
"""Of a new genre's songs held out, this share must be known before the release counts as able ..."""
FEW_SONGS: Final = 20
FEW_SONGS_ALLOWANCE: Final = 1 / 6
"""... less this at so few songs, from which less can be learnt; the allowance shrinks as the error of a share does."""


@dataclass(frozen=True)
class Difference:
    """Shares of right answers before and after, over the same songs.

    Attributes
    ----------
    what
        Which songs.
    songs
        How many.
    before, after
        Share of right answers of the release that serves and of the candidate.
    low, high
        Interval of ``after - before``.
    """

    what: str
    songs: int
    before: float
    after: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Whether it is worse beyond chance."""
        return self.high < 0

    @property
    def better(self) -> bool:
        """Whether it is better beyond chance."""
        return self.low > 0

    def __str__(self) -> str:
        if not self.songs:
            return f"{self.what}: no songs"
        gain = f"{100 * (self.after - self.before):+.1f} points, {100 * self.low:+.1f} to {100 * self.high:+.1f}"
        return f"{self.what}: {self.before:.3f} → {self.after:.3f} over {self.songs} songs ({gain})"

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data; shares and limits are None where there are no songs."""
        names = ("before", "after", "low", "high")
        numbers = {name: round(getattr(self, name), 4) if self.songs else None for name in names}
        return {"what": self.what, "songs": self.songs, **numbers}


@dataclass(frozen=True, eq=False)
class Answers:
    """What two releases answered of n songs that neither learnt from.

    Attributes
    ----------
    truth, before, after
        Genres, shape (n,).
    groups
        Songs that are drawn together, shape (n,).
    weights
        How much the truth is to be believed, shape (n,).
    """

    truth: NDArray[np.str_]
    before: NDArray[np.str_]
    after: NDArray[np.str_]
    groups: NDArray[Any]
    weights: NDArray[np.float64]

    def only(self, chosen: NDArray[np.bool_]) -> Answers:
        """Return those of some songs."""
        names = ("truth", "before", "after", "groups", "weights")
        return Answers(*(getattr(self, name)[chosen] for name in names))


def difference(what: str, answers: Answers, *, confidence: float = CONFIDENCE, seed: int = 0) -> Difference:
    """Compare; the interval is by bootstrap over groups."""
    count = len(answers.truth)
    if not count or answers.weights.sum() <= 0:
        return Difference(what, 0, float("nan"), float("nan"), float("-inf"), float("inf"))
    before, after = answers.before == answers.truth, answers.after == answers.truth
    _, group = np.unique(answers.groups, return_inverse=True)
    usual = answers.weights.mean()
    gains = np.append(np.bincount(group, weights=answers.weights * (after.astype(float) - before)), [usual, -usual])
    masses = np.append(np.bincount(group, weights=answers.weights), [usual, usual])
    size = len(masses)
    drawn = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=DRAWS)
    totals = drawn @ masses
    spread = (drawn @ gains)[totals > 0] / totals[totals > 0]
    low, high = np.quantile(spread, [(1 - confidence) / 2, (1 + confidence) / 2])
    first, then = (float(np.average(right, weights=answers.weights)) for right in (before, after))
    return Difference(what, count, first, then, float(low), float(high))


@dataclass(frozen=True)
class Verdict:
    """What the gate found.

    Attributes
    ----------
    passed
        Whether the candidate may serve.
    reasons
        Sentences for a person, the deciding ones first.
    base, first, feedback
        All songs of the base against the release that serves, and against what the base alone can do; all songs of
        feedback held out. ``first`` keeps a chain of releases from getting worse little by little.
    by_genre
        Songs of one genre each, of the base and of the feedback.
    """

    passed: bool
    reasons: tuple[str, ...]
    base: Difference
    first: Difference
    feedback: Difference
    by_genre: tuple[Difference, ...]


def judge(
    base: Answers,
    first: Answers,
    feedback: Answers,
    new: Sequence[str],
    *,
    taught: Answers | None = None,
    withdrawn: int = 0,
) -> Verdict:
    """Decide.

    Parameters
    ----------
    base
        Songs of the base, answered in its trials.
    first
        The same, with what machines without any feedback answered as ``before``.
    feedback
        Songs of feedback held out.
    new
        Genres that the candidate knows and the release that serves does not.
    taught
        Songs of feedback of genres that feedback alone taught, where only the genre itself is right: what is known of
        these is told by such figures, and may not get lost unless songs were withdrawn.
    withdrawn
        Songs that the release that serves learnt from, and whose corrections were withdrawn since. A candidate without
        them need not be better.
    """
    # Many genres are looked at, so each must be further off before it counts: Bonferroni's correction.
    strict = 1 - (1 - CONFIDENCE) / max(1, len(np.unique(base.truth)))
    whole = difference("the base", base)
    since = difference("the base, against machines without feedback", first)
    on_base, on_feedback = _by_genre("base", base, confidence=strict), _by_genre("feedback", feedback)
    on_taught = _taught(taught)
    on_feedback |= on_taught
    on_known = feedback.only(~np.isin(feedback.truth, new))
    heard, known = difference("feedback", feedback), difference("feedback on known genres", on_known)
    on_new = [found for name, found in on_feedback.items() if name in new]
    able = [found for found in on_new if _is_able(found)]
    against = [f"Worse on {found}." for found in (whole, since, *on_base.values(), known) if found.worse]
    if not withdrawn:
        against += [f"Worse on {found}." for name, found in on_taught.items() if name not in new and found.worse]
    # The first answers of a new genre are always a gain: whether it is known well enough is asked above.
    begun = any(found.songs >= LEAST_NEW for found in on_new)
    counted, gained = (on_known, known) if begun else (feedback, heard)
    together = difference("base and feedback", _joined(base, counted))
    # Few songs of feedback prove little by themselves; they need not where all songs together do.
    better = gained.better or known.better or (together.better and gained.after > gained.before)
    if not against and not better and not able and not withdrawn:
        against = [f"No better beyond chance on {heard}."]
        against += [f"New, but not yet known well enough: {found}." for found in on_new]
    grounds = [f"Not worse beyond chance on {whole}."]
    grounds += [f"Better on {gained}."] if better else []
    grounds += [f"Together: {together}."] if better and not (gained.better or known.better) else []
    grounds += [f"Newly able: {found}." for found in able]
    grounds += [f"It forgets songs whose corrections were withdrawn: {withdrawn}."] if withdrawn else []
    return Verdict(
        passed=not against,
        reasons=tuple(against or grounds),
        base=whole,
        first=since,
        feedback=heard,
        by_genre=(*on_base.values(), *on_feedback.values()),
    )


def _by_genre(what: str, answers: Answers, *, confidence: float = CONFIDENCE) -> dict[str, Difference]:
    """Compare the songs of each genre."""
    return {
        genre: difference(f"{genre}, {what}", answers.only(answers.truth == genre), confidence=confidence)
        for genre in map(str, np.unique(answers.truth))
    }


def _taught(answers: Answers | None) -> dict[str, Difference]:
    """Compare the songs of each genre that was taught."""
    if answers is None:
        return {}
    return _by_genre("feedback", answers, confidence=1 - (1 - CONFIDENCE) / max(1, len(np.unique(answers.truth))))


def _joined(first: Answers, second: Answers) -> Answers:
    names = ("truth", "before", "after", "weights")
    truth, before, after, weights = (np.concatenate([getattr(first, name), getattr(second, name)]) for name in names)
    groups = np.concatenate([np.char.add("1 ", first.groups.astype(str)), np.char.add("2 ", second.groups.astype(str))])
    return Answers(truth, before, after, groups, weights)


def able_from(songs: int) -> float:
    """Return the share of a new genre's songs, held out, from which on a release is able to answer it."""
    return NEW_SHARE - FEW_SONGS_ALLOWANCE * min(1.0, (FEW_SONGS / songs) ** 0.5)


def _is_able(found: Difference) -> bool:
    return found.songs >= LEAST_NEW and found.after >= able_from(found.songs) and found.after > found.before
