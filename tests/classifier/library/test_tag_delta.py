"""A file that was tagged can be rebuilt to the byte from little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.library.tag_delta import BLOCK_BYTES, BadPatch, Patch, between, rebuilt

if TYPE_CHECKING:
    from pathlib import Path

SOUND = bytes(range(251)) * 400


def made(folder: Path, original: bytes, tagged: bytes) -> tuple[Patch, bytes]:
    one, other = folder / "original", folder / "tagged"
    one.write_bytes(original)
    other.write_bytes(tagged)
    patch = Patch.unpacked(between(one, other).packed())
    with other.open("rb") as file:
        return patch, b"".join(rebuilt(patch, file))


@given(st.binary(), st.binary(), st.binary(), st.binary(), st.integers(0, 3 * BLOCK_BYTES))
def test_any_two_files_lead_back_to_the_original(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes, new_head: bytes, new_tail: bytes, length: int
) -> None:
    original = head + SOUND[:length] + tail
    _, back = made(tmp_path_factory.getbasetemp(), original, new_head + SOUND[:length] + new_tail)
    assert back == original


@pytest.mark.parametrize(
    ("original", "tagged"),
    [
        (b"old tag" + SOUND, b"a longer new tag" + SOUND),
        (SOUND, b"tag" + SOUND),
        (b"RIFF\1\2\3\4" + SOUND, b"RIFF\5\6\7\x08" + SOUND + b"id3 and so on"),
        (SOUND + b"moov", SOUND + b"another moov"),
    ],
    ids=["before", "new", "size-and-behind", "behind"],
)
def test_the_sound_is_not_kept(tmp_path: Path, original: bytes, tagged: bytes) -> None:
    patch, back = made(tmp_path, original, tagged)
    assert back == original
    assert len(patch.kept) <= 2 * BLOCK_BYTES


def test_a_file_that_was_cut_short_is_not_taken_for_the_tagged_one(tmp_path: Path) -> None:
    patch, _ = made(tmp_path, SOUND, b"tag" + SOUND)
    (tmp_path / "tagged").write_bytes(SOUND[:100])
    with (tmp_path / "tagged").open("rb") as file, pytest.raises(BadPatch):
        list(rebuilt(patch, file))


@given(st.binary())
def test_bytes_that_are_no_patch_are_refused(content: bytes) -> None:
    with pytest.raises(BadPatch):
        Patch.unpacked(content)
