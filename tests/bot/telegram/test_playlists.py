"""Links to many songs in Telegram: asked in the place of the progress, answered song by song, each with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.bot.links_at_hand import LinksAtHand
from tests.bot.telegram.people import Somebody, buttons, texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.running import Bot

    Tone = Callable[..., Path]

GROUP = -100_700


@pytest.fixture
def links(bot: Bot, tone: Tone) -> LinksAtHand:
    links = LinksAtHand()
    links.has_list(tone(200), None, tone(900), count=14)
    bot.follows(links)
    return links


async def answers_to(somebody: Somebody, question: dict[str, Any], count: int) -> list[str]:
    """Wait until so many messages answer a question for good, and return what they say."""

    def found() -> list[str]:
        said = [
            message.get("caption") or message.get("text") or ""
            for message in somebody.server.said(somebody.chat["id"])
            if message.get("answers") == question["message_id"]
        ]
        ended = [text for text in said if "%" in text or "There is nothing" in text]
        return ended if len(ended) == count else []

    return list(await somebody.server.until(found))


async def test_a_list_is_asked_about_and_answered_song_by_song(ann: Somebody, links: LinksAtHand) -> None:
    sent = await ann.writes("https://songs.example/list")
    question = await ann.hears("This is a list of 14 songs. Shall I listen to the first 3?")
    assert question["answers"] == sent["message_id"]
    assert texts(question) == ["Yes, the first 3", "Only the first", "No, thanks"]
    assert all(len(button["callback_data"].encode()) <= 64 for button in buttons(question))
    await ann.presses(question, "Yes, the first 3")
    first, second, third = sorted(await answers_to(ann, question, 3))
    assert first.startswith("Song 1\n")
    assert "blues" in first
    assert second == "Song 2\nThere is nothing at this link. Please check it, or send the file."
    assert third.startswith("Song 3\n")
    assert "jazz" in third
    taken = await ann.hears("I take 3 songs of this list; each gets its own answer.")
    assert taken["message_id"] == question["message_id"]
    assert texts(taken) == []


async def test_in_a_group_only_the_requester_may_answer_for_themselves(
    ann: Somebody, lan: Somebody, links: LinksAtHand
) -> None:
    ann, lan = ann.in_group(GROUP), lan.in_group(GROUP)
    await ann.writes("/genre https://songs.example/list")
    question = await ann.hears("This is a list")
    await lan.presses(question, "Yes, the first 3")
    await lan.server.until(
        lambda: [call for call in lan.server.calls("answerCallbackQuery") if "Chỉ" in call.get("text", "")]
    )
    await ann.presses(question, "No, thanks")
    await ann.hears("All right, I'll leave this list alone.")
    # A press that was kept, or made up, comes to nothing.
    await ann.presses_data(question, "take:1-3")
    await ann.server.until(
        lambda: [call for call in ann.server.calls("answerCallbackQuery") if "expired" in call.get("text", "")]
    )
    assert links.fetched == ["https://songs.example/list"]


async def test_a_song_of_a_list_is_stopped_by_its_own_button(ann: Somebody, links: LinksAtHand) -> None:
    links.go_on.clear()
    await ann.writes("https://songs.example/list")
    question = await ann.hears("This is a list")
    await ann.presses(question, "Yes, the first 3")
    progress = await ann.hears("Song 3\n")
    await ann.presses(progress, "Stop")
    links.go_on.set()
    await ann.hears("Stopped. I've forgotten that song.")
    answered = await answers_to(ann, question, 2)
    assert not [text for text in answered if text.startswith("Song 3")]
