"""A crowd that sends songs to one bot process in both chats at once; what became of them is counted, not guessed.

``benchmarks/load.py`` runs it large, with the release; the test suite small, with the quick ear.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bot.discord import TOKEN as DISCORD_TOKEN
from tests.bot.discord import FakeDiscord
from tests.bot.discord import Somebody as Discordian
from tests.bot.discord.running import prepare
from tests.bot.discord.world import custom_ids
from tests.bot.process import BotProcess
from tests.bot.telegram.people import MENTION, buttons
from tests.bot.telegram.people import Somebody as Telegrammer
from tests.bot.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.bot.telegram.server import TelegramServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

GROUP = -100_700
SETTLE_SECONDS = 3.0
PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True)
class Crowd:
    """Who sends how much.

    Attributes
    ----------
    eager
        Songs of the one person in each chat who sends the most.
    others
        Songs of everybody else in each chat, person by person.
    together
        How many of these others, the last ones, write in a group or a server's channel and not to the bot alone.
    """

    eager: int
    others: tuple[int, ...]
    together: int

    @property
    def songs(self) -> int:
        """All songs, in both chats."""
        return 2 * (self.eager + sum(self.others))

    @property
    def people(self) -> int:
        """All people, in both chats."""
        return 2 * (1 + len(self.others))


ONE_OR_TWO = Crowd(eager=1, others=(1,), together=0)


@dataclass
class Wait:
    """One person's songs: seconds from sending to each answer, and how many answers each song got."""

    name: str
    sent: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def waits(self) -> list[float]:
        """Seconds that each song waited, those that were answered."""
        return [after - before for before, after in zip(self.sent, self.answered, strict=False)]


@dataclass(frozen=True)
class Footprint:
    """What a process holds: resident memory in MiB, and open descriptors."""

    mebibytes: float
    descriptors: int

    @staticmethod
    def of(pid: int) -> Footprint:
        """Look at a process."""
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        kibibytes = int(status.partition("VmRSS:")[2].split()[0])
        return Footprint(kibibytes / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())))


@dataclass
class Outcome:
    """What came of it.

    Attributes
    ----------
    waits
        Person by person, the eager ones first.
    seconds
        From the first song sent to the last one answered.
    breaches, peaks
        Limits of the platforms that were broken, and how near to each the bot came, in words.
    stray
        Messages of the bot that are no song's answer.
    before, after
        The bot's process when it was warm, and when all was done.
    """

    waits: list[Wait]
    seconds: float
    breaches: list[str]
    peaks: list[str]
    stray: int
    before: Footprint
    after: Footprint


