"""Releases on a machine of the cluster: kept only if they are what their names promise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from classifier.inference.cluster.messages import ReleaseName, ReleaseParcel
from classifier.inference.cluster.release_cache import RELEASES_KEPT, Shelf
from classifier.inference.manifest import BadRelease
from tests.classifier.inference.cluster.making import write_release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def parcel(tmp_path: Path) -> ReleaseParcel:
    return ReleaseParcel.read(write_release(tmp_path / "models", "first"))


def test_a_release_is_found_again(tmp_path: Path, parcel: ReleaseParcel) -> None:
    shelf = Shelf(tmp_path / "shelf")
    assert shelf.find(parcel.name) is None
    place = shelf.put(parcel)
    assert Shelf(tmp_path / "shelf").find(parcel.name) == place
    assert ReleaseParcel.read(place) == parcel


@pytest.mark.parametrize("part", ["manifest", "content", "file"])
def test_what_was_altered_on_its_way_is_not_kept(tmp_path: Path, parcel: ReleaseParcel, part: str) -> None:
    file, content = parcel.artifact
    altered = {
        "manifest": replace(parcel, manifest=parcel.manifest.replace(b"first", b"worst")),
        "content": replace(parcel, artifact=(file, content + b"!")),
        "file": replace(parcel, artifact=(f"../{file}", content)),
    }[part]
    shelf = Shelf(tmp_path / "shelf")
    with pytest.raises(BadRelease):
        shelf.put(altered)
    assert shelf.find(parcel.name) is None
    assert not (tmp_path / file).exists()


def test_what_was_damaged_on_the_shelf_is_fetched_again(tmp_path: Path, parcel: ReleaseParcel) -> None:
    shelf = Shelf(tmp_path / "shelf")
    for file in ("manifest.json", parcel.artifact[0]):
        damaged = shelf.put(parcel) / file
        damaged.write_bytes(damaged.read_bytes().replace(b"e", b"o"))
        assert shelf.find(parcel.name) is None
    assert shelf.find(parcel.name) is None
    shelf.put(parcel)
    assert shelf.find(parcel.name) is not None


def test_a_name_leads_nowhere_but_onto_the_shelf(tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match="no checksum"):
        Shelf(tmp_path).find(ReleaseName("first", "../../etc"))


def test_only_the_latest_releases_are_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    for number in range(RELEASES_KEPT + 2):
        shelf.put(ReleaseParcel.read(write_release(tmp_path / "models", f"number-{number}")))
    assert len(list((tmp_path / "shelf").iterdir())) == RELEASES_KEPT
