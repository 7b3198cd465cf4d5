"""Tables are created once, whichever process starts first, and match the code's declarations."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

from common.genres import load_genres
from storage import DatabaseTooNew, ReviewStatus, Storage, VerdictStatus
from storage.database import Database, database_url
from storage.migrate import REVISION, SCRIPTS, migrate
from storage.store import utc_now
from storage.tables import LabelRow, TableBase
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


async def test_several_processes_that_start_at_once_make_one_database(empty_url: str) -> None:
    command = [sys.executable, "-m", "storage", "migrate"]
    starts = [
        asyncio.create_subprocess_exec(
            *command, cwd=REPOSITORY, env={**os.environ, "DATABASE_URL": empty_url}, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    processes = await asyncio.gather(*starts)
    ends = await asyncio.gather(*(process.communicate() for process in processes))
    assert [(process.returncode, error) for process, (_, error) in zip(processes, ends, strict=True)] == [(0, b"")] * 3
    async with await Storage.open(empty_url) as storage:
        assert (await storage.labels.search()).total == len(load_genres())


async def test_opening_twice_at_once_in_one_process_works(empty_url: str) -> None:
    opened = await asyncio.gather(*(Storage.open(empty_url) for _ in range(3)))
    totals = [(await storage.labels.search()).total for storage in opened]
    await asyncio.gather(*(storage.close() for storage in opened))
    assert totals == [len(load_genres())] * 3


async def test_the_scripts_make_the_tables_that_the_code_uses(storage: Storage) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "target_metadata": TableBase.metadata}
        )
        return list(compare_metadata(context, TableBase.metadata))

    async with storage.database.transaction() as connection:
        assert await connection.run_sync(differences) == []


def test_the_revision_in_the_code_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


async def test_a_database_of_a_newer_release_is_left_alone(url: str) -> None:
    async with await Storage.open(url) as storage, storage.database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="9999"):
        await Storage.open(url)


async def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("storage.migrate.seed", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            await migrate(database_url(empty_url))
    database = Database(database_url(empty_url), utc_now)
    async with database.reading() as connection:
        tables = await connection.run_sync(lambda sync: sync.dialect.get_table_names(sync))
    await database.close()
    assert tables == []
    await migrate(database_url(empty_url))


async def test_an_up_to_date_database_is_opened_without_alembic(url: str) -> None:
    await migrate(database_url(url))
    script = (
        "import asyncio, sys\n"
        "from storage import Storage\n"
        "async def main():\n"
        f"    await (await Storage.open({url!r})).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=REPOSITORY)
    assert await process.wait() == 0


async def test_opening_again_adds_nothing(url: str) -> None:
    for _ in range(2):
        async with await Storage.open(url) as storage, storage.database.reading() as connection:
            count = (await connection.execute(select(func.count()).select_from(LabelRow))).scalar()
            assert count == len(load_genres())


async def test_a_database_of_the_first_release_is_brought_up_to_date_with_what_is_in_it(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: newest(config, "0001"))
        await migrate(database_url(empty_url))
    song = "5" * 64
    database = Database(database_url(empty_url), utc_now)
    async with database.transaction() as connection:
        for statement in (
            f"INSERT INTO songs VALUES ('{song}', 30.0, 'a song', 'local', CURRENT_TIMESTAMP)",
            f"INSERT INTO answers VALUES (1, '{song}', 'm', 'jazz', 0.5, true, '{{}}', CURRENT_TIMESTAMP)",
            "INSERT INTO people (person, may_train) VALUES ('ann', true)",
            (
                "INSERT INTO corrections (id, person, content_hash, answer_id, label, status, consent, may_train,"
                " platform, chat, moderated, created, updated)"
                f" VALUES (1, 'ann', '{song}', 1, 'rock', 'accepted', true, true,"
                " 'local', 'chat', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
            ),
        ):
            await connection.execute(text(statement))
    await database.close()
    for _ in range(2):
        assert await migrate(database_url(empty_url)) == REVISION
    async with await Storage.open(empty_url) as storage:
        [waiting] = (await storage.label_aggregation.verdicts()).values()
        # The old release did not store who decided, so the decision does not count as the operator's.
        assert (waiting.label, waiting.reviewed, waiting.status) == ("rock", False, VerdictStatus.WAITS)
        await storage.feedback.moderate(1, ReviewStatus.ACCEPTED, moderator="mod")
        [settled] = (await storage.label_aggregation.verdicts()).values()
        assert settled.reviewed
