"""Rules that the core makes once, seen through both chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core.callbacks import Action
from storage import ReviewStatus
from tests.bot.both.chats import text_of
from tests.bot.reports import as_speech, as_vpop
from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.both.chats import ChatUnderTest
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


async def test_after_a_merge_the_same_correction_is_shown_since_it_still_waits(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song(tone(200))
    await chat.correct(answer, "zydeco")
    review = await chat.command("operator", "feedback review")
    assert "Correction 1;" in text_of(review)
    menu = await chat.press("operator", review, Action.MERGE, "")
    again = await chat.pick("operator", menu, "Country", "is now another name for country")
    assert "Correction 1;" in text_of(again)
    await chat.press("operator", again, Action.ACCEPT, "Accepted: country.")
    assert [each.status for each in await chat.bot.storage.feedback.review(status=None)] == [ReviewStatus.ACCEPTED]


async def test_only_known_genres_are_offered_to_merge_into_however_many_are_proposed(
    chat: ChatUnderTest, tone: Tone
) -> None:
    answer = await chat.song(tone(200))
    await chat.correct(answer, "zydeco")
    review = await chat.command("operator", "feedback review")
    menu = await chat.press("operator", review, Action.MERGE, "")
    known = (await chat.bot.storage.labels.search("", limit=25, known_only=True)).labels
    words = chat.bot.conversation.words("en")
    # The page is as full as it can be: it is not thinned out after it was cut.
    assert chat.genres(menu) == [words.genre_title(label.id) for label in known]
    assert "Zydeco" not in chat.genres(menu)


@pytest.mark.parametrize(
    "data", ["accept:99999999999999", "skip:x", "cancel:", "take:1-x", "pick:rule.abc:1", "other:0"]
)
async def test_a_forged_number_has_expired(chat: ChatUnderTest, tone: Tone, data: str) -> None:
    answer = await chat.song(tone(200))
    assert "this button has expired" in await chat.press_data("operator", answer, data)


async def test_the_greeting_speaks_the_servers_language(chat: ChatUnderTest) -> None:
    assert "Mình" not in text_of(await chat.command("ann", "help"))
    await chat.set_language("vi")
    assert "thể loại" in text_of(await chat.command("ann", "help"))


async def test_nobody_moderates_their_own_corrections_alone_with_the_bot(chat: ChatUnderTest) -> None:
    assert text_of(await chat.command("ann", "feedback review", private=True)) == "Only moderators can do that."
    assert "nothing to review" in text_of(await chat.command("boss", "feedback review"))


async def test_what_is_not_music_is_told_and_a_press_makes_it_music(
    chat: ChatUnderTest, ear: EarAtHand, tone: Tone
) -> None:
    ear.answers = as_speech
    answer = await chat.song(tone(200))
    assert "somebody talking" in text_of(answer)
    await chat.correct(answer, "jazz")
    [stored] = await chat.bot.storage.feedback.review(status=None)
    assert (stored.label, stored.predicted) == ("jazz", "")


async def test_a_style_and_its_tags_are_told(chat: ChatUnderTest, ear: EarAtHand, tone: Tone) -> None:
    ear.answers = as_vpop
    answer = await chat.song(tone(200))
    assert "This sounds like pop · V-pop (70%)." in text_of(answer)
    assert "Tags: female vocalists, dance." in text_of(answer)
    await chat.correct(answer, "pop")

    async def corrected() -> bool:
        return bool(await chat.bot.storage.feedback.review(status=None))

    await eventually(corrected)
    stored = await chat.bot.storage.feedback.review(status=None)
    assert [(each.label, each.agrees) for each in stored] == [("pop", True)]


async def test_a_reaction_shows_that_the_bot_is_at_work_until_it_has_answered(
    chat: ChatUnderTest, ear: EarAtHand, tone: Tone
) -> None:
    ear.go_on.clear()
    sent = await chat.send(tone(200))
    await chat.until(lambda: chat.reactions(sent) == ["👀"])
    ear.go_on.set()
    await chat.says("This sounds like")
    await chat.until(lambda: chat.reactions(sent) == [])


async def test_where_nobody_may_react_songs_are_answered_all_the_same(chat: ChatUnderTest, tone: Tone) -> None:
    chat.forbid_reactions()
    sent = await chat.send(tone(200))
    await chat.says("This sounds like")
    assert chat.reactions(sent) == []
