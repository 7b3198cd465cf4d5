"""Review by song: the order, rulings on all opinions at once, on many songs at once, and what moderators are told."""

from __future__ import annotations

import pytest

from storage import ChatKey, NewReply, Overruled, ReviewStatus, RowNotFound, Storage
from tests.storage.factories import Clock, answered, corrected, song


async def statuses(storage: Storage, name: str) -> list[tuple[str, str]]:
    return [(each.verdict, each.status) for each in (await storage.reviews.song(song(name))).opinions]


async def test_disputed_songs_are_reviewed_first_and_each_song_once(storage: Storage) -> None:
    plain = [await corrected(storage, "ann", "pop", f"plain {number}") for number in range(2)]
    await corrected(storage, "bob", "pop", "plain 0")
    first = [await corrected(storage, person, label, "one") for person, label in (("ann", "pop"), ("bob", "rock"))]
    then = [await corrected(storage, person, label, "two") for person, label in (("cid", "jazz"), ("dan", "rock"))]

    async def seen(rule: dict[int, str]) -> list[int]:
        numbers, after = [], 0
        while (waiting := await storage.reviews.next(after=after)) is not None:
            numbers.append(waiting.id)
            after = waiting.id
            if after in rule:
                await storage.reviews.rule_song(after, rule[after], moderator="mod")
        return numbers

    shown = [first[0].id, then[0].id, plain[0].id, plain[1].id]
    assert await storage.reviews.waiting() == 4
    assert await seen({}) == shown
    assert await seen({first[0].id: "rock", plain[0].id: "pop"}) == shown
    assert await seen({}) == [then[0].id, plain[1].id]
    assert await storage.reviews.waiting() == 2
    assert await storage.reviews.next(chat=ChatKey("local", "elsewhere")) is None


async def test_a_ruling_settles_all_opinions_on_a_song_and_is_undone_as_a_whole(storage: Storage, clock: Clock) -> None:
    given = [await corrected(storage, person, label) for person, label in (("ann", "pop"), ("bob", "rock"))]
    other = await corrected(storage, "ann", "pop", "another")
    await storage.reviews.rule_song(given[1].id, "rock", moderator="mod")
    assert await statuses(storage, "a song") == [("pop", "rejected"), ("rock", "accepted")]
    clock.advance(seconds=1)
    await storage.reviews.rule_song(other.id, "zouk", moderator="mod")
    assert await statuses(storage, "another") == [("zouk", "relabelled")]
    with pytest.raises(RowNotFound):
        await storage.reviews.undo(given[0].id, moderator="somebody else")
    assert len((await storage.reviews.undo(given[0].id, moderator="mod")).numbers) == 2
    assert await statuses(storage, "a song") == [("pop", "pending"), ("rock", "pending")]
    assert await statuses(storage, "another") == [("zouk", "relabelled")]
    await storage.reviews.rule_song(given[0].id, None, moderator="mod")
    assert [status for _, status in await statuses(storage, "a song")] == ["rejected", "rejected"]


async def test_an_administrator_rules_only_on_opinions_of_their_chat(storage: Storage) -> None:
    mine = await corrected(storage, "ann", "pop", chat="here")
    theirs = await corrected(storage, "bob", "rock", chat="there")
    here = ChatKey("local", "here")
    await storage.reviews.rule_song(mine.id, "pop", moderator="admin", chat=here)
    assert await statuses(storage, "a song") == [("pop", "accepted"), ("rock", "pending")]
    with pytest.raises(RowNotFound):
        await storage.reviews.rule_song(theirs.id, "pop", moderator="admin", chat=here)
    assert (await storage.reviews.rule([theirs.id], ReviewStatus.REJECTED, moderator="admin", chat=here)).numbers == ()


async def test_all_of_a_label_is_accepted_where_people_agree_and_nobody_disagrees(storage: Storage) -> None:
    async def say(name: str, platform: str = "telegram", **labels: str) -> list[int]:
        return [
            (await corrected(storage, person, label, name, platform=platform)).id for person, label in labels.items()
        ]

    agreed = await say("agreed", ann="zouk", bob="zouk")
    agreed += await say("by somebody who agrees", ann="zouk")
    await say("by somebody unknown", cid="zouk")
    await say("disputed", ann="zouk", dan="pop")
    await say("by cookies", "local", one="zouk", two="zouk")
    await say("another genre", ann="jazz", bob="jazz")
    # Ann disagrees with Dan about a song, so what she says alone is looked at.
    assert await storage.reviews.agreed("zouk") == agreed[:2]
    await storage.feedback.withdraw("dan", song("disputed"))
    await storage.feedback.withdraw("ann", song("disputed"))
    assert await storage.reviews.agreed("zouk") == agreed
    ruling = await storage.reviews.accept_agreed("zouk", moderator="mod")
    assert list(ruling.numbers) == agreed
    assert await storage.reviews.agreed("zouk") == []
    assert await statuses(storage, "by somebody unknown") == [("zouk", "pending")]
    assert len((await storage.reviews.undo(agreed[0], moderator="mod")).numbers) == len(agreed)


async def test_moderators_who_disagree_are_both_told_once(storage: Storage) -> None:
    first = await corrected(storage, "ann", "pop")
    await storage.reviews.rule_song(first.id, "pop", moderator="mo")
    later = await corrected(storage, "bob", "zouk")
    ruling = await storage.reviews.rule_song(later.id, "zouk", moderator="mia")
    told = Overruled("a song", "pop", "zouk")
    assert ruling.overruled == (told,)
    assert await storage.reviews.take_overruled("mia") == []
    assert await storage.reviews.take_overruled("mo") == [told]
    assert await storage.reviews.take_overruled("mo") == []
    rejecting = await storage.reviews.rule([later.id], ReviewStatus.REJECTED, moderator="mo")
    assert rejecting.overruled == (Overruled("a song", "zouk", ""),)
    await storage.reviews.undo(later.id, moderator="mo")
    assert await storage.reviews.take_overruled("mia") == []


async def test_a_song_is_linked_to_where_its_sender_allows_it_and_for_administrators_of_its_chat(
    storage: Storage,
) -> None:
    await corrected(storage, "bob", "pop")
    answer = await answered(storage)
    reply = await storage.replies.add(NewReply(answer.id, "local", "chat", "ann"))
    await storage.replies.mark_sent(reply.id, {"message": 7, "link": "https://t.me/c/1/7"})

    async def link(chat: ChatKey | None = None) -> str | None:
        return (await storage.reviews.song(song(), chat=chat)).link

    assert await link() is None
    assert await link(ChatKey("local", "chat")) == "https://t.me/c/1/7"
    assert await link(ChatKey("local", "elsewhere")) is None
    await storage.people.set_consent("ann", True)
    assert await link() == "https://t.me/c/1/7"
