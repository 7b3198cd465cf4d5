"""The card of a retrained release: what it learnt from, how it compares with the one before it, what the gate said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from classifier.training import retraining, sureness
from classifier.training.classes import class_of
from classifier.training.model_card import bound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from classifier.inference.model import Artifact
    from classifier.training.feedback_reader import Song
    from classifier.training.gate import Difference, Verdict


def markdown(
    name: str,
    before: str,
    artifact: Artifact,
    made: str,
    base: Mapping[str, int],
    feedback: Mapping[str, int],
    verdict: Verdict,
    evaluation: Mapping[str, Any],
) -> str:
    """Write the card.

    Parameters
    ----------
    before
        Name of the release that served.
    made
        When.
    base, feedback
        Genre → tracks of the base, songs of feedback that it learnt from.
    evaluation
        Further figures, as they stand in the release.
    """
    outcome = "let it pass" if verdict.passed else "refused it"
    lines = [
        f"# Model card: {name}",
        "",
        f"Made on {made} by `python -m classifier retrain` from the base material of {before} and from corrections.",
        f"The gate {outcome}:",
        "",
        *(f"- {reason}" for reason in verdict.reasons),
        "",
        "## What it was trained on",
        "",
        "| genre | tracks of the base | songs of feedback |",
        "|---|---|---|",
        *(f"| {genre} | {base.get(genre, 0)} | {feedback.get(genre, 0)} |" for genre in artifact.genres),
        "",
        "The base are numbers in the release, computed from recordings; feedback is not kept in it.",
        "",
        *_compared(before, artifact, verdict, evaluation["not_sure"]),
        "",
    ]
    return "\n".join(lines)


def _compared(before: str, artifact: Artifact, verdict: Verdict, strangers: Mapping[str, int]) -> list[str]:
    lines = [
        f"## Compared with {before}",
        "",
        "Both answered the same songs, which they had not learnt from: the base's in trials with artists and",
        "neighbouring clips kept apart, songs of feedback whole. The interval is by bootstrap over artists, songs; it",
        "holds nine tenths of the draws; that of a single genre of the base is wider: many are looked at.",
        "",
        "| songs | how many | before | after | difference | interval |",
        "|---|---|---|---|---|---|",
        *(_row(found) for found in (verdict.base, verdict.first, verdict.feedback, *verdict.by_genre)),
        "",
        "From what probability on an answer is told as sure, for each genre:",
        *(f"{genre} {bound(artifact.least_sure(genre))}," for genre in artifact.ensemble.genres[:-1]),
        f"{artifact.ensemble.genres[-1]} {bound(artifact.least_sure(artifact.ensemble.genres[-1]))}.",
    ]
    if strangers["songs"]:
        lines += [
            f"Of {strangers['songs']} songs held out whose label is no genre of this release, {strangers['before']}",
            f"were told as sure before and {strangers['after']} are now.",
        ]
    return lines


def _row(found: Difference) -> str:
    if not found.songs:
        return f"| {found.what} | 0 | – | – | – | – |"
    change, low, high = (100 * value for value in (found.after - found.before, found.low, found.high))
    return (
        f"| {found.what} | {found.songs} | {found.before:.3f} | {found.after:.3f} "
        f"| {change:+.1f} points | {low:+.1f} to {high:+.1f} |"
    )


def not_sure(before: Artifact, after: Artifact, songs: Sequence[Song]) -> Mapping[str, int]:
    """Count songs held out of labels that the newer release does not know, and how many each tells as sure."""
    strange = [song for song in songs if class_of(song.label) not in after.ensemble.genres]
    sure = [int(_are_sure(artifact, strange).sum()) for artifact in (before, after)]
    return {"songs": len(strange), "before": sure[0], "after": sure[1]}


def _are_sure(artifact: Artifact, songs: Sequence[Song]) -> NDArray[np.bool_]:
    genres = artifact.ensemble.genres
    least = {genre: artifact.least_sure(genre) for genre in genres}
    return sureness.are_sure(genres, retraining.ask(artifact, songs), least)
