"""Releases on a machine of the cluster: kept only if they are what their names promise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from classifier.inference.cluster.messages import ReleaseId, ReleaseMessage
from classifier.inference.cluster.release_cache import RELEASES_KEPT, ReleaseCache
from classifier.inference.manifest import BadRelease
from tests.classifier.inference.cluster.making import write_release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def release(tmp_path: Path) -> ReleaseMessage:
    return ReleaseMessage.read(write_release(tmp_path / "models", "first"))


def test_a_release_is_found_again(tmp_path: Path, release: ReleaseMessage) -> None:
    cache = ReleaseCache(tmp_path / "cache")
    assert cache.find(release.name) is None
    place = cache.put(release)
    assert ReleaseCache(tmp_path / "cache").find(release.name) == place
    assert ReleaseMessage.read(place) == release


@pytest.mark.parametrize("part", ["manifest", "content", "file"])
def test_a_release_altered_in_transit_is_not_saved(tmp_path: Path, release: ReleaseMessage, part: str) -> None:
    file, content = release.artifact
    altered = {
        "manifest": replace(release, manifest=release.manifest.replace(b"first", b"worst")),
        "content": replace(release, artifact=(file, content + b"!")),
        "file": replace(release, artifact=(f"../{file}", content)),
    }[part]
    cache = ReleaseCache(tmp_path / "cache")
    with pytest.raises(BadRelease):
        cache.put(altered)
    assert cache.find(release.name) is None
    assert not (tmp_path / file).exists()


def test_a_damaged_cached_release_is_fetched_again(tmp_path: Path, release: ReleaseMessage) -> None:
    cache = ReleaseCache(tmp_path / "cache")
    for file in ("manifest.json", release.artifact[0]):
        damaged = cache.put(release) / file
        damaged.write_bytes(damaged.read_bytes().replace(b"e", b"o"))
        assert cache.find(release.name) is None
    assert cache.find(release.name) is None
    cache.put(release)
    assert cache.find(release.name) is not None


def test_a_release_id_cannot_be_a_path(tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match="not the checksum"):
        ReleaseCache(tmp_path).find(ReleaseId("first", "../../etc"))


def test_only_the_latest_releases_are_kept(tmp_path: Path) -> None:
    cache = ReleaseCache(tmp_path / "cache")
    for number in range(RELEASES_KEPT + 2):
        cache.put(ReleaseMessage.read(write_release(tmp_path / "models", f"number-{number}")))
    assert len(list((tmp_path / "cache").iterdir())) == RELEASES_KEPT
