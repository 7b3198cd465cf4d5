"""What Discord's chat does at its edges: songs where it is a visitor, the day's end, a restart, a farewell, links."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.running import Scene, close_scene, open_scene, prepare
from tests.bot.discord.world import custom_ids
from tests.bot.running import eventually
from tests.bot.site import fetcher_within_reach, site_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.discord import FakeDiscord
    from tests.bot.discord.world import Event
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


FOLLOW_UPS, CALLBACKS = "POST /api/v10/webhooks/", "POST /api/v10/interactions/"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"songs_per_person_queued": 8, "songs_per_person_daily": 8})


async def test_where_the_bot_is_a_visitor_it_answers_as_many_songs_as_discord_lets_it_and_says_so(
    scene: Scene, tone: Tone
) -> None:
    scene.ann.brought_along = True
    files = [tone(200 + 110 * number, name=f"{number}.wav") for number in range(7)]
    sent = await scene.bob.says(scene.channel, "", *files)
    scene.world.forbidden.add(scene.channel)
    await scene.ann.points_at(sent)
    answers = await scene.answers(scene.channel, 5)
    assert {answer["content"].splitlines()[0] for answer in answers} == {f"**{number}.wav**" for number in range(5)}
    await scene.says(scene.channel, "Here I can answer only 5 songs at a time")
    assert len(scene.world.of_bot(scene.channel)) == 6


async def test_at_home_the_menu_takes_every_song_of_a_message(scene: Scene, tone: Tone) -> None:
    files = [tone(200 + 110 * number, name=f"{number}.wav") for number in range(7)]
    await scene.ann.points_at(await scene.bob.says(scene.channel, "", *files))
    assert len(await scene.answers(scene.channel, 7)) == 7


async def test_whoever_sent_all_the_songs_of_a_day_is_told_so(scene: Scene, tone: Tone) -> None:
    for number in range(8):
        await scene.ann.says(scene.ann.direct, "", tone(200 + number, name=f"{number}.wav"))
        await scene.answers(scene.ann.direct, number + 1)
    await scene.ann.says(scene.ann.direct, "", tone(900))
    await scene.says(scene.ann.direct, "That's all for today: 8 songs in 24 hours.")
    await scene.linh.says(scene.linh.direct, "", tone(900))
    assert await scene.answers(scene.linh.direct)


async def test_a_song_that_waits_over_a_restart_keeps_its_message(
    discord: FakeDiscord, scene: Scene, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, tone: Tone
) -> None:
    ear.go_on.clear()
    for number in range(5):
        await scene.ann.says(scene.ann.direct, "", tone(200 + number, name=f"{number}.wav"))

    async def is_noted() -> bool:
        jobs = [await storage.jobs.get(number) for number in range(1, 6)]
        return all(job is not None and job.progress.get("message") for job in jobs)

    await eventually(is_noted)
    shown = {message["id"] for message in scene.world.of_bot(scene.ann.direct)}
    await close_scene(scene)
    ear.go_on.set()
    again = await open_scene(discord, storage, keys, settings, ear, (scene.guild, scene.channel))
    answers = await again.answers(scene.ann.direct, 5)
    assert {answer["id"] for answer in answers} == shown
    await close_scene(again)


async def test_a_place_that_is_told_while_another_process_takes_the_song_is_taken_back(
    scene: Scene, storage: Storage, tone: Tone
) -> None:
    scene.bot.ear.go_on.clear()
    for number in range(3):
        await scene.ann.says(scene.ann.direct, "", tone(200 + number, name=f"{number}.wav"))
    await scene.world.until(lambda: len(scene.world.of_bot(scene.ann.direct)) == 3)
    scene.world.held[FOLLOW_UPS] = asyncio.Event()
    two = await scene.bob.says(scene.channel, "", tone(900, name="a.wav"), tone(950, name="b.wav"))
    await scene.ann.points_at(two)
    await scene.world.until(lambda: len(scene.world.of_bot(scene.channel)) == 2)
    taken = [await storage.jobs.claim("another process") for _ in range(2)]
    assert None not in taken
    scene.world.held.pop(FOLLOW_UPS).set()
    # The first of the two took the place of "thinking…", which is there for every process.
    await scene.world.until(lambda: len(scene.world.of_bot(scene.channel)) == 1)
    scene.bot.ear.go_on.set()
    await scene.answers(scene.ann.direct, 3)


async def test_whoever_is_forgotten_leaves_no_progress_behind(scene: Scene, tone: Tone) -> None:
    scene.bot.ear.go_on.clear()
    for number in range(5):
        await scene.ann.says(scene.channel, "", tone(200 + number, name=f"{number}.wav"), mention=True)
    await scene.world.until(lambda: len(scene.world.of_bot(scene.channel)) == 5)
    question = await scene.ann.told(await scene.ann.command(scene.ann.direct, "forgetme"))
    await scene.ann.presses(question, "forget:yes")

    def stopped() -> list[Event]:
        return [m for m in scene.world.of_bot(scene.channel) if m["content"].startswith("Stopped.")]

    await scene.world.until(lambda: len(stopped()) == 5)
    assert not any(custom_ids(message) for message in stopped())
    scene.bot.ear.go_on.set()
    await scene.world.until(lambda: question["content"].startswith("Deleted:"))


async def test_a_person_whose_discord_is_vietnamese_is_answered_so_once_the_bot_has_met_them(
    scene: Scene, tone: Tone
) -> None:
    await scene.linh.told(await scene.linh.command(scene.linh.direct, "help"))
    await scene.linh.says(scene.linh.direct, "", tone(900))
    (answer,) = await scene.answers(scene.linh.direct)
    assert "nhạc cổ điển" in answer["content"]


async def test_a_link_is_fetched_and_answered(
    scene: Scene, tone: Tone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    tone(900, name="Bright Song.wav").rename(folder / "Bright Song.wav")
    scene.bot.follows(fetcher_within_reach(monkeypatch))
    with site_of(folder) as site:
        await scene.ann.command(scene.channel, "genre", link=f"{site}/Bright%20Song.wav")
        (answer,) = await scene.answers(scene.channel)
        await scene.linh.says(scene.linh.direct, f"{site}/gone.wav")
        await scene.says(scene.linh.direct, "There is nothing at this link")
    assert "classical" in answer["content"]


# Exports


async def _trainable(scene: Scene, tone: Tone) -> None:
    consent = await scene.ann.told(await scene.ann.command(scene.channel, "privacy"))
    await scene.ann.presses(consent, "allow")
    await scene.world.until(lambda: consent["content"].startswith("Thanks! From now on"))
    await scene.ann.says(scene.channel, "", tone(200), mention=True)
    await scene.answers(scene.channel)
    await scene.ann.told(await scene.ann.command(scene.channel, "correct", genre="jazz"))


async def test_corrections_leave_as_parquet_and_by_where_the_review_stands(scene: Scene, tone: Tone) -> None:
    await _trainable(scene, tone)
    boss = scene.boss
    told = await boss.told(await boss.command(scene.channel, "feedback", "export", format="parquet"))
    (file,) = told["attachments"]
    assert file["filename"] == "feedback.parquet"
    assert scene.world.pictures[file["id"]].startswith(b"PAR1")
    for status, said in (("pending", "One row of one song"), ("accepted", "There's nothing to export")):
        told = await boss.told(await boss.command(scene.channel, "feedback", "export", status=status))
        assert told["content"].startswith(said)


async def test_an_export_that_discord_would_not_take_is_told_with_a_way_round(scene: Scene, tone: Tone) -> None:
    await _trainable(scene, tone)
    scene.boss.upload_bytes = 1000
    told = await scene.boss.told(await scene.boss.command(scene.channel, "feedback", "export"))
    assert told["content"].startswith("The file would be larger than")
    assert "shorter period" in told["content"]
    assert told["attachments"] == []


async def test_what_was_asked_before_the_bot_stops_is_still_answered(
    discord: FakeDiscord, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> None:
    scene = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    question = await scene.ann.told(await scene.ann.command(scene.ann.direct, "forgetme"))
    discord.world.held[CALLBACKS] = asyncio.Event()
    await scene.ann.presses(question, "forget:yes")
    await discord.world.until(lambda: len(discord.world.callbacks) == 2)
    closing = asyncio.create_task(close_scene(scene))
    await asyncio.wait({closing}, timeout=0.2)
    discord.world.held.pop(CALLBACKS).set()
    await closing
    assert question["content"].startswith("Deleted:")
