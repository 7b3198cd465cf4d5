"""People who paste links that lead to many songs, and what the buttons below the question carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.core.identity import Person
from bot.core.messages import Action, read_button
from tests.bot.links_at_hand import LIST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.core.messages import Message
    from bot.settings import Settings
    from links import PlaylistItem
    from storage import Job
    from tests.bot.recording_chat import Notebook
    from tests.bot.running import Bot

    Assemble = Callable[[Settings], Bot]


ANN, BOB = Person("telegram", "ann"), Person("telegram", "bob")


async def pasted(
    bot: Bot, notebook: Notebook, tmp_path: Path, link: str = LIST, name: str = "link", **more: Any
) -> Job:
    """Paste a link, and wait until the bot has asked about it."""
    sent = notebook.sends(tmp_path, title=None, source="link", payload={"link": link}, message={"name": name}, **more)
    job = await bot.conversation.submit(sent)
    await notebook.until(lambda: notebook.questions[name] or notebook.refusals[name])
    return job


async def back(item: PlaylistItem) -> Mapping[str, Any]:
    return {"name": item.title}


def choice(question: Message, count: int) -> str:
    """Return what the button for so many songs carries."""
    for button in question.buttons:
        read = read_button(button.data)
        assert read is not None
        assert read[0] is Action.TAKE
        if read[1].endswith(f"-{count}"):
            return read[1]
    raise AssertionError(f"no button for {count} songs: {question}")
