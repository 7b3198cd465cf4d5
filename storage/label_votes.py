"""Turns many people's votes on songs into one verdict per song: which label counts, and with what weight.

Pure functions on data in memory; ``label_aggregation`` loads the votes. The rules are the same for everybody. Each one
protects against one way to skew a genre: a single account, a flood within an hour, careless or hostile people.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import combinations
from math import fsum, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

AGREEMENT_PEOPLE = 2
"""How many people must agree on a song before it is used for training; operators can change it."""
MAJORITY = 2 / 3
"""One label must have more than this share of the weight; otherwise the song is disputed and a moderator decides."""
FULL_LABELS_PER_DAY = 20
"""Up to this many labels a day, each weighs 1; of n > 20, each weighs sqrt(20 / n), so that volume gains little."""
GENRE_LABELS_PER_HOUR = 10
GENRE_LABELS_PER_DAY = 30
"""One person's labels of one genre beyond these count later, unless independent people agree on the song."""
GENRE_SONGS_PER_HOUR = 40
"""If more songs than this get one genre within an hour, their total weight is capped at this number."""
NEW_ACCOUNT = timedelta(days=1)
NEW_ACCOUNT_TRUST = 0.5
"""The votes of an account weigh so much until its first vote is a day old."""
LEAST_PARTNERS = 2
"""Whoever agreed with fewer other people than this is not independent: two accounts may be one person."""
PAGE = "local"
"""The platform on which a new account costs no more than deleting a cookie."""
TRUST_PRIOR = 1
"""A person's trust is (right + 1) / (answered + 1) over the known songs: 1 without any, 0.2 after 0 of 4."""
UNRELIABLE_ANSWERS = 4
UNRELIABLE_TRUST = 0.5
"""Votes of people with this many known songs and less than this trust do not count at all."""
SINGLE_GENRE_LABELS = 10
SINGLE_GENRE_SHARE = 0.8
"""People with this many labels, of which this share is one genre, count only if others confirm that genre."""
CORROBORATED_SONGS = 5
"""Others must have voted on this many of those songs before their votes are held against a person."""


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
class Vote:
    """One person's vote on one song.

    Attributes
    ----------
    person, song
        Keyed hash, content hash.
    label
        The effective label: the operator's moderator's, or else the person's.
    may_train
        Whether feedback from its chat may train.
    moderated
        When the operator's moderator confirmed or changed it; None if none did.
    platform
        Where it was given.
    updated
        When the person last changed it, UTC.
    model, predicted
        The release that answered the person, and the genre it predicted.
    """

    person: str
    song: str
    label: str
    may_train: bool
    moderated: datetime | None
    platform: str
    updated: datetime
    model: str
    predicted: str


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
    votes = _without_doubles(votes) if strangers else votes
    weights = vote_weights(votes, known, now=moment) if paced else [1.0] * len(votes)
    times = counting_times(votes, now=moment) if paced else [vote.updated for vote in votes]
    by_song: dict[str, list[_Weighed]] = defaultdict(list)
    for weighed in map(_Weighed, votes, weights, times):
        by_song[weighed.vote.song].append(weighed)
    found = {song: _timed(given, known.get(song), agreement, moment) for song, given in by_song.items()}
    return _with_people(_smoothed(found) if paced else found, by_song)


def vote_weights(votes: Sequence[Vote], known: Mapping[str, str], *, now: datetime | None = None) -> list[float]:
    """Return the weight of each vote, 0 to 1, before it is compared with others on its song."""
    trust = trust_by_person(votes, known)
    silenced = contradicted(votes)
    per_day = Counter((vote.person, vote.updated.date()) for vote in votes)
    new = set() if now is None else _new_accounts(votes, now)
    weights = []
    for vote in votes:
        if vote.person in silenced:
            weights.append(0.0)
            continue
        rate = min(1.0, sqrt(FULL_LABELS_PER_DAY / per_day[vote.person, vote.updated.date()]))
        weights.append(trust.get(vote.person, 1.0) * rate * (NEW_ACCOUNT_TRUST if vote.person in new else 1.0))
    return weights


def _new_accounts(votes: Iterable[Vote], now: datetime) -> set[str]:
    first: dict[str, datetime] = {}
    for vote in votes:
        first[vote.person] = min(first.get(vote.person, vote.updated), vote.updated)
    return {person for person, moment in first.items() if now - moment < NEW_ACCOUNT}


