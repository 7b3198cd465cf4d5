from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from storage import TABLE_COLUMNS, ExportFormat, ReviewStatus
from tests.bot.telegram.people import MENTION, Somebody, texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.running import Bot
    from tests.bot.telegram.server import TelegramServer

pytestmark = pytest.mark.usefixtures("bot")
HERE, THERE = -100_500, -100_600


@pytest.fixture
async def corrected(ann: Somebody, lan: Somebody, telegram: TelegramServer, tone: Callable[..., Path]) -> None:
    """Ann corrected a song here with a name of her own, Lan another one there; both may be learned from."""
    for somebody, chat, hertz, label in ((ann, HERE, 200, "zydeco"), (lan, THERE, 900, "jazz")):
        there = somebody.in_group(chat)
        answer = await there.answered(await there.sends(tone(hertz), caption=MENTION))
        await there.writes(f"/correct {label}", to=answer)
        question = await somebody.hears("?")
        await somebody.presses_data(question, "allow:")
    thanked = ("may teach me", "Từ giờ mình sẽ học")
    await telegram.until(lambda: all(any(words in str(toast) for toast in telegram.toasts) for words in thanked))


async def test_who_is_no_moderator_is_told_so_and_it_is_asked_each_time(
    ann: Somebody, lan: Somebody, telegram: TelegramServer, corrected: None
) -> None:
    here = lan.in_group(HERE)
    await here.writes("/ykien stats")
    await here.hears("Chỉ người quản lý mới làm được việc này.")
    telegram.administrators[HERE].add(lan.number)
    await here.writes("/ykien review")
    review = await here.hears("Lần sửa số")
    telegram.administrators[HERE].clear()
    await here.presses(review, "Chấp nhận")
    await telegram.until(lambda: telegram.toasts[-1:] == ["Chỉ người quản lý mới làm được việc này."])
    await ann.writes("/feedback stats")
    await ann.hears("Only moderators can do that.")


async def test_an_administrator_reviews_corrections_one_by_one_but_only_those_of_the_group(
    bot: Bot, ann: Somebody, telegram: TelegramServer, corrected: None
) -> None:
    here = ann.in_group(HERE)
    telegram.administrators[HERE].add(ann.number)
    await here.writes("/feedback review")
    review = await here.hears("Correction 1; one song waits for review")
    assert "I said blues (52%)." in review["text"]
    assert "One person says it is zydeco." in review["text"]
    assert texts(review) == ["Accept", "Reject", "Another genre", "Skip"]
    await here.presses_data(review, "accept:2")
    await telegram.until(lambda: len(telegram.toasts) == 3)
    await here.presses(review, "Accept")
    await here.hears("Accepted: zydeco.\n\nThere's nothing to review.")
    statuses = [each.status for each in await bot.storage.feedback.review(status=None)]
    assert statuses == [ReviewStatus.ACCEPTED, ReviewStatus.PENDING]


async def test_the_operators_moderator_rejects_relabels_and_merges_everywhere(
    bot: Bot, operator: Somebody, telegram: TelegramServer, corrected: None
) -> None:
    await operator.writes("/feedback review")
    review = await operator.hears("Correction 1; 2 songs wait for review")
    await operator.presses(review, "Merge into a genre")
    key = operator.number, review["message_id"]
    await telegram.until(lambda: "Country" in texts(telegram.messages[key]))
    await operator.presses(telegram.messages[key], "Country")
    review = await operator.hears("“zydeco” is now another name for country; one correction moved.")
    await operator.presses(review, "Another genre")
    await telegram.until(lambda: "Rock" in texts(telegram.messages[key]))
    await operator.presses(telegram.messages[key], "Rock")
    review = await operator.hears("Noted as rock.")
    assert "Correction 2" in review["text"]
    await operator.presses(review, "Another genre")
    choice = await operator.hears("Which genre is it?")
    await operator.writes("zouglou", to=choice)
    await operator.hears("Noted as zouglou.")
    verdicts = [each.verdict for each in await bot.storage.feedback.review(status=None)]
    assert verdicts == ["rock", "zouglou"]


