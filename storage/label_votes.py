"""Which label of a song counts, and how much: many people's opinions in, one verdict per song out.

Pure functions over what is in memory; where opinions come from is told by ``lessons``. The rules are the same for
everybody, and each is there against one way to tilt a genre: one account, one hour, one careless or hostile hand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from math import fsum, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

AGREEMENT_PEOPLE = 2
"""So many people must say the same of a song before it teaches; an operator may ask for more, or for one."""
MAJORITY = 2 / 3
"""More than this share of the weight must be on one label; otherwise people disagree, and a moderator decides."""
FULL_LABELS_PER_DAY = 20
"""Up to so many labels a day each weighs 1; of n labels each weighs sqrt(20 / n), so haste gains little."""
GENRE_LABELS_PER_HOUR = 10
GENRE_LABELS_PER_DAY = 30
"""One person's labels of one genre beyond these do not count; a moderator's word lifts both."""
GENRE_SONGS_PER_HOUR = 40
"""Where more songs than this come to one genre within an hour, all of them together weigh as much as these would."""
TRUST_PRIOR = 1
"""A person's trust is (right + 1) / (answered + 1) over the known songs: 1 for who never met one, 0.2 after 0 of 4."""
UNRELIABLE_ANSWERS = 4
UNRELIABLE_TRUST = 0.5
"""Whoever met so many known songs and comes out below this trust does not count at all."""
SINGLE_GENRE_LABELS = 10
SINGLE_GENRE_SHARE = 0.8
"""Whoever gave so many labels, this share of them one and the same, counts only if others hear that genre, too."""
CORROBORATED_SONGS = 5
"""On so many of these songs somebody else must have spoken before what the others heard is held against a person."""


class Purpose(StrEnum):
    """What a song may be used for: to train from it, or only to measure."""

    TRAIN = "train"
    EVALUATE = "evaluate"


class VerdictStatus(StrEnum):
    """Whether a song's label counts, and if not, what it lacks."""

    COUNTS = "counts"
    WAITS = "waits"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's opinion of one song, as far as it weighs.

    Attributes
    ----------
    person, song
        Keyed hash, content hash.
    label
        The one that counts: an operator's moderator's, else the person's.
    may_train
        Whether it comes from a chat from which feedback may train.
    moderated
        When a moderator of the operator's confirmed or changed it; None: nobody did.
    platform
        Where it was given.
    updated
        When the person last changed it, UTC.
    model, predicted
        The release that the person heard, and what it had said.
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
class Verdict:
    """What people's opinions of one song come to.

    Attributes
    ----------
    song, label
        The label with the most weight.
    status
        Whether it counts.
    weight
        0 to 1: how much the song is to weigh among others; 1 where a moderator decided.
    purpose, source
        What it may be used for, and the platforms whose opinions it rests on, joined by ``+``.
    people
        How many say so, of those who count.
    reviewed
        Whether a moderator decided, or the operator knew the answer.
    model, predicted
        The release that answered last, of those that these people heard, and what it said.
    updated
        When the newest of these opinions was given or ruled on.
    label_people
        How many people in all stand behind the songs of this label that count for the same use; a genre that is one
        person's alone can be told by it.
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


@dataclass(frozen=True, slots=True)
class _Weighed:
    vote: Vote
    weight: float


def aggregate_votes(
    votes: Sequence[Vote], known: Mapping[str, str], *, agreement: int = AGREEMENT_PEOPLE
) -> dict[str, Verdict]:
    """Return what the votes come to, song by song.

    Parameters
    ----------
    votes
        At most one per person and song.
    known
        Content hash → label, for songs whose genre the operator knows.
    agreement
        How many people must say the same.
    """
    weights = vote_weights(votes, known)
    by_song: dict[str, list[_Weighed]] = defaultdict(list)
    for vote, weight in zip(votes, weights, strict=True):
        by_song[vote.song].append(_Weighed(vote, weight))
    found = {song: _verdict(given, known.get(song), agreement) for song, given in by_song.items()}
    return _with_people(_smoothed(found), by_song)


def vote_weights(votes: Sequence[Vote], known: Mapping[str, str]) -> list[float]:
    """Return what each vote weighs before it is held against others on its song, 0 to 1."""
    trust = trust_by_person(votes, known)
    silenced = contradicted(votes)
    per_day = Counter((vote.person, vote.updated.date()) for vote in votes)
    beyond = _beyond_caps(votes)
    weights = []
    for place, vote in enumerate(votes):
        if place in beyond or vote.person in silenced:
            weights.append(0.0)
            continue
        rate = min(1.0, sqrt(FULL_LABELS_PER_DAY / per_day[vote.person, vote.updated.date()]))
        weights.append(trust.get(vote.person, 1.0) * rate)
    return weights


def trust_by_person(votes: Iterable[Vote], known: Mapping[str, str]) -> dict[str, float]:
    """Return how far a person is to be trusted, for those who labelled songs whose genre the operator knows."""
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
    """Return who says one and the same of nearly everything while others hear something else.

    Those who do it are no witnesses for each other, so that a group of them cannot vouch for itself; lovers of one
    genre are safe as long as others who know it agree with them, or nobody else has listened.
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