def _without_doubles(votes: Sequence[Vote]) -> list[Vote]:
    """Count visitors of the page who agreed on a song and never disagreed as one person, with one vote per song."""
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    for vote in votes:
        if vote.platform == PAGE:
            labels[vote.song][vote.person] = vote.label
    agreed: set[tuple[str, str]] = set()
    disagreed: set[tuple[str, str]] = set()
    for given in labels.values():
        for one, other in combinations(sorted(given), 2):
            (agreed if given[one] == given[other] else disagreed).add((one, other))
    first = {vote.person: vote.person for vote in votes}
    for one, other in sorted(agreed - disagreed):
        old, new = first[other], first[one]
        if old != new:
            first = {person: new if leader == old else leader for person, leader in first.items()}
    latest: dict[tuple[str, str], Vote] = {}
    for vote in sorted(votes, key=lambda each: (each.updated, each.person)):
        latest[first[vote.person], vote.song] = replace(vote, person=first[vote.person])
    return list(latest.values())


def trust_by_person(votes: Iterable[Vote], known: Mapping[str, str]) -> dict[str, float]:
    """Return the trust in each person who labelled songs whose genre the operator knows."""
    answered: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for vote in votes:
        if vote.song in known:
            answered[vote.person] += 1
            right[vote.person] += vote.label == known[vote.song]
    found = {}
    for person, count in answered.items():
        trust = (right[person] + TRUST_PRIOR) / (count + TRUST_PRIOR)
        found[person] = 0.0 if count >= UNRELIABLE_ANSWERS and trust < UNRELIABLE_TRUST else trust
    return found


def contradicted(votes: Iterable[Vote]) -> set[str]:
    """Return the people who give nearly every song one genre while others disagree.

    Such people cannot confirm each other, so a group of them cannot vouch for itself. Fans of one genre are safe as
    long as others agree with them or nobody else has voted.
    """
    given: dict[str, dict[str, str]] = defaultdict(dict)
    heard: dict[str, dict[str, str]] = defaultdict(dict)
    for vote in votes:
        given[vote.person][vote.song] = vote.label
        heard[vote.song][vote.person] = vote.label
    favourites = {}
    for person, labels in given.items():
        label, count = Counter(labels.values()).most_common(1)[0]
        if len(labels) >= SINGLE_GENRE_LABELS and count >= SINGLE_GENRE_SHARE * len(labels):
            favourites[person] = label
    found = set()
    for person, favourite in favourites.items():
        songs = [song for song, label in given[person].items() if label == favourite]
        witnesses = [[label for other, label in heard[song].items() if other not in favourites] for song in songs]
        witnessed = [labels for labels in witnesses if labels]
        agreed = sum(favourite in labels for labels in witnessed)
        if len(witnessed) >= CORROBORATED_SONGS and 2 * agreed < len(witnessed):
            found.add(person)
    return found


def counting_times(votes: Sequence[Vote], *, now: datetime) -> list[datetime]:
    """Return from when on each vote counts: beyond a person's hourly or daily cap for a genre, in a later hour or day.

    The caps do not hold for songs on which independent people agree.
    """
    independent = _independent(votes, now)
    agreeing: Counter[tuple[str, str]] = Counter(
        (vote.song, vote.label) for vote in votes if vote.person in independent
    )
    hours: Counter[tuple[str, str, datetime]] = Counter()
    days: Counter[tuple[str, str, date]] = Counter()
    found = [vote.updated for vote in votes]
    for place in sorted(range(len(votes)), key=lambda each: (votes[each].updated, votes[each].song)):
        vote = votes[place]
        if agreeing[vote.song, vote.label] > 1 and vote.person in independent:
            continue
        hour = vote.updated.replace(minute=0, second=0, microsecond=0)
        while (
            hours[vote.person, vote.label, hour] >= GENRE_LABELS_PER_HOUR
            or days[vote.person, vote.label, hour.date()] >= GENRE_LABELS_PER_DAY
        ):
            hour += timedelta(hours=1)
        hours[vote.person, vote.label, hour] += 1
        days[vote.person, vote.label, hour.date()] += 1
        found[place] = max(vote.updated, hour)
    return found


def _independent(votes: Sequence[Vote], now: datetime) -> set[str]:
    """Return the people who are no new accounts and have agreed with several others."""
    by_song: dict[tuple[str, str], list[str]] = defaultdict(list)
    for vote in votes:
        by_song[vote.song, vote.label].append(vote.person)
    partners: dict[str, set[str]] = defaultdict(set)
    for people in by_song.values():
        for person in people:
            partners[person] |= {other for other in people if other != person}
    new = _new_accounts(votes, now)
    return {person for person, others in partners.items() if len(others) >= LEAST_PARTNERS and person not in new}


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
    """Return the verdict on a song: from the votes that may train if they suffice, or else from all of them."""
    training = [each for each in weighed if each.vote.may_train]
    for pool, purpose in ((training, Purpose.TRAIN), (weighed, Purpose.EVALUATE)):
        if pool:
            found = _decided(pool, known, purpose) or _counted(pool, purpose, agreement)
            if found.status is VerdictStatus.COUNTS or purpose is Purpose.EVALUATE:
                return found
    raise ValueError("a song without votes has no verdict")


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
