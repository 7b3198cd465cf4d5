"""What keeps the bot from starting ends in one sentence that says the way out, and changes nothing."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.app import CannotServe, serve
from bot.settings import Settings
from common.addresses import Address
from storage import KEY_NOTE, Storage
from tests.bot.process import REPOSITORY
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.fake_classifier import EarAtHand


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", local_chat=Address("127.0.0.1", 0))


async def _used(settings: Settings) -> None:
    """Leave a database and a key as a bot that ran before does."""
    async with await Storage.open(settings.database) as storage:
        await storage.get_or_set(KEY_NOTE, "the mark of the key that was")


def _damaged(data: Path) -> None:
    (data / "songs.db").write_bytes(b"\0" * 5000)


def _newer(data: Path) -> None:
    with closing(sqlite3.connect(data / "songs.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


def _cut(data: Path) -> None:
    (data / "secret.key").write_text("0123456789")


def _garbled(data: Path) -> None:
    (data / "secret.key").write_bytes(b"\xff\xfe" * 32)


def _key(data: Path) -> bytes | None:
    path = data / "secret.key"
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_damaged, "is damaged .*latest backup.*PRAGMA integrity_check"),
        (_newer, "made by a newer release.*Start that release, or restore a backup"),
        (_cut, r"secret\.key holds no complete key: restore it from a backup"),
        (_garbled, r"secret\.key holds no complete key: restore it from a backup"),
        (lambda _: None, r"secret\.key is missing.*restore it from a backup.*python -m storage new-key"),
    ],
)
async def test_damaged_data_is_named_with_the_way_back_and_left_as_it_is(
    settings: Settings, ear: EarAtHand, spoil: Callable[[Path], None], said: str
) -> None:
    await _used(settings)
    spoil(settings.data_dir)
    key = _key(settings.data_dir)
    with pytest.raises(CannotServe, match=said):
        await serve(settings, ear)
    assert _key(settings.data_dir) == key


async def test_a_data_folder_that_cannot_be_written_is_named(settings: Settings, ear: EarAtHand) -> None:
    settings.data_dir.parent.joinpath("data").write_text("a file in its place")
    with pytest.raises(CannotServe, match=r"the data folder .* cannot be written .*set DATA_DIR"):
        await serve(settings, ear)


async def test_a_full_disk_is_named(tmp_path: Path, settings: Settings, ear: EarAtHand) -> None:
    with small_disk(tmp_path / "small") as disk:
        disk.fill()
        with pytest.raises(CannotServe, match="disk"):
            await serve(settings.model_copy(update={"data_dir": disk.folder / "data"}), ear)


async def test_a_database_server_that_is_not_there_is_named_without_its_password(
    settings: Settings, ear: EarAtHand
) -> None:
    elsewhere = settings.model_copy(update={"database_url": "postgresql+asyncpg://me:hush-hush@127.0.0.1:1/songs"})
    with pytest.raises(CannotServe, match=r"The database 127\.0\.0\.1:1/songs cannot be used") as refused:
        await serve(elsewhere, ear)
    assert "hush" not in str(refused.value)


async def test_a_port_that_is_taken_is_named(settings: Settings, ear: EarAtHand) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        there = settings.model_copy(update={"local_chat": Address("127.0.0.1", taken.getsockname()[1])})
        with pytest.raises(CannotServe, match=r"cannot listen on .*set LOCAL_CHAT to another address"):
            await serve(there, ear)


def test_too_little_memory_is_named(tmp_path: Path) -> None:
    # With somewhat more, memory may run out within a library that does not say so.
    program = (
        "import bot.app, numpy, resource; from bot.__main__ import main; from pathlib import Path; "
        "held = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize(); "
        "resource.setrlimit(resource.RLIMIT_AS, (held + 2**22, held + 2**22)); "
        "raise SystemExit(main([]))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "LOCAL_CHAT": "127.0.0.1:0"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "memory" in done.stderr.splitlines()[-1]
