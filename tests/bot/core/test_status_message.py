"""The state machine of a song's message, on a platform that notes what it is asked to show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bot.core.chat import OutgoingMessage, PendingSong, Stage
from bot.core.errors import TryLater, Undeliverable
from bot.core.localization import Localizer
from bot.core.message_port import StatusLimits
from bot.core.progress_pace import ProgressPace
from bot.core.status_message import StatusMessage, StatusMessageChat
from bot.core.work_reactions import WorkReactions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.message_port import MessagePort

PAUSE_SECONDS = 0.2
PLACEHOLDER = OutgoingMessage("answering")


class Noted:
    """A platform with one place.

    Attributes
    ----------
    shown
        What the message came to say, with its id.
    gone
        Ids of messages that somebody deleted.
    faults
        Errors that the next requests meet.
    reactions
        Those to the message that asked.
    go_on
        Cleared by a test to hold every edit.
    """

    place = "here"
    asked = "the song"

    def __init__(self, *, posts_once: bool = True, room: bool = True) -> None:
        self.limits = StatusLimits(PAUSE_SECONDS, 0.0, posts_once)
        self.room = room
        self.shown: list[tuple[int, str]] = []
        self.gone: set[int] = set()
        self.faults: list[Exception] = []
        self.earlier: int | None = None
        self.sought: set[str] = set()
        self.reactions: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    def has_room(self) -> bool:
        return self.room

    async def post(self, message: OutgoingMessage) -> int:
        self._meet_fault()
        number = len({each for each, _ in self.shown}) + 1
        self.shown.append((number, message.text))
        return number

    async def edit(self, message_id: int, message: OutgoingMessage) -> bool:
        await self.go_on.wait()
        self._meet_fault()
        if message_id in self.gone or message.picture is not None:
            return False
        self.shown.append((message_id, message.text))
        return True

    async def withdraw(self, message_id: int) -> None:
        self.gone.add(message_id)

    async def react(self, emoji: str) -> None:
        self._meet_fault()
        self.reactions.append(emoji)

    async def remove_reaction(self, emoji: str) -> None:
        self._meet_fault()
        self.reactions.remove(emoji)

    async def tell_sender(self, message: OutgoingMessage) -> None:
        raise Undeliverable("direct messages are closed")

    def link(self, message_id: int) -> str | None:
        return f"https://chat.test/{message_id}"

    async def find(self, callbacks: set[str]) -> int | None:
        self.sought = callbacks
        return self.earlier

    def _meet_fault(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


class Standing(StatusMessageChat):
    """A chat with one song in each of its places, all of which wait; it stands for the conversation, too."""

    def __init__(self, ports: dict[int, Noted]) -> None:
        super().__init__(self, 0)  # type: ignore[arg-type]
        self._ports = ports
        self.queue = self

    def open_port(self, job_id: int, target: Mapping[str, Any]) -> tuple[MessagePort, None]:
        return self._ports[job_id], None

    async def stage(self, job_id: int) -> Stage:
        return Stage("queued", place=1)

    async def note_waiting(self, job_id: int, noted: Mapping[str, Any]) -> bool:
        return True


async def test_a_place_that_takes_no_more_for_a_while_holds_no_other_one_up() -> None:
    ports = {1: Noted(), 2: Noted()}
    chat = Standing(ports)
    for job_id, port in ports.items():
        port.place = f"place {job_id}"
        port.limits = StatusLimits(0, 0, posts_once=True)
        song = PendingSong(job_id, "ann", Localizer("en"), "song", message={}, payload={})
        await chat.show(song, Stage("queued", place=2))
    ports[1].go_on.clear()
    chat.queue_moved()
    async with asyncio.timeout(5):
        while len(ports[2].shown) < 2:  # noqa: ASYNC110 - what is noted tells nobody
            await asyncio.sleep(0.01)
    assert len(ports[1].shown) == 1
    ports[1].go_on.set()
    await chat.close_messages()


def status(port: Noted, message_id: int | None = None) -> StatusMessage:
    return StatusMessage(port, 7, ProgressPace(), message_id, is_noted=message_id is not None)


async def test_a_stage_that_arrives_during_a_pause_is_shown_at_its_end() -> None:
    port = Noted()
    message = status(port)
    await message.show(OutgoingMessage("queued"))
    await message.show(OutgoingMessage("fetching"))
    await message.show(OutgoingMessage("listening"))
    assert port.shown == [(1, "queued")]
    await asyncio.sleep(2 * PAUSE_SECONDS)  # the pause itself is what is tested
    assert port.shown == [(1, "queued"), (1, "listening")]


async def test_an_answer_waits_for_no_pause_and_nothing_follows_it() -> None:
    port = Noted()
    message = status(port)
    await message.show(OutgoingMessage("queued"))
    await message.show(OutgoingMessage("listening"))
    assert await message.finish(OutgoingMessage("jazz"), PLACEHOLDER) == 1
    await message.show(OutgoingMessage("listening"))
    await asyncio.sleep(2 * PAUSE_SECONDS)  # nothing may come in this time
    assert port.shown == [(1, "queued"), (1, "jazz")]


async def test_progress_that_is_refused_for_a_while_is_tried_again() -> None:
    port = Noted()
    port.faults = [TryLater(0.0)]
    message = status(port)
    await message.show(OutgoingMessage("queued"))
    await asyncio.sleep(2 * PAUSE_SECONDS)  # until it is tried again
    assert port.shown == [(1, "queued")]


async def test_whoever_deleted_the_progress_sees_no_more_of_it_but_gets_the_answer() -> None:
    port = Noted()
    message = status(port)
    await message.show(OutgoingMessage("queued"))
    port.gone = {1}
    await asyncio.sleep(PAUSE_SECONDS)  # until an edit is allowed
    await message.show(OutgoingMessage("fetching"))
    await message.show(OutgoingMessage("listening"))
    assert await message.finish(OutgoingMessage("jazz"), PLACEHOLDER) == 2
    assert port.shown == [(1, "queued"), (2, "jazz")]


async def test_where_a_post_may_come_twice_an_answer_is_never_posted_but_edited_in() -> None:
    port = Noted(posts_once=False)
    assert await status(port).finish(OutgoingMessage("jazz"), PLACEHOLDER) == 1
    assert port.shown == [(1, "answering"), (1, "jazz")]


async def test_a_message_that_was_posted_just_before_a_restart_is_found_by_its_buttons() -> None:
    port = Noted()
    port.earlier = 5
    assert await status(port).finish(OutgoingMessage("jazz"), PLACEHOLDER) == 5
    assert port.sought == {"cancel:7"}
    assert port.shown == [(5, "jazz")]


async def test_where_pictures_are_forbidden_the_words_are_shown() -> None:
    port = Noted()
    await status(port, 3).finish(OutgoingMessage("jazz", picture=b"png"), PLACEHOLDER)
    assert port.shown == [(3, "jazz")]


async def test_progress_leaves_room_for_answers() -> None:
    port = Noted(room=False)
    message = status(port, 3)
    await message.show(OutgoingMessage("listening"))
    assert port.shown == []
    await message.finish(OutgoingMessage("jazz"), PLACEHOLDER)
    assert port.shown == [(3, "jazz")]


async def test_an_answer_meets_its_platforms_faults() -> None:
    port = Noted()
    for fault in (TryLater(3), Undeliverable("blocked")):
        port.faults = [fault]
        with pytest.raises(type(fault)):
            await status(port).finish(OutgoingMessage("jazz"), PLACEHOLDER)


async def test_a_message_with_several_songs_keeps_its_reaction_until_the_last_has_ended() -> None:
    port, reactions = Noted(), WorkReactions()
    for job_id in (1, 2, 1):
        reactions.begin(job_id, port)
    assert reactions.end(1, port) is None
    await asyncio.sleep(0)
    assert port.reactions == ["👀"]
    removal = reactions.end(2, port)
    assert removal is not None
    port.faults = [TryLater(0.0)]
    await removal
    assert port.reactions == []


async def test_what_an_earlier_process_showed_is_taken_away_and_a_busy_place_is_left_alone() -> None:
    port, reactions = Noted(room=False), WorkReactions()
    reactions.begin(1, port)
    assert reactions.end(1, port) is None
    port.reactions = ["👀"]
    removal = reactions.end(1, port, earlier=True)
    assert removal is not None
    await removal
    assert port.reactions == []
