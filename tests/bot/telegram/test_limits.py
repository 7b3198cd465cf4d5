"""What Telegram's chat does at its edges: large files, albums, the day's end, a restart, a farewell, links."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.core.identity import Person
from bot.telegram.chat import open_chat
from tests.bot.running import Bot, eventually
from tests.bot.site import fetcher_within_reach, site_of
from tests.bot.telegram.people import MENTION, Somebody, texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.telegram.server import TelegramServer

    Tone = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("bot")
GROUP, SUPERGROUP = -500, -100_500
LARGE_BYTES = 25_000_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"songs_per_person_queued": 6, "songs_per_person_daily": 6, "max_megabytes": 50.0}
    )


@pytest.fixture
def _official(monkeypatch: pytest.MonkeyPatch, telegram: TelegramServer) -> None:
    """Let the server of the tests pass for Telegram's own, which hands bots 20 MB and no more."""
    monkeypatch.setattr("bot.telegram.api_client.OFFICIAL_API", telegram.url)


class TestTelegramsOwnServer:
    """The limit holds where the server is Telegram's own."""

    @pytest.fixture(autouse=True)
    def _before_the_bot(self, _official: None, bot: Bot) -> None:
        pass

    async def test_what_telegram_would_not_hand_over_is_told_before_it_is_asked_for(
        self, ann: Somebody, lan: Somebody, tune: Path
    ) -> None:
        await ann.writes("/help")
        await ann.hears("20 MB in size")
        await ann.sends(tune, file_size=LARGE_BYTES)
        told = await ann.hears("Telegram hands me files of at most 20 MB.")
        assert "link" in told["text"]
        assert "shorter excerpt" in told["text"]
        await lan.sends(tune, file_size=LARGE_BYTES)
        await lan.hears("Telegram chỉ đưa cho mình tệp tối đa 20 MB.")
        assert ann.server.calls("getFile") == []


async def test_a_self_hosted_server_hands_over_more(ann: Somebody, tune: Path) -> None:
    await ann.writes("/help")
    await ann.hears("50 MB in size")
    assert (await ann.answered(await ann.sends(tune, file_size=LARGE_BYTES)))["picture"]


async def test_a_self_hosted_server_in_local_mode_names_a_file_that_is_read_where_it_lies(
    ann: Somebody, telegram: TelegramServer, tune: Path, tone: Tone
) -> None:
    song = await ann.sends(tune, file_size=LARGE_BYTES)
    telegram.local_files[song["audio"]["file_id"]] = tone(900)
    answer = await ann.answered(song)
    # What lies there is another song than what an address would have given.
    assert "classical" in answer["caption"]


async def test_whoever_sent_all_the_songs_of_a_day_is_told_so(ann: Somebody, lan: Somebody, tone: Tone) -> None:
    for number in range(6):
        await ann.answered(await ann.sends(tone(200 + number)))
    await ann.sends(tone(900))
    await ann.hears("That's all for today: 6 songs in 24 hours.")
    await lan.answered(await lan.sends(tone(900)))


@pytest.mark.parametrize("captioned", [0, 2], ids=["first", "last"])
async def test_whoever_asks_for_one_song_of_an_album_gets_an_answer_to_each(
    ann: Somebody, telegram: TelegramServer, tone: Tone, captioned: int
) -> None:
    there = ann.in_group(SUPERGROUP)
    other = await there.sends(tone(300), album="another")
    songs = [
        await there.sends(tone(300 * number + 400), caption=MENTION if number == captioned else "", album="these")
        for number in range(3)
    ]
    for song in songs:
        await there.answered(song)
    assert len(telegram.said(SUPERGROUP)) == 3
    assert not [message for message in telegram.said(SUPERGROUP) if message.get("answers") == other["message_id"]]


async def test_a_song_that_waits_over_a_restart_keeps_its_message(
    bot: Bot,
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
    telegram: TelegramServer,
    ann: Somebody,
    tone: Tone,
    tmp_path: Path,
) -> None:
    ear.go_on.clear()
    for number in range(6):
        await ann.sends(tone(200 + number))

    async def is_noted() -> bool:
        jobs = [await storage.jobs.get(number) for number in range(1, 7)]
        return all(job is not None and job.progress.get("message") for job in jobs)

    await eventually(is_noted)
    chat = bot.chats["telegram"]
    await chat.stop_taking()
    await bot.queue.stop()
    await chat.close()
    ear.go_on.set()
    again = Bot(storage, keys, settings, ear, tmp_path / "again")
    later = open_chat(settings, again.conversation)
    again.with_chat(later)
    await later.start()
    await again.start()
    await telegram.until(lambda: sum("picture" in message for message in telegram.said(ann.number)) == 6)
    assert len(telegram.said(ann.number)) == 6
    await later.stop_taking()
    await again.queue.stop()
    await later.close()


