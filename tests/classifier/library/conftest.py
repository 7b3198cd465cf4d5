"""Songs in every format, played once for all tests of a file, and a notebook to remember things in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from classifier.library.state_db import Notebook
from tests.classifier.library.making import make_songs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_songs(tmp_path_factory.mktemp("songs"))


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path / "state")
    yield notebook
    notebook.close()
