"""Bots among several: on one PostgreSQL behind one webhook, on a cluster, with a part of Discord's shards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr

from bot.chat_registry import homes
from bot.discord.client import DiscordClient
from bot.settings import Settings
from tests.bot.discord import TOKEN as DISCORD_TOKEN
from tests.bot.discord import FakeDiscord
from tests.bot.discord.running import prepare
from tests.bot.process import BotProcess
from tests.bot.running import eventually
from tests.bot.telegram.people import Somebody, buttons
from tests.bot.telegram.server import TOKEN, TelegramServer
from tests.classifier.inference.cluster.processes import Cluster, free_port
from tests.needs import lacking
from tests.storage.postgresql import PostgreSQL, find_binaries
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
PEOPLE = 5
TAKEOVER_SECONDS = 90


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        lacking("PostgreSQL's initdb and pg_ctl (Debian: postgresql)")
    server = PostgreSQL(binaries)
    server.start()
    yield server.url(server.create())
    server.stop()


class Balanced(TelegramServer):
    """A Telegram whose updates go to one webhook, behind which bots take turns; who does not answer is passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.ports: list[int] = []
        self._turn = 0
        self._last = 0

    async def deliver(self, **update: Any) -> dict[str, Any]:
        self._last += 1
        whole = {"update_id": self._last, **update}
        async with aiohttp.ClientSession(headers={SECRET_HEADER: self.webhook["secret_token"]}) as http:
            for _ in self.ports:
                self._turn = (self._turn + 1) % len(self.ports)
                try:
                    async with http.post(f"http://127.0.0.1:{self.ports[self._turn]}/telegram", json=whole) as response:
                        assert response.status == 200
                        return whole
                except aiohttp.ClientConnectionError:
                    continue
        raise AssertionError("no bot listens")


@pytest.fixture
async def telegram() -> AsyncIterator[Balanced]:
    server = Balanced()
    await server.start()
    yield server
    await server.stop()


def _bot(folder: Path, telegram: Balanced, database: str, *, linger: int) -> BotProcess:
    folder.mkdir()
    telegram.ports.append(port := free_port())
    return BotProcess(
        folder,
        TELEGRAM_TOKEN=TOKEN,
        TELEGRAM_API_URL=telegram.url,
        WEBHOOK_URL="http://127.0.0.1:1/telegram",
        WEBHOOK_LISTEN=f"127.0.0.1:{port}",
        DATABASE_URL=database,
        SECRET_KEY="known to all bots of this database",
        LINGER=str(linger),
    )


def _answers(telegram: TelegramServer, chat: int) -> list[dict[str, Any]]:
    """Return the messages in a chat that give an answer."""
    said = telegram.said(chat)
    return [each for each in said if any(b["callback_data"].startswith("votes:") for b in buttons(each))]


async def _all_noted(connection: asyncpg.Connection) -> bool:
    """Whether every song's message is known to all: one sent in the moment of the kill would be nobody's."""
    waiting = "SELECT count(*) FROM jobs WHERE outcome IS NULL AND (progress->>'message') IS NULL"
    return bool(await connection.fetchval(waiting) == 0)


