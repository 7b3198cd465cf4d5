"""Which label counts and with what weight, and that nobody can skew a genre."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.label_votes import GENRE_SONGS_PER_HOUR, Purpose, VerdictStatus, aggregate_votes
from storage.vote_weights import (
    FULL_LABELS_PER_DAY,
    GENRE_LABELS_PER_DAY,
    GENRE_LABELS_PER_HOUR,
    SINGLE_GENRE_LABELS,
    UNRELIABLE_ANSWERS,
    Vote,
    counting_times,
    trust_by_person,
    vote_weights,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.label_votes import LabelVerdict

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY_GENRES = tuple("abcdefgh")


def vote(
    person: str,
    label: str,
    song: str = "song",
    *,
    minutes: float = 0,
    trains: bool = True,
    ruled: datetime | None = None,
    platform: str = "telegram",
) -> Vote:
    moment = NOON + timedelta(minutes=minutes)
    return Vote(person, song, label, trains, ruled, platform, moment, "release-1", "rock")


def verdict(votes: Iterable[Vote], known: dict[str, str] | None = None, *, agreement: int = 2) -> LabelVerdict:
    [found] = aggregate_votes(list(votes), known or {}, agreement=agreement).values()
    return found


def test_one_person_is_not_enough() -> None:
    assert verdict([vote("ann", "jazz")]).status is VerdictStatus.WAITS
    assert verdict([vote("ann", "jazz")], agreement=1).status is VerdictStatus.COUNTS


def test_a_label_counts_when_enough_people_agree() -> None:
    found = verdict([vote("ann", "jazz"), vote("bob", "jazz", minutes=5)])
    assert (found.label, found.status, found.weight, found.people) == ("jazz", VerdictStatus.COUNTS, 1.0, 2)
    assert (found.purpose, found.source, found.reviewed) == (Purpose.TRAIN, "telegram", False)
    assert (found.model, found.predicted, found.updated) == ("release-1", "rock", NOON + timedelta(minutes=5))
    assert verdict([vote("ann", "jazz"), vote("bob", "jazz")], agreement=3).status is VerdictStatus.WAITS


def test_people_who_disagree_leave_the_song_to_a_moderator() -> None:
    split = [vote("ann", "jazz"), vote("bob", "jazz"), vote("cid", "blues")]
    assert verdict(split).status is VerdictStatus.DISPUTED
    assert verdict(split[1:]).status is VerdictStatus.DISPUTED
    found = verdict([*split, vote("dan", "jazz")])
    assert (found.status, found.label, found.weight) == (VerdictStatus.COUNTS, "jazz", 0.75)


def test_a_moderators_word_suffices_and_the_latest_of_two_holds() -> None:
    first, then = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    found = verdict([vote("ann", "jazz", ruled=first), vote("bob", "rock"), vote("cid", "rock")])
    assert (found.label, found.weight, found.people, found.reviewed) == ("jazz", 1.0, 1, True)
    assert found.updated == first
    found = verdict([vote("ann", "jazz", ruled=first), vote("bob", "rock", ruled=then)])
    assert (found.label, found.updated) == ("rock", then)


def test_what_the_operator_knows_counts_for_certain() -> None:
    found = verdict([vote("ann", "jazz"), vote("bob", "jazz")], {"song": "blues"})
    assert (found.label, found.status, found.weight, found.people) == ("blues", VerdictStatus.COUNTS, 1.0, 0)
    assert found.reviewed


def test_opinions_from_other_chats_only_measure() -> None:
    discord = {"trains": False, "platform": "discord"}
    found = verdict([vote("ann", "jazz", **discord), vote("bob", "jazz", **discord)])  # type: ignore[arg-type]
    assert (found.status, found.purpose, found.source) == (VerdictStatus.COUNTS, Purpose.EVALUATE, "discord")
    found = verdict([vote("ann", "jazz", **discord), vote("bob", "jazz")])  # type: ignore[arg-type]
    assert (found.purpose, found.source, found.people) == (Purpose.EVALUATE, "discord+telegram", 2)
    both = [vote("ann", "jazz"), vote("bob", "jazz"), *(vote(name, "rock", **discord) for name in "cdef")]  # type: ignore[arg-type]
    found = verdict(both)
    assert (found.purpose, found.label, found.source, found.people) == (Purpose.TRAIN, "jazz", "telegram", 2)


def test_what_may_train_and_lacks_people_waits_for_training_whoever_else_measures() -> None:
    found = verdict([vote("ann", "zouk")])
    assert (found.status, found.purpose) == (VerdictStatus.WAITS, Purpose.TRAIN)
    found = verdict([vote("ann", "zouk"), vote("bob", "pop", trains=False)])
    assert (found.status, found.purpose, found.label) == (VerdictStatus.WAITS, Purpose.TRAIN, "zouk")
    assert verdict([vote("bob", "pop", trains=False)]).purpose is Purpose.EVALUATE


def test_many_labels_in_a_day_weigh_less_each_and_a_little_more_together() -> None:
    def total(count: int) -> float:
        return sum(vote_weights([vote("ann", MANY_GENRES[n % 8], f"song {n}", minutes=n) for n in range(count)], {}))

    assert total(FULL_LABELS_PER_DAY) == FULL_LABELS_PER_DAY
    assert total(4 * FULL_LABELS_PER_DAY) == pytest.approx(2 * FULL_LABELS_PER_DAY)


def counting(votes: list[Vote], *, hours: float, strangers: bool = False) -> int:
    found = aggregate_votes(votes, {}, strangers=strangers, now=NOON + timedelta(hours=hours))
    return sum(each.status is VerdictStatus.COUNTS for each in found.values())


def test_what_one_account_says_beyond_the_caps_counts_later_and_nothing_is_dropped() -> None:
    at_once = [vote("ann", "metal", f"song {n}", minutes=n / 10) for n in range(50)]
    times = counting_times(at_once, now=NOON)
    for hours, count in ((0.9, GENRE_LABELS_PER_HOUR), (1, 2 * GENRE_LABELS_PER_HOUR), (11.9, GENRE_LABELS_PER_DAY)):
        assert sum(time <= NOON + timedelta(hours=hours) for time in times) == count
    assert max(times) < NOON + timedelta(days=1)


def test_forty_songs_of_two_friends_in_one_evening_all_count_in_the_end() -> None:
    evening = [vote(name, "zouk", f"song {n:02}", minutes=n) for n in range(40) for name in ("ann", "bob")]
    found = aggregate_votes(evening, {}, now=NOON + timedelta(hours=1))
    later = [each for each in found.values() if each.status is VerdictStatus.LATER]
    assert 0 < len(later) < 40
    assert all(each.counts_from is not None and each.counts_from > NOON for each in later)
    assert counting(evening, hours=36) == 40


def test_where_independent_people_agree_the_cap_lifts() -> None:
    before = [vote(one, "jazz", f"old {one}{two}", minutes=-2000) for one, two in (("ann", "cid"), ("bob", "cid"))]
    before += [vote(one, "jazz", "old", minutes=-2000) for one in ("ann", "bob", "cid")]
    evening = [vote(name, "zouk", f"song {n:02}", minutes=n) for n in range(40) for name in ("ann", "bob")]
    assert counting([*before, *evening], hours=1) == 41


def test_eight_cookies_of_one_browser_are_one_person_where_anybody_may_come() -> None:
    cookies = [
        vote(f"cookie {m}", "metal", f"song {n}", minutes=n, platform="local") for n in range(40) for m in range(8)
    ]
    assert counting(cookies, hours=72, strangers=True) == 0
    assert counting(cookies, hours=72) == 40
    others = [vote(f"cookie {m}", "abcdefgh"[m], "another song", platform="local") for m in range(8)]
    assert counting([*cookies, *others], hours=72, strangers=True) == 40


def test_a_new_account_weighs_less_for_a_day() -> None:
    songs = [vote(name, "jazz") for name in ("ann", "bob")]
    weights = [aggregate_votes(songs, {}, now=NOON + timedelta(hours=hours))["song"].weight for hours in (1, 25)]
    assert weights == [0.5, 1.0]


def test_on_a_bot_of_ones_own_nothing_waits_and_everything_weighs_the_same() -> None:
    mine = [vote("ann", "zouk", f"song {n}") for n in range(200)]
    found = aggregate_votes(mine, {}, agreement=1, paced=False, now=NOON)
    assert {(each.status, each.weight) for each in found.values()} == {(VerdictStatus.COUNTS, 1.0)}


def test_one_hour_cannot_tilt_a_genre_however_many_people_come() -> None:
    songs = 3 * GENRE_SONGS_PER_HOUR
    crowd = [vote(f"{hand} {n % 60}", "metal", f"song {n}") for n in range(songs) for hand in ("left", "right")]
    found = aggregate_votes(crowd, {}).values()
    assert sum(each.weight for each in found) == pytest.approx(GENRE_SONGS_PER_HOUR)


def test_who_is_careless_with_known_songs_weighs_less_and_then_nothing() -> None:
    known = {f"known {n}": "jazz" for n in range(UNRELIABLE_ANSWERS)}
    votes = [vote("cid", "rock", song) for song in known] + [vote("dan", "jazz", song) for song in known]
    assert trust_by_person(votes, known) == {"cid": 0.0, "dan": 1.0}
    once = [vote("eve", "rock", "known 0")]
    assert trust_by_person(once, known) == {"eve": 0.5}
    song = [vote(person, "pop") for person in ("cid", "dan", "eve")]
    assert aggregate_votes([*votes, *once, *song], known)["song"].people == 2
    alone = [vote(person, "pop") for person in ("cid", "dan")]
    assert aggregate_votes([*votes, *alone], known)["song"].status is VerdictStatus.WAITS


def test_a_group_that_says_the_same_of_everything_is_silenced_by_those_who_listen() -> None:
    songs = [f"song {n}" for n in range(SINGLE_GENRE_LABELS)]
    hostile = [vote(f"eve {m}", "metal", song, minutes=60 * n) for n, song in enumerate(songs) for m in range(5)]
    honest = [vote(f"ann {m}", MANY_GENRES[n % 8], song) for n, song in enumerate(songs) for m in range(2)]
    found = aggregate_votes(hostile + honest, {})
    assert [found[song].label for song in songs] == [MANY_GENRES[n % 8] for n in range(len(songs))]
    assert {each.status for each in found.values()} == {VerdictStatus.COUNTS}


def test_lovers_of_one_genre_count_where_others_agree_or_nobody_else_listened() -> None:
    songs = [f"song {n}" for n in range(SINGLE_GENRE_LABELS)]
    lovers = [vote(name, "catru", song, minutes=60 * n) for n, song in enumerate(songs) for name in ("ann", "bob")]
    assert {each.status for each in aggregate_votes(lovers, {}).values()} == {VerdictStatus.COUNTS}
    others = [vote("cid", "catru" if n % 3 else "cheo", song) for n, song in enumerate(songs)]
    counting = [each for each in aggregate_votes(lovers + others, {}).values() if each.status is VerdictStatus.COUNTS]
    assert {each.label for each in counting} == {"catru"}
    assert len(counting) == sum(n % 3 != 0 for n in range(len(songs)))


def test_a_label_tells_how_many_people_stand_behind_it_in_all() -> None:
    votes = [vote(name, "jazz", song) for song, names in {"one": "ab", "two": "bc"}.items() for name in names]
    found = aggregate_votes([*votes, vote("z", "jazz", "too few")], {})
    assert (found["one"].label_people, found["two"].label_people) == (3, 3)


@st.composite
def ballots(draw: st.DrawFn) -> list[Vote]:
    pairs = draw(st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("12345678")), min_size=1, max_size=30))
    return [
        vote(
            person,
            draw(st.sampled_from(["jazz", "rock", "metal"])),
            song,
            minutes=draw(st.integers(0, 3000)),
            trains=draw(st.booleans()),
            ruled=draw(st.none() | st.just(NOON)),
        )
        for person, song in sorted(pairs)
    ]


@given(ballots(), st.dictionaries(st.sampled_from("12345678"), st.just("jazz")), st.integers(1, 4))
def test_every_song_has_a_verdict_within_its_bounds(votes: list[Vote], known: dict[str, str], agreement: int) -> None:
    found = aggregate_votes(votes, known, agreement=agreement)
    assert found.keys() == {each.song for each in votes}
    for each in found.values():
        assert 0 <= each.weight <= 1
        assert (each.weight > 0) == (each.status is VerdictStatus.COUNTS)
        saying = [one for one in votes if (one.song, one.label) == (each.song, each.label)]
        assert each.people <= len(saying)
        if each.status is VerdictStatus.COUNTS and not each.reviewed:
            assert each.people >= agreement
        if each.purpose is Purpose.TRAIN and not each.reviewed:
            assert sum(one.may_train for one in saying) >= each.people
    assert aggregate_votes(votes[::-1], known, agreement=agreement) == found
