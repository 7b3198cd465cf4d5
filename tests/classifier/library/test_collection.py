"""Every file of a collection is found once, whatever links there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classifier.library.collection import TEMPORARY_PREFIX, walk

if TYPE_CHECKING:
    from pathlib import Path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_music_is_found_at_any_depth_and_the_rest_is_not(tmp_path: Path) -> None:
    wanted = [touch(tmp_path / "a.mp3"), touch(tmp_path / "b" / "c" / "d.OPUS")]
    for name in ("cover.jpg", "._a.mp3", ".hidden/song.mp3"):
        touch(tmp_path / name)
    (tmp_path / "folder.mp3").mkdir()
    assert [found.path for found in walk(tmp_path).files] == wanted


def test_circular_links_are_not_followed(tmp_path: Path) -> None:
    song = touch(tmp_path / "a" / "song.mp3")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self.mp3").symlink_to(tmp_path / "self.mp3")
    (tmp_path / "nowhere.mp3").symlink_to(tmp_path / "gone.mp3")
    found = walk(tmp_path)
    assert [file.path for file in found.files] == [song]
    assert {path.name for path in found.skipped_links} == {"up", "self.mp3", "nowhere.mp3"}


def test_a_file_elsewhere_is_listed_once_for_all_links_to_it(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "elsewhere" / "song.mp3")
    inside = touch(tmp_path / "music" / "inside.mp3")
    for name, target in (("one.mp3", elsewhere), ("two.mp3", elsewhere), ("again.mp3", inside)):
        (tmp_path / "music" / name).symlink_to(target)
    found = walk(tmp_path / "music")
    assert [(file.path.name, file.link) for file in found.files] == [("inside.mp3", False), ("one.mp3", True)]
    assert {path.name for path in found.skipped_links} == {"two.mp3", "again.mp3"}


def test_temporary_copies_are_not_listed_as_music(tmp_path: Path) -> None:
    leftover = touch(tmp_path / f"{TEMPORARY_PREFIX}x1y2.mp3")
    found = walk(tmp_path)
    assert (found.files, found.leftovers) == ([], [leftover])
