"""Runs every test of storage on both databases: an SQLite file and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from storage import Storage
from storage.database import database_url
from storage.migrate import migrate
from tests.needs import lacking
from tests.storage.factories import Clock
from tests.storage.postgresql import PostgreSQL, find_binaries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    binaries = find_binaries()
    if binaries is None:
        lacking("PostgreSQL's initdb and pg_ctl (Debian: postgresql)")
    server = PostgreSQL(binaries)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def seeded_name(postgresql: PostgreSQL) -> str:
    """Return the name of a PostgreSQL database with all tables and labels, to be copied for each test."""
    name = postgresql.create()
    asyncio.run(migrate(database_url(postgresql.url(name))))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/songs.sqlite3"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database for one test, with all tables and labels."""
    if request.param == "sqlite":
        (tmp_path / "data").mkdir()
        shutil.copy(request.getfixturevalue("seeded_file"), tmp_path / "data" / "songs.sqlite3")
        yield f"sqlite:///{tmp_path}/data/songs.sqlite3"
        return
    template: str = request.getfixturevalue("seeded_name")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create(template)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def storage(url: str, clock: Clock) -> AsyncIterator[Storage]:
    async with await Storage.open(url, clock=clock, monotonic=clock.monotonic) as opened:
        yield opened


@pytest.fixture
async def another(url: str, clock: Clock, storage: Storage) -> AsyncIterator[Storage]:
    """Return a second connection to the same database, like another process would have."""
    async with await Storage.open(url, clock=clock, monotonic=clock.monotonic) as opened:
        yield opened