@pytest.mark.timeout(300)  # a song is taken over when its lease has run out
async def test_a_bot_is_killed_in_the_middle_of_songs_and_another_answers_each_of_them_once(
    telegram: Balanced, database: str, tmp_path: Path
) -> None:
    slow = _bot(tmp_path / "slow", telegram, database, linger=600)
    quick = _bot(tmp_path / "quick", telegram, database, linger=0)
    try:
        await asyncio.to_thread(slow.start)
        ann = Somebody(telegram, 1)
        tune = await asyncio.to_thread(write, song("blues", 4), tmp_path / "tune.ogg")
        await ann.sends(tune)
        progress = await ann.hears("…")
        await asyncio.to_thread(quick.start)
        # Whoever of them hears that it was pressed, the song stops where it is.
        for _ in telegram.ports:
            await ann.presses(progress, "Stop")
        await ann.hears("Stopped. I've forgotten that song.")
        people = [Somebody(telegram, 10 + number) for number in range(PEOPLE)]
        content = tune.read_bytes()
        for number, person in enumerate(people):
            # Bytes behind the last page of an Ogg file sound like nothing, and make it another song.
            (tmp_path / f"{number}.ogg").write_bytes(content + b"\0" * number)
            await person.sends(tmp_path / f"{number}.ogg")
        # The slow one has come to all it can hold, or to what the quick one left.
        await telegram.until(lambda: any(_answers(telegram, person.number) for person in people))
        connection = await asyncpg.connect(database)
        await eventually(lambda: _all_noted(connection))
        await asyncio.to_thread(slow.kill)
        await telegram.until(lambda: all(_answers(telegram, person.number) for person in people), TAKEOVER_SECONDS)
        assert await asyncio.to_thread(quick.stop) == 0
        owners = await connection.fetch("SELECT outcome, claims FROM jobs ORDER BY id")
        await connection.close()
        assert [row["outcome"] for row in owners] == ["cancelled"] + ["answered"] * PEOPLE
        # Some were taken over, the others were never anybody else's.
        assert max(row["claims"] for row in owners) == 2
        assert [len(telegram.said(person.number)) for person in people] == [1] * PEOPLE
        assert "Traceback" not in quick.log
    finally:
        slow.kill()
        quick.kill()


@pytest.mark.timeout(300)
async def test_people_are_told_while_their_song_waits_for_the_cluster_and_answered_when_it_is_there(
    tmp_path: Path,
) -> None:
    telegram = TelegramServer()
    await telegram.start()
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster", work="classifier")
    bot = BotProcess(
        tmp_path, "bot", TELEGRAM_TOKEN=TOKEN, TELEGRAM_API_URL=telegram.url, EXECUTOR_URL=cluster.url, WORKERS="2"
    )
    try:
        await asyncio.to_thread(bot.start)
        ann = Somebody(telegram, 1)
        await ann.sends(await asyncio.to_thread(write, song("blues", 4), tmp_path / "tune.ogg"))
        await ann.hears("Waiting for a free worker")
        cluster.start_scheduler()
        cluster.start_worker()
        await telegram.until(lambda: _answers(telegram, ann.number), TAKEOVER_SECONDS)
        assert len(telegram.said(ann.number)) == 1
        assert await asyncio.to_thread(bot.stop) == 0
        assert "Traceback" not in bot.log
    finally:
        bot.kill()
        cluster.stop()
        await telegram.stop()


def test_bots_of_one_token_speak_for_the_same_and_pages_for_themselves() -> None:
    def of(owner: str, **tokens: str) -> dict[str, str]:
        return homes(Settings(**{name: SecretStr(token) for name, token in tokens.items()}), owner)  # type: ignore[arg-type]

    one, other = of("a", telegram_token=TOKEN), of("b", telegram_token=TOKEN)
    stranger = of("c", telegram_token=f"7{TOKEN}")
    assert one["telegram"] == other["telegram"] != stranger["telegram"]
    assert len({each["local"] for each in (one, other, stranger)}) == 3
    # Not a part of a token is written down, even of one that was made wrongly.
    whole = "x" * 40
    assert whole not in str(of("d", discord_token=whole))


async def test_processes_share_the_shards_of_one_discord_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeDiscord() as discord:
        prepare(discord)
        asked, ready = list[list[int]](), discord.gateway._ready

        async def note(socket: Any, identify: dict[str, Any]) -> None:
            asked.append(identify["shard"])
            await ready(socket, identify)

        monkeypatch.setattr(discord.gateway, "_ready", note)
        told = 0
        for shards in ((0,), (1, 2)):
            settings = Settings(
                discord_shard_count=3,
                discord_shards=shards,
                discord_api_url=discord.api,
                discord_gateway_url=discord.gateway.address,
            )
            client = DiscordClient(settings, None)  # type: ignore[arg-type]  # nothing is said here
            monkeypatch.setattr(client, "_register_commands", lambda: _count())
            told_before = told

            async def _count() -> None:
                nonlocal told
                told += 1

            await client.login(DISCORD_TOKEN)
            connection = asyncio.create_task(client.connect())
            await client.wait_until_ready()
            assert sorted(client.shards) == list(shards)
            assert told - told_before == (0 in shards)
            await client.close()
            await asyncio.gather(connection, return_exceptions=True)
        assert sorted(asked) == [[0, 3], [1, 3], [2, 3]]
