"""Health and metrics as an operator's machines see them: on an address of their own, with numbers only."""

from __future__ import annotations

import json
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.chat_registry import plan
from bot.health import CannotListen, Health, Operations
from bot.metrics import Metrics
from common.addresses import Address
from tests.bot.fake_classifier import EarAtHand
from tests.bot.process import BotProcess
from tests.bot.running import eventually
from tests.bot.web.page import send, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.settings import Settings
    from storage import Storage
    from tests.bot.recording_chat import Notebook
    from tests.bot.running import Bot
    from tests.bot.web.page import Page

    Tone = Callable[..., Path]
    Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

ANYWHERE_HERE = Address("127.0.0.1", 0)


@asynccontextmanager
async def _asked(health: Health) -> AsyncIterator[aiohttp.ClientSession]:
    """Open operations, and a client that asks them."""
    async with Operations(health, ANYWHERE_HERE) as operations, aiohttp.ClientSession(operations.url) as client:
        yield client


async def _readiness(client: aiohttp.ClientSession) -> tuple[int, list[str]]:
    async with client.get("/readyz") as response:
        return response.status, (await response.json())["missing"]


async def _samples(client: aiohttp.ClientSession) -> Samples:
    async with client.get("/metrics") as response:
        assert response.status == 200
        text = await response.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _one(samples: Samples, metric: str, /, **labels: str) -> float:
    return samples[f"genre_bot_{metric}", frozenset(labels.items())]


async def test_a_bot_that_only_begins_is_alive_but_not_ready() -> None:
    async with _asked(Health(Metrics())) as client:
        async with client.get("/healthz") as response:
            assert (response.status, await response.text()) == (200, "alive\n")
        assert await _readiness(client) == (503, ["model", "database", "taking-songs"])


async def test_only_hosts_of_ones_own_are_answered_so_that_no_strangers_page_can_read_it() -> None:
    async with (
        Operations(Health(Metrics()), ANYWHERE_HERE, ["metrics.example.org"]) as operations,
        aiohttp.ClientSession(operations.url) as client,
    ):
        for host, status in {
            "evil.example": 403,
            "evil.example:9090": 403,
            "[": 403,
            "metrics.example.org": 200,
            "bot:9090": 200,
            "10.1.2.3:9090": 200,
            "[::1]:9090": 200,
        }.items():
            async with client.get("/metrics", headers={"Host": host}) as response:
                assert (host, response.status) == (host, status)
                assert "Server" not in response.headers
                assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_readiness_names_the_part_that_is_missing(
    storage: Storage, ear: EarAtHand, notebook: Notebook, tmp_path: Path
) -> None:
    health = Health(Metrics())
    async with _asked(health) as client:
        health.has_storage(storage)
        health.has_model(ear)
        assert await _readiness(client) == (503, ["taking-songs"])
        health.has_chats(("telegram", "discord"), {"telegram": notebook})
        assert await _readiness(client) == (503, ["discord"])
        health.has_chats(("telegram",), {"telegram": notebook})
        assert await _readiness(client) == (200, [])
        assert _one(await _samples(client), "ready", part="telegram") == 1
        notebook.connected = False
        assert await _readiness(client) == (503, ["telegram"])
        notebook.connected = True
        with sqlite3.connect(tmp_path / "songs.db") as other:
            other.execute("ALTER TABLE jobs RENAME TO elsewhere")
        assert await _readiness(client) == (503, ["database"])
        # What was known goes on being told.
        assert _one(await _samples(client), "ready", part="database") == 0
        with sqlite3.connect(tmp_path / "songs.db") as other:
            other.execute("ALTER TABLE elsewhere RENAME TO jobs")
        assert await _readiness(client) == (200, [])
        health.stops()
        assert await _readiness(client) == (503, ["taking-songs"])


async def test_a_cluster_that_cannot_be_reached_is_missing(storage: Storage, notebook: Notebook) -> None:
    class Cluster(EarAtHand):
        """An ear on other machines."""

        connected = False

    health, cluster = Health(Metrics()), Cluster()
    health.has_storage(storage)
    health.has_model(cluster)
    health.has_chats(("telegram",), {"telegram": notebook})
    async with _asked(health) as client:
        assert await _readiness(client) == (503, ["cluster"])
        cluster.connected = True
        assert await _readiness(client) == (200, [])


