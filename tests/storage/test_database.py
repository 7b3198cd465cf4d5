"""URLs, transactions, and what differs between the two databases."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from storage import BadDatabaseUrl, DatabaseUnusable, Storage
from storage.database import database_url, insert_into, to_json
from storage.tables import FeatureRow, PersonRow
from tests.storage.factories import new_job

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sqlite:///data/x.db", "sqlite+aiosqlite:///data/x.db"),
        ("sqlite+aiosqlite:////var/x.db", "sqlite+aiosqlite:////var/x.db"),
        ("postgres://u:p@h:1/n", "postgresql+asyncpg://u:p@h:1/n"),
        ("postgresql://h/n?sslmode=require", "postgresql+asyncpg://h/n?ssl=require"),
        ("postgresql+asyncpg://h/n", "postgresql+asyncpg://h/n"),
    ],
)
def test_a_plain_url_gets_its_driver(text: str, url: str) -> None:
    assert database_url(text).render_as_string(hide_password=False) == url


@pytest.mark.parametrize(
    "text",
    ["", "songs.db", "mysql://u:secret@h/n", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg://u:secret@h/n"],
)
def test_a_url_that_cannot_be_used_is_named_without_its_password(text: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="DATABASE_URL") as caught:
        database_url(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": object()}, {1, 2}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        to_json(value)


async def test_a_file_in_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnusable, match="cannot be used"):
        await Storage.open(f"sqlite:///{tmp_path}/file/songs.sqlite3")


async def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(b"ID3" * 1000)
    with pytest.raises(DatabaseUnusable, match=r"is damaged .*latest backup"):
        await Storage.open(f"sqlite:///{tmp_path}/song.mp3")


async def test_sqlite_is_set_up_to_be_shared_and_strict(tmp_path: Path) -> None:
    async with (
        await Storage.open(f"sqlite:///{tmp_path}/songs.sqlite3") as storage,
        storage.database.transaction() as connection,
    ):
        for pragma, value in {
            "journal_mode": "wal",
            "foreign_keys": 1,
            "synchronous": 2,
            "busy_timeout": 10_000,
        }.items():
            assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar() == value


async def test_an_error_undoes_the_whole_transaction(storage: Storage) -> None:
    class Oops(Exception):
        pass

    async def write_and_fail() -> None:
        async with storage.database.transaction() as connection:
            await connection.execute(insert_into(connection, PersonRow).values(person="ann", language="vi"))
            raise Oops

    with pytest.raises(Oops):
        await write_and_fail()
    assert await storage.people.language("ann") is None


async def test_a_cancelled_task_undoes_its_transaction_and_leaves_the_way_free(storage: Storage) -> None:
    wrote = asyncio.Event()

    async def write_and_wait() -> None:
        async with storage.database.transaction() as connection:
            await connection.execute(insert_into(connection, PersonRow).values(person="ann", language="vi"))
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    await wrote.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await storage.people.set_language("bob", "en")
    assert await storage.people.language("ann") is None
    assert await storage.people.language("bob") == "en"


async def test_a_row_that_points_nowhere_is_refused(storage: Storage) -> None:
    with pytest.raises(IntegrityError):
        async with storage.database.transaction() as connection:
            await connection.execute(insert_into(connection, FeatureRow).values(answer_id=404, format=1, data=b""))


async def test_reading_sees_one_state_while_others_write(storage: Storage, another: Storage) -> None:
    count = select(func.count()).select_from(PersonRow)
    async with storage.database.reading() as connection:
        before = (await connection.execute(count)).scalar()
        await another.people.set_language("ann", "vi")
        assert (await connection.execute(count)).scalar() == before
    async with storage.database.reading() as connection:
        assert (await connection.execute(count)).scalar() == 1


async def test_times_come_back_in_utc_whatever_zone_they_were_given_in(storage: Storage) -> None:
    hanoi = datetime(2026, 3, 1, 19, tzinfo=timezone(timedelta(hours=7)))
    async with storage.database.transaction() as connection:
        await connection.execute(insert_into(connection, PersonRow).values(person="ann", asked=hanoi))
    asked = (await storage.people.consent("ann")).asked
    assert asked == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert asked is not None
    assert asked.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(storage: Storage) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001
    async with storage.database.transaction() as connection:
        row = insert_into(connection, PersonRow).values(person="ann", asked=naive)
        with pytest.raises(StatementError, match="without a time zone"):
            await connection.execute(row)


async def test_many_writers_at_once_all_get_their_turn(storage: Storage, another: Storage) -> None:
    writers = [each.jobs.add(new_job(f"person {i}")) for i in range(40) for each in (storage, another)]
    assert len({added.job.id for added in await asyncio.gather(*writers)}) == 80


async def test_ping_answers(storage: Storage) -> None:
    await storage.ping()


async def test_a_database_that_was_restored_from_a_copy_goes_on(tmp_path: Path) -> None:
    async with await Storage.open(f"sqlite:///{tmp_path}/songs.sqlite3") as storage:
        await storage.people.set_language("ann", "vi")
        with (
            sqlite3.connect(tmp_path / "songs.sqlite3") as source,
            sqlite3.connect(tmp_path / "copy.sqlite3") as target,
        ):
            source.backup(target)
        source.close()
        target.close()
    async with await Storage.open(f"sqlite:///{tmp_path}/copy.sqlite3") as restored:
        assert await restored.people.language("ann") == "vi"


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_connections_that_the_server_dropped_are_made_anew(storage: Storage, another: Storage) -> None:
    await storage.ping()
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with another.database.transaction() as connection:
        dropped = await connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
        assert len(dropped.all()) >= 1
    await storage.people.set_language("ann", "vi")
