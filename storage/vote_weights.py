"""How much each vote on a song weighs, and from when on it counts: by who gave it, how many, and who agrees with them.

Pure functions on data in memory. Each rule protects against one way to skew a genre: a single account, several accounts
of one person, a flood within an hour, careless or hostile people.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

FULL_LABELS_PER_DAY = 20
"""Up to this many labels a day, each weighs 1; of n > 20, each weighs sqrt(20 / n), so that volume gains little."""
GENRE_LABELS_PER_HOUR = 10
GENRE_LABELS_PER_DAY = 30
"""One person's labels of one genre beyond these count later, unless independent people agree on the song."""
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


def without_doubles(votes: Sequence[Vote]) -> list[Vote]:
    """Count visitors of the page who agreed on a song and never disagreed as one person, with one vote per song."""
    first = people_apart((vote.person, vote.song, vote.label, vote.platform) for vote in votes)
    latest: dict[tuple[str, str], Vote] = {}
    for vote in sorted(votes, key=lambda each: (each.updated, each.person)):
        latest[first[vote.person], vote.song] = replace(vote, person=first[vote.person])
    return list(latest.values())


def people_apart(votes: Iterable[tuple[str, str, str, str]]) -> dict[str, str]:
    """Return for each person the one whom they count as; visitors of the page may be one person.

    Parameters
    ----------
    votes
        Person, song, label and platform.
    """
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    first: dict[str, str] = {}
    for person, song, label, platform in votes:
        first[person] = person
        if platform == PAGE:
            labels[song][person] = label
    agreed: set[tuple[str, str]] = set()
    disagreed: set[tuple[str, str]] = set()
    for given in labels.values():
        for one, other in combinations(sorted(given), 2):
            (agreed if given[one] == given[other] else disagreed).add((one, other))
    for one, other in sorted(agreed - disagreed):
        old, new = first[other], first[one]
        if old != new:
            first = {person: new if leader == old else leader for person, leader in first.items()}
    return first


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
