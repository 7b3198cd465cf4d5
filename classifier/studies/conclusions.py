"""Conclusions of a study in sentences: how close to the published scores, how large the gap, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.studies.protocols import ARTISTS, ROWS, SONGS
from classifier.studies.runner import printed_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.studies.baseline_comparison import ReleasedModelScore
    from classifier.studies.runner import Results, Section
    from classifier.studies.scores import ModelScores

NEAR_POINTS: Final = 3.0
"""A re-run within this many percentage points counts as a reproduction of the published score."""


def percent(share: float) -> str:
    """Format a share as a percentage with a non-breaking space: 91.6 %."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def points(one: ModelScores) -> float | None:
    """Return the difference between the re-run and the published score, in percentage points."""
    return None if one.printed is None else 100 * (one.accuracy - one.printed)


def is_near(one: ModelScores) -> bool:
    """Return whether a re-run reproduces its published score, considering that this is rounded."""
    away = points(one)
    return away is not None and round(abs(away), 1) <= NEAR_POINTS


def shared(section: Section) -> float | None:
    """Return the share of the random test rows that have a row of the same group in the training set."""
    groups = section.table.groups
    if groups is None or not section.protocols:
        return None
    trial = section.protocols[0].trials[0]
    return float(np.isin(groups[trial.test], groups[trial.train]).mean())


def against_print(results: Results) -> list[str]:
    """Return sentences on which published scores were reproduced."""
    known = [one for one in results.main.of(ROWS) if one.printed is not None]
    if not known:
        return []
    near = [one for one in known if is_near(one)]
    sentences = [f"{len(near)} of {len(known)} published scores are reproduced within {NEAR_POINTS:g} points."]
    if order := printed_order(results):
        sentences.append(f"Of {order[1]} pairs of models, {order[0]} have the published order in the re-run.")
    for sign, called in ((1, "higher"), (-1, "lower")):
        far = [one for one in known if not is_near(one) and sign * (points(one) or 0) > 0]
        if far:
            named = ", ".join(f"{one.model} (by {abs(points(one) or 0):.1f} points)" for one in far)
            sentences.append(f"{called.capitalize()} than published: {named}.")
    return sentences


def generalization_gap(results: Results) -> list[str]:
    """Return sentences on how the study's best model scores when songs and artists are new to it."""
    rows = results.main.of(ROWS)
    best = max(rows, key=lambda one: one.accuracy)
    titles = {protocol.name: protocol.title for protocol in results.main.protocols}
    sentences = [f"Best under the study's own protocol: {best.model}, {percent(best.accuracy)} of rows right."]
    for protocol in (SONGS, ARTISTS):
        same = results.main.figure(best.model, protocol)
        if same is None:
            continue
        leader = max(results.main.of(protocol), key=lambda one: one.accuracy)
        voted = f" ({percent(same.song_accuracy)} of songs, by vote)" if same.song_accuracy is not None else ""
        text = f"With {titles[protocol]} the same model has {percent(same.accuracy)} of rows{voted}"
        if leader.model != best.model:
            text += f"; best there is {leader.model} with {percent(leader.accuracy)}"
        sentences.append(f"{text}.")
    return sentences


def about_released_model(results: Results, released_scores: Mapping[str, ReleasedModelScore]) -> list[str]:
    """Return sentences that compare the released model with the study's best model, by song."""
    sentences = []
    titles = {protocol.name: protocol.title for protocol in results.main.protocols}
    for protocol, one in released_scores.items():
        measured = results.main.of(protocol)
        if not measured:
            continue
        best = max(measured, key=lambda other: other.best[0])
        figure, share, error = one.figure, *best.best
        sentences.append(
            f"With {titles[protocol]} this bot has {percent(figure.share)} of {figure.of:,} songs right "
            f"(± {100 * figure.standard_error:.1f}), the best model of the study, {best.model}, {percent(share)} "
            f"(± {100 * error:.1f})."
        )
    return sentences


UNKNOWN_SONGS: Final = """\
This table does not say which rows belong to the same song. If a song has several rows, some of them may be in the \
training set and others in the test set, so that a model can recognise the recording instead of the genre. The scores \
are then too high for new songs. Name the column that identifies songs with --group to see by how much."""
SHARED_GROUPS: Final = """\
Think of an album: one band, one studio, one engineer, ten tracks. If tracks are drawn at random, most albums have \
some in the training set and some in the test set; here {share} of the test rows have a row of the same {called} in \
the training set. A model that has learnt how that record sounds can name its genre without knowing the genre. Keeping \
such rows together prevents this."""
LISTENING_TEST: Final = """\
Imagine a listening test. You practise on a thousand records, but hear only the first and the last ten seconds of \
each. In the test you are played the ten seconds in between. You need not know what makes a blues a blues: you \
remember the singer, the guitar, the hiss of the tape, and recall what was written on the sleeve."""
SAME_RECORDING: Final = """\
This is what happens when excerpts of songs are drawn at random. In this study {share} of the test excerpts have \
another excerpt of the same recording in the training set, so the score shows how well a model recognises \
recordings. The scores with songs kept apart show how well it does on a new song. Since an artist's other songs \
share the voice, the band and the studio, scores with artists kept apart, where available, are the most realistic."""


def leak(results: Results) -> Sequence[str]:
    """Explain, in a musician's terms, why the study's own protocol is too optimistic."""
    section, group = results.main, results.study.data.group
    if group is None:
        return (UNKNOWN_SONGS,)
    share = shared(section) or 0.0
    if not share:
        return (f"No test row shares its {group.called} with a training row, so nothing can leak.",)
    if not group.votes:
        return (SHARED_GROUPS.format(share=percent(share), called=group.called),)
    return (LISTENING_TEST, SAME_RECORDING.format(share=percent(share)))
