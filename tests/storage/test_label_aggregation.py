"""Lessons come from those who consent, leave when they are taken back, and songs whose genre is known are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage import LabelStatus, Place, Rules, Standing, Status, Storage, UnknownRow, Use
from tests.storage.making import answered, corrected, song

if TYPE_CHECKING:
    from tests.storage.making import Clock


async def agreeing(storage: Storage, label: str, *people: str, name: str = "a song", **more: object) -> None:
    for person in people:
        await storage.people.set_consent(person, True)
        await corrected(storage, person, label, name, **more)  # type: ignore[arg-type]


async def test_what_people_agree_on_is_a_lesson(storage: Storage, clock: Clock) -> None:
    await agreeing(storage, "blues", "ann", "bob")
    [found] = (await storage.lessons.verdicts()).values()
    assert (found.song, found.label, found.standing, found.use) == (song(), "blues", Standing.COUNTS, Use.TRAIN)
    assert (found.model, found.heard_as, found.updated) == ("release-1", "jazz", clock.time)


async def test_a_revoked_consent_and_being_forgotten_take_lessons_back_at_once(storage: Storage) -> None:
    await agreeing(storage, "blues", "ann", "bob")
    await storage.people.set_consent("ann", False)
    assert (await storage.lessons.verdicts())[song()].standing is Standing.WAITS
    await storage.people.set_consent("ann", True)
    assert (await storage.lessons.verdicts())[song()].standing is Standing.COUNTS
    await storage.people.forget("bob")
    assert (await storage.lessons.verdicts())[song()].standing is Standing.WAITS
    await storage.feedback.withdraw("ann", song())
    assert await storage.lessons.verdicts() == {}


async def test_only_the_operators_moderators_settle_a_song(storage: Storage) -> None:
    await storage.people.set_consent("ann", True)
    given = await corrected(storage, "ann", "blues", chat="guild")
    await storage.feedback.moderate(given.id, Status.ACCEPTED, moderator="owner", place=Place("local", "guild"))
    assert (await storage.lessons.verdicts())[song()].standing is Standing.WAITS
    await storage.feedback.moderate(given.id, Status.RELABELLED, moderator="mod", label="rock")
    settled = (await storage.lessons.verdicts())[song()]
    assert (settled.standing, settled.label, settled.reviewed) == (Standing.COUNTS, "rock", True)
    await storage.feedback.moderate(given.id, Status.PENDING, moderator="mod")
    assert (await storage.lessons.verdicts())[song()].standing is Standing.WAITS
    await storage.feedback.moderate(given.id, Status.REJECTED, moderator="mod")
    assert await storage.lessons.verdicts() == {}


async def test_a_changed_mind_takes_the_moderators_word_off(storage: Storage) -> None:
    await storage.people.set_consent("ann", True)
    given = await corrected(storage, "ann", "blues")
    await storage.feedback.moderate(given.id, Status.ACCEPTED, moderator="mod")
    await corrected(storage, "ann", "pop")
    assert (await storage.lessons.verdicts())[song()].standing is Standing.WAITS


async def test_what_came_from_another_chat_only_measures_whatever_is_allowed_later(storage: Storage) -> None:
    await agreeing(storage, "blues", "ann", "bob", platform="discord", may_train=False)
    for sources in (None, {"discord"}, set[str]()):
        assert (await storage.lessons.verdicts(Rules(sources=sources)))[song()].use is Use.EVALUATE
    await agreeing(storage, "blues", "cid", "dan", name="another", platform="telegram")
    assert (await storage.lessons.verdicts(Rules(sources={"telegram"})))[song("another")].use is Use.TRAIN
    assert (await storage.lessons.verdicts(Rules(sources={"local"})))[song("another")].use is Use.EVALUATE


async def test_known_songs_are_kept_changed_and_removed(storage: Storage) -> None:
    await storage.lessons.add_known(song("certain"), "jazz")
    assert await storage.lessons.add_known(song("certain"), "blues") == "blues"
    assert await storage.lessons.known() == {song("certain"): "blues"}
    await storage.lessons.remove_known(song("certain"))
    with pytest.raises(UnknownRow):
        await storage.lessons.remove_known(song("certain"))
    with pytest.raises(UnknownRow):
        await storage.lessons.add_known(song("certain"), "no such label")
    with pytest.raises(ValueError, match="64"):
        await storage.lessons.add_known("certain.mp3", "blues")


async def test_a_known_song_is_certain_and_shows_who_is_careless(storage: Storage) -> None:
    await storage.lessons.add_known(song("certain"), "pop")
    await agreeing(storage, "pop", "ann", name="certain")
    await agreeing(storage, "metal", "eve", name="certain")
    await agreeing(storage, "blues", "ann")
    await agreeing(storage, "metal", "eve")
    found = await storage.lessons.verdicts(Rules(agreement=1))
    assert (found[song("certain")].label, found[song("certain")].reviewed) == ("pop", True)
    assert (found[song()].label, found[song()].standing) == ("blues", Standing.DISPUTED)


async def test_a_label_that_a_known_song_holds_is_not_tidied_away_and_follows_a_merge(
    storage: Storage, clock: Clock
) -> None:
    proposed = await storage.labels.propose("Zydeco")
    await storage.lessons.add_known(song(), proposed.id)
    clock.advance(days=3)
    assert (await storage.tidy()).labels == 0
    kept = await storage.labels.get(proposed.id)
    assert kept is not None
    assert kept.status is LabelStatus.PROPOSED
    await storage.labels.merge(proposed.id, "folk")
    assert await storage.lessons.known() == {song(): "folk"}


async def test_disputed_songs_are_reviewed_first_and_none_twice(storage: Storage) -> None:
    plain = [await corrected(storage, "ann", "pop", f"plain {number}") for number in range(2)]
    first = [await corrected(storage, person, label, "one") for person, label in (("ann", "pop"), ("bob", "rock"))]
    then = [await corrected(storage, person, label, "two") for person, label in (("cid", "jazz"), ("dan", "rock"))]

    async def seen(rule: dict[int, Status]) -> list[int]:
        numbers, after = [], 0
        while (waiting := await storage.feedback.next_to_review(after=after)) is not None:
            numbers.append(waiting.id)
            after = waiting.id
            if after in rule:
                await storage.feedback.moderate(after, rule[after], moderator="mod")
        return numbers

    disputed = [each.id for each in first + then]
    undisputed = [each.id for each in plain]
    assert await seen({}) == disputed + undisputed
    ruled = {first[0].id: Status.ACCEPTED, plain[0].id: Status.ACCEPTED}
    # A ruling settles its song: what else was said of it waits among the rest.
    expected = [first[0].id, then[0].id, then[1].id, *undisputed, first[1].id]
    assert await seen(ruled) == expected
    assert await seen({}) == [then[0].id, then[1].id, plain[1].id, first[1].id]
    assert await storage.feedback.next_to_review(place=Place("local", "elsewhere")) is None


async def test_the_answer_that_people_saw_is_told(storage: Storage) -> None:
    await agreeing(storage, "blues", "ann", "bob")
    await answered(storage, model="release-2", genre="rock")
    [found] = (await storage.lessons.verdicts()).values()
    assert (found.model, found.heard_as) == ("release-1", "jazz")
