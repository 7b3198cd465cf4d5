"""Corrections and their moderation."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from storage import ChatKey, GenreCount, ReviewStatus, RowNotFound, Storage
from tests.storage.factories import START, Clock, answered, corrected, song

HERE = ChatKey("local", "chat")
ELSEWHERE = ChatKey("discord", "guild")


async def test_a_wrong_genre_is_corrected_once_per_person(storage: Storage, clock: Clock) -> None:
    first = await corrected(storage, "ann", "blues")
    clock.advance(minutes=5)
    second = await corrected(storage, "ann", "rock")
    assert (second.id, second.label, second.created, second.updated) == (
        first.id,
        "rock",
        START,
        START + timedelta(minutes=5),
    )
    assert await storage.feedback.votes(song()) == {"rock": 1}


async def test_a_change_tells_what_it_replaced(storage: Storage) -> None:
    answer = await answered(storage)
    where = {"platform": "local", "chat": "chat"}
    first = await storage.feedback.correct(person="ann", answer_id=answer.id, label="pop", may_train=True, **where)
    second = await storage.feedback.correct(person="ann", answer_id=answer.id, label="rock", may_train=True, **where)
    assert first.previous is None
    assert second.previous == first.correction


async def test_agreeing_with_the_answer_is_feedback_too(storage: Storage) -> None:
    agreeing = await corrected(storage, "ann", "jazz")
    disagreeing = await corrected(storage, "bob", "blues")
    assert (agreeing.agrees, disagreeing.agrees) == (True, False)
    assert (agreeing.predicted, agreeing.confidence, agreeing.sure, agreeing.title) == ("jazz", 0.75, True, "a song")


async def test_one_person_who_presses_twice_at_once_has_one_opinion(storage: Storage, another: Storage) -> None:
    for name in ("one", "two", "three"):
        answer = await answered(storage, name)
        presses = [
            each.feedback.correct(
                person="ann", answer_id=answer.id, label=label, platform="local", chat="chat", may_train=True
            )
            for label in ("blues", "rock", "pop")
            for each in (storage, another)
        ]
        given = await asyncio.gather(*presses)
        assert len({each.correction.id for each in given}) == 1
        assert sum(each.previous is None for each in given) == 1
        assert sum((await storage.feedback.votes(song(name))).values()) == 1


async def test_an_opinion_can_be_found_and_withdrawn(storage: Storage) -> None:
    given = await corrected(storage, "ann", "blues")
    assert await storage.feedback.find("ann", song()) == given
    assert await storage.feedback.withdraw("ann", song()) == given
    assert await storage.feedback.withdraw("ann", song()) is None
    assert await storage.feedback.find("ann", song()) is None


async def test_there_is_no_opinion_on_nothing(storage: Storage) -> None:
    answer = await answered(storage)
    for answer_id, label in ((10**6, "jazz"), (-1, "jazz"), (10**30, "jazz"), (answer.id, "nosuchlabel")):
        with pytest.raises(RowNotFound):
            await storage.feedback.correct(
                person="ann", answer_id=answer_id, label=label, platform="local", chat="chat", may_train=True
            )


async def test_consent_at_the_time_is_written_beside_the_opinion(storage: Storage) -> None:
    assert not (await corrected(storage, "ann", "blues", "one")).consent
    await storage.people.set_consent("ann", True)
    assert (await corrected(storage, "ann", "blues", "two")).consent
    assert not (await corrected(storage, "bob", "blues", "two")).consent


async def test_votes_count_verdicts_and_leave_the_rejected_out(storage: Storage) -> None:
    for person, label in {"ann": "blues", "bob": "rock", "cid": "blues", "dan": "pop"}.items():
        given = await corrected(storage, person, label)
        if person == "dan":
            await storage.feedback.moderate(given.id, ReviewStatus.REJECTED, moderator="mod")
        if person == "bob":
            await storage.feedback.moderate(given.id, ReviewStatus.RELABELLED, moderator="mod", label="blues")
    assert await storage.feedback.votes(song()) == {"blues": 3}


async def test_the_review_goes_through_pending_opinions_oldest_first(storage: Storage) -> None:
    given = [await corrected(storage, "ann", "blues", f"song {number}") for number in range(5)]
    first = await storage.feedback.review(limit=2)
    assert first == given[:2]
    await storage.feedback.moderate(given[2].id, ReviewStatus.ACCEPTED, moderator="mod")
    assert await storage.feedback.review(after=first[-1].id) == given[3:]
    accepted = await storage.feedback.review(status=ReviewStatus.ACCEPTED)
    assert [(each.id, each.moderator) for each in accepted] == [(given[2].id, "mod")]
    assert len(await storage.feedback.review(status=None)) == 5


async def test_an_administrator_sees_and_rules_on_their_own_rows_only(storage: Storage) -> None:
    mine = await corrected(storage, "ann", "blues", platform="discord", chat="guild")
    others = await corrected(storage, "bob", "blues")
    assert await storage.feedback.review(chat=ELSEWHERE) == [mine]
    assert await storage.feedback.get(others.id, chat=ELSEWHERE) is None
    with pytest.raises(RowNotFound):
        await storage.feedback.moderate(others.id, ReviewStatus.REJECTED, moderator="admin", chat=ELSEWHERE)
    kept = await storage.feedback.get(others.id)
    assert kept is not None
    assert kept.status is ReviewStatus.PENDING
    ruled = await storage.feedback.moderate(mine.id, ReviewStatus.ACCEPTED, moderator="admin", chat=ELSEWHERE)
    assert ruled.status is ReviewStatus.ACCEPTED


async def test_a_ruling_names_who_and_when_and_can_be_taken_back(storage: Storage, clock: Clock) -> None:
    given = await corrected(storage, "ann", "blues")
    clock.advance(hours=1)
    ruled = await storage.feedback.moderate(given.id, ReviewStatus.RELABELLED, moderator="mod", label="rock")
    assert (ruled.label, ruled.ruling, ruled.verdict) == ("blues", "rock", "rock")
    assert (ruled.moderator, ruled.moderated) == ("mod", clock.time)
    undone = await storage.feedback.moderate(given.id, ReviewStatus.PENDING, moderator="mod")
    assert (undone.verdict, undone.moderator, undone.moderated) == ("blues", None, None)


async def test_a_person_who_changes_their_mind_goes_back_to_review(storage: Storage) -> None:
    given = await corrected(storage, "ann", "blues")
    await storage.feedback.moderate(given.id, ReviewStatus.RELABELLED, moderator="mod", label="rock")
    same = await corrected(storage, "ann", "blues")
    assert same.status is ReviewStatus.RELABELLED
    changed = await corrected(storage, "ann", "pop")
    assert (changed.status, changed.ruling, changed.moderator) == (ReviewStatus.PENDING, None, None)


async def test_a_ruling_needs_a_label_exactly_where_it_gives_one(storage: Storage) -> None:
    given = await corrected(storage, "ann", "blues")
    with pytest.raises(ValueError, match="RELABELLED"):
        await storage.feedback.moderate(given.id, ReviewStatus.RELABELLED, moderator="mod")
    with pytest.raises(ValueError, match="RELABELLED"):
        await storage.feedback.moderate(given.id, ReviewStatus.ACCEPTED, moderator="mod", label="rock")
    with pytest.raises(RowNotFound):
        await storage.feedback.moderate(given.id, ReviewStatus.RELABELLED, moderator="mod", label="nosuchlabel")


async def test_a_forged_number_rules_on_nothing(storage: Storage) -> None:
    for number in (0, -1, 10**6, 10**30):
        assert await storage.feedback.get(number) is None
        with pytest.raises(RowNotFound):
            await storage.feedback.moderate(number, ReviewStatus.ACCEPTED, moderator="mod")


async def test_no_opinions_count_as_nothing(storage: Storage) -> None:
    stats = await storage.feedback.stats()
    assert (stats.corrections, stats.people, stats.songs, stats.agreeing, stats.trainable) == (0, 0, 0, 0, 0)
    assert not stats.genres
    assert not stats.proposed


async def test_the_counts_say_how_each_genre_fares(storage: Storage) -> None:
    dream = await storage.labels.propose("Dream pop")
    await storage.people.set_consent("ann", True)
    await corrected(storage, "ann", "jazz", "one")
    await corrected(storage, "bob", "blues", "one")
    await corrected(storage, "ann", dream.id, "two", said="rock", may_train=False)
    rejected = await corrected(storage, "bob", "metal", "two", said="rock")
    await storage.feedback.moderate(rejected.id, ReviewStatus.REJECTED, moderator="mod")
    stats = await storage.feedback.stats()
    assert (stats.corrections, stats.people, stats.songs, stats.agreeing, stats.trainable) == (4, 2, 2, 1, 1)
    assert dict(stats.statuses) == {ReviewStatus.PENDING: 3, ReviewStatus.REJECTED: 1}
    assert dict(stats.genres) == {
        "jazz": GenreCount(predicted=2, right=1, labelled=1),
        "rock": GenreCount(predicted=2, right=0, labelled=0),
        "blues": GenreCount(predicted=0, right=0, labelled=1),
        "dreampop": GenreCount(predicted=0, right=0, labelled=1),
    }
    assert dict(stats.proposed) == {"dreampop": 1}


async def test_counts_can_be_of_one_place_and_period(storage: Storage, clock: Clock) -> None:
    await corrected(storage, "ann", "jazz", "one")
    clock.advance(days=1)
    await corrected(storage, "bob", "jazz", "one")
    await corrected(storage, "cid", "jazz", "one", platform="discord", chat="guild")
    assert (await storage.feedback.stats(chat=HERE)).corrections == 2
    assert (await storage.feedback.stats(chat=ELSEWHERE)).corrections == 1
    assert (await storage.feedback.stats(since=clock.time)).corrections == 2
    assert (await storage.feedback.stats(until=clock.time)).corrections == 1
