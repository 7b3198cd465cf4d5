from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import pytest

from bot.core.identity import Person
from tests.bot.telegram.people import MENTION, Somebody, texts
from tests.bot.telegram.refusals import BLOCKED, BROKEN_SERVER, KICKED, NO_PICTURES, flood

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.running import Bot
    from tests.bot.telegram.server import TelegramServer

pytestmark = pytest.mark.usefixtures("bot")
GROUP = -100_500


async def _below(telegram: TelegramServer, song: dict[str, Any]) -> dict[str, Any]:
    """Wait for the bot's message below a song."""

    def found() -> dict[str, Any] | None:
        said = telegram.said(song["chat"]["id"])
        return next((message for message in said if message.get("answers") == song["message_id"]), None)

    message: dict[str, Any] = await telegram.until(found)
    return message


async def _says(telegram: TelegramServer, message: dict[str, Any], text: str) -> None:
    """Wait until a message has come to say something."""
    key = message["chat"]["id"], message["message_id"]
    await telegram.until(lambda: text in telegram.messages[key]["text"])


async def _pictures(somebody: Somebody, count: int) -> None:
    """Wait until somebody has got so many answers."""
    said = somebody.server.said
    await somebody.server.until(lambda: sum("picture" in message for message in said(somebody.number)) == count)


async def test_a_song_in_a_private_chat_is_answered_below_it_with_picture_and_words(ann: Somebody, tune: Path) -> None:
    song = await ann.sends(tune)
    answer = await ann.answered(song)
    assert "jazz" in answer["caption"]
    assert answer["picture"].startswith(b"\x89PNG")
    width, height = struct.unpack(">II", answer["picture"][16:24])
    assert width >= 700
    assert height > 200
    assert texts(answer) == ["Jazz", "Classical", "Something else", "Experts' votes"]
    assert len(ann.server.said(ann.number)) == 1


async def test_voice_messages_documents_and_the_sound_of_videos_are_songs_too(
    ann: Somebody, lan: Somebody, tune: Path, film: Path
) -> None:
    sent = [await ann.sends(tune, "voice"), await ann.sends(tune, "document")]
    sent += [await lan.sends(film, "video"), await lan.sends(film, "video_note")]
    for somebody, song in zip((ann, ann, lan, lan), sent, strict=True):
        assert (await somebody.answered(song))["picture"]


async def test_somebody_whose_app_is_vietnamese_is_answered_in_vietnamese(lan: Somebody, tune: Path) -> None:
    answer = await lan.answered(await lan.sends(tune))
    assert answer["caption"].startswith("Mình ")
    assert texts(answer)[:2] == ["Jazz", "Nhạc cổ điển"]


async def test_several_songs_at_once_are_each_answered_below_themselves(
    ann: Somebody, tone: Callable[..., Path]
) -> None:
    songs = [await ann.sends(tone(hertz)) for hertz in (200, 900, 1500)]
    for song in songs:
        await ann.answered(song)
    assert len(ann.server.said(ann.number)) == 3


async def test_in_a_group_only_what_is_asked_for_is_answered(ann: Somebody, lan: Somebody, tune: Path) -> None:
    ann, lan = ann.in_group(GROUP), lan.in_group(GROUP)
    song = await ann.sends(tune)
    asked = await lan.writes("/theloai", to=song)
    answer = await lan.answered(song)
    assert answer["caption"].startswith("Mình ")
    assert texts(answer) == ["Jazz", "Nhạc cổ điển", "Thể loại khác", "Ý kiến từng chuyên gia", "Rút lại"]
    assert asked["message_id"] != answer["answers"]
    named = await ann.sends(tune, caption=f"what is this, {MENTION}?")
    await ann.answered(named)
    command = await ann.sends(tune, caption="/genre")
    await ann.answered(command)
    assert len(ann.server.said(GROUP)) == 3


