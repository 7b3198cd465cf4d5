"""A program that sends many songs delays nobody in a chat: they take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.settings import Settings
from tests.bot.api.conftest import send
from tests.bot.running import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.api.conftest import Api
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]

PROGRAM_SONGS, PEOPLE = 12, 4
# Songs that the queue may have begun before anybody else came.
BEGUN = 3


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", songs_per_person_queued=PROGRAM_SONGS, max_megabytes=1)


async def test_people_who_chat_are_answered_between_the_songs_of_a_program(
    api: Api, notebook: Notebook, tone: Tone
) -> None:
    api.bot.with_chat(notebook)
    api.bot.ear.go_on.clear()
    for number in range(PROGRAM_SONGS):
        await send(api.ann, tone(210 + number))
    names = {f"person-{number}.wav" for number in range(PEOPLE)}
    for number, name in enumerate(sorted(names)):
        await api.bot.conversation.submit(notebook.sends(tone(1500 + number, name=name), who=name))
    api.bot.ear.go_on.set()

    async def all_heard() -> bool:
        return len(api.bot.ear.heard) == PROGRAM_SONGS + PEOPLE

    await eventually(all_heard)
    last = max(api.bot.ear.heard.index(name) for name in names)
    # What had begun already, and then one song of the program between two people's.
    assert last < BEGUN + 2 * PEOPLE
