"""Links to many songs on Discord: asked in the place of the progress, answered song by song, each with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.world import custom_ids
from tests.bot.links_at_hand import LIST, LinksAtHand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.discord.running import Scene

    Tone = Callable[..., Path]


@pytest.fixture
def links(tone: Tone) -> LinksAtHand:
    links = LinksAtHand()
    links.has_list(tone(200), None, tone(900), count=14)
    return links


@pytest.fixture
def scene(scene: Scene, links: LinksAtHand) -> Scene:
    scene.bot.follows(links)
    return scene


async def test_a_list_is_asked_about_and_answered_song_by_song(scene: Scene) -> None:
    await scene.ann.command(scene.channel, "genre", link=LIST)
    question = await scene.says(scene.channel, "This is a list of 14 songs. Shall I listen to the first 3?")
    presses = custom_ids(question)
    assert [each.rpartition("-")[2] for each in presses] == ["3", "1", "0"]
    assert all(each.startswith("take:") and len(each) <= 100 for each in presses)
    await scene.ann.presses(question, presses[0])
    answers = await scene.answers(scene.channel, 2)
    assert {answer["content"].splitlines()[0] for answer in answers} == {"**Song 1**", "**Song 3**"}
    broken = await scene.says(scene.channel, "There is nothing at this link.")
    assert broken["content"].startswith("**Song 2**\n")
    taken = await scene.says(scene.channel, "I take 3 songs of this list; each gets its own answer.")
    assert taken["id"] == question["id"]
    assert custom_ids(taken) == []


async def test_somebody_elses_list_is_left_alone_and_a_kept_button_comes_to_nothing(
    scene: Scene, links: LinksAtHand
) -> None:
    await scene.ann.says(scene.channel, f"<@1000> {LIST}", mention=True)
    await scene.ann.says(scene.ann.direct, LIST)
    question = await scene.says(scene.ann.direct, "This is a list")
    told = await scene.bob.told(await scene.bob.presses(question, "take:"))
    assert "Only the person who sent this song can do that." in told["content"]
    kept = dict(question)
    await scene.ann.presses(question, custom_ids(question)[-1])
    await scene.says(scene.ann.direct, "All right, I'll leave this list alone.")
    told = await scene.ann.told(await scene.ann.presses(kept, "take:"))
    assert "this button has expired" in told["content"]
    assert set(links.fetched) == {LIST}


async def test_a_song_of_a_list_is_stopped_by_its_own_button(scene: Scene, links: LinksAtHand) -> None:
    links.go_on.clear()
    await scene.ann.says(scene.ann.direct, LIST)
    question = await scene.says(scene.ann.direct, "This is a list")
    await scene.ann.presses(question, custom_ids(question)[0])
    progress = await scene.says(scene.ann.direct, "**Song 3**")
    await scene.ann.presses(progress, "cancel:")
    links.go_on.set()
    await scene.says(scene.ann.direct, "Stopped. I've forgotten that song.")
    (answer,) = await scene.answers(scene.ann.direct)
    assert answer["content"].startswith("**Song 1**")