def _beyond_caps(votes: Sequence[Vote]) -> set[int]:
    """Return the places of votes that are one too many of a person for a genre within an hour or a day."""
    hours: Counter[tuple[str, str, date, int]] = Counter()
    days: Counter[tuple[str, str, date]] = Counter()
    found = set()
    for place in sorted(range(len(votes)), key=lambda each: (votes[each].updated, votes[each].song)):
        vote = votes[place]
        day = (vote.person, vote.label, vote.updated.date())
        hour = (*day, vote.updated.hour)
        if hours[hour] >= GENRE_LABELS_PER_HOUR or days[day] >= GENRE_LABELS_PER_DAY:
            found.add(place)
            continue
        hours[hour] += 1
        days[day] += 1
    return found


def _verdict(weighed: list[_Weighed], known: str | None, agreement: int) -> Verdict:
    """Return what a song's votes come to: by those that may train if they suffice alone, else by all of them."""
    training = [each for each in weighed if each.vote.may_train]
    for pool, purpose in ((training, Purpose.TRAIN), (weighed, Purpose.EVALUATE)):
        if pool:
            found = _decided(pool, known, purpose) or _counted(pool, purpose, agreement)
            if found.status is VerdictStatus.COUNTS or purpose is Purpose.EVALUATE:
                return found
    raise ValueError("a song without votes has no verdict")


def _decided(pool: list[_Weighed], known: str | None, purpose: Purpose) -> Verdict | None:
    """Return what the operator knows of a song, or the latest word of a moderator; None if nobody decided."""
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


def _counted(pool: list[_Weighed], purpose: Purpose, agreement: int) -> Verdict:
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
) -> Verdict:
    latest = max(votes, key=lambda vote: (vote.updated, vote.person))
    return Verdict(
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
    )


def _smoothed(found: dict[str, Verdict]) -> dict[str, Verdict]:
    """Let no hour bring more weight to a genre than ``GENRE_SONGS_PER_HOUR`` songs."""

    def hour_of(verdict: Verdict) -> tuple[str, date, int]:
        return verdict.label, verdict.updated.date(), verdict.updated.hour

    unreviewed = [each for each in found.values() if each.status is VerdictStatus.COUNTS and not each.reviewed]
    crowds = Counter(map(hour_of, unreviewed))
    return found | {
        each.song: replace(each, weight=each.weight * GENRE_SONGS_PER_HOUR / crowds[hour_of(each)])
        for each in unreviewed
        if crowds[hour_of(each)] > GENRE_SONGS_PER_HOUR
    }


def _with_people(found: dict[str, Verdict], weighed: Mapping[str, Sequence[_Weighed]]) -> dict[str, Verdict]:
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