async def test_a_reviewed_correction_is_skipped_or_rejected(operator: Somebody, corrected: None) -> None:
    await operator.writes("/feedback review")
    review = await operator.hears("Correction 1")
    await operator.presses(review, "Skip")
    review = await operator.hears("Correction 2")
    await operator.presses(review, "Reject")
    await operator.hears("Rejected: jazz.")


async def test_corrections_leave_as_a_file_in_every_format(
    operator: Somebody, telegram: TelegramServer, corrected: None
) -> None:
    for form in ExportFormat:
        await operator.writes(f"/feedback export {form}")
    await telegram.until(lambda: len(telegram.calls("sendDocument")) == len(ExportFormat))
    files = dict(call["document"] for call in telegram.calls("sendDocument"))
    rows = list(csv.DictReader(io.StringIO(files["feedback.csv"].decode())))
    assert set(TABLE_COLUMNS) <= set(rows[0])
    assert {row["label"] for row in rows} == {"zydeco", "jazz"}
    assert {json.loads(line)["label"] for line in files["feedback.jsonl"].splitlines()} == {"zydeco", "jazz"}
    assert files["feedback.parquet"].startswith(b"PAR1")
    await operator.hears("2 rows of 2 songs, all with the consent of whoever corrected them.")


async def test_what_leaves_may_be_chosen(operator: Somebody, corrected: None) -> None:
    wishes = {
        "jazz": "One row of one song",
        "2020-01-01..2020-12-31": "There's nothing to export",
        "2020-01-01..": "2 rows of 2 songs",
        "nothing of that name": "“nothing of that name” is neither a format nor a genre",
        "last..week": "/feedback review shows",
    }
    for wish, said in wishes.items():
        await operator.writes(f"/feedback export {wish}")
        await operator.hears(said)


async def test_counts(operator: Somebody, corrected: None) -> None:
    await operator.writes("/feedback stats")
    counts = await operator.hears("2 opinions from 2 people on 2 songs.")
    assert "Proposed: zydeco (1)." in counts["text"]
    await operator.writes("/feedback")
    await operator.hears("/feedback review shows the songs to review one by one.")


async def test_a_group_is_set_up_by_its_administrators(
    ann: Somebody, lan: Somebody, telegram: TelegramServer, tone: Callable[..., Path]
) -> None:
    here = ann.in_group(HERE)
    await here.writes("/settings")
    await here.hears("Only moderators can do that.")
    telegram.administrators[HERE].add(ann.number)
    await here.writes("/settings")
    shown = await here.hears("Answers come with the timeline picture.")
    await here.presses(shown, "Without picture")
    shown = await here.hears("Answers come without the timeline picture.")
    await here.presses(shown, "Tiếng Việt")
    await here.presses(shown, "Answer every song")
    await here.hears("ở đây")
    song = await lan.in_group(HERE).sends(tone())
    answer = await lan.in_group(HERE).answered(song)
    assert "picture" not in answer
    assert answer["text"].startswith("Mình nghe ra")
    await lan.in_group(HERE).presses_data(shown, "set:picture:on")
    await telegram.until(lambda: "Chỉ người quản lý mới làm được việc này." in telegram.toasts)


async def test_a_group_that_became_a_supergroup_keeps_its_settings(
    ann: Somebody, telegram: TelegramServer, tone: Callable[..., Path]
) -> None:
    old, new = ann.in_group(-500), ann.in_group(HERE)
    telegram.administrators[-500].add(ann.number)
    await old.writes("/settings")
    shown = await old.hears("Language here")
    await old.presses(shown, "Answer every song")
    await old.hears("I answer every song")
    moved: dict[str, Any] = telegram.add_message(old.chat, ann.user, migrate_to_chat_id=HERE)
    await telegram.deliver(message=moved)
    await new.answered(await new.sends(tone()))
