"""A bot that is killed between sending a song's message and noting its number leaves no stray message behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.telegram.post_journal import PostedMessage, PostJournal
from tests.bot.running import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings
    from tests.bot.running import Bot
    from tests.bot.telegram.people import Somebody
    from tests.bot.telegram.server import TelegramServer

ENTRY = PostedMessage(chat=11, after=5, button="Cancel")


def test_what_was_noted_outlives_the_process_and_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    journal = PostJournal(path)
    journal.note(1, ENTRY)
    journal.note(2, ENTRY)
    journal.note(2, PostedMessage(11, 5, "Cancel", 6))
    journal.note(3, ENTRY)
    journal.forget(3)
    with path.open("a") as file:
        file.write('[4, {"chat": 1')
    again = PostJournal(path)
    assert (again.get(1), again.get(2), again.get(3), again.get(4)) == (
        ENTRY,
        PostedMessage(11, 5, "Cancel", 6),
        None,
        None,
    )
    assert len(path.read_text().splitlines()) == 2


@pytest.fixture(params=["known", "unknown"])
def stray(settings: Settings, telegram: TelegramServer, ann: Somebody, request: pytest.FixtureRequest) -> int:
    """Leave behind what a process leaves that was killed after it sent a song's message; return its number."""
    song = telegram.add_message(ann.chat, ann.user, text="a song")
    telegram.add_message({"id": 12, "type": "private"}, ann.user, text="to somebody else")
    telegram.add_message(ann.chat, ann.user, text="another message of Ann's")
    rows = {"inline_keyboard": [[{"text": "Cancel", "callback_data": "cancel:1"}]]}
    sent = telegram._sent({"chat_id": ann.number, "reply_markup": rows}, text="Number 10 in the queue…")
    number = int(sent["message_id"])
    journal = PostJournal(settings.data_dir / "telegram-posts.jsonl")
    journal.note(
        1, PostedMessage(ann.number, song["message_id"], "Cancel", number if request.param == "known" else None)
    )
    return number


async def test_the_message_of_a_process_that_was_killed_becomes_the_answer(
    stray: int, bot: Bot, telegram: TelegramServer, ann: Somebody, tune: Path
) -> None:
    await ann.sends(tune)
    assert (await ann.answered())["message_id"] == stray
    assert [message["message_id"] for message in telegram.said(ann.number)] == [stray]

    async def forgotten() -> bool:
        return PostJournal(bot.settings.data_dir / "telegram-posts.jsonl").get(1) is None

    await eventually(forgotten)
