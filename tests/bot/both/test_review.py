"""Moderators review song by song, in few presses, the same in both chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.callbacks import Action
from storage import ReviewStatus
from tests.bot.both.chats import text_of
from tests.bot.running import eventually
from tests.storage.factories import corrected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage import Correction, Storage
    from tests.bot.both.chats import ChatUnderTest, Message

    Tone = Callable[..., Path]

MOST_PRESSES = 40
AGREED = {label: [f"{label} {number}" for number in range(10)] for label in ("zouk", "vpop", "jazz")}
DISPUTED = [f"disputed {number}" for number in range(10)]
UNKNOWN = [f"unknown {number}" for number in range(20)]
SONGS = 60


async def sixty_songs(storage: Storage) -> int:
    """Store 140 opinions: on half of the songs three people agree, on others one disagrees, or nobody else spoke."""
    given = [(person, label, name) for label, names in AGREED.items() for name in names for person in ("a", "b", "c")]
    given += [
        (person, label, name) for name in DISPUTED for person, label in (("d", "pop"), ("e", "pop"), ("f", "rock"))
    ]
    given += [(f"stranger {name}", "blues", name) for name in UNKNOWN]
    for person, label, name in given:
        await corrected(storage, person, label, name, said="disco", platform="elsewhere")
    return len(given)


def waiting(left: int) -> str:
    """Return how a message says how many songs wait."""
    return f"{left} songs wait" if left > 1 else "one song waits" if left else "There's nothing to review."


def has(chat: ChatUnderTest, message: Message, text: str) -> bool:
    return any(text in each for each in chat.buttons(message))


async def corrected_by_ann(chat: ChatUnderTest, path: Path, genre: str) -> Correction:
    """Have Ann send a song and correct it, and return what is stored."""
    await chat.correct(await chat.song(path), genre)

    async def stored() -> bool:
        return any(each.label == genre for each in await chat.bot.storage.feedback.review())

    await eventually(stored)
    return (await chat.bot.storage.feedback.review())[-1]


async def test_sixty_songs_are_reviewed_in_under_forty_presses(chat: ChatUnderTest) -> None:
    opinions = await sixty_songs(chat.bot.storage)
    message = await chat.command("operator", "feedback review", private=True)
    left, presses = SONGS, 0
    assert waiting(left) in text_of(message)
    while left:
        together = has(chat, message, "Accept all ")
        left -= 10 if together else 1
        presses += 1
        action = Action.ACCEPT_ALL if together else Action.ACCEPT
        message = await chat.press("operator", message, action, waiting(left))
    stored = await chat.bot.storage.feedback.review(status=None, limit=opinions)
    rejected = [each.label for each in stored if each.status is ReviewStatus.REJECTED]
    assert rejected == ["rock"] * len(DISPUTED)
    assert all(each.status is not ReviewStatus.PENDING for each in stored)
    assert presses < MOST_PRESSES
    print(f"{SONGS} songs with {opinions} opinions reviewed in {presses} presses")  # noqa: T201 - what this is about


async def test_a_song_is_shown_with_all_opinions_and_where_to_hear_it_and_a_ruling_is_undone(
    chat: ChatUnderTest, tone: Tone
) -> None:
    given = await corrected_by_ann(chat, tone(200), "jazz")
    await chat.bot.storage.feedback.correct(
        person="bob", answer_id=given.answer_id, label="zouk", platform="elsewhere", chat="there", may_train=True
    )
    await chat.bot.storage.people.set_consent(given.person, True)
    review = await chat.command("operator", "feedback review", private=True)
    assert "Corrections 1, 2; one song waits for review" in text_of(review)
    assert "jazz (1), zouk (1)" in text_of(review)
    assert "Listen: https://" in text_of(review)
    assert {"Jazz (1)", "Zouk (1)"} < set(chat.buttons(review))
    ruled = await chat.press("operator", review, Action.ACCEPT, "Accepted: jazz.")
    again = await chat.press("operator", ruled, Action.UNRULE, "Put back for review: 2 opinions.")
    assert "one song waits" in text_of(again)
    assert len(await chat.bot.storage.feedback.review()) == 2


async def test_moderators_who_disagree_are_both_told(chat: ChatUnderTest, tone: Tone) -> None:
    given = await corrected_by_ann(chat, tone(200), "jazz")
    first = await chat.command("boss", "feedback review")
    await chat.press("boss", first, Action.ACCEPT, "Accepted: jazz.")
    await chat.bot.storage.feedback.correct(
        person="bob", answer_id=given.answer_id, label="zouk", platform="elsewhere", chat="there", may_train=True
    )
    second = await chat.command("operator", "feedback review", private=True)
    assert "It was already ruled on: jazz." in text_of(second)
    await chat.press("operator", second, Action.ACCEPT, "Another moderator had ruled jazz. Yours counts now")
    told = await chat.command("boss", "feedback review")
    assert "another moderator ruled zouk after you had ruled jazz" in text_of(told)
    assert "nothing to review" in text_of(told)
