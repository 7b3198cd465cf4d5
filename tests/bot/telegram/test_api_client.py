from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Chat, Message, MessageEntity
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from bot.core.errors import DateUnclear, TryLater, Undeliverable
from bot.core.export_request import read_export_filter
from bot.core.localization import LANGUAGES, Language, translate
from bot.telegram.api_client import MessageGone, delivering, editing, shortened
from bot.telegram.commands import EVERYBODYS, NEED_ADMINISTRATOR, bot_commands, english_name
from bot.telegram.message_parsing import command_of, links_in
from storage import ExportFormat, ReviewStatus

if TYPE_CHECKING:
    from collections.abc import Sequence


def message(text: str, entities: Sequence[MessageEntity] = ()) -> Message:
    return Message(1, datetime.now(UTC), Chat(1, "private"), text=text, entities=entities)


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_shortened_text_fits_and_is_its_own_beginning(text: str, characters: int) -> None:
    short = shortened(text, characters)
    assert len(short.encode("utf-16-le")) <= 2 * characters
    assert text.startswith((short, short[:-1]))


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (RetryAfter(7), TryLater),
        (TimedOut(), TryLater),
        (NetworkError("Bad Gateway"), TryLater),
        (Forbidden("bot was blocked by the user"), Undeliverable),
        (BadRequest("chat not found"), Undeliverable),
    ],
)
def test_telegrams_errors_are_told_as_what_the_queue_understands(error: Exception, meaning: type[Exception]) -> None:
    with pytest.raises(meaning), delivering():
        raise error


def test_a_flood_is_waited_out_as_long_as_telegram_says() -> None:
    with pytest.raises(TryLater) as later, delivering():
        raise RetryAfter(7)
    assert later.value.seconds == 7


def test_a_change_that_was_made_already_is_no_error_and_one_that_cannot_be_made_is() -> None:
    with editing():
        raise BadRequest("Message is not modified: …")
    with pytest.raises(MessageGone), editing():
        raise BadRequest("Message to edit not found")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://example.org/a b", "https://example.org/a"),
        ("example.org/song", "https://example.org/song"),
    ],
)
def test_a_link_is_found_where_telegram_marks_one(text: str, found: str) -> None:
    entity = MessageEntity(MessageEntity.URL, 0, len(text.split()[0]))
    assert links_in(message(text, [entity])) == [found]
    assert links_in(message(text)) == []


def test_a_link_under_a_word_is_one() -> None:
    entity = MessageEntity(MessageEntity.TEXT_LINK, 0, 4, url="https://example.org/song")
    assert links_in(message("this", [entity])) == ["https://example.org/song"]


def test_a_link_in_code_which_telegram_does_not_mark_as_one_is_found() -> None:
    entity = MessageEntity(MessageEntity.CODE, 0, 26)
    assert links_in(message("(Https://example.org/a_(b))", [entity])) == ["Https://example.org/a_(b)"]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/genre@Me_bot  now", ("genre", "now")),
        ("/Genre", ("genre", "")),
        ("/genre@other_bot", None),
    ],
)
def test_a_command_is_read_if_it_is_ours(text: str, command: tuple[str, str] | None) -> None:
    entity = MessageEntity(MessageEntity.BOT_COMMAND, 0, len(text.split()[0]))
    assert command_of(message(text, [entity]), "me_bot") == command


def test_a_wish_is_read_in_any_order() -> None:
    wish = read_export_filter("accepted cải lương 2026-01-01..2026-01-31 parquet")
    assert (wish.form, wish.status, wish.genre) == (ExportFormat.PARQUET, ReviewStatus.ACCEPTED, "cải lương")
    assert wish.since is not None
    assert wish.until is not None
    assert (wish.since.day, wish.until.day, wish.until.month) == (1, 1, 2)


@given(st.text(max_size=40))
def test_any_wish_is_read_or_refused(text: str) -> None:
    try:
        read_export_filter(text)
    except DateUnclear:
        assert ".." in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_is_named_as_on_discord_and_described_within_telegrams_limits(language: Language) -> None:
    keys = (*EVERYBODYS, *NEED_ADMINISTRATOR)
    commands = bot_commands(language, keys)
    assert [english_name(command.command) for command in commands] == list(keys)
    for key, command in zip(keys, commands, strict=True):
        on_discord = translate(language, f"slash-{key}").replace("-", "")
        assert len(command.command) == len(on_discord)
        assert command.command.isascii()
        assert len(command.command) <= 32
        assert 1 <= len(command.description) <= 256


def test_vietnamese_names_are_those_that_people_know() -> None:
    names = [command.command for command in bot_commands("vi", (*EVERYBODYS, *sorted(NEED_ADMINISTRATOR)))]
    everybodys = "theloai sualai day ngonngu riengtu dulieu quentoi gioithieu thongke trogiup"
    assert " ".join(names) == f"{everybodys} ykien caidat"
