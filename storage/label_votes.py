"""Turns many people's votes on songs into one verdict per song: which label counts, and with what weight.

Pure functions on data in memory; ``label_aggregation`` loads the votes. The rules are the same for everybody. Each one
protects against one way to skew a genre: a single account, a flood within an hour, careless or hostile people.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from math import fsum
from typing import TYPE_CHECKING

from storage.vote_weights import counting_times, vote_weights, without_doubles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from storage.vote_weights import Vote

AGREEMENT_PEOPLE = 2
"""How many people must agree on a song before it is used for training; operators can change it."""
MAJORITY = 2 / 3
"""One label must have more than this share of the weight; otherwise the song is disputed and a moderator decides."""
GENRE_SONGS_PER_HOUR = 40
"""If more songs than this get one genre within an hour, their total weight is capped at this number."""


class Purpose(StrEnum):
    """What a song may be used for: training, or evaluation only."""

    TRAIN = "train"
    EVALUATE = "evaluate"


class VerdictStatus(StrEnum):
    """Whether a song's label counts, and if not, why."""

    COUNTS = "counts"
    LATER = "later"
    WAITS = "waits"
    UNCONFIRMED = "unconfirmed"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """The result of all votes on one song.

    Attributes
    ----------
    song, label
        The label with the most weight.
    status
        Whether it counts.
    weight
        Training weight of the song, 0 to 1; 1 if a moderator decided.
    purpose, source
        What it may be used for, and the platforms of its votes, joined by ``+``.
    people
        How many people voted for the label, of those who count.
    reviewed
        Whether a moderator decided, or the operator knew the answer.
    model, predicted
        The release that answered these people last, and the genre it predicted.
    updated
        When the newest of these votes was made or moderated.
    label_people
        How many different people voted for this label on any song that counts for the same purpose; 1 shows a
        genre that rests on one person alone.
    counts_from
        When it will count; only for ``LATER``.
    giver
        Keyed hash of the person who voted for the label first.
    """

    song: str
    label: str
    status: VerdictStatus
    weight: float
    purpose: Purpose
    source: str
    people: int
    reviewed: bool
    model: str
    predicted: str
    updated: datetime
    label_people: int = 0
    counts_from: datetime | None = None
    giver: str = ""


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A vote with its weight, and from when on it counts."""

    vote: Vote
    weight: float
    counts_from: datetime


def aggregate_votes(
    votes: Sequence[Vote],
    known: Mapping[str, str],
    *,
    agreement: int = AGREEMENT_PEOPLE,
    paced: bool = True,
    strangers: bool = False,
    now: datetime | None = None,
) -> dict[str, LabelVerdict]:
    """Return the verdict on each song.

    Parameters
    ----------
    votes
        At most one per person and song.
    known
        Content hash → label, for songs whose genre the operator knows.
    agreement
        How many people must agree.
    paced
        Whether the caps per hour and day hold, and volume and new accounts weigh less; not for a bot of one's own.
    strangers
        Whether anybody may use the bot: then visitors of the page who never disagree count as one person.
    now
        The time at which to tell; by default long after the last vote.
    """
    moment = now or datetime.max.replace(tzinfo=UTC)
    votes = without_doubles(votes) if strangers else votes
    weights = vote_weights(votes, known, now=moment) if paced else [1.0] * len(votes)
    times = counting_times(votes, now=moment) if paced else [vote.updated for vote in votes]
    by_song: dict[str, list[_Weighed]] = defaultdict(list)
    for weighed in map(_Weighed, votes, weights, times):
        by_song[weighed.vote.song].append(weighed)
    found = {song: _timed(given, known.get(song), agreement, moment) for song, given in by_song.items()}
    return _with_people(_smoothed(found) if paced else found, by_song)


def _timed(weighed: list[_Weighed], known: str | None, agreement: int, now: datetime) -> LabelVerdict:
    """Return the verdict of today; where votes that count later would settle it, one that says when."""
    order = sorted(weighed, key=lambda each: each.counts_from)
    today = [each if each.counts_from <= now else replace(each, weight=0.0) for each in order]
    found = _verdict(today, known, agreement)
    if found.status is VerdictStatus.COUNTS:
        return found
    for place, each in enumerate(order):
        if each.counts_from > now:
            then = _verdict([*order[: place + 1], *today[place + 1 :]], known, agreement)
            if then.status is VerdictStatus.COUNTS:
                return replace(then, status=VerdictStatus.LATER, weight=0.0, counts_from=each.counts_from)
    return found


def _verdict(weighed: list[_Weighed], known: str | None, agreement: int) -> LabelVerdict:
    """Return the verdict on a song: from the votes that may train, or from all of them if only together they count."""

    def found(pool: list[_Weighed], purpose: Purpose) -> LabelVerdict:
        return _decided(pool, known, purpose) or _counted(pool, purpose, agreement)

    training = [each for each in weighed if each.vote.may_train]
    if not training:
        return found(weighed, Purpose.EVALUATE)
    trains = found(training, Purpose.TRAIN)
    if trains.status is VerdictStatus.COUNTS:
        return trains
    measures = found(weighed, Purpose.EVALUATE)
    # What waits, waits for more people whose votes may train; the export and the readiness table say so.
    return measures if measures.status is VerdictStatus.COUNTS else trains


def _decided(pool: list[_Weighed], known: str | None, purpose: Purpose) -> LabelVerdict | None:
    """Return the verdict of the operator or of the latest moderator; None if neither decided."""
    rulings = [(each.vote.moderated, each.vote.label) for each in pool if each.vote.moderated is not None]
    if known is None and not rulings:
        return None
    label = known if known is not None else max(rulings)[1]
    agreeing = [each.vote for each in pool if each.vote.label == label]
    votes = agreeing or [each.vote for each in pool]
    updated = max([*(vote.updated for vote in votes), *(moderated for moderated, _ in rulings)])
    return _make_verdict(
        votes, label, len(agreeing), updated, purpose=purpose, status=VerdictStatus.COUNTS, weight=1.0, reviewed=True
    )


def _counted(pool: list[_Weighed], purpose: Purpose, agreement: int) -> LabelVerdict:
    labels = {each.vote.label for each in pool}
    totals = {label: fsum(each.weight for each in pool if each.vote.label == label) for label in labels}
    label = max(totals, key=lambda each: (totals[each], each))
    everything = fsum(each.weight for each in pool)
    agreeing = [each.vote for each in pool if each.vote.label == label and each.weight > 0]
    share = totals[label] / everything if everything else 0.0
    status, weight = VerdictStatus.COUNTS, min(1.0, totals[label] / agreement) * share
    if len(agreeing) < agreement:
        disagree = len({each.vote.label for each in pool if each.weight > 0}) > 1
        status, weight = VerdictStatus.DISPUTED if disagree else VerdictStatus.WAITS, 0.0
    elif share <= MAJORITY:
        status, weight = VerdictStatus.DISPUTED, 0.0
    votes = agreeing or [each.vote for each in pool]
    updated = max(vote.updated for vote in votes)
    return _make_verdict(
        votes, label, len(agreeing), updated, purpose=purpose, status=status, weight=weight, reviewed=False
    )


def _make_verdict(
    votes: Sequence[Vote],
    label: str,
    people: int,
    updated: datetime,
    *,
    purpose: Purpose,
    status: VerdictStatus,
    weight: float,
    reviewed: bool,
) -> LabelVerdict:
    latest = max(votes, key=lambda vote: (vote.updated, vote.person))
    return LabelVerdict(
        song=latest.song,
        label=label,
        status=status,
        weight=weight,
        purpose=purpose,
        source="+".join(sorted({vote.platform for vote in votes})),
        people=people,
        reviewed=reviewed,
        model=latest.model,
        predicted=latest.predicted,
        updated=updated,
        giver=min(votes, key=lambda vote: (vote.updated, vote.person)).person,
    )


def _smoothed(found: dict[str, LabelVerdict]) -> dict[str, LabelVerdict]:
    """Scale weights so that no genre gains more than ``GENRE_SONGS_PER_HOUR`` songs' weight per hour."""

    def hour_of(verdict: LabelVerdict) -> tuple[str, date, int]:
        return verdict.label, verdict.updated.date(), verdict.updated.hour

    unreviewed = [each for each in found.values() if each.status is VerdictStatus.COUNTS and not each.reviewed]
    crowds = Counter(map(hour_of, unreviewed))
    return found | {
        each.song: replace(each, weight=each.weight * GENRE_SONGS_PER_HOUR / crowds[hour_of(each)])
        for each in unreviewed
        if crowds[hour_of(each)] > GENRE_SONGS_PER_HOUR
    }


def _with_people(found: dict[str, LabelVerdict], weighed: Mapping[str, Sequence[_Weighed]]) -> dict[str, LabelVerdict]:
    """Count the different people behind all songs of each label."""
    people: dict[tuple[str, Purpose], set[str]] = defaultdict(set)
    for song, verdict in found.items():
        if verdict.status is VerdictStatus.COUNTS:
            people[verdict.label, verdict.purpose] |= {
                each.vote.person
                for each in weighed[song]
                if each.vote.label == verdict.label and (each.vote.may_train or verdict.purpose is Purpose.EVALUATE)
            }
    return {
        song: replace(verdict, label_people=len(people[verdict.label, verdict.purpose]))
        for song, verdict in found.items()
    }
