"""What a study's figures say, in sentences: how near to print, how deep the fall, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.studies.protocols import ARTISTS, ROWS, SONGS
from classifier.studies.runner import printed_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.studies.baseline_comparison import Ours
    from classifier.studies.runner import Results, Section
    from classifier.studies.scores import Measured

NEAR_POINTS: Final = 3.0
"""A re-run this near to print has the level of the printed figure."""


def percent(share: float) -> str:
    """Return a share for people, with a space that does not break: 91.6 %."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def points(one: Measured) -> float | None:
    """Return how far a re-run is from print, in percentage points."""
    return None if one.printed is None else 100 * (one.accuracy - one.printed)


def is_near(one: Measured) -> bool:
    """Tell whether a re-run has the level of its printed figure, as that is rounded in print."""
    away = points(one)
    return away is not None and round(abs(away), 1) <= NEAR_POINTS


def shared(section: Section) -> float | None:
    """Return the share of test rows, drawn at random, that have a row of the same group among those that train."""
    groups = section.table.groups
    if groups is None or not section.protocols:
        return None
    trial = section.protocols[0].trials[0]
    return float(np.isin(groups[trial.test], groups[trial.train]).mean())


def against_print(results: Results) -> list[str]:
    """Say which printed figures come out again, and which do not."""
    known = [one for one in results.main.of(ROWS) if one.printed is not None]
    if not known:
        return []
    near = [one for one in known if is_near(one)]
    said = [f"{len(near)} of {len(known)} printed figures come out again within {NEAR_POINTS:g} points."]
    if order := printed_order(results):
        said.append(f"Of {order[1]} pairs of models that print tells apart, {order[0]} stand in the printed order.")
    for sign, called in ((1, "higher"), (-1, "lower")):
        far = [one for one in known if not is_near(one) and sign * (points(one) or 0) > 0]
        if far:
            named = ", ".join(f"{one.model} (by {abs(points(one) or 0):.1f} points)" for one in far)
            said.append(f"Re-run {called} than printed: {named}.")
    return said


def fall(results: Results) -> list[str]:
    """Say how far the study's best model falls when songs, then artists, are new to it."""
    rows = results.main.of(ROWS)
    best = max(rows, key=lambda one: one.accuracy)
    titles = {protocol.name: protocol.title for protocol in results.main.protocols}
    said = [f"Best under the study's own protocol: {best.model}, {percent(best.accuracy)} of rows right."]
    for protocol in (SONGS, ARTISTS):
        same = results.main.figure(best.model, protocol)
        if same is None:
            continue
        leader = max(results.main.of(protocol), key=lambda one: one.accuracy)
        voted = f" ({percent(same.song_accuracy)} of songs, by vote)" if same.song_accuracy is not None else ""
        text = f"With {titles[protocol]} the same model has {percent(same.accuracy)} of rows{voted}"
        if leader.model != best.model:
            text += f"; best there is {leader.model} with {percent(leader.accuracy)}"
        said.append(f"{text}.")
    return said


def about_ours(results: Results, ours: Mapping[str, Ours]) -> list[str]:
    """Say how the released model fares beside the best of the study, song by song."""
    said = []
    titles = {protocol.name: protocol.title for protocol in results.main.protocols}
    for protocol, one in ours.items():
        measured = results.main.of(protocol)
        if not measured:
            continue
        best = max(measured, key=lambda other: other.best[0])
        figure, share, error = one.figure, *best.best
        said.append(
            f"With {titles[protocol]} this bot has {percent(figure.share)} of {figure.of:,} songs right "
            f"(± {100 * figure.standard_error:.1f}), the best model of the study, {best.model}, {percent(share)} "
            f"(± {100 * error:.1f})."
        )
    return said


UNKNOWN_SONGS: Final = """\
This table does not say which rows are of one song. If several are, some of a song's rows train and others test, and \
a model may recognise the recording rather than the genre: the figures are then too high for any song that it has \
not met. Name the column that tells songs apart with --group, and the study shows by how much."""
NEIGHBOURS: Final = """\
Think of an album: one band, one studio, one engineer, ten tracks. Draw tracks at random, and of most albums some \
train and some test; here {share} of the test rows have a neighbour of the same {called} among those that train. \
A model that has learnt how that record sounds can name its genre without knowing what the genre is. Keeping such \
neighbours on one side takes that help away."""
EAR_TEST: Final = """\
Imagine an ear test. You practise on a thousand records, but of each you hear only the first and the last ten \
seconds. In the test you are played the ten seconds between. You need not know what makes a blues a blues: you \
remember this singer, this guitar, the hiss of this tape, and say what was written on the sleeve."""
SAME_RECORDING: Final = """\
That is what drawing pieces of songs at random does. In this study {share} of the pieces in the test have \
another piece of the very same recording among those that train. The score then says how well a model recognises \
recordings. How well it will do on your song, which it has never heard, is what the figures with songs apart say; \
and since an artist's other songs share voice, band and studio too, figures with artists apart, where there are any, \
say it best."""


def leak(results: Results) -> Sequence[str]:
    """Explain, to a musician, what the study's own protocol lets its models do."""
    section, group = results.main, results.study.data.group
    if group is None:
        return (UNKNOWN_SONGS,)
    share = shared(section) or 0.0
    if not share:
        return (f"No row of the test has one of the same {group.called} among those that train: nothing can leak.",)
    if not group.votes:
        return (NEIGHBOURS.format(share=percent(share), called=group.called),)
    return (EAR_TEST, SAME_RECORDING.format(share=percent(share)))
