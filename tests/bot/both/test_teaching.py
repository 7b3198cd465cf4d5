"""A genre is taught song by song, in few gestures, the same in both chats."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bot.core.callbacks import Action
from bot.core.genre_names import GenreNames
from bot.core.identity import Person
from bot.core.teaching import IDLE_SECONDS, Teaching
from bot.metrics import Metrics
from tests.bot.both.chats import text_of
from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.settings import Settings
    from storage import Storage
    from tests.bot.both.chats import ChatUnderTest
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]

SONGS = 20
MOST_GESTURES = 30


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"songs_per_person_queued": SONGS})


@pytest.fixture
def reads_along() -> bool:
    return True


async def test_twenty_songs_of_a_genre_are_taught_in_under_thirty_gestures(chat: ChatUnderTest, tone: Tone) -> None:
    gestures = 1
    await chat.teach("zouk")
    gestures += 1
    await chat.tap(await chat.asked_for_consent(), "Yes, you may learn")
    for number in range(SONGS):
        gestures += 1
        await chat.send_unaddressed(tone(200 + number))
    await chat.until(lambda: len(chat.said("Noted as zouk")) == SONGS)
    found = await chat.bot.storage.feedback.review(status=None, limit=SONGS + 1)
    assert [(each.label, each.consent) for each in found] == [("zouk", True)] * SONGS
    gestures += 1
    await chat.teach("")
    assert gestures < MOST_GESTURES
    print(f"{SONGS} songs taught in {gestures} gestures")  # noqa: T201 - the figure that this is about


async def test_whoever_knows_the_songs_of_a_lesson_agrees_with_all_of_them_at_once(
    chat: ChatUnderTest, tone: Tone
) -> None:
    await chat.teach("zouk")
    for number in range(3):
        await chat.send_unaddressed(tone(200 + number))
    await chat.until(lambda: len(chat.said("Noted as zouk")) == 3)
    await chat.teach("")
    over = await chat.says("3 songs were taught here as zouk. They count once others say the same")
    told = await chat.press_data("ann", over, chat.data_of(over, Action.SECOND))
    assert told == "You taught these songs yourself. Somebody else has to agree."
    given = await chat.bot.storage.feedback.review(status=None)
    assert len({each.person for each in given}) == 1

    told = await chat.press_data("boss", over, chat.data_of(over, Action.SECOND))
    assert told == "Thanks! I've noted those 3 songs as zouk for you, too."
    given = await chat.bot.storage.feedback.review(status=None)
    assert sorted(Counter(each.content_hash for each in given).values()) == [2, 2, 2]
    assert {each.label for each in given} == {"zouk"}

    told = await chat.press_data("boss", over, chat.data_of(over, Action.SECOND))
    assert told == "You had told me about these songs already."


async def test_the_button_is_for_the_lesson_as_it_is_when_somebody_presses(
    chat: ChatUnderTest, tone: Tone, ear: EarAtHand
) -> None:
    storage = chat.bot.storage
    await chat.teach("zouk")
    await chat.says("When you're done, send /teach alone")
    for hertz in (200, 201):
        await chat.send_unaddressed(tone(hertz))
    await chat.until(lambda: len(chat.said("Noted as zouk")) == 2)
    ear.go_on.clear()
    await chat.send_unaddressed(tone(202))

    async def is_begun() -> bool:
        return len(ear.heard) == 3

    await eventually(is_begun)
    await chat.teach("samba")
    over = await chat.says("Songs are being taught here as zouk.")
    button = chat.data_of(over, Action.SECOND)
    ear.go_on.set()
    await chat.until(lambda: len(chat.said("Noted as zouk")) == 3)

    first, changed, last = await storage.feedback.review(status=None)
    await storage.feedback.withdraw(first.person, first.content_hash)
    await storage.feedback.correct(
        person=changed.person,
        answer_id=changed.answer_id,
        label="jazz",
        platform=changed.platform,
        chat=changed.chat,
        may_train=True,
    )
    assert await chat.press_data("boss", over, button) == "Thanks! I've noted that song as zouk for you, too."
    given = await storage.feedback.review(status=None)
    assert [(each.label, each.content_hash) for each in given if each.person != last.person] == [
        ("zouk", last.content_hash)
    ]
    await storage.feedback.withdraw(last.person, last.content_hash)
    assert "No song of this lesson" in await chat.press_data("boss", over, button)


@pytest.mark.parametrize("sources", [("local",)])
async def test_where_nothing_may_be_learnt_nobody_is_asked_or_invited_and_teach_says_so(
    chat: ChatUnderTest, tone: Tone
) -> None:
    await chat.teach("zouk")
    await chat.says("What you teach here is kept, but whoever runs this bot doesn't let me learn from")
    await chat.send_unaddressed(tone(200))
    await chat.until(lambda: chat.said("Noted as zouk"))
    await chat.teach("")
    answer = await chat.song(tone(300))
    await chat.correct(answer, "jazz")
    await chat.correct(answer, "gnawa")
    given = await chat.bot.storage.feedback.review(status=None)
    assert {(each.label, each.may_train) for each in given} == {("zouk", False), ("gnawa", False)}
    assert (await chat.bot.storage.people.consent(given[0].person)).asked is None
    assert not [*chat.said("May I learn"), *chat.said("were taught here"), *chat.said("it counts once")]
    notice = await chat.command("ann", "privacy", private=True)
    assert "doesn't let me learn from" in text_of(notice)
    assert chat.buttons(notice) == []


async def test_what_is_taught_by_mistake_is_undone_and_after_the_end_songs_are_answered_as_usual(
    chat: ChatUnderTest, tone: Tone
) -> None:
    await chat.teach("zouk")
    await chat.send_unaddressed(tone(200))
    await chat.until(lambda: chat.said("Noted as zouk"))
    await chat.tap(chat.said("Noted as zouk")[0], "Undo")
    await chat.until(lambda: chat.said("Your correction is removed.") and not chat.said("Noted as zouk"))
    await chat.teach("")
    await chat.song(tone(300))
    assert await chat.bot.storage.feedback.review(status=None) == []


def test_a_lesson_ends_half_an_hour_after_its_last_song(storage: Storage, settings: Settings) -> None:
    now = [0.0]
    teaching = Teaching(storage, settings, GenreNames(storage), Metrics(), clock=lambda: now[0])
    ann, bob = Person("telegram", "1"), Person("telegram", "2")
    teaching.begin(ann, "room", "zouk")
    now[0] += IDLE_SECONDS - 1
    assert teaching.label_for(ann, "room") == "zouk"
    assert teaching.label_for(bob, "room") is None
    assert teaching.label_for(ann, "another room") is None
    now[0] += 1
    assert teaching.label_for(ann, "room") is None
    # Others are still invited to agree when its teacher says "/teach" alone.
    assert (teaching.end(ann, "room"), teaching.end(ann, "room")) == ("zouk", None)