async def test_in_a_group_the_bot_may_be_named_below_a_song_or_beside_a_link(
    ann: Somebody, lan: Somebody, tune: Path
) -> None:
    ann, lan = ann.in_group(GROUP), lan.in_group(GROUP)
    song = await ann.sends(tune)
    await lan.writes(f"{MENTION} ơi, bài này là gì?", to=song)
    assert (await lan.answered(song))["caption"].startswith("Mình ")
    await ann.writes("http://192.168.0.1/not-for-the-bot.mp3")
    await ann.writes(f"{MENTION} and http://192.168.0.1/song.mp3?")
    await ann.hears("This link leads into a private network")
    await ann.writes(f"thank you {MENTION}")
    await ann.writes("/help")
    await ann.hears("Reply to a song or a link with /genre")
    assert len(ann.server.said(GROUP)) == 3


async def test_a_command_for_another_bot_is_not_ours(ann: Somebody, tune: Path) -> None:
    ann = ann.in_group(GROUP)
    song = await ann.sends(tune)
    await ann.writes("/genre@other_bot", to=song)
    await ann.writes(f"/genre{MENTION}", to=song)
    await ann.answered(song)
    assert len(ann.server.said(GROUP)) == 1


async def test_genre_with_nothing_to_listen_to_tells_how_it_is_used(ann: Somebody, lan: Somebody) -> None:
    await ann.in_group(GROUP).writes("/genre")
    await ann.in_group(GROUP).hears(f"Reply to a song or a link with /genre{MENTION}")
    await ann.writes("/genre")
    await ann.hears("Reply to a song with /genre, or")
    await lan.writes("/theloai")
    await lan.hears("/theloai")


async def test_a_link_is_taken_unless_it_leads_inside(ann: Somebody, lan: Somebody) -> None:
    await ann.writes("http://192.168.0.1/song.mp3")
    await ann.hears("This link leads into a private network")
    await lan.in_group(GROUP).writes("/theloai http://127.0.0.1/song.mp3")
    await lan.in_group(GROUP).hears("Liên kết này dẫn vào một mạng riêng")


async def test_a_song_that_is_too_large_is_told_before_a_byte_is_fetched(ann: Somebody, tune: Path) -> None:
    await ann.sends(tune, file_size=2_000_000)
    await ann.hears("larger than 1 MB")
    assert ann.server.calls("getFile") == []


async def test_the_length_that_a_senders_app_states_is_no_reason_to_refuse(ann: Somebody, tune: Path) -> None:
    assert (await ann.answered(await ann.sends(tune, duration=400_000)))["picture"]


async def test_what_is_no_music_gets_its_sentence_and_what_is_no_file_gets_help(lan: Somebody, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"no music")
    await lan.sends(letter, "document", mime_type="application/pdf")
    await lan.hears("không phải tệp nhạc")
    await lan.sends(letter.rename(tmp_path / "letter.mp3"))
    await lan.hears("không phải tệp nhạc")
    await lan.writes("hello")
    await lan.hears("Bạn gửi cho mình một bài")


async def test_only_the_sender_or_a_moderator_stops_a_song(
    ann: Somebody, lan: Somebody, ear: EarAtHand, tune: Path, telegram: TelegramServer
) -> None:
    ann, lan = ann.in_group(GROUP), lan.in_group(GROUP)
    ear.go_on.clear()
    for presser in (ann, lan):
        song = await ann.sends(tune, caption=MENTION)
        progress = await _below(telegram, song)
        assert texts(progress) == ["Stop"]
        if presser is lan:
            await lan.presses(progress, "Stop")
            await telegram.until(lambda: "Chỉ người gửi bài này mới làm được việc đó." in telegram.toasts)
            telegram.administrators[GROUP].add(lan.number)
        await presser.presses(progress, "Stop")
        await _says(telegram, progress, "Stopped.")
        stopped = telegram.messages[GROUP, progress["message_id"]]
        assert texts(stopped) == []
    ear.go_on.set()


async def test_whoever_waits_sees_their_place(
    ann: Somebody, lan: Somebody, ear: EarAtHand, tone: Callable[..., Path]
) -> None:
    ear.go_on.clear()
    for hertz in (200, 300, 400):
        await ann.sends(tone(hertz))
    for hertz in (500, 600, 700):
        await lan.sends(tone(hertz))
    await lan.hears("đang đứng thứ")
    ear.go_on.set()
    for somebody in (ann, lan):
        await _pictures(somebody, 3)


