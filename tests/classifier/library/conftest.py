"""Songs in every format, synthesized once per session, and a state database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classifier.library.state_db import StateDatabase
from tests.classifier.library.making import make_songs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_songs(tmp_path_factory.mktemp("songs"))


@pytest.fixture
def state_db(tmp_path: Path) -> Iterator[StateDatabase]:
    state_db = StateDatabase(tmp_path / "state")
    yield state_db
    state_db.close()
