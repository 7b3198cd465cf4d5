"""The same commit gives the same wheel, byte by byte."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


NAMES = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
LARGE = ("models/*.joblib", "models/*.npz", "bot/web/examples/*")


def _git(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _built(folder: Path, environment: dict[str, str], commit: str, umask: int) -> Path:
    command = ["sh", "deploy/wheel.sh", str(folder), commit]
    subprocess.run(command, cwd=REPOSITORY, env=environment, umask=umask, check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def test_two_builds_of_a_commit_are_the_same_and_hold_all_rooms(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    objects = REPOSITORY / _git(dict(os.environ), "rev-parse", "--git-common-dir") / "objects"
    environment = {
        **os.environ,
        **dict.fromkeys(NAMES, "tests"),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        "PYTHON": sys.executable,
    }
    # Without the model and the example songs, which would only take time.
    _git(environment, "read-tree", "HEAD")
    _git(environment, "rm", "-r", "-q", "--cached", "--ignore-unmatch", *LARGE)
    commit = _git(environment, "commit-tree", _git(environment, "write-tree"), "-m", "a wheel to compare")
    first = _built(tmp_path / "a", environment, commit, 0o022)
    second = _built(tmp_path / "b", environment, commit, 0o077)
    digests = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (first, second)}
    assert len(digests) == 1
    names = zipfile.ZipFile(first).namelist()
    for room in ("bot/app.py", "classifier/py.typed", "common/genres.toml", "links/guard.py", "storage/jobs.py"):
        assert room in names
