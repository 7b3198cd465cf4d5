"""The original of a tagged file can be rebuilt byte for byte from a small patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.library.tag_delta import BLOCK_BYTES, BadPatch, Patch, apply_patch, make_patch

if TYPE_CHECKING:
    from pathlib import Path

SOUND = bytes(range(251)) * 400


def made(folder: Path, original: bytes, tagged: bytes) -> tuple[Patch, bytes]:
    one, other = folder / "original", folder / "tagged"
    one.write_bytes(original)
    other.write_bytes(tagged)
    patch = Patch.unpacked(make_patch(one, other).packed())
    with other.open("rb") as file:
        return patch, b"".join(apply_patch(patch, file))


@given(st.binary(), st.binary(), st.binary(), st.binary(), st.integers(0, 3 * BLOCK_BYTES))
def test_the_original_is_rebuilt_for_any_two_files(
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
def test_the_audio_data_is_not_stored_in_the_patch(tmp_path: Path, original: bytes, tagged: bytes) -> None:
    patch, back = made(tmp_path, original, tagged)
    assert back == original
    assert len(patch.kept) <= 2 * BLOCK_BYTES


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    patch, _ = made(tmp_path, SOUND, b"tag" + SOUND)
    (tmp_path / "tagged").write_bytes(SOUND[:100])
    with (tmp_path / "tagged").open("rb") as file, pytest.raises(BadPatch):
        list(apply_patch(patch, file))


@given(st.binary())
def test_invalid_patches_are_refused(content: bytes) -> None:
    with pytest.raises(BadPatch):
        Patch.unpacked(content)