async def test_a_person_is_told_how_many_songs_may_wait(
    ann: Somebody, ear: EarAtHand, tone: Callable[..., Path]
) -> None:
    ear.go_on.clear()
    for hertz in (200, 300, 400, 500):
        await ann.sends(tone(hertz))
    await ann.hears("3 of your songs are still waiting")
    ear.go_on.set()


async def test_an_update_that_comes_twice_is_answered_once(
    ann: Somebody, lan: Somebody, tune: Path, telegram: TelegramServer
) -> None:
    song = await ann.sends(tune)
    await telegram.again({"message": song})
    await ann.answered(song)
    await lan.answered(await lan.sends(tune))
    assert len(telegram.said(ann.number)) == 1


@pytest.mark.parametrize("fault", [flood(1), BROKEN_SERVER], ids=["429", "502"])
async def test_an_answer_that_telegram_turns_away_is_given_again_until_it_arrives_and_once(
    ann: Somebody, telegram: TelegramServer, tune: Path, fault: tuple[int, dict[str, object]]
) -> None:
    telegram.faults["editMessageMedia"].append(fault)
    song = await ann.sends(tune)
    await ann.answered(song)
    assert len(telegram.said(ann.number)) == 1


async def test_a_stop_and_a_response_that_telegram_turns_away_are_told_a_little_later(
    ann: Somebody, ear: EarAtHand, telegram: TelegramServer, tune: Path
) -> None:
    ear.go_on.clear()
    await ann.sends(tune)
    await telegram.until(lambda: telegram.said(ann.number))
    # Progress may meet the first of them.
    telegram.faults["editMessageText"].extend([BROKEN_SERVER] * 2)
    await ann.presses(telegram.said(ann.number)[0], "Stop")
    await ann.hears("Stopped.")
    assert not telegram.faults["editMessageText"]
    telegram.faults["sendMessage"].append(BROKEN_SERVER)
    await ann.writes("/help")
    await ann.hears("A song may be up to")


async def test_an_answer_whose_arrival_nobody_heard_of_is_still_one_answer(
    ann: Somebody, telegram: TelegramServer, tune: Path
) -> None:
    telegram.drops["editMessageMedia"] = 1
    await ann.sends(tune)
    await telegram.until(lambda: len(telegram.calls("editMessageMedia")) == 2)
    assert len(telegram.said(ann.number)) == 1


async def test_a_deleted_song_and_a_deleted_progress_message_do_not_cost_the_answer(
    ann: Somebody, ear: EarAtHand, telegram: TelegramServer, tune: Path
) -> None:
    ear.go_on.clear()
    song = await ann.sends(tune)
    await telegram.until(lambda: telegram.said(ann.number))
    telegram.messages.clear()
    ear.go_on.set()
    assert (await ann.answered())["picture"]
    assert song


async def test_a_group_without_pictures_gets_the_answer_in_words(
    ann: Somebody, telegram: TelegramServer, tune: Path
) -> None:
    telegram.faults["editMessageMedia"].append(NO_PICTURES)
    answer = await ann.answered(await ann.sends(tune))
    assert "jazz" in answer["text"]


@pytest.mark.parametrize("fault", [BLOCKED, KICKED], ids=["blocked", "kicked"])
async def test_whoever_blocked_the_bot_is_left_in_peace(
    bot: Bot,
    storage: Storage,
    ann: Somebody,
    lan: Somebody,
    telegram: TelegramServer,
    tune: Path,
    fault: tuple[int, dict[str, object]],
) -> None:
    for method in ("sendMessage", "editMessageText", "editMessageMedia"):
        telegram.faults[method].extend([fault] * 9)
    await ann.sends(tune)
    key = bot.conversation.key_of(Person("telegram", str(ann.number)))

    async def done() -> bool:
        load = await storage.jobs.person_load(key)
        return load.today == 1 and load.queued + load.running == 0

    async with asyncio.timeout(30):
        while not await done():  # noqa: ASYNC110 - what is written down in a file tells nobody
            await asyncio.sleep(0.02)
    assert telegram.said(ann.number) == []
    telegram.faults.clear()
    await lan.answered(await lan.sends(tune))
