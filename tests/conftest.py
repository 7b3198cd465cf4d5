"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of music that lies beside a checkout; a plain clone has none."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        reason = "needs the music data beside the checkout (../shared/data)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
