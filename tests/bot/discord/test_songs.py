from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tests.bot.discord import FakeDiscord, Fault
from tests.bot.discord.running import Scene, close_scene, open_scene, prepare
from tests.bot.discord.world import VOICE, custom_ids
from tests.bot.running import eventually
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


@pytest.fixture(scope="module")
def tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song of our own, as people send it."""
    path = tmp_path_factory.mktemp("songs") / "tune.mp3"
    write(song("jazz", 35.0), path)
    return path


# The ways to send a song


async def test_a_song_sent_directly_is_answered_as_a_reply_with_a_picture_that_is_described(
    scene: Scene, tune: Path
) -> None:
    sent = await scene.ann.says(scene.ann.direct, "", tune)
    (answer,) = await scene.answers(scene.ann.direct)
    assert "%" in answer["content"]
    assert str(answer["message_reference"]["message_id"]) == sent["id"]
    (picture,) = answer["attachments"]
    assert scene.world.pictures[picture["id"]].startswith(b"\x89PNG")
    assert picture["description"].startswith("Timeline of a song of 0:3")
    assert [each.partition(":")[0] for each in custom_ids(answer)] == ["right", "wrong", "votes"]
    assert answer["allowed_mentions"]["parse"] == []
    assert not answer["allowed_mentions"].get("replied_user")


async def test_a_song_in_a_server_is_taken_where_the_bot_is_mentioned_and_left_alone_elsewhere(
    scene: Scene, tone: Tone
) -> None:
    await scene.ann.says(scene.channel, "look at this", tone(200, name="unasked.wav"))
    await scene.ann.says(scene.channel, "and this, @genre?", tone(900, name="asked.wav"), mention=True)
    (answer,) = await scene.answers(scene.channel)
    assert "classical" in answer["content"]
    assert scene.bot.ear.heard == ["song.wav"]


async def test_a_song_in_a_reply_to_the_bot_is_taken(scene: Scene, tone: Tone) -> None:
    await scene.ann.says(scene.channel, "hello", mention=True)
    help_text = await scene.says(scene.channel, "Send me a song")
    reference = {"message_id": help_text["id"], "channel_id": scene.channel, "guild_id": scene.guild}
    await scene.ann.says(
        scene.channel, "", tone(), mention=True, message_reference=reference, referenced_message=help_text, type=19
    )
    assert await scene.answers(scene.channel)


async def test_several_songs_at_once_get_an_answer_each_that_says_which_song_it_is(scene: Scene, tone: Tone) -> None:
    files = [tone(200, name="low_one.wav"), tone(900, name="middle.wav"), tone(1900, name="high.wav")]
    await scene.ann.says(scene.ann.direct, "", *files)
    answers = await scene.answers(scene.ann.direct, 3)
    first_lines = {answer["content"].splitlines()[0]: answer["content"] for answer in answers}
    assert set(first_lines) == {"**low\\_one.wav**", "**middle.wav**", "**high.wav**"}
    assert "blues" in first_lines["**low\\_one.wav**"]
    assert "jazz" in first_lines["**high.wav**"]


async def test_of_several_songs_one_that_cannot_be_answered_says_which_it_is(scene: Scene, tone: Tone) -> None:
    await scene.ann.says(scene.ann.direct, "", tone(200, name="song.wav"), tone(2000, name="silence.wav"))
    await scene.says(scene.ann.direct, "**silence.wav**\nThis recording is silent.")
    await scene.answers(scene.ann.direct)


async def test_a_voice_message_is_a_song_without_a_name(scene: Scene, tone: Tone) -> None:
    await scene.ann.says(scene.ann.direct, "", tone(name="voice-message.wav"), flags=VOICE)
    await scene.answers(scene.ann.direct)
    assert scene.bot.ear.heard == ["song"]


async def test_the_command_takes_a_file_and_is_acknowledged_at_once(scene: Scene, tone: Tone) -> None:
    token = await scene.ann.command(scene.channel, "genre", files=(tone(900),))
    (answer,) = await scene.answers(scene.channel)
    assert "classical" in answer["content"]
    assert scene.world.interactions[token].original == answer["id"]
    ((seconds, callback),) = scene.world.callbacks.values()
    assert callback["type"] == 5
    assert seconds < 3


async def test_the_menu_of_a_message_takes_every_song_in_it(scene: Scene, tone: Tone) -> None:
    sent = await scene.bob.says(scene.channel, "", tone(200, name="a.wav"), tone(900, name="b.wav"))
    assert not scene.world.of_bot()
    await scene.ann.points_at(sent)
    answers = await scene.answers(scene.channel, 2)
    assert {answer["content"].splitlines()[0] for answer in answers} == {"**a.wav**", "**b.wav**"}


async def test_a_link_is_taken_for_a_song_and_a_message_without_one_is_said_to_have_none(scene: Scene) -> None:
    await scene.ann.command(scene.channel, "genre", link="https://example.org/a-song.mp3")
    await scene.says(scene.channel, "link")
    await scene.ann.says(scene.ann.direct, "what about https://example.org/song.mp3?")
    await scene.says(scene.ann.direct, "link")
    await scene.linh.says(scene.channel, "bài này thì sao? https://example.org/another.mp3", mention=True)
    await scene.world.until(lambda: len(scene.world.of_bot(scene.channel)) == 2)
    await scene.ann.points_at(await scene.bob.says(scene.channel, "listen: https://example.org/third.mp3"))
    await scene.world.until(lambda: len(scene.world.of_bot(scene.channel)) == 3)
    nothing = await scene.bob.says(scene.channel, "just words")
    told = await scene.ann.told(await scene.ann.points_at(nothing))
    assert "I can't find a song in that" in told["content"]


async def test_a_picture_instead_of_a_song_is_turned_away_kindly(scene: Scene, tmp_path: Path) -> None:
    picture = tmp_path / "photo.png"
    picture.write_bytes(b"\x89PNG")
    await scene.ann.says(scene.ann.direct, "", picture)
    assert (await scene.says(scene.ann.direct, "not a music file"))["components"] == []


@pytest.mark.parametrize("operator_allows", [True, False])
async def test_in_a_channel_named_by_moderators_songs_are_answered_unasked_if_discord_shows_them(
    discord: FakeDiscord,
    storage: Storage,
    keys: IdHasher,
    settings: Settings,
    ear: EarAtHand,
    tone: Tone,
    operator_allows: bool,
) -> None:
    discord.world.reads_along = operator_allows
    scene = await open_scene(discord, storage, keys, settings, ear, prepare(discord))
    token = await scene.boss.command(scene.channel, "settings", listen=scene.channel)
    told = await scene.boss.told(token)
    assert f"<#{scene.channel}>" in told["content"]
    assert ("developer portal" in told["content"]) is not operator_allows
    await scene.ann.says(scene.channel, "", tone(name="unasked.wav"))
    await scene.ann.says(scene.channel, "", tone(900, name="asked.wav"), mention=True)
    assert len(await scene.answers(scene.channel, 2 if operator_allows else 1)) == (2 if operator_allows else 1)
    # The privileged intent is never asked for.
    assert not discord.gateway.intents & (1 << 15)
    await close_scene(scene)


# On the way


async def test_progress_is_one_message_that_is_edited_and_becomes_the_answer(scene: Scene, tone: Tone) -> None:
    scene.bot.ear.go_on.clear()
    await scene.ann.says(scene.channel, "", tone(200, 65), mention=True)
    progress = await scene.says(scene.channel, "…")
    assert [each.partition(":")[0] for each in custom_ids(progress)] == ["cancel"]
    scene.bot.ear.go_on.set()
    (answer,) = await scene.answers(scene.channel)
    assert answer["id"] == progress["id"]
    assert len(scene.world.posts) == 1


async def test_only_the_sender_or_a_moderator_of_the_place_can_stop_a_song(scene: Scene, tone: Tone) -> None:
    scene.bot.ear.go_on.clear()
    for name in ("one.wav", "two.wav"):
        await scene.ann.says(scene.channel, "", tone(200, 35, name=name), mention=True)
    first, second = await scene.world.until(lambda: (all_ := scene.world.of_bot(scene.channel))[1:] and all_)
    told = await scene.bob.told(await scene.bob.presses(first, "cancel"))
    assert told["content"] == "Only the person who sent this song can do that."
    await scene.ann.presses(first, "cancel")
    await scene.world.until(lambda: first["content"].startswith("Stopped."))
    assert first["components"] == []
    await scene.boss.presses(second, "cancel")
    await scene.world.until(lambda: second["content"].startswith("Stopped."))


async def test_a_file_that_is_too_large_is_turned_away_before_it_is_read(scene: Scene, tone: Tone) -> None:
    path = tone()
    huge = scene.ann.attach(path, claims=5_000_000)
    await scene.ann.says(scene.ann.direct, "", attachments=huge)
    await scene.says(scene.ann.direct, "larger than 1 MB")
    assert scene.bot.ear.heard == []


async def test_whoever_has_too_many_songs_waiting_is_told_so_once(scene: Scene, tone: Tone) -> None:
    scene.bot.ear.go_on.clear()
    await scene.ann.says(scene.ann.direct, "", *(tone(200 + n, 35) for n in range(6)))
    await scene.says(scene.ann.direct, "I can keep 3 songs waiting for you at a time, so I left out 3.")
    await scene.world.until(lambda: len(scene.world.of_bot(scene.ann.direct)) == 4)
    scene.bot.ear.go_on.set()
    assert len(await scene.answers(scene.ann.direct, 3)) == 3


async def test_a_song_is_answered_in_the_language_of_the_person_the_command_or_the_server(
    scene: Scene, tone: Tone
) -> None:
    await scene.linh.command(scene.channel, "genre", files=(tone(900),))
    (first,) = await scene.answers(scene.channel)
    assert "nhạc cổ điển" in first["content"]
    assert first["attachments"][0]["description"].startswith("Dòng thời gian")
    chosen = await scene.ann.told(await scene.ann.command(scene.channel, "language", language="vi"))
    assert "tiếng Việt" in chosen["content"]
    await scene.ann.says(scene.channel, "", tone(200), mention=True)
    _, second = await scene.answers(scene.channel, 2)
    assert "Mình" in second["content"]


# What Discord does meanwhile


async def test_after_fifteen_minutes_a_commands_answer_comes_through_the_channel(scene: Scene, tone: Tone) -> None:
    scene.bot.ear.go_on.clear()
    token = await scene.ann.command(scene.channel, "genre", files=(tone(200, 35),))
    await scene.says(scene.channel, "…")
    scene.world.interactions[token].alive = False
    scene.bot.ear.go_on.set()
    assert len(await scene.answers(scene.channel)) == 1


async def test_an_answer_survives_rate_limits_and_server_errors_and_is_said_once(scene: Scene, tone: Tone) -> None:
    path = rf"/channels/{scene.ann.direct}/messages"
    scene.world.faults = [
        Fault("POST", path, 429),
        Fault("POST", path, 502, after=True),
        Fault("PATCH", path, 429, retry_after=0.1),
    ]
    await scene.ann.says(scene.ann.direct, "", tone(200, 35))
    await scene.answers(scene.ann.direct)
    assert len(scene.world.of_bot(scene.ann.direct)) == 1
    assert all(fault.times == 0 for fault in scene.world.faults)


async def test_an_answer_whose_progress_message_was_deleted_is_said_anew(scene: Scene, tone: Tone) -> None:
    scene.bot.ear.go_on.clear()
    await scene.ann.says(scene.channel, "", tone(200, 35), mention=True)
    progress = await scene.says(scene.channel, "…")
    del scene.world.messages[progress["id"]]
    scene.world.nonces.clear()
    scene.bot.ear.go_on.set()
    (answer,) = await scene.answers(scene.channel)
    assert answer["id"] != progress["id"]


async def test_an_answer_in_a_thread_that_was_archived_meanwhile_is_said_anew(scene: Scene, tone: Tone) -> None:
    scene.bot.ear.go_on.clear()
    await scene.ann.says(scene.channel, "", tone(200, 35), mention=True)
    progress = await scene.says(scene.channel, "…")
    scene.world.faults = [Fault("PATCH", f"/channels/{scene.channel}/messages", 400, 50083, times=100)]
    scene.bot.ear.go_on.set()
    (answer,) = await scene.answers(scene.channel)
    assert answer["id"] != progress["id"]


@pytest.mark.parametrize("is_out", [True, False])
async def test_where_the_bot_was_thrown_out_or_is_refused_a_song_ends_quietly(
    scene: Scene, tone: Tone, *, is_out: bool
) -> None:
    scene.bot.ear.go_on.clear()
    await scene.ann.says(scene.channel, "", tone(200, 35), mention=True)
    await scene.says(scene.channel, "…")
    if is_out:
        scene.world.forbidden.add(scene.channel)
    else:
        path = f"/channels/{scene.channel}/messages"
        scene.world.faults = [Fault(method, path, 400, 50035, times=100) for method in ("PATCH", "POST")]
    scene.bot.ear.go_on.set()

    async def is_over() -> bool:
        job = await scene.bot.storage.jobs.get(1)
        return job is not None and job.outcome == "undeliverable"

    await eventually(is_over)
    await scene.bob.says(scene.bob.direct, "", tone(900))
    assert await scene.answers(scene.bob.direct)


async def test_where_files_are_forbidden_the_answer_comes_in_words(scene: Scene, tone: Tone) -> None:
    scene.world.no_files.add(scene.channel)
    await scene.ann.says(scene.channel, "", tone(), mention=True)
    (answer,) = await scene.answers(scene.channel)
    assert answer["attachments"] == []


async def test_a_file_whose_address_has_run_out_is_found_through_its_message(scene: Scene, tone: Tone) -> None:
    path = tone()
    (file,) = scene.ann.attach(path)
    stale = {**file, "url": file["url"].replace("/files/", "/files/0")}
    message = scene.world.add_message(scene.ann.direct, scene.ann.user, attachments=[file])
    await scene.discord.gateway.dispatch("MESSAGE_CREATE", {**message, "attachments": [stale]})
    assert await scene.answers(scene.ann.direct)


async def test_a_file_that_is_gone_is_said_to_be_gone(scene: Scene, tone: Tone) -> None:
    attached = scene.ann.attach(tone())
    scene.world.files.clear()
    await scene.ann.says(scene.ann.direct, "", attachments=attached)
    await scene.says(scene.ann.direct, "no longer there")


async def test_a_message_that_discord_delivers_twice_is_answered_once(scene: Scene, tone: Tone) -> None:
    await scene.ann.says(scene.ann.direct, "", tone())
    await scene.discord.gateway.say_again()
    await scene.answers(scene.ann.direct)
    await scene.bob.says(scene.bob.direct, "", tone(900))
    await scene.answers(scene.bob.direct)
    assert len(scene.world.of_bot(scene.ann.direct)) == 1


async def test_what_was_said_while_the_connection_was_cut_is_heard_when_it_resumes(scene: Scene, tone: Tone) -> None:
    await scene.discord.gateway.drop()
    await scene.ann.says(scene.ann.direct, "", tone())
    assert await scene.answers(scene.ann.direct)
    assert scene.discord.gateway.resumed == 1
    assert scene.discord.gateway.identified == 1


async def test_a_session_that_discord_has_forgotten_is_begun_anew(scene: Scene, tone: Tone) -> None:
    scene.discord.gateway.forget_sessions = True
    await scene.discord.gateway.ask_to_reconnect()
    await scene.world.until(lambda: scene.discord.gateway.identified == 2)
    await scene.ann.says(scene.ann.direct, "", tone())
    assert await scene.answers(scene.ann.direct)
    assert scene.discord.gateway.heartbeats > 0


async def test_commands_have_their_names_in_both_languages_and_may_be_used_everywhere(scene: Scene) -> None:
    commands = {command["name"]: command for command in scene.world.commands}
    assert set(commands) == {
        *("genre", "correct", "teach", "privacy", "mydata", "forgetme", "language", "help", "about", "stats"),
        *("settings", "feedback", "What genre is this?", "Correct the genre"),
    }
    assert commands["genre"]["name_localizations"]["vi"] == "thể-loại"
    assert commands["What genre is this?"]["name_localizations"]["vi"] == "Bài này thể loại gì?"
    assert {option["name"] for option in commands["feedback"]["options"]} == {"review", "stats", "export"}
    for name, command in commands.items():
        # Outside of servers, Discord would show moderators' commands to everybody.
        is_for_moderators = name == "feedback"
        assert command["integration_types"] == ([0] if is_for_moderators else [0, 1])
        assert command["contexts"] == ([0] if is_for_moderators else [0, 1, 2])
        assert len(json.dumps(command)) < 8000


async def test_what_arrives_while_the_bot_disconnects_is_left_alone(scene: Scene) -> None:
    arrived = []

    async def on_message(message: str) -> None:
        arrived.append(message)

    client = scene.chat.client
    client.on_message = on_message  # type: ignore[method-assign, assignment]
    client.dispatch("message", "while it is connected")
    await client.close()
    client.dispatch("message", "when nobody can be answered any more")
    await asyncio.sleep(0)
    assert arrived == ["while it is connected"]
