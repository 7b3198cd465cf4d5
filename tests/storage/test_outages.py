"""Databases that are full, locked, gone, restarted or out of connections: nothing is half done, and it goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import threading
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from common.errors import StorageUnavailable
from storage import LEASE_SECONDS, Storage, database
from storage.outages import retried
from tests.small_disk import small_disk
from tests.storage.factories import Clock, claimed, corrected, new_job, queued

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.small_disk import SmallDisk
    from tests.storage.postgresql import PostgreSQL


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
async def on_postgresql(postgresql: PostgreSQL, seeded_name: str) -> AsyncIterator[Storage]:
    """Storage in a database whose name is the last part of its URL."""
    name = postgresql.create(seeded_name)
    async with await Storage.open(postgresql.url(name)) as storage:
        yield storage
    postgresql.drop(name)


@contextmanager
def _frozen(server: PostgreSQL) -> Iterator[None]:
    """Stop every process of a server for a while."""
    processes = server.pids()

    def send(number: signal.Signals) -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    send(signal.SIGSTOP)
    try:
        yield
    finally:
        send(signal.SIGCONT)


async def _as_many_as_fit(storage: Storage) -> None:
    """Store what must fail at some point: some changes may still fit into what the files have."""
    for number in range(200):
        await queued(storage, f"person {number}")
        await corrected(storage, f"person {number}", "blues", f"song {number}")


async def test_a_full_disk_stores_nothing_by_halves_and_is_over_when_there_is_space(
    disk: SmallDisk, seeded_file: Path
) -> None:
    path = disk.folder / "songs.db"
    shutil.copy(seeded_file, path)
    async with await Storage.open(f"sqlite:///{path}") as storage:
        await queued(storage)
        disk.fill()
        with pytest.raises(StorageUnavailable, match="can't save anything at the moment"):
            await _as_many_as_fit(storage)
        before = await storage.feedback.stats()
        with pytest.raises(StorageUnavailable):
            await _as_many_as_fit(storage)
        assert await storage.feedback.stats() == before
        disk.empty()
        await storage.check_writable()
        await corrected(storage, "ann", "blues", "the last song")
    with sqlite3.connect(path) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_locked_file_can_be_read_and_says_so_when_it_is_written(
    seeded_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(database, "TURN_SECONDS", 0.08)
    path = tmp_path / "songs.db"
    shutil.copy(seeded_file, path)
    async with await Storage.open(f"sqlite:///{path}") as storage:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        tries = await asyncio.gather(*(queued(storage, f"{n}") for n in range(8)), return_exceptions=True)
        assert {type(each) for each in tries} <= {StorageUnavailable, *StorageUnavailable.__subclasses__()}
        assert (await storage.jobs.load()).queued == 0
        with pytest.raises(StorageUnavailable):
            await storage.check_writable()
        other.execute("ROLLBACK")
        other.close()
        await storage.check_writable()
        await queued(storage)


async def test_no_lease_expires_while_nobody_can_renew_it(
    seeded_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    clock, url = Clock(), f"sqlite:///{tmp_path / 'songs.db'}"
    shutil.copy(seeded_file, tmp_path / "songs.db")
    async with await Storage.open(url) as storage, await Storage.open(url, monotonic=clock.monotonic) as another:
        await queued(storage)
        taken = await claimed(storage)
        assert await another.jobs.claim("another") is None
        with sqlite3.connect(tmp_path / "songs.db", isolation_level=None) as lock:
            lock.execute("BEGIN IMMEDIATE")
            clock.advance(seconds=LEASE_SECONDS)
            with pytest.raises(StorageUnavailable):
                await another.jobs.claim("another")
        assert await another.jobs.claim("another") is None
        assert (await storage.jobs.heartbeat([taken.lease])).lost == frozenset()
        assert await another.jobs.claim("another") is None
        clock.advance(seconds=LEASE_SECONDS)
        assert await another.jobs.claim("another") is not None


async def test_nothing_is_written_to_a_file_that_was_taken_away(seeded_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    shutil.copy(seeded_file, path)
    async with await Storage.open(f"sqlite:///{path}") as storage:
        await queued(storage)
        path.rename(tmp_path / "elsewhere.db")
        for work in (storage.jobs.load(), queued(storage)):
            with pytest.raises(StorageUnavailable):
                await work
        assert not path.exists()
        (tmp_path / "elsewhere.db").rename(path)
        assert (await storage.jobs.load()).queued == 1
        await queued(storage)


async def test_a_restart_of_the_server_and_a_cut_connection_are_not_noticed(
    on_postgresql: Storage, postgresql: PostgreSQL
) -> None:
    storage = on_postgresql
    await asyncio.gather(*(queued(storage, f"person {number}") for number in range(10)))
    plain = storage.database.now

    # Every connection breaks between the statements of one transaction, once. No other is being committed: of one that
    # is, nobody knows whether it was stored, so it is not tried again.
    def now_and_cut() -> datetime:
        storage.database.now = plain
        cut = threading.Thread(target=postgresql.cut, args=(str(storage.database.url.database),))
        cut.start()
        cut.join()
        return plain()

    storage.database.now = now_and_cut
    await queued(storage)
    assert storage.database.now is plain
    await asyncio.gather(*(queued(storage, f"person {number}") for number in range(10)))
    assert (await storage.jobs.load()).queued == 21
    restart = asyncio.create_task(asyncio.to_thread(postgresql.restart))
    added = 0
    while not restart.done():
        try:
            await storage.jobs.add(new_job("ann", key=f"key {added}"))
            added += 1
        except StorageUnavailable:
            await asyncio.sleep(0.05)
    await restart
    await storage.jobs.add(new_job("ann", key=f"key {added}"))
    assert (await storage.jobs.load()).queued == 22 + added


async def test_a_server_that_is_gone_is_told_and_found_again(postgresql: PostgreSQL, seeded_name: str) -> None:
    name = postgresql.create(seeded_name)
    async with await Storage.open(postgresql.url(name)) as storage:
        await queued(storage)
        postgresql.drop(name)
        with pytest.raises(StorageUnavailable):
            await queued(storage)
        postgresql.say(f"CREATE DATABASE {name} TEMPLATE {seeded_name}")
        await queued(storage)
    postgresql.drop(name)


async def test_a_server_with_strict_transactions_by_default_changes_nothing(
    on_postgresql: Storage, postgresql: PostgreSQL
) -> None:
    name = str(on_postgresql.database.url.database)
    postgresql.say(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    await on_postgresql.database.close()
    await asyncio.gather(*(queued(on_postgresql, f"person {number % 3}") for number in range(12)))
    assert (await on_postgresql.jobs.load()).queued == 12


async def test_of_two_transactions_that_block_each_other_one_is_tried_again(on_postgresql: Storage) -> None:
    first, second = await queued(on_postgresql, "ann"), await queued(on_postgresql, "bob")
    met, attempts = asyncio.Barrier(2), 0

    async def change(order: tuple[int, int]) -> None:
        nonlocal attempts
        attempts += 1
        async with on_postgresql.database.transaction() as connection:
            await connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            for number in order:
                await connection.execute(text("UPDATE jobs SET attempts = attempts + 1 WHERE id = :id"), {"id": number})
                if attempts == 2 and number == order[0]:
                    await met.wait()

    await asyncio.gather(*(retried(partial(change, order)) for order in ((first.id, second.id), (second.id, first.id))))
    assert attempts == 3
    stored = [await on_postgresql.jobs.get(each.id) for each in (first, second)]
    assert [each.attempts for each in stored if each is not None] == [2, 2]


async def test_too_few_connections_are_told(
    postgresql: PostgreSQL, seeded_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POSTGRESQL_CONNECTIONS", 1)
    monkeypatch.setattr(database, "POOL_SECONDS", 0.05)
    name = postgresql.create(seeded_name)
    async with await Storage.open(postgresql.url(name)) as storage:
        async with storage.database.transaction():
            with pytest.raises(StorageUnavailable):
                await storage.jobs.load()
        assert (await storage.jobs.load()).queued == 0
    postgresql.drop(name)


@pytest.mark.parametrize("is_locked", [True, False])
async def test_a_server_that_is_locked_or_hangs_is_told_soon_and_used_again_after_it(
    postgresql: PostgreSQL, seeded_name: str, monkeypatch: pytest.MonkeyPatch, *, is_locked: bool
) -> None:
    for limit in ("COMMAND_SECONDS", "CONNECT_SECONDS"):
        monkeypatch.setattr(database, limit, 0.3)
    name = postgresql.create(seeded_name)
    async with await Storage.open(postgresql.url(name)) as storage, await Storage.open(postgresql.url(name)) as another:
        await queued(storage)
        async with AsyncExitStack() as hanging:
            if is_locked:
                connection = await hanging.enter_async_context(another.database.transaction())
                await connection.execute(text("LOCK TABLE jobs"))
            else:
                hanging.enter_context(_frozen(postgresql))
            async with asyncio.timeout(5):
                for work in (queued(storage), storage.jobs.load()):
                    with pytest.raises(StorageUnavailable):
                        await work
        await queued(storage)
        assert (await storage.jobs.load()).queued == 2
    postgresql.drop(name)
