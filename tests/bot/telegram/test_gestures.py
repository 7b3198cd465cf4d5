"""The ways in which people ask for a genre on Telegram, and what is not taken for asking."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import pytest

from bot.telegram import refusals
from tests.bot.load_rates import hurry
from tests.bot.reports import as_speech
from tests.bot.telegram.people import MENTION, Somebody, buttons
from tests.bot.telegram.server import BOT
from tests.synthesis import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.running import Bot
    from tests.bot.telegram.server import TelegramServer

GROUP, CHANNEL = -100_500, -100_900
INSIDE = "http://192.168.0.1"


@pytest.fixture(autouse=True)
def _refusals_are_collected_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, refusals, "COLLECT_SECONDS", "FOLLOW_SECONDS")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"songs_per_person_queued": 10})


@pytest.fixture
def nameless(tune: Path, tmp_path: Path) -> Path:
    """A song without an ending."""
    return Path(copyfile(tune, tmp_path / "track"))


async def _answers_every_song(person: Somebody) -> None:
    """Have an administrator switch on that every song here is answered."""
    person.server.administrators[person.chat["id"]].add(person.number)
    await person.writes("/settings")
    shown = await person.hears("Language here")
    await person.presses(shown, "Answer every song")
    await person.hears("I answer every song")


def _said(person: Somebody) -> list[str]:
    return [each.get("text") or each.get("caption") or "" for each in person.server.said(person.chat["id"])]


async def test_of_several_links_five_are_taken_and_the_others_are_named(bot: Bot, ann: Somebody) -> None:
    links = [f"{INSIDE}/{number}.mp3" for number in range(1, 8)]
    await ann.writes("These: " + " ".join(links))
    await ann.hears("I take 5 links at a time. Please send me the others in another message: 192.168.0.1/6.mp3, 192")
    await ann.server.until(lambda: len(_said(ann)) == 6)
    # A refusal says which of the links it is about.
    assert sorted(text.splitlines()[0] for text in _said(ann) if "private network" in text) == links[:5]


async def test_a_link_that_is_sent_as_a_reply_is_taken_and_one_in_a_list_of_genres_too(
    bot: Bot, ann: Somebody, tune: Path
) -> None:
    answer = await ann.answered(await ann.sends(tune))
    await ann.presses(answer, "Something else")
    menu = await ann.hears("Which genre is it?")
    for replied in (answer, menu):
        await ann.writes(f"{INSIDE}/song.mp3", to=replied)
    await ann.server.until(lambda: sum("private network" in text for text in _said(ann)) == 2)


@pytest.mark.usefixtures("bot")
async def test_a_song_of_another_chat_is_answered_where_it_is_replied_to(
    ann: Somebody, lan: Somebody, tune: Path
) -> None:
    song = await lan.in_group(GROUP).sends(tune)
    there = {"origin": {"type": "hidden_user", "sender_user_name": "Lan", "date": 1}, "audio": song["audio"]}
    asked = await ann.writes("what is this?", external_reply=there)
    assert (await ann.answered(asked))["picture"]
    others = ann.in_group(GROUP - 1)
    await others.writes("nice one", external_reply=there)
    asked = await others.writes(f"{MENTION} and this?", external_reply=there)
    await others.answered(asked)
    assert len(_said(others)) == 1


@pytest.mark.usefixtures("bot")
async def test_a_document_without_a_type_or_an_ending_is_tried_when_it_is_asked_about(
    ann: Somebody, lan: Somebody, nameless: Path
) -> None:
    assert (await ann.answered(await ann.sends(nameless, "document")))["picture"]
    group = lan.in_group(GROUP)
    sent = await group.sends(nameless, "document")
    await group.writes("/genre", to=sent)
    assert (await group.answered(sent))["picture"]


async def test_where_every_song_is_answered_only_what_is_surely_audio_is_and_failures_are_silent(
    bot: Bot, ann: Somebody, ear: EarAtHand, tune: Path, film: Path, tmp_path: Path
) -> None:
    group = ann.in_group(GROUP)
    await _answers_every_song(group)
    before = len(_said(group))
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no music")
    await group.sends(film, "document", mime_type="video/mp4", more={"animation": _animation(film)})
    await group.sends(film, "video")
    await group.sends(broken)
    await group.sends(tmp_path / "broken.mp3", "document", mime_type="application/pdf")
    # The film of four seconds is taken for talk.
    ear.answers = lambda report: as_speech(report) if report.duration < 5 else report
    await group.sends(film, "document", mime_type="audio/mp4")
    await group.answered(await group.sends(tune))
    assert len(_said(group)) == before + 1
    assert len(ear.heard) == 3


def _animation(film: Path) -> dict[str, Any]:
    return {"file_id": film.name, "file_unique_id": film.name, "width": 2, "height": 2, "duration": 1}


@pytest.mark.usefixtures("bot")
async def test_a_gif_that_is_asked_about_has_no_sound_track(ann: Somebody, tmp_path: Path) -> None:
    gif = tmp_path / "party.gif.mp4"
    write(None, gif)
    await ann.sends(gif, "document", mime_type="video/mp4", more={"animation": _animation(gif)})
    await ann.hears("This file has no sound track.")


async def test_a_channels_songs_are_answered_once_it_is_switched_on_there(
    bot: Bot, ann: Somebody, tune: Path, tmp_path: Path
) -> None:
    channel = ann.in_channel(CHANNEL)
    await channel.sends(tune)
    asked = await channel.sends(tune, caption="/genre")
    await channel.answered(asked)
    await _answers_every_song(channel)
    song = await channel.sends(tune)
    answer = await channel.answered(song)
    assert answer["answers"] == song["message_id"]
    assert sum("picture" in each for each in ann.server.said(CHANNEL)) == 2


@pytest.mark.usefixtures("bot")
async def test_in_a_forum_everything_is_said_in_the_topic_of_the_song(ann: Somebody, tune: Path) -> None:
    group = ann.in_group(GROUP)
    topic: dict[str, Any] = {"message_thread_id": 7, "is_topic_message": True}
    song = await group.sends(tune, caption=MENTION, more=topic)
    answer = await group.answered(song)
    await group.writes("/help", **topic)
    await group.hears("Reply to a song")
    assert {each["message_thread_id"] for each in group.server.said(GROUP)} == {7}
    assert answer["answers"] == song["message_id"]


@pytest.mark.usefixtures("bot")
async def test_a_group_is_greeted_with_the_gestures_that_reach_the_bot_there(
    ann: Somebody, lan: Somebody, telegram: TelegramServer
) -> None:
    await ann.in_group(GROUP).adds_bot()
    greeting = await ann.in_group(GROUP).hears("Thanks for adding me")
    assert f"/genre{MENTION}" in greeting["text"]
    assert "caption" not in greeting["text"]
    # An administrator sees everything.
    telegram.administrators[GROUP - 1].add(int(str(BOT["id"])))
    await lan.in_group(GROUP - 1).adds_bot()
    assert "nhắc tên mình" in (await lan.in_group(GROUP - 1).hears("Cảm ơn đã thêm mình"))["text"]
    await lan.in_channel(CHANNEL).adds_bot()
    await lan.writes("/help")
    await lan.hears("Bạn gửi cho mình một bài")
    assert telegram.said(CHANNEL) == []


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    "content",
    [
        {"contact": {"phone_number": "1", "first_name": "Ann"}},
        {"location": {"latitude": 1.0, "longitude": 1.0}},
        {"dice": {"emoji": "🎲", "value": 3}},
        {"photo": [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]},
    ],
    ids=lambda content: next(iter(content)),
)
async def test_what_is_neither_words_nor_a_file_gets_one_sentence_in_private_and_none_in_a_group(
    ann: Somebody, content: dict[str, Any]
) -> None:
    await ann.in_group(GROUP).shows(**content)
    await ann.shows(**content)
    await ann.hears("That isn't a song.")
    assert (len(_said(ann)), len(_said(ann.in_group(GROUP)))) == (1, 0)


async def test_sixteen_songs_at_once_give_ten_answers_and_one_sentence_about_the_other_six(
    bot: Bot, ann: Somebody, ear: EarAtHand, tone: Callable[..., Path]
) -> None:
    ear.go_on.clear()
    for number in range(16):
        await ann.sends(tone(200 + number))
    await ann.hears("I can keep 10 songs waiting for you at a time, so I left out 6.")
    ear.go_on.set()
    await ann.server.until(lambda: sum("picture" in each for each in ann.server.said(ann.number)) == 10)
    assert len(_said(ann)) == 11
    assert not any("cancel" in each["callback_data"] for said in ann.server.said(ann.number) for each in buttons(said))


@pytest.mark.usefixtures("bot")
async def test_where_the_bot_may_not_write_it_reacts_or_else_tells_the_sender_once(
    ann: Somebody, lan: Somebody, telegram: TelegramServer, tune: Path
) -> None:
    telegram.muted.add(GROUP)
    song = await ann.in_group(GROUP).sends(tune, caption=MENTION)
    await telegram.until(lambda: song.get("reaction") == ["🙊"])
    telegram.no_reactions.add(GROUP)
    for _ in range(2):
        await lan.in_group(GROUP).writes("/help")
    await lan.hears("Mình không được viết ở chỗ bạn vừa hỏi.")
    await lan.writes("/help")
    await lan.hears("Bạn gửi cho mình một bài")
    assert (len(_said(lan)), len(_said(ann)), telegram.said(GROUP)) == (2, 0, [])


@pytest.mark.usefixtures("bot")
async def test_a_progress_message_that_was_left_behind_goes_when_its_button_is_pressed(
    ann: Somebody, telegram: TelegramServer, tune: Path
) -> None:
    # The post takes effect, but the bot never learns its number, as if it had been killed at that moment.
    telegram.drops["sendMessage"] = 1
    await ann.answered(await ann.sends(tune))
    stray, _ = telegram.said(ann.number)
    await ann.presses(stray, "Stop")
    await telegram.until(lambda: len(telegram.said(ann.number)) == 1)
    assert "That song is already answered" in str(telegram.toasts[-1])
