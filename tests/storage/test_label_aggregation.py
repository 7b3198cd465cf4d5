"""Verdicts use the corrections of consenting people only; withdrawn ones disappear; known songs are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage import AggregationRules, ChatKey, LabelStatus, Purpose, ReviewStatus, RowNotFound, Storage, VerdictStatus
from tests.storage.factories import agreeing, answered, corrected, song

if TYPE_CHECKING:
    from tests.storage.factories import Clock


async def test_what_people_agree_on_is_a_lesson(storage: Storage, clock: Clock) -> None:
    await agreeing(storage, "blues", "ann", "bob")
    [found] = (await storage.label_aggregation.verdicts()).values()
    assert (found.song, found.label, found.status, found.purpose) == (
        song(),
        "blues",
        VerdictStatus.COUNTS,
        Purpose.TRAIN,
    )
    assert (found.model, found.predicted, found.updated) == ("release-1", "jazz", clock.time)


async def test_a_revoked_consent_and_being_forgotten_take_lessons_back_at_once(storage: Storage) -> None:
    await agreeing(storage, "blues", "ann", "bob")
    await storage.people.set_consent("ann", False)
    assert (await storage.label_aggregation.verdicts())[song()].status is VerdictStatus.WAITS
    await storage.people.set_consent("ann", True)
    assert (await storage.label_aggregation.verdicts())[song()].status is VerdictStatus.COUNTS
    await storage.people.erase("bob")
    assert (await storage.label_aggregation.verdicts())[song()].status is VerdictStatus.WAITS
    await storage.feedback.withdraw("ann", song())
    assert await storage.label_aggregation.verdicts() == {}


async def test_only_the_operators_moderators_settle_a_song(storage: Storage) -> None:
    await storage.people.set_consent("ann", True)
    given = await corrected(storage, "ann", "blues", chat="guild")
    await storage.feedback.moderate(given.id, ReviewStatus.ACCEPTED, moderator="owner", chat=ChatKey("local", "guild"))
    assert (await storage.label_aggregation.verdicts())[song()].status is VerdictStatus.WAITS
    await storage.feedback.moderate(given.id, ReviewStatus.RELABELLED, moderator="mod", label="rock")
    settled = (await storage.label_aggregation.verdicts())[song()]
    assert (settled.status, settled.label, settled.reviewed) == (VerdictStatus.COUNTS, "rock", True)
    await storage.feedback.moderate(given.id, ReviewStatus.PENDING, moderator="mod")
    assert (await storage.label_aggregation.verdicts())[song()].status is VerdictStatus.WAITS
    await storage.feedback.moderate(given.id, ReviewStatus.REJECTED, moderator="mod")
    assert await storage.label_aggregation.verdicts() == {}


async def test_what_an_administrator_puts_in_the_place_of_opinions_is_nobodys_vote(storage: Storage) -> None:
    group, there = ChatKey("telegram", "group"), {"platform": "telegram", "chat": "group"}
    await agreeing(storage, "pop", "ann", **there)
    await agreeing(storage, "rock", "bob", **there)
    given = await storage.feedback.review(chat=group)
    await storage.reviews.rule_song(given[0].id, "metal", moderator="boss", chat=group)
    assert await storage.label_aggregation.verdicts() == {}
    await agreeing(storage, "metal", "cid")
    found = (await storage.label_aggregation.verdicts())[song()]
    assert (found.label, found.status, found.people) == ("metal", VerdictStatus.WAITS, 1)
    await agreeing(storage, "jazz", "ann", name="another")
    assert await storage.reviews.agreed("jazz") == []


async def test_what_one_person_taught_is_listed_as_waiting_for_one_more_and_disputes_are_counted(
    storage: Storage,
) -> None:
    for number in range(3):
        await agreeing(storage, "zouk", "ann", name=f"song {number}")
    await agreeing(storage, "pop", "bob", name="song 2")
    [found] = [each for each in await storage.readiness.table(AggregationRules()) if each.label == "zouk"]
    assert (found.recordings, found.waiting, found.disputed, found.missing_people) == (0, 2, 1, 1)
    for number in range(2):
        await agreeing(storage, "zouk", "bob", name=f"song {number}")
    [found] = [each for each in await storage.readiness.table(AggregationRules()) if each.label == "zouk"]
    assert (found.recordings, found.waiting, found.missing_people) == (2, 0, 0)


async def test_a_changed_mind_takes_the_moderators_word_off(storage: Storage) -> None:
    await storage.people.set_consent("ann", True)
    given = await corrected(storage, "ann", "blues")
    await storage.feedback.moderate(given.id, ReviewStatus.ACCEPTED, moderator="mod")
    await corrected(storage, "ann", "pop")
    assert (await storage.label_aggregation.verdicts())[song()].status is VerdictStatus.WAITS


async def test_what_came_from_another_chat_only_measures_whatever_is_allowed_later(storage: Storage) -> None:
    await agreeing(storage, "blues", "ann", "bob", platform="discord", may_train=False)
    for sources in (None, {"discord"}, set[str]()):
        assert (await storage.label_aggregation.verdicts(AggregationRules(sources=sources)))[
            song()
        ].purpose is Purpose.EVALUATE
    await agreeing(storage, "blues", "cid", "dan", name="another", platform="telegram")
    assert (await storage.label_aggregation.verdicts(AggregationRules(sources={"telegram"})))[
        song("another")
    ].purpose is Purpose.TRAIN
    assert (await storage.label_aggregation.verdicts(AggregationRules(sources={"local"})))[
        song("another")
    ].purpose is Purpose.EVALUATE


async def test_known_songs_are_kept_changed_and_removed(storage: Storage) -> None:
    await storage.label_aggregation.add_known(song("certain"), "jazz")
    assert await storage.label_aggregation.add_known(song("certain"), "blues") == "blues"
    assert await storage.label_aggregation.known() == {song("certain"): "blues"}
    await storage.label_aggregation.remove_known(song("certain"))
    with pytest.raises(RowNotFound):
        await storage.label_aggregation.remove_known(song("certain"))
    with pytest.raises(RowNotFound):
        await storage.label_aggregation.add_known(song("certain"), "no such label")
    with pytest.raises(ValueError, match="64"):
        await storage.label_aggregation.add_known("certain.mp3", "blues")


async def test_a_known_song_is_certain_and_shows_who_is_careless(storage: Storage) -> None:
    await storage.label_aggregation.add_known(song("certain"), "pop")
    await agreeing(storage, "pop", "ann", name="certain")
    await agreeing(storage, "metal", "eve", name="certain")
    await agreeing(storage, "blues", "ann")
    await agreeing(storage, "metal", "eve")
    found = await storage.label_aggregation.verdicts(AggregationRules(agreement=1))
    assert (found[song("certain")].label, found[song("certain")].reviewed) == ("pop", True)
    assert (found[song()].label, found[song()].status) == ("blues", VerdictStatus.DISPUTED)


async def test_a_label_that_a_known_song_holds_is_not_tidied_away_and_follows_a_merge(
    storage: Storage, clock: Clock
) -> None:
    proposed = await storage.labels.propose("Zydeco")
    await storage.label_aggregation.add_known(song(), proposed.id)
    clock.advance(days=3)
    assert (await storage.delete_expired()).labels == 0
    kept = await storage.labels.get(proposed.id)
    assert kept is not None
    assert kept.status is LabelStatus.PROPOSED
    await storage.labels.merge(proposed.id, "folk")
    assert await storage.label_aggregation.known() == {song(): "folk"}


async def test_the_answer_that_people_saw_is_told(storage: Storage) -> None:
    await agreeing(storage, "blues", "ann", "bob")
    await answered(storage, model="release-2", genre="rock")
    [found] = (await storage.label_aggregation.verdicts()).values()
    assert (found.model, found.predicted) == ("release-1", "jazz")
