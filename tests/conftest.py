"""Fixtures that every room's tests share."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from storage.database import database_url
from storage.migrate import migrate
from tests.needs import lacking

REPOSITORY = Path(__file__).resolve().parents[1]
# librosa's functions are compiled at their first call and kept beside it. Processes that do so at the same moment can
# read what another one has half written, and crash, so each keeps its own.
os.environ["NUMBA_CACHE_DIR"] = str(REPOSITORY / ".pytest_cache" / os.environ.get("PYTEST_XDIST_WORKER", "numba"))
WORKERS_PER_PROCESSOR = 2
ONLY_FAST = "not slow"
"""What ``make check`` asks for."""
FAST = (
    "bot/core",
    "classifier/features",
    "classifier/test_walls.py",
    "common",
    "deploy/test_dashboards.py",
    "deploy/test_image.py",
    "links/test_address.py",
    "links/test_error_mapping.py",
    "links/test_playlist.py",
    "storage",
)
"""Where the tests are that `make check` runs. All others are marked as slow: they start processes, servers or a
browser, decode or train. Of storage's tests, those on PostgreSQL are slow, too."""

FAST_PATHS = tuple(str(REPOSITORY / "tests" / path) for path in FAST)

LONGEST = (
    "links/test_hostile_world.py",
    "bot/telegram/test_songs.py",
    "bot/telegram/test_limits.py",
    "bot/both/test_teaching.py",
    "bot/test_many_bots.py",
    "bot/test_load.py",
    "bot/discord/test_songs.py",
    "bot/test_loop.py",
    "fuzz/test_fuzz.py",
    "classifier/training/test_music_detection.py",
    "docs/test_commands.py",
    "classifier/inference/cluster/test_losses.py",
    "bot/web/test_page.py",
    "bot/web/test_browser.py",
    "bot/both/test_rules.py",
    "bot/both/test_corrections.py",
    "classifier/audio/test_hostile_media.py",
    "classifier/datasets/test_builder.py",
    "bot/test_main.py",
    "classifier/library/test_command.py",
    "classifier/commands/test_cli.py",
    "classifier/studies/test_study_command.py",
    "classifier/commands/test_evaluate.py",
    "bot/test_many_bots.py",
    "classifier/audio/test_hostile_files.py",
    "bot/web/test_browser_folder.py",
)
"""Files that take longest; they come first, so that at the end no process waits long for another."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run twice as many tests as there are processors, since half of a slow test's time is spent on waiting."""
    each = 1 if config.option.markexpr == ONLY_FAST else WORKERS_PER_PROCESSOR
    return each * len(os.sched_getaffinity(0))


def pytest_configure() -> None:
    """Let what tests start be interrupted, even where the tests themselves run in the background.

    A shell makes a background job ignore SIGINT, and programs that it starts inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no folder of slow tests where only the fast ones are asked for: importing them all takes longest."""
    path = str(collection_path)
    leads = any(fast.startswith(path) or path.startswith(fast) for fast in FAST_PATHS)
    return True if config.option.markexpr == ONLY_FAST and not leads else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, and begin with the longest files."""
    for item in items:
        if not str(item.path).startswith(FAST_PATHS) or "postgresql" in item.name:
            item.add_marker(pytest.mark.slow)
    ranks = {REPOSITORY / "tests" / path: rank for rank, path in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="session")
def seeded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite database with all tables and labels, to be copied for each test."""
    path = tmp_path_factory.mktemp("seeded") / "songs.sqlite3"
    asyncio.run(migrate(database_url(f"sqlite:///{path}")))
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of music that lies beside a checkout; a plain clone has none."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        lacking("the music data beside the checkout (../shared/data)")
    return folder
