from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.setting_values import Moderator
from tests.bot.discord import FakeDiscord, Somebody
from tests.bot.discord.running import Scene, close_scene, open_scene, prepare
from tests.bot.discord.world import custom_ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.discord.world import Event
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


OPERATOR = "4242"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"moderators": (Moderator("discord", OPERATOR),)})


@pytest.fixture
async def answer(scene: Scene, tone: Tone) -> Event:
    """An answer in the server's channel: blues."""
    await scene.ann.says(scene.channel, "", tone(200, name="song.wav"), mention=True)
    return (await scene.answers(scene.channel))[-1]


def _options(message: Event) -> list[dict[str, Any]]:
    return [option for row in message["components"] for part in row["components"] for option in part.get("options", [])]


def _private(scene: Scene) -> list[str]:
    return [message["content"] for message in scene.world.messages.values() if message["flags"] & 64]


# Right, wrong, and thinking again


async def test_right_is_thanked_for_in_private_and_the_question_about_learning_comes_once(
    scene: Scene, answer: Event
) -> None:
    await scene.bob.presses(answer, "right")
    await scene.world.until(lambda: len(_private(scene)) == 2)
    thanks, question = _private(scene)
    assert "blues was right" in thanks
    assert question.startswith("May I learn from this?")
    told = await scene.bob.told(await scene.bob.presses(answer, "right"))
    assert "blues was right" in told["content"]
    assert sum(text.startswith("May I learn") for text in _private(scene)) == 1


async def test_wrong_offers_genres_page_by_page_and_the_choice_can_be_changed_and_withdrawn(
    scene: Scene, answer: Event
) -> None:
    menu = await scene.linh.told(await scene.linh.presses(answer, "wrong"))
    assert menu["content"] == "Vậy là thể loại nào?"
    assert len(_options(menu)) == 25
    first_page = {option["value"] for option in _options(menu)}
    await scene.linh.presses(menu, "turn:")
    await scene.world.until(lambda: {option["value"] for option in _options(menu)} - first_page)
    assert not {option["value"] for option in _options(menu)} & first_page
    await scene.linh.presses(menu, "turn:")
    await scene.world.until(lambda: {option["value"] for option in _options(menu)} == first_page)
    await scene.linh.presses(menu, "pick", "catru")
    await scene.world.until(lambda: "ca trù" in menu["content"])
    assert [custom_id.partition(":")[0] for custom_id in custom_ids(menu)] == ["wrong", "undo"]
    await scene.linh.presses(menu, "undo")
    await scene.world.until(lambda: menu["content"].startswith("Đã xoá lời sửa"))
    assert (await scene.bot.storage.feedback.stats()).corrections == 0


async def test_a_genre_that_no_list_has_is_written_into_a_text_box(scene: Scene, answer: Event) -> None:
    menu = await scene.bob.told(await scene.bob.presses(answer, "wrong"))
    token = await scene.bob.presses(menu, "name:")
    box = await scene.world.until(
        lambda: next((body for _, body in scene.world.callbacks.values() if body["type"] == 9), None)
    )
    assert box["data"]["title"] == "Search for a genre"
    assert scene.world.interactions[token].alive
    await scene.bob.fills(menu, box["data"]["custom_id"], "Zydeco")
    await scene.world.until(lambda: "“Zydeco” is new to me" in menu["content"])
    await scene.bob.fills(menu, box["data"]["custom_id"], "!!!")
    await scene.world.until(lambda: "at least one letter" in menu["content"])


async def test_correct_offers_genres_while_one_types_and_takes_the_latest_answer_here(
    scene: Scene, answer: Event
) -> None:
    offered = await scene.bob.types(scene.channel, "cai")
    assert offered[0] == {"name": "Cải lương", "value": "cailuong"}
    assert len(await scene.bob.types(scene.channel, "")) == 25
    told = await scene.bob.told(await scene.bob.command(scene.channel, "correct", genre="cailuong"))
    assert "cải lương" in told["content"]
    await scene.world.until(lambda: any(text.startswith("May I learn") for text in _private(scene)))
    elsewhere = await scene.bob.told(await scene.bob.command(scene.bob.direct, "correct", genre="jazz"))
    assert "I can't see an answer of mine here" in elsewhere["content"]


async def test_a_misspelt_genre_is_found_while_one_types(scene: Scene, answer: Event) -> None:
    assert [choice["value"] for choice in await scene.bob.types(scene.channel, "jaz")] == ["jazz"]
    assert (await scene.bob.types(scene.channel, "reggea"))[0]["value"] == "reggae"