class Load:
    """A bot process between two platforms of the tests' own, and songs to send.

    Parameters
    ----------
    folder
        For the bot's data.
    songs
        Gives another song with every call: no two are the same.
    warm_up
        Who sends songs before anything is measured.
    module, **settings
        What is started, and with which settings.
    """

    def __init__(
        self, folder: Path, songs: Iterator[Path], module: str, *, warm_up: Crowd = ONE_OR_TWO, **settings: str
    ) -> None:
        self._folder, self._songs, self._module, self._settings = folder, songs, module, settings
        self._warm_up = warm_up
        self.telegram = TelegramServer()
        self.discord = FakeDiscord()
        self.process: BotProcess | None = None

    async def run(self, crowd: Crowd, beside: Callable[[], Awaitable[None]] | None = None) -> Outcome:
        """Warm the bot up, then let the crowd in.

        Parameters
        ----------
        beside
            Whatever else goes on from then, and is waited for before the bot ends.
        """
        await self.telegram.start()
        async with self.discord:
            _, channel = prepare(self.discord)
            self.process = BotProcess(
                self._folder,
                self._module,
                DISCORD_TOKEN=DISCORD_TOKEN,
                DISCORD_API_URL=self.discord.api,
                DISCORD_GATEWAY_URL=self.discord.gateway.address,
                TELEGRAM_TOKEN=TELEGRAM_TOKEN,
                TELEGRAM_API_URL=self.telegram.url,
                **{"SONGS_PER_PERSON_QUEUED": str(crowd.eager), **self._settings},
            )
            try:
                await asyncio.to_thread(self.process.start)
                return await self._measured(crowd, channel, beside or _nothing)
            finally:
                await asyncio.to_thread(self.process.kill)
                await self.telegram.stop()

    async def _measured(self, crowd: Crowd, channel: str, beside: Callable[[], Awaitable[None]]) -> Outcome:
        assert self.process is not None
        await self._send_all(self._warm_up, channel, first=900)
        before = Footprint.of(self.process.pid)
        changes = len(self.telegram.changes), len(self.discord.world.changes)
        waits, _ = await asyncio.gather(self._send_all(crowd, channel, first=100), beside())
        seconds = max(wait.answered[-1] for wait in waits) - min(wait.sent[0] for wait in waits)
        await asyncio.sleep(SETTLE_SECONDS)
        stray = self._stray(changes, crowd)
        rates = self.telegram.rates, self.discord.world.rates
        return Outcome(
            waits=waits,
            seconds=seconds,
            breaches=[*self.telegram.broken, *self.discord.world.rates.breaches],
            peaks=[
                f"{limit.name}: at most {peak} of {limit.count} within {limit.seconds:g} s"
                for each in rates
                for limit, peak in each.peaks.items()
            ],
            stray=stray,
            before=before,
            after=Footprint.of(self.process.pid),
        )

    async def _send_all(self, crowd: Crowd, channel: str, *, first: int) -> list[Wait]:
        """Let everybody send at once, and wait for all answers."""
        alone = len(crowd.others) - crowd.together
        senders: list[tuple[Wait, Callable[[Path], Any], int]] = []
        for number, songs in enumerate((crowd.eager, *crowd.others)):
            there = number > alone
            someone = Telegrammer(self.telegram, first + number)
            senders.append((Wait(f"telegram-{number}"), _over_telegram(someone, together=there), songs))
            another = Discordian(self.discord)
            senders.append((Wait(f"discord-{number}"), _over_discord(another, channel if there else None), songs))
        # Made before anybody sends: who is busy making songs would count the bot's requests late.
        paths = [[await asyncio.to_thread(next, self._songs) for _ in range(songs)] for _, _, songs in senders]
        sending = (self._send(wait, send, own) for (wait, send, _), own in zip(senders, paths, strict=True))
        sent = await asyncio.gather(*sending)
        for songs_sent, (wait, _, _) in zip(sent, senders, strict=True):
            await self._answered(wait, songs_sent)
        return [wait for wait, _, _ in senders]

    async def _send(self, wait: Wait, send: Callable[[Path], Any], songs: Sequence[Path]) -> list[dict[str, Any]]:
        sent = []
        for path in songs:
            wait.sent.append(time.monotonic())
            sent.append(await send(path))
        return sent

    async def _answered(self, wait: Wait, songs: Sequence[dict[str, Any]]) -> None:
        for song in songs:
            if "message_id" in song:
                moments = await self.telegram.until(partial(_telegram_answers, self.telegram, song), PATIENCE_SECONDS)
            else:
                moments = await self.discord.world.until(
                    partial(_discord_answers, self.discord, song), PATIENCE_SECONDS
                )
            wait.answers.append(len(moments))
            wait.answered.append(moments[0])

    def _stray(self, since: tuple[int, int], crowd: Crowd) -> int:
        telegram = {(m["chat"]["id"], m["message_id"]) for _, m in self.telegram.changes[since[0] :]}
        discord = {message["id"] for _, message in self.discord.world.changes[since[1] :]}
        return len(telegram) + len(discord) - crowd.songs


async def _nothing() -> None:
    pass


def _over_telegram(somebody: Telegrammer, *, together: bool) -> Callable[[Path], Any]:
    there = somebody.in_group(GROUP) if together else somebody
    return lambda path: there.sends(path, caption=MENTION if together else "")


def _over_discord(somebody: Discordian, channel: str | None) -> Callable[[Path], Any]:
    return lambda path: somebody.says(channel or somebody.direct, "", path, mention=channel is not None)


def _telegram_answers(server: TelegramServer, song: dict[str, Any]) -> list[float]:
    """Return when each message that answers a song came to do so."""
    found: dict[int, float] = {}
    for moment, message in server.changes:
        is_ours = message["chat"]["id"] == song["chat"]["id"] and message.get("answers") == song["message_id"]
        if is_ours and _has_votes(button["callback_data"] for button in buttons(message)):
            found.setdefault(message["message_id"], moment)
    return list(found.values())


def _discord_answers(discord: FakeDiscord, song: dict[str, Any]) -> list[float]:
    found: dict[str, float] = {}
    for moment, message in discord.world.changes:
        reference = message.get("message_reference") or {}
        if str(reference.get("message_id")) == song["id"] and _has_votes(custom_ids(message)):
            found.setdefault(message["id"], moment)
    return list(found.values())


def _has_votes(data: Any) -> bool:
    return any(each.startswith("votes:") for each in data)
