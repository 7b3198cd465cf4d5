"""Releases for tests: their artifact is a name, and the quick ear answers in it."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING

from classifier.inference.executor import LocalExecutor, song_limits
from classifier.inference.manifest import FORMAT, MANIFEST, read_release
from classifier.inference.releases import ReleaseEvent, ReleaseStore
from tests.bot.fake_classifier import GENRES, NAMED_EAR_MINUTES, make_named_ear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.fake_classifier import Ear


def lay(folder: Path, name: str, genres: tuple[str, ...] = GENRES) -> Path:
    """Write a release whose artifact is a name: the quick ear stands in for what it would be."""
    folder.mkdir(parents=True, exist_ok=True)
    artifact = name.encode() * 1000
    (folder / f"{name}.joblib").write_bytes(artifact)
    (folder / "MODEL_CARD.md").write_text(f"# {name}\n", encoding="utf-8")
    files = {
        file: {"sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest()}
        for file in (f"{name}.joblib", "MODEL_CARD.md")
    }
    manifest = {"format": FORMAT, "name": name, "genres": genres, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def promote(model_dir: Path, *names: str) -> None:
    """Let releases serve one after the other, as ``python -m classifier promote`` does."""
    kept = ReleaseStore(model_dir)
    for name in names:
        with kept.exclusive():
            kept.promote(name, ReleaseEvent.PROMOTED, "because")


def following_executor(model_dir: Path, *, workers: int, seconds_per_segment: float = 0) -> LocalExecutor:
    """Return an executor, not started yet, whose workers answer in the name of the release that serves."""
    return LocalExecutor(
        partial(make_named_ear, "never", GENRES),
        workers=workers,
        limits=song_limits(NAMED_EAR_MINUTES),
        find_processor=partial(_find, model_dir, seconds_per_segment),
    )


def _find(model_dir: Path, seconds_per_segment: float) -> Callable[[], Ear]:
    manifest, _ = read_release(model_dir)
    return partial(make_named_ear, manifest["name"], tuple(manifest["genres"]), seconds_per_segment)
