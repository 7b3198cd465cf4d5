"""The ways in which people ask for a genre on Discord, and what is not taken for asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.people import BOT_ROLE
from tests.bot.discord.running import close_scene, open_scene, prepare
from tests.bot.discord.world import EPHEMERAL
from tests.bot.reports import as_speech
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.discord import FakeDiscord
    from tests.bot.discord.running import Scene
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]

INSIDE = "http://192.168.0.1"


@pytest.fixture
async def reading(
    discord: FakeDiscord, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand
) -> AsyncIterator[Scene]:
    """A scene in which Discord shows the bot other people's messages, since its operator allowed it."""
    discord.world.reads_along = True
    opened = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    yield opened
    await close_scene(opened)


async def test_the_role_that_looks_like_the_bot_may_be_mentioned_instead(reading: Scene, tone: Tone) -> None:
    await reading.ann.says(reading.channel, "", tone(300), mention_roles=["99"])
    await reading.ann.says(reading.channel, f"<@&{BOT_ROLE}> what is this?", tone(200), mention_roles=[BOT_ROLE])
    (answer,) = await reading.answers(reading.channel)
    assert "blues" in answer["content"]


@pytest.mark.parametrize("sent_along", [True, False])
async def test_a_mention_in_a_reply_to_somebodys_song_asks_about_that_song(
    reading: Scene, tone: Tone, sent_along: bool
) -> None:
    sent = await reading.bob.says(reading.channel, "listen to this", tone(900))
    await reading.ann.replies(sent, "what is it, @genre?", mention=True, sent_along=sent_along)
    (answer,) = await reading.answers(reading.channel)
    assert "classical" in answer["content"]


async def test_where_the_replied_message_cannot_be_seen_another_gesture_is_named(scene: Scene, tone: Tone) -> None:
    sent = await scene.bob.says(scene.channel, "listen to this", tone(900))
    await scene.ann.replies(sent, "what is it, @genre?", mention=True)
    told = await scene.says(scene.channel, "Discord doesn't show me the message that you replied to.")
    assert "Apps → “What genre is this?”" in told["content"]


async def test_a_mention_in_a_reply_to_an_answer_does_not_take_its_picture_for_a_song(scene: Scene, tone: Tone) -> None:
    await scene.ann.says(scene.channel, "", tone(), mention=True)
    (answer,) = await scene.answers(scene.channel)
    await scene.ann.replies(answer, "thanks!", mention=True)
    await scene.says(scene.channel, "Send me a song")
    assert scene.bot.ear.heard == ["song.wav"]


async def test_of_several_links_five_are_taken_and_the_others_are_named(scene: Scene) -> None:
    links = [f"{INSIDE}/{number}.mp3" for number in range(1, 8)]
    await scene.ann.says(scene.ann.direct, " ".join(f"**<{link}>**" for link in links))
    told = await scene.says(scene.ann.direct, "I take 5 links at a time.")
    assert told["content"].endswith("192.168.0.1/6.mp3, 192.168.0.1/7.mp3")
    refused = [each["content"] for each in scene.world.of_bot(scene.ann.direct) if "private" in each["content"]]
    # A refusal says which of the links it is about.
    assert sorted(text.splitlines()[0] for text in refused) == [f"**{link}**" for link in links[:5]]


async def test_the_answer_to_the_command_names_its_song(scene: Scene, tone: Tone) -> None:
    await scene.ann.command(scene.channel, "genre", files=(tone(900, name="evening.wav"),))
    (answer,) = await scene.answers(scene.channel)
    assert answer["content"].startswith("**evening.wav**\n")


async def test_only_the_sender_sees_that_a_command_found_no_song(scene: Scene) -> None:
    nothing = await scene.bob.says(scene.channel, "just words")
    for token in (await scene.ann.points_at(nothing), await scene.ann.command(scene.channel, "genre")):
        told = await scene.ann.told(token)
        assert "I can't find a song in that" in told["content"]
        assert told["flags"] & EPHEMERAL


async def test_a_file_without_a_type_or_an_ending_is_tried_when_it_is_asked_about(scene: Scene, tone: Tone) -> None:
    await scene.ann.says(scene.channel, "", tone(200, name="track"), mention=True)
    await scene.ann.command(scene.channel, "genre", files=(tone(900, name="other"),))
    await scene.answers(scene.channel, 2)


async def test_a_gif_that_is_asked_about_has_no_sound_track(scene: Scene, tmp_path: Path) -> None:
    await scene.ann.says(scene.ann.direct, "", write(None, tmp_path / "party.mp4"))
    await scene.says(scene.ann.direct, "This file has no sound track.")


async def test_where_every_song_is_answered_only_what_is_surely_audio_is_and_failures_are_silent(
    reading: Scene, tone: Tone, tmp_path: Path
) -> None:
    await reading.boss.told(await reading.boss.command(reading.channel, "settings", listen=reading.channel))
    before = len(reading.world.of_bot(reading.channel))
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no music")
    for unwanted in (broken, write(song("jazz", 3), tmp_path / "film.mp4"), write(None, tmp_path / "gif.mp4")):
        await reading.ann.says(reading.channel, "", unwanted)
    reading.bot.ear.answers = lambda report: as_speech(report) if report.duration < 4 else report
    await reading.ann.says(reading.channel, "", tone(300, 3))
    await reading.bob.says(reading.channel, "", tone(900, 5))
    await reading.answers(reading.channel)
    assert len(reading.world.of_bot(reading.channel)) == before + 1
    assert len(reading.bot.ear.heard) == 3


async def test_an_older_application_whose_id_is_not_its_bots_finds_the_latest_answer(
    discord: FakeDiscord, storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, tone: Tone
) -> None:
    discord.world.application_id = "77"
    scene = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    await scene.ann.says(scene.ann.direct, "", tone())
    await scene.answers(scene.ann.direct)
    told = await scene.ann.told(await scene.ann.command(scene.ann.direct, "correct", genre="jazz"))
    assert "this is jazz" in told["content"]
    await close_scene(scene)


async def test_where_the_bot_may_not_write_it_reacts_or_else_tells_the_sender_once(scene: Scene, tone: Tone) -> None:
    scene.world.no_messages.add(scene.channel)
    sent = await scene.ann.says(scene.channel, "", tone(), mention=True)
    await scene.world.until(lambda: scene.world.reactions == [(sent["id"], "🙊")])
    scene.world.no_reactions.add(scene.channel)
    for _ in range(2):
        await scene.bob.says(scene.channel, "hello?", mention=True)
    await scene.says(scene.bob.direct, "I'm not allowed to write where you asked me.")
    await scene.bob.says(scene.bob.direct, "hello?")
    await scene.says(scene.bob.direct, "Send me a song")
    assert len(scene.world.of_bot()) == 2