async def test_a_place_that_is_told_while_another_process_takes_the_song_is_taken_back(
    bot: Bot, storage: Storage, ear: EarAtHand, telegram: TelegramServer, ann: Somebody, tone: Tone
) -> None:
    ear.go_on.clear()
    for number in range(3):
        await ann.sends(tone(200 + number))
    await telegram.until(lambda: len(telegram.said(ann.number)) == 3)
    telegram.held["sendMessage"] = asyncio.Event()
    await ann.sends(tone(900))
    await telegram.until(lambda: len(telegram.said(ann.number)) == 4)
    claimed = await storage.jobs.claim("another process")
    assert claimed is not None
    telegram.held.pop("sendMessage").set()
    await telegram.until(lambda: len(telegram.said(ann.number)) == 3)
    assert await bot.conversation.stage(claimed.job.id) is None
    ear.go_on.set()
    await telegram.until(lambda: sum("picture" in message for message in telegram.said(ann.number)) == 3)


async def test_whoever_is_forgotten_leaves_no_progress_behind(
    bot: Bot, ann: Somebody, ear: EarAtHand, telegram: TelegramServer, tone: Tone
) -> None:
    ear.go_on.clear()
    there = ann.in_group(SUPERGROUP)
    for hertz in (200, 300):
        await there.sends(tone(hertz), caption=MENTION)
    await telegram.until(lambda: len(telegram.said(SUPERGROUP)) == 2)
    await ann.writes("/forgetme")
    await ann.presses(await ann.hears("Delete everything"), "Yes, delete everything")
    await ann.hears("Deleted: ")
    await telegram.until(lambda: all(m["text"].startswith("Stopped.") for m in telegram.said(SUPERGROUP)))
    assert not any(texts(message) for message in telegram.said(SUPERGROUP))
    assert await bot.storage.jobs.of_person(bot.conversation.key_of(Person("telegram", "11"))) == []
    ear.go_on.set()


async def test_the_corrections_of_a_group_go_along_when_it_becomes_a_supergroup(
    ann: Somebody, telegram: TelegramServer, tone: Tone
) -> None:
    old, new = ann.in_group(GROUP), ann.in_group(SUPERGROUP)
    await old.writes("/correct zydeco", to=await old.answered(await old.sends(tone(200), caption=MENTION)))
    await old.hears("“zydeco” is new to me")
    moved = telegram.add_message(old.chat, ann.user, migrate_to_chat_id=SUPERGROUP)
    await telegram.deliver(message=moved)
    telegram.administrators[SUPERGROUP].add(ann.number)
    await new.writes("/feedback review")
    await new.hears("One person says it is zydeco.")
    await new.writes("/stats")
    await new.hears("Here I've heard one song")


async def test_thanks_change_with_what_is_taken_back_below_them(ann: Somebody, tone: Tone) -> None:
    answer = await ann.answered(await ann.sends(tone(200)))
    await ann.writes("/correct zydeco", to=answer)
    thanks = await ann.hears("“zydeco” is new to me")
    await ann.presses(thanks, "Undo")
    changed = await ann.hears("Your correction is removed.")
    assert changed["message_id"] == thanks["message_id"]
    assert texts(changed) == ["Right", "Wrong"]


async def test_a_link_is_fetched_and_answered(
    bot: Bot, ann: Somebody, lan: Somebody, tone: Tone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    tone(900, name="Bright Song.wav").rename(folder / "Bright Song.wav")
    bot.follows(fetcher_within_reach(monkeypatch))
    with site_of(folder) as site:
        answer = await ann.answered(await ann.writes(f"{site}/Bright%20Song.wav"))
        await lan.in_group(SUPERGROUP).writes(f"/theloai {site}/gone.wav")
        await lan.in_group(SUPERGROUP).hears("Liên kết này không dẫn đến đâu cả.")
    assert "classical" in answer["caption"]
