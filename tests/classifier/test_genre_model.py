"""The model as other people's programs use it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from classifier import SongError, load_model
from tests.classifier.test_walls import EXAMPLE, fresh_process
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

# A plain script, without the guard that multiprocessing asks for.
SCRIPT = f"""
from classifier import load_model
model = load_model()
report = model.classify({str(EXAMPLE)!r})
print(report.genre in model.genres, report.confidence > 0, len(report.segments) > 0)
"""


@pytest.mark.slow
def test_a_plain_script_is_told_the_genre_by_a_confined_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    told = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["True", "True", "True"]
    assert told.stderr == ""


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert (
        fresh_process("import classifier") & {"numpy", "scipy", "sklearn", "av", "asyncio", "multiprocessing"} == set()
    )


@pytest.mark.slow
def test_what_cannot_be_classified_says_why_and_the_model_goes_on(tmp_path: Path) -> None:
    (tmp_path / "notes.mp3").write_text("no music")
    with load_model() as model:
        with pytest.raises(SongError, match="not a music file"):
            model.classify(tmp_path / "notes.mp3")
        with pytest.raises(FileNotFoundError):
            model.classify(tmp_path / "missing.mp3")
        assert model.classify(EXAMPLE).segments
    with pytest.raises(ValueError, match="closed"):
        model.classify(EXAMPLE)
