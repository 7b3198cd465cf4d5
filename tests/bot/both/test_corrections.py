"""Corrections as people make them, the same in both chats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.bot.both.chats import text_of
from tests.bot.reports import certain
from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classifier.song_report import SongReport
    from tests.bot.both.chats import ChatUnderTest, Message
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


async def labels(chat: ChatUnderTest) -> list[str]:
    return [each.label for each in await chat.bot.storage.feedback.review(status=None)]


async def is_delivered(chat: ChatUnderTest, answer: Message) -> None:
    """Wait until it is written down which message shows the answer; people do not react that fast."""
    found = re.search(r"votes:([\w-]{11})", str(answer))
    assert found is not None

    async def is_noted() -> bool:
        reply = await chat.bot.storage.replies.find(found[1])
        return reply is not None and reply.message is not None

    await eventually(is_noted)


def unsure(_: SongReport) -> SongReport:
    return certain(sure=False, jazz=0.4, blues=0.35, rock=0.25)


async def test_after_wrong_a_genre_is_simply_typed(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song_alone(tone(200))
    await chat.tap(answer, "Wrong")
    await chat.hears("or just type its name")
    await chat.writes("No, it's jazz!")
    await chat.hears("I've noted that this is jazz")
    await chat.hears("May I learn from this?")
    assert await labels(chat) == ["jazz"]
    await chat.until(lambda: chat.buttons(answer)[:2] == ["✓ Jazz (change)", "Undo"])
    await chat.writes("blues")
    await chat.hears("Send me a song")
    assert await labels(chat) == ["jazz"], "the question was answered; what is typed later is something else"


@pytest.mark.parametrize("private", [True, False])
async def test_a_reply_with_a_genre_is_a_correction(chat: ChatUnderTest, tone: Tone, private: bool) -> None:
    answer = await (chat.song_alone if private else chat.song)(tone(200))
    await chat.writes("nhạc jazz", to=answer)
    await chat.hears("I've noted that this is jazz", private=private)
    assert await labels(chat) == ["jazz"]


async def test_a_reply_that_is_chatter_is_no_correction(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song_alone(tone(200))
    await chat.writes("thanks!", to=answer)
    await chat.writes("this one always makes me think of the summer of 2003", to=answer)
    await chat.writes("yes", to=answer)
    await chat.hears("was right")
    assert len(await labels(chat)) == 1


async def test_a_misspelt_genre_is_asked_about(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song_alone(tone(200))
    await chat.writes("jaz", to=answer)
    question = await chat.hears("Did you mean jazz?")
    assert chat.buttons(question) == ["Jazz", "Add “jaz”"]
    assert await labels(chat) == []
    assert await chat.bot.storage.labels.find("jaz") is None
    await chat.tap(question, "Jazz")
    await chat.hears("I've noted that this is jazz")
    assert await labels(chat) == ["jazz"]


async def test_a_name_that_nothing_resembles_is_added_if_the_person_says_so(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song_alone(tone(200))
    await chat.tap(answer, "Wrong")
    await chat.hears("or just type its name")
    await chat.writes("gnawa")
    question = await chat.hears("I don't know a genre called “gnawa”.")
    assert await labels(chat) == []
    await chat.tap(question, "Add “gnawa”")
    await chat.hears("“gnawa” is new to me")
    assert await labels(chat) == ["gnawa"]


async def test_a_link_or_a_song_typed_while_a_list_is_open_is_no_genre(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song_alone(tone(200))
    await chat.tap(answer, "Wrong")
    await chat.hears("or just type its name")
    await chat.writes("Bohemian Rhapsody")
    await chat.hears("If it's a song, send me its file or a link.")
    await chat.writes("https://example.org/a-song.mp3")
    await chat.hears("I can't follow links yet")
    assert await labels(chat) == []


async def test_the_list_begins_with_the_runners_up_and_what_the_chat_uses_most(
    chat: ChatUnderTest, ear: EarAtHand, tone: Tone
) -> None:
    ear.answers = lambda _: certain(metal=0.6, cheo=0.3, disco=0.1)
    answer = await chat.song(tone(200))
    await chat.writes("zouk", to=answer)
    await chat.hears("I've noted that this is zouk", private=False)
    await chat.tap(answer, "Wrong")
    menu = await chat.hears("Which genre is it?", private=False)
    assert chat.genres(menu)[:6] == ["Chèo", "Disco", "Zouk", "Pop", "Rock", "Hip hop"]


async def test_a_choice_in_a_group_is_shown_to_whoever_made_it_and_the_buttons_stay_for_others(
    chat: ChatUnderTest, tone: Tone
) -> None:
    answer = await chat.song(tone(200))
    offered = chat.buttons(answer)
    await chat.tap(answer, "Right")
    await chat.is_told("was right")
    assert chat.buttons(answer) == offered
    assert len(await labels(chat)) == 1


async def test_a_stray_right_keeps_the_correction_and_says_so(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song(tone(200))
    await chat.writes("zouk", to=answer)
    await chat.hears("I've noted that this is zouk", private=False)
    await chat.tap(answer, "Right")
    question = await chat.hears("You've told me that this is zouk, so I've kept that.", private=False)
    assert await labels(chat) == ["zouk"]
    yes, undo = chat.buttons(question)
    assert undo == "Undo"
    await chat.tap(question, yes)
    await chat.hears("was right", private=False)
    assert await labels(chat) != ["zouk"]


@pytest.mark.parametrize("private", [True, False])
async def test_a_reaction_is_feedback_until_it_is_withdrawn(chat: ChatUnderTest, tone: Tone, private: bool) -> None:
    answer = await (chat.song_alone if private else chat.song)(tone(200))
    await is_delivered(chat, answer)

    async def is_agreed() -> bool:
        return [each.agrees for each in await chat.bot.storage.feedback.review(status=None)] == [True]

    async def is_empty() -> bool:
        return not await labels(chat)

    await chat.reacts(answer, "🎉")
    await chat.reacts(answer, "👍🏽" if "Discord" in type(chat).__name__ else "👍")
    await eventually(is_agreed)
    await chat.hears("May I learn from this?")
    if private:
        await chat.until(lambda: "(change)" in chat.buttons(answer)[0])
    await chat.reacts(answer, "👍", withdrawn=True)
    await eventually(is_empty)
    if private:
        await chat.until(lambda: chat.buttons(answer)[0] == "Right")


async def test_a_thumb_down_asks_which_genre_it_is(chat: ChatUnderTest, tone: Tone) -> None:
    answer = await chat.song_alone(tone(200))
    await is_delivered(chat, answer)
    await chat.reacts(answer, "👎")
    assert chat.genres(await chat.hears("or just type its name"))
    await chat.writes("reggae")
    await chat.hears("I've noted that this is reggae")
    await chat.reacts(answer, "👎", withdrawn=True)
    await chat.reacts(answer, "👍")
    await chat.hears("You've told me that this is reggae, so I've kept that.")
    assert await labels(chat) == ["reggae"]


async def test_an_unsure_answer_has_a_button_for_each_genre_it_names(
    chat: ChatUnderTest, ear: EarAtHand, tone: Tone
) -> None:
    ear.answers = unsure
    answer = await chat.song_alone(tone(200))
    assert "I'm not sure: maybe jazz (40%) or blues (35%)." in text_of(answer)
    assert chat.buttons(answer)[:3] == ["Jazz", "Blues", "Something else"]
    await chat.tap(answer, "Blues")
    await chat.until(lambda: chat.buttons(answer)[0] == "✓ Blues (change)")
    assert await labels(chat) == ["blues"]
