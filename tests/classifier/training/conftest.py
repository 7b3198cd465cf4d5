"""A small release, trained once, and a folder for each test in which it serves."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.classifier.training.small import put_release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small release with its base material."""
    directory = tmp_path_factory.mktemp("small")
    put_release(directory)
    return directory


@pytest.fixture
def models(trained: Path, tmp_path: Path) -> Path:
    """A folder of its own in which that release serves."""
    return shutil.copytree(trained, tmp_path / "models")
