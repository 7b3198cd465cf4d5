from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.core.identity import Person
from bot.telegram.commands import EVERYBODYS
from tests.bot.telegram.conftest import OPERATOR
from tests.bot.telegram.people import MENTION, Somebody, texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from storage import Storage
    from tests.bot.running import Bot
    from tests.bot.telegram.server import TelegramServer

pytestmark = pytest.mark.usefixtures("bot")
GROUP = -100_500


@pytest.fixture
async def answer(ann: Somebody, tone: Callable[..., Path]) -> dict[str, Any]:
    return await ann.answered(await ann.sends(tone()))


async def _buttons(telegram: TelegramServer, message: dict[str, Any], *wanted: str) -> dict[str, Any]:
    """Wait until a message has these buttons, and return it."""
    key = message["chat"]["id"], message["message_id"]
    await telegram.until(lambda: texts(telegram.messages[key]) == list(wanted))
    return telegram.messages[key]


async def test_right_is_thanked_for_and_may_be_taken_back(
    ann: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await ann.presses(answer, "Right")
    answer = await _buttons(telegram, answer, "✓ Blues (change)", "Undo", "Experts' votes")
    assert "Thanks! Good to know that blues was right." in telegram.toasts
    await ann.presses(answer, "Undo")
    await _buttons(telegram, answer, "Right", "Wrong", "Experts' votes")
    assert telegram.toasts[-1] == "Your correction is removed."


async def test_wrong_opens_a_list_and_what_is_chosen_there_may_be_changed(
    ann: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await ann.presses(answer, "Wrong")
    choice = await ann.hears("Which genre is it?")
    await ann.presses(choice, "Jazz")
    thanks = await ann.hears("I've noted that this is jazz")
    assert texts(thanks) == ["Change", "Undo"]
    await ann.presses(thanks, "Change")
    second = await ann.hears("Which genre is it?")
    await ann.writes("zydeco", to=second)
    await ann.hears("“zydeco” is new to me")


async def test_a_long_list_of_genres_is_turned_page_by_page(
    bot: Bot, lan: Somebody, ann: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await lan.presses(answer, "Wrong")
    choice = await ann.hears("Vậy là thể loại nào?")
    first = texts(choice)
    assert len(first) == 26
    await lan.presses(choice, "›")
    await telegram.until(lambda: "‹" in texts(telegram.messages[ann.number, choice["message_id"]]))
    choice = telegram.messages[ann.number, choice["message_id"]]
    name = texts(choice)[0]
    assert not set(first) & set(texts(choice)) - {"›"}
    await lan.presses(choice, name)
    await ann.hears("Mình ghi lại rồi: đây là")


async def test_a_name_that_cannot_be_one_gets_its_sentence(lan: Somebody, tone: Callable[..., Path]) -> None:
    answer = await lan.answered(await lan.sends(tone()))
    await lan.presses(answer, "Sai rồi")
    choice = await lan.hears("Vậy là thể loại nào?")
    await lan.writes("123", to=choice)
    await lan.hears("Tên thể loại phải có ít nhất một chữ cái")
    await lan.writes("x" * 61, to=choice)
    await lan.hears("dài tối đa 60 ký tự")


async def test_correct_as_an_answer_to_an_answer(ann: Somebody, lan: Somebody, answer: dict[str, Any]) -> None:
    await ann.writes("/correct classical", to=answer)
    await ann.hears("I've noted that this is classical")
    await ann.writes("/correct", to=answer)
    await ann.hears("Which genre is it?")
    await lan.writes("/sualai")
    await lan.hears("/sualai jazz")


async def test_in_a_group_everybody_has_one_opinion_and_the_buttons_stay_for_the_others(
    bot: Bot, ann: Somebody, lan: Somebody, telegram: TelegramServer, tone: Callable[..., Path]
) -> None:
    ann, lan = ann.in_group(GROUP), lan.in_group(GROUP)
    answer = await ann.answered(await ann.sends(tone(), caption=MENTION))
    for _ in range(2):
        await ann.presses(answer, "Right")
        await lan.presses(answer, "Right")
    await telegram.until(lambda: len(telegram.toasts) == 4)
    stats = await bot.storage.feedback.stats()
    assert (stats.corrections, stats.people) == (2, 2)
    assert texts(telegram.messages[GROUP, answer["message_id"]]) == ["Right", "Wrong", "Experts' votes", "Undo"]
    await lan.presses(answer, "Undo")
    await telegram.until(lambda: "Đã xoá lời sửa của bạn." in telegram.toasts)
    assert (await bot.storage.feedback.stats()).corrections == 1


async def test_the_experts_votes_are_shown_once_with_all_parts_that_the_answer_had_no_room_for(
    bot: Bot, ann: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await ann.presses(answer, "Experts' votes")
    votes = await ann.hears("What each of my experts would have said")
    assert "neighbours: blues 1 of 1" in votes["text"]
    await _buttons(telegram, answer, "Right", "Wrong")


async def test_consent_is_asked_once_and_may_be_taken_back(
    bot: Bot, ann: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await ann.presses(answer, "Right")
    question = await ann.hears("May I learn from this?")
    await ann.presses(question, "Yes, you may learn")
    await ann.hears("From now on your corrections may teach me.")
    assert (await bot.conversation.privacy.consent(Person("telegram", "11"))).may_train is True
    await ann.writes("/correct jazz", to=answer)
    await ann.hears("I've noted that this is jazz")
    assert sum("May I learn" in call.get("text", "") for call in telegram.calls("sendMessage")) == 1
    await ann.writes("/privacy")
    privacy = await ann.hears("Learning from your corrections: you allowed it.")
    await ann.presses(privacy, "Stop learning from me")
    await ann.hears("your corrections won't be used for training any more")


async def test_the_question_goes_to_the_person_alone_unless_they_never_wrote_to_the_bot(
    ann: Somebody, lan: Somebody, telegram: TelegramServer, tone: Callable[..., Path]
) -> None:
    telegram.unwritten.add(lan.number)
    answer = await ann.in_group(GROUP).answered(await ann.in_group(GROUP).sends(tone(), caption=MENTION))
    await ann.in_group(GROUP).presses(answer, "Right")
    await ann.hears("May I learn from this?")
    await lan.in_group(GROUP).presses(answer, "Right")
    question = await lan.in_group(GROUP).hears("Mình học từ chuyện này được không?")
    await lan.in_group(GROUP).presses(question, "Thôi, cảm ơn")
    await telegram.until(lambda: "Được rồi, mình sẽ không học từ những lần bạn sửa." in telegram.toasts)


async def test_an_expired_button_says_so_kindly(
    storage: Storage, lan: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await lan.presses_data(answer, "right:AAAAAAAAAAA")
    await lan.presses_data(answer, "wrong:AAAAAAAAAAA")
    await lan.presses_data(answer, "pick:AAAAAAAAAAA:1")
    await lan.presses_data(answer, "nonsense")
    await telegram.until(lambda: len(telegram.toasts) == 4)
    assert set(telegram.toasts) == {"Mình không còn giữ bài này nên nút này hết hiệu lực rồi. Bạn gửi lại bài hát nhé."}


async def test_my_data_comes_as_a_file_and_only_to_me(
    ann: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await ann.presses(answer, "Right")
    await ann.hears("May I learn from this?")
    await ann.in_group(GROUP).writes("/mydata")
    await ann.in_group(GROUP).hears("I've sent it to you alone.")
    (document,) = telegram.calls("sendDocument")
    assert int(document["chat_id"]) == ann.number
    name, content = document["document"]
    data = json.loads(content)
    assert name == "my-data.json"
    assert data["corrections"][0]["label"] == "blues"
    assert len(data["songs"]) == 1
    stranger = Somebody(telegram, 77)
    telegram.unwritten.add(77)
    await stranger.in_group(GROUP).writes("/mydata")
    await stranger.in_group(GROUP).hears("Please write to me first")


async def test_forgetting_deletes_everything_says_how_much_and_is_nobody_elses_to_ask(
    storage: Storage, keys: IdHasher, ann: Somebody, lan: Somebody, telegram: TelegramServer, answer: dict[str, Any]
) -> None:
    await ann.presses(answer, "Right")
    await ann.hears("May I learn from this?")
    await ann.in_group(GROUP).writes("/forgetme")
    question = await ann.in_group(GROUP).hears("Delete everything I keep about you?")
    await lan.in_group(GROUP).presses(question, "Yes, delete everything")
    await telegram.until(lambda: "Chỉ người gửi bài này mới làm được việc đó." in telegram.toasts)
    await ann.in_group(GROUP).presses(question, "Yes, delete everything")
    await ann.in_group(GROUP).hears("Deleted: one answer from your history and one correction.")
    data = await storage.people.export_data(keys.person(Person("telegram", "11")))
    assert (data["consent"], data["corrections"], data["jobs"]) == ([], [], [])


async def test_the_language_that_a_person_chose_goes_before_their_apps(
    ann: Somebody, tone: Callable[..., Path]
) -> None:
    await ann.writes("/language")
    question = await ann.hears("Which language")
    await ann.presses(question, "Tiếng Việt")
    await ann.hears("Từ giờ mình nói tiếng Việt với bạn.")
    answer = await ann.answered(await ann.sends(tone()))
    assert answer["caption"].startswith("Mình nghe ra đây là blues")
    await ann.writes("/ngonngu en")
    await ann.hears("From now on I speak English with you.")


async def test_what_can_be_asked(ann: Somebody, answer: dict[str, Any]) -> None:
    asked = {
        "/start": "Send me a song",
        "/help": "up to 60 minutes long and 1 MB in size",
        "/about": "What I can't do",
        "/stats": "Here I've heard one song",
        "/privacy": "Your file is deleted as soon as I've answered.",
    }
    for command, said in asked.items():
        await ann.writes(command)
        await ann.hears(said)


async def test_each_menu_has_the_commands_that_its_readers_may_use(telegram: TelegramServer) -> None:
    everybody, menus = set(EVERYBODYS), telegram.commands
    await telegram.until(lambda: telegram.profile.get(("short_description", "vi")))
    assert set(menus["default", ""]) == everybody
    assert set(menus["all_private_chats", ""]) == everybody | {"settings"}
    assert set(menus["all_chat_administrators", ""]) == everybody | {"settings", "feedback"}
    assert set(menus[str(OPERATOR), ""]) == everybody | {"settings", "feedback"}
    assert {"theloai", "trogiup"} <= set(menus["default", "vi"])
    assert set(menus["all_chat_administrators", "vi"]) - set(menus["default", "vi"]) == {"ykien", "caidat"}


async def test_the_profile_speaks_every_language(telegram: TelegramServer) -> None:
    await telegram.until(lambda: telegram.profile.get(("short_description", "vi")))
    assert "genre of a song" in telegram.profile["short_description", ""]
    assert telegram.profile["description", "vi"].startswith("Bạn gửi cho mình một bài hát")


async def test_alone_with_the_bot_settings_are_ones_own(ann: Somebody, telegram: TelegramServer) -> None:
    await ann.writes("/settings")
    shown = await ann.hears("I speak English with you.")
    assert texts(shown) == ["English", "Tiếng Việt", "With picture", "Without picture"]
    await ann.presses(shown, "Tiếng Việt")
    await telegram.until(lambda: "Mình nói Tiếng Việt" in telegram.messages[ann.number, shown["message_id"]]["text"])
    await ann.writes("/help")
    await ann.hears("Bạn gửi cho mình một bài")


async def test_an_export_says_what_it_can_be_and_that_it_is_empty(operator: Somebody) -> None:
    await operator.writes("/feedback export xml")
    await operator.hears("“xml” is neither a format nor a genre that I know. The formats are csv, jsonl, parquet.")
    await operator.writes("/ykien xuat csv")
    assert "document" not in await operator.hears("There's nothing to export")
