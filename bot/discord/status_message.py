"""A song's one message on Discord: made once, then edited from progress to answer, whatever Discord does meanwhile.

What the message says is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import io
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from bot.core import messages
from bot.core.errors import TryLater, Undeliverable
from bot.discord.components import custom_ids, view_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.core.chat import Song, Stage
    from bot.core.vocabulary import Words
    from bot.discord.rate_limit import Kind, Pace

# Discord takes an interaction's token for 15 minutes; the last seconds are not to be relied on.
TOKEN_SECONDS = 14.5 * 60
REQUEST_SECONDS = 60.0
FAULT_SECONDS = 10.0
# A channel takes five edits in five seconds, and other songs want some of them.
EDIT_SECONDS = 2.0
LOOK_BACK_MESSAGES = 100

UNKNOWN_MESSAGE = 10008
# Webhook unknown, its token invalid or dead: the interaction is over.
TOKEN_DEAD = frozenset({10015, 10062, 50027})
# Where the bot is no member, an interaction takes its first message and five more.
VISITORS_MESSAGES = 6
TOO_MANY_FOLLOWUPS = 40094
PNG_NAME = "timeline.png"


@dataclass(frozen=True, slots=True)
class Spot:
    """The way back to where a song was sent, as it is written down with the job.

    Attributes
    ----------
    channel
        Where.
    song
        The message or interaction that sent it; Discord's numbers say when that was.
    reply_to
        The message to answer as a reply; None if there is none.
    token, until
        An interaction's token, and when it dies (seconds since 1970).
    slot
        The message that is ours to edit already; None if it is to be made.
    named
        Whether the answer must say which song it is about: several were sent at once.
    picture
        Whether the place wants pictures.
    """

    channel: int
    song: int
    reply_to: int | None = None
    token: str | None = None
    until: float = 0.0
    slot: int | None = None
    named: bool = False
    picture: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the spot as JSON data; the constructor takes it back."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Saying:
    """What a message is to say: text, buttons, and a picture (PNG) with its description."""

    text: str
    view: discord.ui.View | None = None
    picture: bytes | None = None
    description: str = ""

    def files(self) -> list[discord.File]:
        """Return the picture as a file that can be sent once."""
        if self.picture is None:
            return []
        return [discord.File(io.BytesIO(self.picture), PNG_NAME, description=self.description)]


@asynccontextmanager
async def delivering() -> AsyncIterator[None]:
    """Turn what Discord says no with into what the queue understands; anything else is a bug of ours."""
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            yield
    except discord.RateLimited as limited:
        raise TryLater(limited.retry_after) from limited
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise TryLater(FAULT_SECONDS) from error
    except (discord.Forbidden, discord.NotFound) as error:
        raise Undeliverable(str(error)) from error
    except discord.HTTPException as error:
        if error.status == 429 or error.status >= 500:
            raise TryLater(FAULT_SECONDS) from error
        raise


class Line:
    """One song's message.

    Parameters
    ----------
    client
        Discord's.
    job_id, spot
        Which song, and where.
    slot
        Where the message is, as noted before a restart.
    is_old
        Whether the song may have a message that this process does not know of.
    pace
        How fast may be written where; shared by all lines.

    Attributes
    ----------
    slot
        The message, once there is one.
    is_noted
        Whether every process knows of it.
    ended
        Whether nothing more is shown.
    """

    def __init__(
        self,
        client: discord.Client,
        job_id: int,
        spot: Spot,
        *,
        slot: int | None = None,
        is_old: bool = False,
        pace: Pace,
    ) -> None:
        self.spot = spot
        self.slot = slot or spot.slot
        self.is_noted = slot is not None
        self.ended = False
        self._client = client
        self._job_id = job_id
        self._look_first = is_old and self.slot is None
        self._lock = asyncio.Lock()
        self._shown = ""
        self._next_edit = 0.0
        self._pace = pace
        self._sender: asyncio.Task[Any] | None = None
        self.later: asyncio.Task[None] | None = None
        self._latest: Saying | None = None

    async def show(self, saying: Saying) -> None:
        """Show progress: at once if Discord allows it now, else the latest of it as soon as it does."""
        self._latest = saying
        if self._wait() <= 0:
            await self._show_latest()
        elif self.later is None or self.later.done():
            self.later = asyncio.create_task(self._show_later())

    async def end(self, saying: Saying, *, marks: tuple[str, ...] = ()) -> int:
        """Say the last word; return the message's number. Raises ``TryLater`` or ``Undeliverable``.

        Parameters
        ----------
        marks
            Custom ids by which the message is known if the last word was said just before a restart.
        """
        await self.quiet()
        async with self._lock, delivering():
            return await self._put(saying, marks)

    async def quiet(self) -> None:
        """Show no more progress: what is on its way just now is waited for, so that it overtakes nothing."""
        self.ended = True
        if self.later is not None:
            if self.later is not self._sender:
                self.later.cancel()
            await asyncio.gather(self.later, return_exceptions=True)

    async def withdraw(self) -> None:
        """Take the message back: another process makes one of its own about the song.

        In a channel that is the same message: see the nonce. So it is where the message was there before us.
        """
        webhook = self._webhook()
        if webhook is not None and self.slot is not None and self.spot.slot is None:
            async with self._lock, delivering():
                await webhook.delete_message(self.slot)

    async def _show_later(self) -> None:
        while (wait := self._wait()) > 0:  # noqa: ASYNC110 - other songs may take their turn meanwhile
            await asyncio.sleep(wait)
        await self._show_latest()

    def _wait(self) -> float:
        """Return the seconds until Discord takes progress; the first message of a song has a limit of its own."""
        place = 0.0 if self.slot is None else self._pace.progress_wait(self._place())
        return max(place, self._next_edit - time.monotonic())

    async def _show_latest(self) -> None:
        async with self._lock:
            saying = self._latest
            if self.ended or saying is None or saying.text == self._shown:
                return
            self._next_edit = time.monotonic() + EDIT_SECONDS
            if self.slot is not None:
                self._pace.progress_shown(self._place())
            async with delivering():
                await self._put(saying, ())
            self._shown = saying.text

    async def _put(self, saying: Saying, marks: tuple[str, ...]) -> int:
        if self._look_first:
            self.slot = await self._look_back({f"cancel:{self._job_id}", *marks})
            self._look_first = False
        if self.slot is not None and await self._edited(self.slot, saying):
            return self.slot
        self.slot = await self._sent(saying)
        return self.slot

    async def _edited(self, slot: int, saying: Saying) -> bool:
        """Edit the message; False if it is gone or out of reach, so that another must be made."""
        webhook = self._webhook()
        if webhook is not None:
            try:
                async with self._request("edit", webhook.token):
                    await webhook.edit_message(slot, content=saying.text, attachments=saying.files(), view=saying.view)
            except discord.HTTPException as error:
                if error.code == UNKNOWN_MESSAGE:
                    return False
                self._lose_token(error)
            else:
                return True
        message = self._channel().get_partial_message(slot)
        try:
            async with self._request("edit", self.spot.channel):
                await message.edit(content=saying.text, attachments=saying.files(), view=saying.view)
        except (discord.NotFound, discord.Forbidden) as error:
            if saying.picture is not None and isinstance(error, discord.Forbidden):
                return await self._edited(slot, replace(saying, picture=None))
            return False
        return True

    async def _sent(self, saying: Saying) -> int:
        webhook = self._webhook()
        if webhook is not None:
            try:
                async with self._request("message", webhook.token):
                    sent = await webhook.send(
                        saying.text, files=saying.files(), view=saying.view or discord.utils.MISSING, wait=True
                    )
            except discord.HTTPException as error:
                self._lose_token(error)
            else:
                return sent.id
        try:
            return await self._posted(saying, self.spot.reply_to)
        except discord.Forbidden:
            # Files and replies have permissions of their own: plain words may still be welcome.
            if saying.picture is None and self.spot.reply_to is None:
                raise
            return await self._posted(replace(saying, picture=None), None)

    async def _posted(self, saying: Saying, reply_to: int | None) -> int:
        reference = None
        if reply_to is not None:
            reference = discord.MessageReference(
                message_id=reply_to, channel_id=self.spot.channel, fail_if_not_exists=False
            )
        # Discord makes one message of those with the same nonce: what is sent again after a lost answer or a
        # restart is not said twice.
        more: dict[str, Any] = {"view": saying.view} if saying.view is not None else {}
        if reference is not None:
            more["reference"] = reference
        nonce = f"{self._job_id}-{self.spot.song % 10**9}"
        async with self._request("message", self.spot.channel):
            sent = await self._channel().send(saying.text, files=saying.files(), nonce=nonce, **more)
        return sent.id

    @asynccontextmanager
    async def _request(self, kind: Kind, place: int | str | None) -> AsyncIterator[None]:
        async with self._pace.request(kind, place or self.spot.channel):
            self._sender = asyncio.current_task()
            try:
                yield
            finally:
                self._sender = None

    async def _look_back(self, marks: set[str]) -> int | None:
        """Find our message about the song among those that came after it, by its buttons."""
        me = self._client.user
        after = discord.Object(self.spot.song - 1)
        try:
            async for message in self._channel().history(after=after, limit=LOOK_BACK_MESSAGES):
                if me is not None and message.author.id == me.id and marks & custom_ids(message):
                    return message.id
        except (discord.Forbidden, discord.NotFound):
            return None
        return None

    def _place(self) -> int | str:
        """Return what Discord counts edits of the message against."""
        webhook = self._webhook()
        return self.spot.channel if webhook is None or webhook.token is None else webhook.token

    def _channel(self) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(self.spot.channel)

    def _webhook(self) -> discord.Webhook | None:
        application = self._client.application_id
        if self.spot.token is None or application is None or time.time() > self.spot.until:
            return None
        # As the library makes it for a fresh interaction, so that it may carry buttons.
        return discord.Webhook.from_state(
            data={"id": application, "type": 3, "token": self.spot.token}, state=self._client._connection
        )

    def _lose_token(self, error: discord.HTTPException) -> None:
        """Go on through the channel if the interaction is over; raise any other error."""
        if error.code not in TOKEN_DEAD | {TOO_MANY_FOLLOWUPS} and error.status != 401:
            raise error
        self.spot = replace(self.spot, token=None)


def progress_saying(stage: Stage, words: Words, job_id: int) -> Saying:
    """Return how far a song has come, with the button that stops it."""
    said = messages.progress_message(stage, words, job_id)
    return Saying(said.text, view_of(said.buttons))


def titled(saying: Saying, song: Song) -> Saying:
    """Return what is said of a song below its title, if it has one."""
    title = f"**{discord.utils.escape_markdown(song.title)}**\n" if song.title else ""
    return replace(saying, text=title + saying.text)


def slot_noted(noted: Mapping[str, Any]) -> int | None:
    """Return where a song's message is, as ``Chat.show`` noted it."""
    slot = noted.get("slot")
    return slot if isinstance(slot, int) else None
