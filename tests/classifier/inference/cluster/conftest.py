"""Orders for workers, and executors that reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classifier.inference.cluster.executor import ClusterExecutor
from tests.classifier.inference.cluster.making import write_release

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.classifier.inference.cluster.processes import Cluster


@pytest.fixture
def song(tmp_path: Path) -> Callable[[str], Path]:
    """Make a file that says what a worker is to do with it."""

    def make(order: str) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        path.write_text(order)
        return path

    return make


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return write_release(tmp_path / "models", "first")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a scheduler and one worker that does what files say, for all tests of a module."""
    from tests.classifier.inference.cluster.processes import Cluster

    running = Cluster(tmp_path_factory.mktemp("cluster"))
    running.start_scheduler()
    running.start_worker()
    yield running
    running.stop()


@pytest.fixture
async def executor(cluster: Cluster, model_dir: Path) -> AsyncIterator[ClusterExecutor]:
    opened = ClusterExecutor(cluster.url, model_dir=model_dir, max_minutes=10)
    await opened.start()
    yield opened
    await opened.close()