async def test_an_answers_menu_corrects_it_and_no_other_messages_does(scene: Scene, answer: Event) -> None:
    assert {"Correct the genre", "What genre is this?"} <= {each["name"] for each in scene.world.commands}
    offered = await scene.bob.told(await scene.bob.points_at(answer, "Correct the genre"))
    await scene.bob.told(await scene.bob.presses(offered, "pick:", "jazz"))
    assert [each.label for each in await scene.bot.storage.feedback.review()] == ["jazz"]
    other = await scene.ann.says(scene.channel, "hello")
    told = await scene.bob.told(await scene.bob.points_at(other, "Correct the genre"))
    assert told["content"].startswith("I can't see an answer of mine here.")


async def test_part_of_a_name_in_the_text_box_shows_what_has_it(scene: Scene, answer: Event) -> None:
    await scene.bob.presses(answer, "wrong:")
    menu = await scene.says(scene.channel, "Which genre is it?")
    [box] = [each for each in custom_ids(menu) if each.startswith("name:")]
    asked = await scene.bob.told(await scene.bob.fills(menu, box, "progressive"))
    assert asked["content"] == "I don't know “progressive”. Did you mean one of these?"
    await scene.bob.told(await scene.bob.presses(asked, "pick:"))
    assert [each.label for each in await scene.bot.storage.feedback.review()] == ["progressiverock"]


async def test_where_the_bot_may_read_a_genre_is_simply_typed_after_wrong(
    discord: FakeDiscord, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, tone: Tone
) -> None:
    discord.world.reads_along = True
    scene = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    await scene.ann.says(scene.channel, "", tone(200), mention=True)
    [answer] = await scene.answers(scene.channel)
    await scene.bob.presses(answer, "wrong:")
    await scene.says(scene.channel, "Which genre is it?")
    await scene.ann.says(scene.channel, "metal")
    await scene.bob.says(scene.channel, "jazz")
    await scene.says(scene.channel, "I've noted that this is jazz")
    assert [each.label for each in await storage.feedback.review()] == ["jazz"]
    await close_scene(scene)


async def test_each_expert_is_heard_by_whoever_asks(scene: Scene, answer: Event) -> None:
    told = await scene.bob.told(await scene.bob.presses(answer, "votes"))
    assert told["content"].startswith("What each of my experts")


async def test_buttons_work_after_a_restart_and_expire_kindly(
    discord: FakeDiscord,
    scene: Scene,
    answer: Event,
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
) -> None:
    menu = await scene.bob.told(await scene.bob.presses(answer, "wrong"))
    await close_scene(scene)
    again = await open_scene(discord, storage, keys, settings, ear, (scene.guild, scene.channel))
    told = await again.bob.told(await again.bob.presses(answer, "right"))
    assert "blues was right" in told["content"]
    await scene.bob.fills(menu, f"name:{custom_ids(menu)[0].partition(':')[2]}", "Zydeco")
    await again.world.until(lambda: "Zydeco" in menu["content"])
    answer["components"] = json.loads(json.dumps(answer["components"]).replace("votes:", "votes:x"))
    expired = await again.ann.told(await again.ann.presses(answer, "votes"))
    assert "this button has expired" in expired["content"]
    await close_scene(again)


# What is kept


async def test_a_person_sees_what_is_kept_gets_it_as_a_file_and_has_it_deleted(scene: Scene, answer: Event) -> None:
    privacy = await scene.ann.told(await scene.ann.command(scene.channel, "privacy"))
    assert "I'll ask you once" in privacy["content"]
    await scene.ann.presses(privacy, "allow")
    await scene.world.until(lambda: privacy["content"].startswith("Thanks! From now on"))
    await scene.ann.told(await scene.ann.presses(answer, "right"))
    data = await scene.ann.told(await scene.ann.command(scene.channel, "mydata"))
    (file,) = data["attachments"]
    kept = json.loads(scene.world.pictures[file["id"]])
    assert file["filename"] == "my-data.json"
    assert len(kept["corrections"]) == 1
    question = await scene.ann.told(await scene.ann.command(scene.channel, "forgetme"))
    await scene.ann.presses(question, "forget:yes")
    await scene.world.until(lambda: question["content"].startswith("Deleted:"))
    assert "one correction" in question["content"]
    kept_still = await scene.ann.told(await scene.ann.command(scene.channel, "forgetme"))
    await scene.ann.presses(kept_still, "forget:no")
    await scene.world.until(lambda: kept_still["content"] == "All right, everything stays as it is.")


@pytest.mark.parametrize(
    ("name", "english", "vietnamese"),
    [
        ("help", "Send me a song", "Gửi mình một bài hát"),
        ("about", "What I can't do", "không làm được"),
        ("stats", "one song", "một bài"),
    ],
)
async def test_what_can_be_asked_is_answered_to_that_person_alone_in_their_language(
    scene: Scene, answer: Event, name: str, english: str, vietnamese: str
) -> None:
    for somebody, words in ((scene.ann, english), (scene.linh, vietnamese)):
        told = await somebody.told(await somebody.command(scene.channel, name))
        assert words in told["content"]
        assert told["flags"] & 64


# Moderators


