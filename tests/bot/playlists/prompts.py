"""People who paste links that lead to many songs, and what the buttons below the question carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.core.callbacks import PlaylistCallback
from bot.core.identity import Person
from tests.bot.links_at_hand import LIST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.core.chat import OutgoingMessage
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


def choice(question: OutgoingMessage, count: int) -> PlaylistCallback:
    """Return what the button for so many songs carries."""
    for button in question.buttons:
        assert isinstance(button.callback, PlaylistCallback)
        if button.callback.count == count:
            return button.callback
    raise AssertionError(f"no button for {count} songs: {question}")
