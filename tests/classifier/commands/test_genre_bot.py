"""The installed program ``genre-bot``: its wheel has everything that it needs, wherever it is started."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from classifier.__main__ import COMMANDS
from tests.conftest import REPOSITORY
from tests.needs import lacking
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ("bot", "classifier", "common", "links", "models", "storage", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources and unpack it, as an installation without dependencies does."""
    checkout, folder = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("installed")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, checkout / name, ignore=shutil.ignore_patterns("__pycache__", "releases"))
        else:
            shutil.copy(source, checkout)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('dist'))"
    built = subprocess.run([sys.executable, "-c", build], cwd=checkout, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(checkout / "dist" / built.stdout.split()[-1]) as wheel:
        wheel.extractall(folder)
    return folder


def genre_bot(installed: Path, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program as its console script does, in another folder."""
    environment = {name: value for name, value in os.environ.items() if name not in {"MODEL_DIR", "PYTHONPATH"}}
    return subprocess.run(
        [sys.executable, "-c", "import sys; from bot.cli import main; main()", *map(str, arguments)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_console_script_and_the_model_are_in_the_wheel(installed: Path) -> None:
    [entry_points] = installed.glob("genre_bot-*.dist-info/entry_points.txt")
    assert "genre-bot = bot.cli:main" in entry_points.read_text()
    assert {path.name for path in (installed / "models").iterdir()} >= {"manifest.json", "MODEL_CARD.md"}


def test_a_song_is_classified_in_any_folder(installed: Path, tmp_path: Path) -> None:
    write(song("disco", 6), tmp_path / "song.mp3")
    result = genre_bot(installed, tmp_path, "classify", "song.mp3")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("song.mp3\t")


def test_a_collection_is_organized_in_any_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    write(song("disco", 6), tmp_path / "music" / "song.mp3")
    result = genre_bot(installed, tmp_path, "organize", "music", "--state", "state", "--report", "report.html")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "report.html").exists()
    assert result.stdout.endswith("\t1\n")


def test_the_version_is_that_of_the_package(installed: Path, tmp_path: Path) -> None:
    result = genre_bot(installed, tmp_path, "--version")
    [metadata] = installed.glob("genre_bot-*.dist-info")
    assert result.stdout == f"genre-bot {metadata.name.split('-')[1].removesuffix('.dist')}\n"


def test_the_help_lists_all_commands(installed: Path, tmp_path: Path) -> None:
    result = genre_bot(installed, tmp_path, "--help")
    assert result.stdout.startswith("usage: genre-bot ")
    for name in (*COMMANDS, "serve", "storage"):
        assert re.search(rf"^    {name}\b", result.stdout, re.MULTILINE)


def test_serve_runs_the_bot_with_its_arguments(installed: Path, tmp_path: Path) -> None:
    result = genre_bot(installed, tmp_path, "serve", "--help")
    assert result.stdout.startswith("usage: genre-bot serve [-h] [--check]")
    assert genre_bot(installed, tmp_path, "storage", "--help").returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_scripts_are_valid(installed: Path, tmp_path: Path, shell: str) -> None:
    if importlib.util.find_spec("shtab") is None or shutil.which(shell) is None:
        lacking(f"shtab and {shell} (Debian: {shell})")
    result = genre_bot(installed, tmp_path, "completion", shell)
    assert "classify" in result.stdout
    assert "--minimum-confidence" in result.stdout
    script = tmp_path / "script"
    script.write_text(result.stdout)
    assert subprocess.run([shell, "-n", script], check=False).returncode == 0