async def test_an_administrator_rules_on_all_opinions_on_a_song_at_once(scene: Scene, answer: Event) -> None:
    for somebody, genre in ((scene.ann, "jazz"), (scene.bob, "zydeco"), (scene.linh, "catru")):
        await somebody.told(await somebody.command(scene.channel, "correct", genre=genre))
    review = await scene.boss.told(await scene.boss.command(scene.channel, "feedback", "review"))
    assert "I was not sure: blues" in review["content"] or "I said blues" in review["content"]
    assert "jazz (1), zydeco (1)" in review["content"]
    await scene.boss.presses(review, "accept")
    await scene.world.until(lambda: review["content"].startswith("Accepted: jazz.\n\nThere's nothing to review."))
    await scene.boss.presses(review, "unrule")
    await scene.world.until(lambda: review["content"].startswith("Put back for review: 3 opinions."))
    await scene.boss.presses(review, "other")
    await scene.world.until(lambda: review["content"] == "Which genre is it?")
    await scene.boss.presses(review, "pick", "country")
    await scene.world.until(lambda: review["content"].startswith("Noted as country."))
    stored = await scene.bot.storage.feedback.review(status=None)
    assert [each.verdict for each in stored] == ["country"] * 3
    stats = await scene.boss.told(await scene.boss.command(scene.channel, "feedback", "stats"))
    assert "3 opinions from 3 people on one song" in stats["content"]


async def test_a_moderator_of_the_operators_merges_a_new_name_and_takes_the_data_home(
    scene: Scene, answer: Event
) -> None:
    ann, operator = scene.ann, Somebody(scene.discord, number=OPERATOR)
    consent = await ann.told(await ann.command(scene.channel, "privacy"))
    await ann.presses(consent, "allow")
    await scene.world.until(lambda: consent["content"].startswith("Thanks! From now on"))
    await ann.told(await ann.command(scene.channel, "correct", genre="the jazz"))
    review = await operator.told(await operator.command(operator.direct, "feedback", "review"))
    await operator.presses(review, "merge")
    await scene.world.until(lambda: review["content"] == "Which genre is it?")
    await operator.presses(review, "pick", "jazz")
    await scene.world.until(lambda: "is now another name for jazz" in review["content"])
    for form in ("csv", "jsonl"):
        token = await operator.command(
            operator.direct, "feedback", "export", format=form, since="2020-01-01", genre="jazz"
        )
        told = await operator.told(token)
        (file,) = told["attachments"]
        assert file["filename"] == f"feedback.{form}"
        assert b"jazz" in scene.world.pictures[file["id"]]
    wrong = await operator.told(await operator.command(operator.direct, "feedback", "export", since="yesterday"))
    assert wrong["content"] == "Please write a date like 2026-11-30."
    unknown = await operator.told(await operator.command(operator.direct, "feedback", "export", genre="xml"))
    assert "The formats are csv, jsonl, parquet." in unknown["content"]


async def test_a_vietnamese_administrator_moderates_in_vietnamese(scene: Scene, answer: Event) -> None:
    boss = Somebody(scene.discord, "vi", administrator=True)
    await scene.ann.told(await scene.ann.command(scene.channel, "correct", genre="zydeco"))
    review = await boss.told(await boss.command(scene.channel, "feedback", "review"))
    assert review["content"].startswith("Lần sửa số 1; còn 1 bài chờ duyệt")
    assert "Người nghe nói đây là zydeco." in review["content"]
    await boss.presses(review, "reject")
    await scene.world.until(lambda: review["content"].startswith("Đã từ chối: zydeco."))
    counts = await boss.told(await boss.command(scene.channel, "feedback", "stats"))
    assert "1 ý kiến của 1 người về 1 bài." in counts["content"]
    setup = await boss.told(await boss.command(scene.channel, "settings", picture="off"))
    assert "không kèm hình" in setup["content"]
    refused = await scene.linh.told(await scene.linh.command(scene.channel, "feedback", "export"))
    assert refused["content"] == "Chỉ người quản lý mới làm được việc này."


async def test_whoever_is_no_moderator_is_told_so_whatever_discord_let_them_type(scene: Scene, answer: Event) -> None:
    for path in (("feedback", "review"), ("feedback", "stats"), ("feedback", "export"), ("settings",)):
        told = await scene.bob.told(await scene.bob.command(scene.channel, *path))
        assert told["content"] == "Only moderators can do that."


async def test_an_administrator_sets_language_and_picture_for_the_whole_server(scene: Scene, tone: Tone) -> None:
    token = await scene.boss.command(scene.channel, "settings", language="vi", picture="off")
    assert "without the timeline picture" in (await scene.boss.told(token))["content"]
    await scene.ann.says(scene.channel, "", tone(900), mention=True)
    (answer,) = await scene.answers(scene.channel)
    assert "nhạc cổ điển" in answer["content"]
    assert answer["attachments"] == []