async def test_songs_waits_stages_and_opinions_are_counted_by_chat_and_outcome(
    bot: Bot, notebook: Notebook, tone: Tone
) -> None:
    health = Health(bot.metrics)
    health.has_storage(bot.storage)
    health.has_model(bot.ear)
    health.has_chats(("telegram",), bot.chats)
    async with _asked(health) as client:
        before = await _samples(client)
        assert _one(before, "songs_total", chat="telegram", outcome="answered") == 0
        bot.ear.go_on.clear()
        path = tone(name="My Secret Song.wav")
        first = await bot.conversation.submit(notebook.sends(path))
        await notebook.until(lambda: "listening" in notebook.stages[path.name])
        assert _one(await _samples(client), "queue_songs", state="running") == 1
        await bot.conversation.cancel(first.id, bot.requester(notebook.sends(path).person))
        await notebook.until(lambda: notebook.stopped_songs)
        bot.ear.go_on.set()
        await bot.conversation.submit(notebook.sends(path))
        await notebook.until(lambda: notebook.answers[path.name])
        (heard,) = notebook.answers[path.name]
        await bot.conversation.correct(heard.reply.id, notebook.sends(path).person, "en", "jazz")
        noise = tone(name="noise.wav")
        noise.write_bytes(b"no music")
        await bot.conversation.submit(notebook.sends(noise))
        await notebook.until(lambda: len(notebook.discarded) == 3)
        after = await _samples(client)
        async with client.get("/metrics") as response:
            text = await response.text()
    for outcome in ("answered", "failed", "cancelled"):
        assert _one(after, "songs_total", chat="telegram", outcome=outcome) == 1
        assert _one(after, "song_seconds_count", outcome=outcome) == 1
    assert _one(after, "queue_wait_seconds_count") == 3
    assert _one(after, "stage_seconds_count", stage="fetch") == 3
    assert _one(after, "stage_seconds_count", stage="answer") == 1
    assert _one(after, "stage_seconds_count", stage="listen") == 2
    assert _one(after, "corrections_total", chat="telegram", agrees="no") == 1
    assert _one(after, "release_info", name=bot.ear.release) == 1
    assert _one(after, "queue_songs", state="queued") == 0
    for private in ("Secret", "ann", bot.keys.person(notebook.sends(path).person)):
        assert private not in text


async def test_an_address_that_is_taken_is_told_in_a_sentence() -> None:
    async with Operations(Health(Metrics()), ANYWHERE_HERE) as first:
        taken = Address("127.0.0.1", int(first.url.rpartition(":")[2]))
        with pytest.raises(CannotListen, match="set OPERATIONS_LISTEN to another address"):
            async with Operations(Health(Metrics()), taken):
                pass


async def test_a_page_that_strangers_may_open_tells_them_no_metrics(ann: aiohttp.ClientSession, page: Page) -> None:
    for path in ("/metrics", "/readyz"):
        async with ann.get(path) as response:
            assert response.status == 404
    assert page.chat.connected
    await page.chat.close()
    assert not page.chat.connected


async def test_the_whole_bot_is_ready_counts_its_song_and_shows_its_worker(tmp_path: Path, tone: Tone) -> None:
    process = BotProcess(tmp_path, OPERATIONS_LISTEN="127.0.0.1:0", LOG_FORMAT="json")
    process.start()
    try:
        lines = [json.loads(line) for line in process.log.splitlines()]
        url = next(line["message"].split()[-1] for line in lines if line["message"].startswith("operations are at"))
        manners = {"Origin": process.address}
        jar = aiohttp.CookieJar(unsafe=True)
        async with (
            aiohttp.ClientSession(url) as client,
            aiohttp.ClientSession(process.address, cookie_jar=jar, headers=manners) as browser,
        ):

            async def ready() -> bool:
                return await _readiness(client) == (200, [])

            await eventually(ready)
            await (await browser.post("/hello")).read()
            await settled(browser, (await send(browser, tone()))["id"])

            async def counted() -> bool:
                samples = await _samples(client)
                return _one(samples, "songs_total", chat="local", outcome="answered") == 1

            await eventually(counted)
            samples = await _samples(client)
        assert _one(samples, "workers") == 1
        assert _one(samples, "workers_resident_bytes") > 0
        assert _one(samples, "worker_restarts_total") == 0
        assert samples["process_resident_memory_bytes", frozenset()] > 0
        assert samples["process_open_fds", frozenset()] > 0
    finally:
        assert process.stop() == 0
    ended: list[dict[str, Any]] = [json.loads(line) for line in process.log.splitlines() if '"outcome"' in line]
    assert [(line["chat"], line["outcome"], line["job"]) for line in ended] == [("local", "answered", 1)]
    assert ended[0]["seconds"] > 0


async def test_operations_are_off_unless_an_address_is_set(settings: Settings) -> None:
    assert settings.operations_address is None
    assert "health and metrics: off" in plan(settings)
    somewhere = settings.model_copy(update={"operations_listen": Address("127.0.0.1", 9090)})
    assert "health and metrics: would be served on 127.0.0.1:9090" in plan(somewhere)
    assert settings.model_copy(update={"operations_listen": "off"}).operations_address is None
